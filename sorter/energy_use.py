"""What the line uses up, every ten seconds: energy of the computer and of all else, air, openings of nozzles."""

from typing import Any, Protocol

from sorter.model.condition import ValveReport
from sorter.model.units import NS_PER_MS, NS_PER_S, UL_PER_L

_PERIOD_NS = 10 * NS_PER_S


class Meter(Protocol):
    """Where the computer's energy is known from; `name` is None where it is not."""

    name: str | None

    def take_mj(self) -> int:
        """Millijoules since they were last taken."""
        ...


class EnergyUse:
    """Sums up what was used; instants are arguments."""

    def __init__(self, meter: Meter, power_w: float | None) -> None:
        self._meter = meter
        self._power_w = power_w
        self._valves: ValveReport | None = None
        self._air_l = 0.0
        self._shot_count = 0
        self._since_ns: int | None = None

    def take_valves(self, report: ValveReport) -> None:
        """Note what the valves have used so far; a controller that began anew counts from nothing."""
        before = self._valves
        if before is None or report.air_l < before.air_l:
            # what was used before this process heard of it is not its to tell, unless the controller is new
            before = report if before is None else None
        self._air_l += report.air_l - (before.air_l if before else 0.0)
        self._shot_count += _shots(report) - (_shots(before) if before else 0)
        self._valves = report

    def step(self, now_ns: int, *, is_executing: bool, is_last: bool = False) -> list[dict[str, Any]]:
        """Every ten seconds, and at the last, what was used since, as fields of `EnergyUsed`; else nothing."""
        if self._since_ns is None:
            self._since_ns = now_ns
        elapsed_ns = now_ns - self._since_ns
        if elapsed_ns < (NS_PER_MS if is_last else _PERIOD_NS):
            return []
        self._since_ns = now_ns
        uses = [self._measured(elapsed_ns // NS_PER_MS)]
        if self._power_w is not None and is_executing:
            energy_mj = round(self._power_w * elapsed_ns / NS_PER_MS)
            uses.append(_use(elapsed_ns // NS_PER_MS, "configured", energy_mj, 0, 0))
        return uses

    def _measured(self, duration_ms: int) -> dict[str, Any]:
        air_ul, shot_count = round(self._air_l * UL_PER_L), self._shot_count
        self._air_l, self._shot_count = 0.0, 0
        energy_mj = self._meter.take_mj() if self._meter.name else 0
        return _use(duration_ms, self._meter.name or "unknown", energy_mj, air_ul, shot_count)


def _use(duration_ms: int, source: str, energy_mj: int, air_ul: int, shot_count: int) -> dict[str, Any]:
    return {
        "duration_ms": duration_ms,
        "source": source,
        "energy_mj": energy_mj,
        "air_ul": air_ul,
        "shot_count": shot_count,
    }


def _shots(report: ValveReport) -> int:
    return sum(nozzle.shot_count for nozzle in report.nozzles)
