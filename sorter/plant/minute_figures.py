"""Figures of each minute, from the line's live counters: the same that OPC UA tells, so that the two never disagree.

Roll-ups of the store, corrected by audits and with intervals, are another thing: those are what is published.
"""

from collections import Counter

import msgspec

from sorter.model.condition import Mode, ModeState, ValveReport
from sorter.model.statistics import LineStatistics
from sorter.model.units import NS_PER_S


class MinuteFigures:
    """Adds up what counters grow by; a counter that begins anew with its process counts from zero."""

    def __init__(self) -> None:
        self._minute: str | None = None
        self._last: dict[str, float] = {}
        self._grown: Counter[str] = Counter()
        self._mode: Mode | None = None
        self._stepped_at_ns = 0
        self._observed_ns = 0
        self._executing_ns = 0

    def take(self, message: msgspec.Struct) -> None:
        """Let a message's counters count."""
        match message:
            case LineStatistics(figures=figures, class_counts=class_counts):
                self._count("commands", figures.command_count)
                for status, count in figures.acks.items():
                    self._count(f"answers/{status}", count)
                for name, count in class_counts.items():
                    self._count(f"items/{name}", count)
            case ValveReport(air_l=air_l):
                self._count("air_l", air_l)
            case ModeState(mode=mode):
                self._mode = mode

    def step(self, now_ns: int, now_utc: str) -> dict[str, object] | None:
        """Go on to an instant; the figures of the minute that is over by then, or None.

        Args:
            now_ns: monotonic, for how long was observed.
            now_utc: ISO 8601, for which minute it is.
        """
        minute = now_utc[: len("2026-01-01T00:00")]
        passed_ns = now_ns - self._stepped_at_ns if self._minute is not None else 0
        self._stepped_at_ns = now_ns
        self._observed_ns += passed_ns
        self._executing_ns += passed_ns if self._mode is Mode.EXECUTE else 0
        finished = self._figures() if self._minute not in {None, minute} else None
        if finished is not None:
            self._grown.clear()
            self._observed_ns = self._executing_ns = 0
        self._minute = minute
        return finished

    def _figures(self) -> dict[str, object]:
        """Seconds observed are below 60 where the process began or the wall clock was set within the minute."""
        return {
            "minute": f"{self._minute}:00+00:00",
            "observed_s": round(self._observed_ns / NS_PER_S, 1),
            "executing_s": round(self._executing_ns / NS_PER_S, 1),
            "items": self._below("items/"),
            "commands": int(self._grown["commands"]),
            "answers": self._below("answers/"),
            "air_l": round(self._grown["air_l"], 3),
        }

    def _below(self, prefix: str) -> dict[str, int]:
        return {name[len(prefix) :]: int(grown) for name, grown in self._grown.items() if name.startswith(prefix)}

    def _count(self, name: str, value: float) -> None:
        last = self._last.get(name)
        self._last[name] = value
        if last is not None:
            self._grown[name] += value - last if value >= last else value  # type: ignore[assignment]
