"""The line's figures in Prometheus' text format, for who watches many lines; the page has its own streams.

Everything is told as the line last said it; whether that is old shows in `farz_process_up`.
"""

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sorter.model.histogram import Distribution
from sorter.model.stage_times import StageReport
from ui.page_messages import ProcessStatus, StateReport

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MS_PER_S = 1000.0
_UP = {ProcessStatus.OK, ProcessStatus.DEGRADED}


def metrics_text(report: StateReport | None, stages: Sequence[StageReport]) -> bytes:
    """All figures as one page of text; before the line has said anything, an empty one.

    Args:
        report: the newest state.
        stages: durations, one report a process.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(report, stages))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, report: StateReport | None, stages: Sequence[StageReport]) -> None:
        self._report = report
        self._stages = stages

    def collect(self) -> Iterator[Metric]:
        """Prometheus' own protocol: every family of figures there is."""
        yield _stage_seconds(self._stages)
        if self._report is not None:
            yield from _process_families(self._report)
            yield from _line_families(self._report)


def _stage_seconds(reports: Sequence[StageReport]) -> Metric:
    family = HistogramMetricFamily(
        "farz_stage_seconds", "How long a stage of a process's work takes", labels=["process", "stage"]
    )
    for report in reports:
        for stage, distribution in report.stages.items():
            family.add_metric([report.process, stage], _buckets(distribution), distribution.sum / _MS_PER_S)
    return family


def _buckets(distribution: Distribution) -> list[tuple[str, float]]:
    """Upper bound in seconds and how many values are not above it, as Prometheus wants its buckets."""
    bounds = [format(bound / _MS_PER_S, ".6g") for bound in distribution.upper_bounds]
    running, buckets = 0, []
    for bound, count in zip([*bounds, "+Inf"], distribution.counts, strict=True):
        running += count
        buckets.append((bound, float(running)))
    return buckets


def _process_families(report: StateReport) -> Iterator[Metric]:
    up = GaugeMetricFamily("farz_process_up", "1 while a process says that it works", labels=["process"])
    restarts = CounterMetricFamily("farz_process_restarts", "Restarts of a process in this run", labels=["process"])
    for process in report.processes:
        up.add_metric([process.name], float(process.status in _UP))
        restarts.add_metric([process.name], float(process.restart_count))
    yield up
    yield restarts
    yield GaugeMetricFamily("farz_faults", "Faults that are there now", value=float(len(report.faults)))


def _line_families(report: StateReport) -> Iterator[Metric]:
    if report.mode is not None:
        mode = GaugeMetricFamily("farz_mode", "1 for the mode that the line is in", labels=["mode"])
        mode.add_metric([report.mode.value.mode.value], 1.0)
        yield mode
    if report.belt_speed_m_s is not None:
        speed_m_s = report.belt_speed_m_s.value
        yield GaugeMetricFamily("farz_belt_speed_metres_per_second", "Speed of the belt", value=speed_m_s)
    if report.statistics is not None:
        items = CounterMetricFamily("farz_items", "Items decided since the line first ran", labels=["class"])
        for name, count in report.statistics.value.class_counts.items():
            items.add_metric([name], float(count))
        yield items
