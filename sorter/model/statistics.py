"""What the line has measured so far, with intervals; the same figures on the page, at the end of a run, in a score."""

import msgspec


class Estimate(msgspec.Struct, frozen=True):
    """A share with its 95 % interval; `value` is None when nothing was there to measure."""

    value: float | None
    low: float
    high: float


class StationFigures(msgspec.Struct, frozen=True):
    """Figures of one station (or of all); definitions in `sorter.model.scorecard`."""

    recovery: Estimate
    purity: Estimate
    presented_count: int
    ejected_count: int
    target_ejected_count: int
    empty_shot_count: int
    recovery_by_mass: float | None
    purity_by_mass: float | None
    purity_counting_empty_shots: float | None


class Figures(msgspec.Struct, frozen=True):
    """How well a stretch of belt was sorted."""

    stations: dict[str, StationFigures]
    overall: StationFigures
    item_count: int
    counted_count: int
    count_error_ratio: float | None
    command_count: int
    missed_window_ratio: float | None
    placement_error_p99_mm: float | None
    frame_to_command_p50_ms: float | None
    frame_to_command_p99_ms: float | None
    acks: dict[str, int]
    decisions: dict[str, int]
    refusals: dict[str, int] = {}


class LineStatistics(msgspec.Struct, frozen=True):
    """Live figures: `class_counts` are decided items by class name; `figures` as far as the truth is known.

    `has_truth` is False on a real line: then purity and recovery are None.
    """

    measured_at_ns: int
    has_truth: bool
    class_counts: dict[str, int]
    figures: Figures
    views_per_item: float | None
    model_id: str
    detector: str
    precision: str
