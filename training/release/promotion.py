"""The gate between a trained model and the line: a challenger becomes champion unless it is worse.

Pure policy over measured figures; `trial` measures them, `promote_command` carries the decision out.
"""

from collections.abc import Iterator

import msgspec

from training.evaluation.comparison import Difference


class Gate(msgspec.Struct, frozen=True):
    """What is still borne.

    Attributes:
        margin_ratio: a total may fall by so much, measured, as long as the fall is not clear.
        min_label_count: a class with fewer labels has no vote of its own, it counts in the totals.
    """

    margin_ratio: float = 0.01
    min_label_count: int = 20


class Scores(msgspec.Struct, frozen=True):
    """What one model scored on the site set.

    Attributes:
        map50: mean average precision at an overlap of 0.5.
        f1: of what it names at a calibrated probability of 0.5, all classes together.
        ap50: average precision of each class.
    """

    map50: float
    f1: float
    ap50: dict[str, float]


class Contest(msgspec.Struct, frozen=True):
    """Challenger minus champion on the same pictures, with 95 % intervals from a paired bootstrap."""

    champion_id: str
    champion: Scores
    map50: Difference
    f1: Difference
    ap50: dict[str, Difference]


class Trial(msgspec.Struct, frozen=True):
    """A challenger measured on the site set, beside the champion if there is one."""

    challenger_id: str
    challenger: Scores
    contest: Contest | None
    site_set_sha256: str
    picture_count: int
    label_counts: dict[str, int]
    runtime: str
    precision: str


def objections(trial: Trial, gate: Gate) -> tuple[str, ...]:
    """Why the challenger must not become champion; empty if it may.

    mAP50 and F1 may each fall by no more than the margin, and not clearly: an interval wholly below zero is refused
    however small the fall. So is one of a class with enough labels. F1 is there because average precision does not
    see a broken calibration, and the line acts on calibrated probabilities. The first model on a shelf has nobody to
    be worse than.
    """
    return () if trial.contest is None else tuple(_objections(trial.contest, trial.label_counts, gate))


def _objections(contest: Contest, label_counts: dict[str, int], gate: Gate) -> Iterator[str]:
    for name, total in (("mAP50", contest.map50), ("F1", contest.f1)):
        if total.high < 0.0:
            yield f"{name} is clearly worse: {shown(total)}"
        elif total.value < -gate.margin_ratio:
            yield f"{name} falls by more than the margin of {gate.margin_ratio:g}: {shown(total)}"
    for name, difference in contest.ap50.items():
        if difference.high < 0.0 and label_counts[name] >= gate.min_label_count:
            yield f"{name} is clearly worse: {shown(difference)}"


def shown(difference: Difference) -> str:
    """A difference with its interval, for people."""
    return f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"
