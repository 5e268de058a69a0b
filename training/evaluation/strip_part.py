"""The parts of the evaluation's page that show the closed loop: what the model's errors cost on the line."""

from collections.abc import Mapping
from html import escape
from typing import Any

import msgspec

from sorter.model.statistics import Estimate
from training.evaluation.evaluation_report import EvaluationReport
from training.evaluation.page_parts import PairRow, card, pair_rows, section, tile

_NOTE = (
    "The pictures laid end to end as a belt and sorted once by the whole line in virtual time: tracking, policy, "
    "neighbours in the blast, valves. The policy fires only where the purity target is promised, so recovery is the "
    "price of a weak model."
)


def strip_tiles(report: EvaluationReport) -> str:
    """Recovery and purity over all stations, of the first belt."""
    for source, score in report.strips.items():
        recovery, purity = (_estimate(score["overall"][name]) for name in ("recovery", "purity"))
        return tile("recovery", "Recovery", recovery, f"Targets on the belt {source} that were blown out.") + tile(
            "purity", "Purity", purity, "Targets among the items blown out."
        )
    return ""


def strip_part(report: EvaluationReport) -> str:
    """Recovery and purity of each station on each belt; nothing where no belt was run."""
    if not report.strips:
        return ""
    cards = "".join(_card(source, score) for source, score in report.strips.items())
    return section("On the line", _NOTE, f'<div class="grid">{cards}</div>')


def _card(source: str, score: Mapping[str, Any]) -> str:
    stations = {**score["stations"], "all stations": score["overall"]}
    rows = [
        PairRow(name, f"{one['presented_count']} targets", _triple(one["recovery"]), _triple(one["purity"]))
        for name, one in stations.items()
    ]
    key = (
        '<p class="key"><b class="a">● recovery</b> above, <b class="b">● purity</b> below; '
        f"{score['belt_m']:.0f} m of belt at {score['speed_m_s']:g} m/s, {score['item_count']} items, "
        f"{score['overall']['empty_shot_count']} shots at nothing labelled "
        f"(purity if each had taken an impurity: {_plain(score['overall']['purity_counting_empty_shots'])})</p>"
    )
    return card(f"Belt of {source}", pair_rows(rows), key)


def _estimate(one: object) -> Estimate:
    return msgspec.convert(one, Estimate)


def _triple(one: object) -> tuple[float, float, float] | None:
    estimate = _estimate(one)
    return None if estimate.value is None else (estimate.value, estimate.low, estimate.high)


def _plain(value: float | None) -> str:
    return escape("unknown" if value is None else f"{value:.2f}")
