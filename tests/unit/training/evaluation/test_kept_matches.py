"""Evaluations set side by side: paired where both saw the same, and a reason where they did not."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from sorter.errors import BadInputError
from training.evaluation.average_precision import ClassMatches, PictureResult, average_precision, match_class
from training.evaluation.interval import Interval
from training.evaluation.kept_matches import (
    OtherClass,
    OtherEvaluation,
    kept_matches,
    read_other,
    set_beside,
    unpacked,
)

Noisy = Callable[..., list[PictureResult]]
NAMES = [f"a/b/{index}.jpg" for index in range(12)]


def matches_of(results: list[PictureResult]) -> dict[str, ClassMatches]:
    return {name: match_class(results, class_id) for name, class_id in {"can": 0, "hdpe": 1, "glass": 2}.items()}


def other(matches: dict[str, ClassMatches], names: list[str] | None = None, keeps: bool = True) -> OtherEvaluation:
    kept = kept_matches(names or NAMES, matches) if keeps else None
    half = Interval(0.5, 0.4, 0.6)
    return OtherEvaluation("champion", half, half, {"can": OtherClass(0.5)}, kept)


def test_packed_matches_give_the_same_average_precision(noisy_results: Noisy) -> None:
    matches = matches_of(noisy_results(1))
    kept = msgspec.json.decode(
        msgspec.json.encode(kept_matches(NAMES, matches)), type=type(kept_matches(NAMES, matches))
    )
    once = np.ones(12, dtype=np.int64)
    for name, one in matches.items():
        assert average_precision(unpacked(kept.per_class[name]), once) == pytest.approx(average_precision(one, once))


def test_the_same_pictures_make_a_pair(noisy_results: Noisy) -> None:
    matches = matches_of(noisy_results(1))
    beside = set_beside(NAMES, matches, other(matches), seed=0)
    assert beside.difference is not None
    assert beside.difference.map50.value == pytest.approx(0.0)
    assert beside.unpaired_because is None
    assert (beside.name, beside.map50.value, beside.per_class_ap50) == ("champion", 0.5, {"can": 0.5})


def test_without_pairs_there_is_a_reason_and_no_difference(noisy_results: Noisy) -> None:
    matches = matches_of(noisy_results(1))
    elsewhere = [f"x/{name}" for name in NAMES]
    reasons = {
        "no results picture by picture": other(matches, keeps=False),
        "other pictures": other(matches, elsewhere),
        "other labels": other(matches_of(noisy_results(2))),
        "none of the same classes": other({"paper": matches["can"]}),
    }
    for reason, one in reasons.items():
        beside = set_beside(NAMES, matches, one, seed=0)
        assert beside.difference is None
        assert reason in str(beside.unpaired_because)


@pytest.mark.parametrize("text", ["", "[]", '{"model_id": 3}', "no json"])
def test_what_is_no_evaluation_is_refused_in_a_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(BadInputError, match=r"--compare .*other\.json"):
        read_other(path)
    with pytest.raises(BadInputError, match="--compare"):
        read_other(tmp_path / "nowhere.json")
