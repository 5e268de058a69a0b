"""Curves on a square from 0 to 1, drawn as SVG that takes its colours from the page around it."""

from collections.abc import Sequence
from html import escape

from training.evaluation.interval import Interval
from training.evaluation.purity_recovery import SortingFigures, SortingPoint
from training.evaluation.reliability import Reliability, ReliabilityBin

Point = tuple[float, float]

_LEFT, _TOP, _SIDE, _WIDTH, _HEIGHT = 24, 20, 184, 216, 238


def precision_recall_chart(curve: Sequence[float], operating: tuple[float, float | None]) -> str:
    """Precision at even recalls from 0 to 1, and the point (recall, precision) that a line would work at."""
    steps = len(curve) - 1
    points = [(index / steps, value) for index, value in enumerate(curve)]
    under = _area([(0.0, 0.0), *points, (1.0, 0.0)])
    recall, precision = operating
    mark = "" if precision is None else _circle((recall, precision), "point", 4.5)
    return _chart("recall", "precision", under + _line(points) + mark)


def sorting_chart(figures: SortingFigures) -> str:
    """Purity over recovery, the band down to empty shots counted as impurities, and the operating point."""
    shown = [one for one in figures.curve if one.purity is not None]
    band = _area([*(_upper(one) for one in shown), *(_lower(one) for one in reversed(shown))])
    return _chart("recovery", "purity", band + _line([_upper(one) for one in shown]) + _operating(figures))


def reliability_chart(found: Reliability) -> str:
    """Share of hits over probability, bin by bin, with intervals; on the diagonal a promise is kept."""
    a, b = _place((0, 0)), _place((1, 1))
    diagonal = f'<line class="diagonal" x1="{a[0]}" y1="{a[1]}" x2="{b[0]}" y2="{b[1]}"/>'
    return _chart("probability promised", "share that was right", diagonal + "".join(_bin(one) for one in found.bins))


def _bin(one: ReliabilityBin) -> str:
    whisker = _segment((one.mean_probability, one.low), (one.mean_probability, one.high), "bin-whisker")
    title = f"{one.detection_count} detections: promised {one.mean_probability:.2f}, right {one.hit_ratio:.2f}"
    return whisker + _circle((one.mean_probability, one.hit_ratio), "bin", 4.5, title)


def _operating(figures: SortingFigures) -> str:
    recovery, purity = figures.recovery, figures.purity
    if recovery is None or purity is None:
        return ""
    return _cross(recovery, purity) + _circle((recovery.value, purity.value), "point", 4.5)


def _cross(across: Interval, along: Interval) -> str:
    flat = _segment((across.low, along.value), (across.high, along.value), "whisker")
    return flat + _segment((across.value, along.low), (across.value, along.high), "whisker")


def _upper(one: SortingPoint) -> Point:
    return one.recovery, one.purity or 0.0


def _lower(one: SortingPoint) -> Point:
    return one.recovery, one.purity_counting_empty_shots or 0.0


def _chart(across: str, along: str, marks: str) -> str:
    ticks = "".join(_tick(value) for value in (0.0, 0.5, 1.0))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(along)} over {escape(across)}">'
        f'{ticks}<text x="{_LEFT + _SIDE / 2}" y="{_HEIGHT - 3}" text-anchor="middle">{escape(across)}</text>'
        f'<text x="0" y="10">{escape(along)}</text>{marks}</svg>'
    )


def _tick(value: float) -> str:
    (x, bottom), (left, y) = _place((value, 0.0)), _place((0.0, value))
    kind = "frame" if value == 0.0 else "grid"
    lines = _segment((value, 0.0), (value, 1.0), kind) + _segment((0.0, value), (1.0, value), kind)
    across = f'<text x="{x}" y="{bottom + 15}" text-anchor="middle">{value:g}</text>'
    return lines + across + f'<text x="{left - 5}" y="{y + 4}" text-anchor="end">{value:g}</text>'


def _line(points: Sequence[Point]) -> str:
    return f'<polyline class="curve" points="{_joined(points)}"/>'


def _area(points: Sequence[Point]) -> str:
    return f'<polygon class="under" points="{_joined(points)}"/>'


def _segment(start: Point, end: Point, kind: str) -> str:
    (x0, y0), (x1, y1) = _place(start), _place(end)
    return f'<line class="{kind}" x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}"/>'


def _circle(centre: Point, kind: str, radius: float, title: str = "") -> str:
    x, y = _place(centre)
    return f'<circle class="{kind}" cx="{x}" cy="{y}" r="{radius}"><title>{escape(title)}</title></circle>'


def _joined(points: Sequence[Point]) -> str:
    return " ".join(f"{x},{y}" for x, y in map(_place, points))


def _place(point: Point) -> Point:
    """From 0..1, upwards, to the picture's own coordinates, downwards."""
    return round(_LEFT + point[0] * _SIDE, 2), round(_TOP + (1 - point[1]) * _SIDE, 2)
