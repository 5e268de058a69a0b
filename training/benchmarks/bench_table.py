"""What a bench has found as a table for a terminal: figure, measured, bar, and whether it is met."""

from collections.abc import Mapping

from training.benchmarks.figure import BARS, Bar, Report

_KEY_WIDTH = 52


def bench_table(report: Report, machine: Mapping[str, str | float]) -> str:
    """Judged figures first, then what is told without a bar, then what was run and beside what."""
    judged = [key for key in BARS if key in report.figures]
    told = [key for key in report.figures if key not in BARS]
    lines = [f"{'figure':<{_KEY_WIDTH}}{'measured':>12}{'bar':>12}  verdict"]
    lines += [_row(key, report.figures[key], BARS.get(key)) for key in (*judged, *told)]
    lines += ["", *_facts(machine), *_facts(report.conditions), *_facts(report.peers)]
    return "\n".join(lines)


def verdict(value: float | None, bar: Bar | None) -> str:
    """In a word or two whether a bar is met; empty where there is none."""
    if bar is None:
        return ""
    if value is None:
        return "not measured"
    return "met" if bar.is_met(value) else f"missed by {shown(bar.missed_by(value))}"


def shown(value: float | None) -> str:
    """A value to three or more digits, a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 100 else f"{value:.1f}"


def _row(key: str, value: float | None, bar: Bar | None) -> str:
    limit = "" if bar is None else f"{'≥' if bar.is_least else '≤'} {shown(bar.limit)}"
    return f"{key:<{_KEY_WIDTH}}{shown(value):>12}{limit:>12}  {verdict(value, bar)}".rstrip()


def _facts(facts: Mapping[str, str | float]) -> list[str]:
    return [f"{name}: {value if isinstance(value, str) else shown(value)}" for name, value in facts.items()]
