"""What `farz eval` measures, as one object: what its JSON holds and its page shows."""

from typing import Any

import msgspec

from training.evaluation.breakdown import Breakdown
from training.evaluation.comparison import Comparison
from training.evaluation.confusion import Confusion
from training.evaluation.evaluate import ClassFigures
from training.evaluation.interval import Interval
from training.evaluation.purity_recovery import SortingFigures
from training.evaluation.reliability import Reliability


class ModelFacts(msgspec.Struct, frozen=True):
    """What was measured: identity, the network's input, and what it says of itself."""

    name: str
    version: str
    licence: str
    network_sha256: str
    input_px: tuple[int, int]
    classes: tuple[str, ...]
    data_sheet: list[str] = []


class DataFacts(msgspec.Struct, frozen=True):
    """What it was measured on."""

    sources: list[str]
    picture_count: int
    label_count: int
    judged_classes: list[str]


class KeptMatches(msgspec.Struct, frozen=True):
    """Matches of one class, small enough for a file.

    Attributes:
        scores: of the detections, the highest first.
        pictures: index of the picture of each.
        hits: of each, bit k for a hit at the k-th of the ten overlaps.
        label_counts: labels of the class in each picture.
    """

    scores: list[float]
    pictures: list[int]
    hits: list[int]
    label_counts: list[int]


class PictureByPicture(msgspec.Struct, frozen=True):
    """All that a paired comparison needs: names of the pictures and the matches of each judged class."""

    pictures: list[str]
    per_class: dict[str, KeptMatches]


class ComparedModel(msgspec.Struct, frozen=True):
    """Another model's figures, and this model minus it where both saw the same pictures."""

    name: str
    map50: Interval
    map50_95: Interval
    per_class_ap50: dict[str, float]
    difference: Comparison | None
    unpaired_because: str | None = None


class EvaluationReport(msgspec.Struct, frozen=True):
    """What `farz eval` prints.

    Attributes:
        map50: with every class that a box may be of, as COCO and Ultralytics count.
        map50_one_name: with the likeliest class of each box alone.
        ece: expected calibration error over all judged classes; see `reliability`.
        reliability: the same with the bins of the diagram.
        curves: precision at 101 even recalls from 0 to 1, at an overlap of 0.5, by class.
        strips: the closed-loop score of each source laid out as a belt, where asked for.
        picture_results: for paired comparisons, where asked for.
    """

    model_id: str
    runtime: str
    precision: str
    map50: Interval
    map50_95: Interval
    map50_one_name: Interval | None
    per_class: dict[str, ClassFigures]
    picture_count: int
    seconds: float
    ece: Interval | None
    reliability: Reliability | None
    curves: dict[str, list[float]]
    confusion: Confusion
    breakdown: Breakdown
    sorting: dict[str, SortingFigures]
    data: DataFacts
    model: ModelFacts
    measured_at: str
    versions: dict[str, str]
    seed: int = 0
    strips: dict[str, dict[str, Any]] = {}
    comparisons: list[ComparedModel] = []
    picture_results: PictureByPicture | msgspec.UnsetType = msgspec.UNSET
