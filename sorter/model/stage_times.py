"""How long the stages of the line's work take, as histograms that processes publish and screens show."""

import msgspec

from sorter.model.histogram import Distribution, Histogram
from sorter.model.units import NS_PER_MS

# from ten microseconds to ten seconds, ten buckets for each factor of ten
_LOW_MS, _HIGH_MS, _PER_DECADE = 0.01, 10_000.0, 10


class StageReport(msgspec.Struct, frozen=True):
    """Durations of a process's stages since it began, in milliseconds, by the stage's name."""

    process: str
    stages: dict[str, Distribution]


class StageTimes:
    """Takes the durations of named stages; a stage begins to exist when it is first noted."""

    def __init__(self) -> None:
        self._stages: dict[str, Histogram] = {}

    def note(self, stage: str, duration_ns: int) -> None:
        """Count one more duration of a stage."""
        histogram = self._stages.get(stage)
        if histogram is None:
            histogram = self._stages[stage] = Histogram(_LOW_MS, _HIGH_MS, _PER_DECADE)
        histogram.add(duration_ns / NS_PER_MS)

    def distributions(self) -> dict[str, Distribution]:
        """Milliseconds of each stage up to now."""
        return {stage: histogram.distribution() for stage, histogram in self._stages.items()}
