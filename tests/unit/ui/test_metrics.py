"""What Prometheus is told, read with Prometheus' own parser."""

from prometheus_client.parser import text_string_to_metric_families

from sorter.model.condition import Mode
from sorter.model.stage_times import StageReport, StageTimes
from sorter.model.units import NS_PER_MS
from ui.metrics import metrics_text
from ui.page_messages import Aged, ModeReport, PictureCondition, ProcessReport, ProcessStatus, StateReport

Labels = tuple[tuple[str, str], ...]


def samples(text: bytes) -> dict[tuple[str, Labels], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def report() -> StateReport:
    return StateReport(
        mode=Aged(ModeReport(Mode.EXECUTE, 1.0, "", ()), 0.1, is_stale=False),
        belt_speed_m_s=Aged(2.5, 0.1, is_stale=False),
        statistics=None,
        picture=PictureCondition.LIVE,
        is_deciding=True,
        decided_per_min=0,
        decisions=(),
        processes=(
            ProcessReport("vision", ProcessStatus.DEGRADED, 1.0, "", 3),
            ProcessReport("sorter", ProcessStatus.SILENT, 1.0, "", 0),
        ),
        faults=(),
    )


def test_stage_times_are_a_histogram_in_seconds() -> None:
    times = StageTimes()
    for duration_ms in (5, 5, 20):
        times.note("detect", duration_ms * NS_PER_MS)
    found = samples(metrics_text(None, [StageReport("vision", times.distributions())]))
    labels = (("process", "vision"), ("stage", "detect"))
    assert found["farz_stage_seconds_count", labels] == 3
    assert abs(found["farz_stage_seconds_sum", labels] - 0.030) < 1e-9
    buckets = {
        float(dict(key)["le"]): value for (name, key), value in found.items() if name == "farz_stage_seconds_bucket"
    }
    assert list(buckets.values()) == sorted(buckets.values())
    assert max(value for bound, value in buckets.items() if bound < 0.005) == 0
    assert buckets[0.01] == 2
    assert buckets[float("inf")] == 3


def test_processes_mode_and_speed_are_told() -> None:
    found = samples(metrics_text(report(), []))
    assert found["farz_process_up", (("process", "vision"),)] == 1
    assert found["farz_process_up", (("process", "sorter"),)] == 0
    assert found["farz_process_restarts_total", (("process", "vision"),)] == 3
    assert found["farz_mode", (("mode", "execute"),)] == 1
    assert found["farz_belt_speed_metres_per_second", ()] == 2.5
    assert found["farz_faults", ()] == 0


def test_before_the_line_has_spoken_there_is_nothing_to_tell() -> None:
    assert samples(metrics_text(None, [])) == {}
