"""How long the stages of the line's work took, as a table for a terminal and as values for JSON."""

from collections.abc import Iterable
from typing import Any

from sorter.model.histogram import Distribution
from sorter.model.stage_times import StageReport

_SHARES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}


def stage_figures(reports: Iterable[StageReport]) -> dict[str, dict[str, dict[str, Any]]]:
    """Count, mean and percentiles in milliseconds, by process and stage."""
    return {
        report.process: {stage: _figures(distribution) for stage, distribution in report.stages.items()}
        for report in reports
    }


def stages_table(reports: Iterable[StageReport]) -> str:
    """The same, one row a stage."""
    lines = [f"{'process':<12}{'stage':<22}{'count':>8}{'mean':>10}{'p50':>10}{'p95':>10}{'p99':>10}  ms"]
    for process, stages in stage_figures(reports).items():
        for stage, figures in stages.items():
            numbers = "".join(f"{figures[key]:>10.2f}" for key in ("mean_ms", *_SHARES))
            lines.append(f"{process:<12}{stage:<22}{figures['count']:>8}{numbers}")
    return "\n".join(lines)


def _figures(distribution: Distribution) -> dict[str, Any]:
    quantiles = {key: distribution.quantile(share) for key, share in _SHARES.items()}
    return {"count": distribution.count, "mean_ms": distribution.mean, **quantiles}
