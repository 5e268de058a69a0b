"""The figures of a stretch of belt as a table for a terminal."""

from sorter.model.statistics import Estimate, Figures, StationFigures


def figures_table(figures: Figures) -> str:
    """Stations, all of them together, and the line's own losses, one row each."""
    rows = [*figures.stations.items(), ("overall", figures.overall)]
    losses = [
        f"counted {figures.counted_count} of {figures.item_count} items",
        f"count error {_number(figures.count_error_ratio, '.1%')}",
        f"missed windows {_number(figures.missed_window_ratio, '.2%')}",
        f"placement error p99 {_number(figures.placement_error_p99_mm, '.2f')} mm",
        f"frame to command p50 {_number(figures.frame_to_command_p50_ms, '.0f')} ms",
        f"p99 {_number(figures.frame_to_command_p99_ms, '.0f')} ms",
    ]
    return "\n".join(
        [
            f"{'station':<12}{'recovery':>22}{'purity':>22}{'presented':>11}{'ejected':>9}{'empty shots':>13}",
            *(_row(name, station) for name, station in rows),
            ", ".join(losses[:3]),
            ", ".join(losses[3:]),
            *_refusals(figures),
        ]
    )


def _refusals(figures: Figures) -> list[str]:
    """One line that says why commands did not fire, none where all did."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in figures.refusals.items())
    return [f"refused: {reasons}"] if reasons else []


def _row(name: str, station: StationFigures) -> str:
    return (
        f"{name:<12}{_share(station.recovery):>22}{_share(station.purity):>22}"
        f"{station.presented_count:>11}{station.ejected_count:>9}{station.empty_shot_count:>13}"
    )


def _share(estimate: Estimate) -> str:
    return f"{_number(estimate.value, '.3f')} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
