"""Setting an evaluation beside an earlier one, in pairs of pictures where the earlier one kept its results."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from sorter.errors import BadInputError
from training.evaluation.average_precision import IOU_THRESHOLDS, ClassMatches
from training.evaluation.comparison import compare_matches
from training.evaluation.evaluation_report import ComparedModel, EvaluationReport, KeptMatches, PictureByPicture
from training.evaluation.interval import Interval

_BITS = 1 << np.arange(len(IOU_THRESHOLDS))


class OtherClass(msgspec.Struct, frozen=True):
    """What is read of a class of another evaluation."""

    ap50: float


class OtherEvaluation(msgspec.Struct, frozen=True):
    """What is read of the JSON of another evaluation; the rest of it is not looked at."""

    model_id: str
    map50: Interval
    map50_95: Interval
    per_class: dict[str, OtherClass]
    picture_results: PictureByPicture | None = None
    runtime: str = ""
    precision: str = ""

    @property
    def name(self) -> str:
        """The model and how it was run, for one model may be set beside itself in another precision."""
        return " ".join(part for part in (self.model_id, self.runtime, self.precision) if part)


def kept_matches(names: Sequence[str], matches: Mapping[str, ClassMatches]) -> PictureByPicture:
    """Pack the matches of each class; scores are rounded to six digits."""
    return PictureByPicture(list(names), {name: _packed(one) for name, one in matches.items()})


def as_other(report: EvaluationReport, names: Sequence[str], matches: Mapping[str, ClassMatches]) -> OtherEvaluation:
    """An evaluation made just now, as one to be compared with."""
    per_class = {name: OtherClass(one.ap50) for name, one in report.per_class.items()}
    return OtherEvaluation(
        report.model_id,
        report.map50,
        report.map50_95,
        per_class,
        kept_matches(names, matches),
        report.runtime,
        report.precision,
    )


def unpacked(kept: KeptMatches) -> ClassMatches:
    """The matches again."""
    hits = (np.array(kept.hits, dtype=np.int64)[None, :] & _BITS[:, None]) > 0
    pictures, label_counts = (np.array(part, dtype=np.int64) for part in (kept.pictures, kept.label_counts))
    return ClassMatches(np.array(kept.scores, dtype=np.float64), pictures, hits, label_counts)


def read_other(path: Path) -> OtherEvaluation:
    """Read the JSON of another evaluation.

    Raises:
        BadInputError: if it cannot be read or is no evaluation.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=OtherEvaluation)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"--compare {path}: not the JSON of an evaluation (`farz eval --json`): {error}") from error


def set_beside(
    names: Sequence[str], matches: Mapping[str, ClassMatches], other: OtherEvaluation, seed: int
) -> ComparedModel:
    """Another evaluation's figures, with a paired difference where that is possible and the reason where it is not."""
    theirs = {} if other.picture_results is None else other.picture_results.per_class
    reason = _why_unpaired(names, matches, other)
    their_matches = {name: unpacked(one) for name, one in theirs.items()}
    return ComparedModel(
        name=other.name,
        map50=other.map50,
        map50_95=other.map50_95,
        per_class_ap50={name: one.ap50 for name, one in other.per_class.items()},
        difference=None if reason else compare_matches(matches, their_matches, seed),
        unpaired_because=reason,
    )


def _why_unpaired(names: Sequence[str], matches: Mapping[str, ClassMatches], other: OtherEvaluation) -> str | None:
    kept = other.picture_results
    if kept is None:
        return "its file holds no results picture by picture; write it with --keep-results"
    if kept.pictures != list(names):
        return "it was measured on other pictures"
    shared = [name for name in matches if name in kept.per_class]
    if not shared:
        return "it judges none of the same classes"
    if any(kept.per_class[name].label_counts != matches[name].label_counts.tolist() for name in shared):
        return "it was measured against other labels"
    return None


def _packed(matches: ClassMatches) -> KeptMatches:
    hits = (matches.hits * _BITS[:, None]).sum(axis=0)
    scores = np.round(matches.scores, 6)
    return KeptMatches(scores.tolist(), matches.pictures.tolist(), hits.tolist(), matches.label_counts.tolist())
