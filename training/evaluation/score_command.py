"""`farz score`: the closed loop in virtual time, from the command line."""

import json
import sys
from typing import Any

import click
import msgspec

from sorter.figures_table import figures_table
from sorter.line_options import line_options, settings_from_options, source_name
from sorter.model.settings import Settings
from sorter.model.units import UM_PER_M
from training.evaluation.closed_loop import ClosedLoop, LoopResult, Stretch, open_scored_world, scored_stretch
from training.evaluation.unsigned_models import unsigned_allowed


@click.command()
@line_options
@click.option("--stop", is_flag=True, help="Stop the belt in the middle, and start it again.")
@click.option(
    "--items", type=click.IntRange(min=1), help="Items to score; without it, one lap of a strip or 500 sprites."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def score(as_json: bool, items: int | None, stop: bool, **options: Any) -> None:
    r"""Measure how well the line sorts, in virtual time.

    The whole line runs in one process on a clock of its own: camera, detector, tracking, policy, valve controller and
    simulated valves over a simulated belt whose truth is known. The same seed gives the same figures to the last
    digit. `--detector oracle` sees the truth, so what is lost is the line's share; with a model, the model's as well.

    \b
    farz score                                        the shipped model on 500 sprites
    farz score --source sprites --detector oracle --speed 3.0 --items 2000
    farz score --source strip:../shared/data/warp/val --speed 2.0 --json
    """
    settings = unsigned_allowed(settings_from_options(options))
    world = open_scored_world(settings)
    stretch = scored_stretch(settings, world, items)
    if stop:
        settings = _with_stop(settings, stretch)
    result = with_progress(ClosedLoop(settings, stretch, world))
    click.echo(json.dumps(score_report(settings, result), indent=2) if as_json else _table(settings, result))


def score_report(settings: Settings, result: LoopResult) -> dict[str, Any]:
    """The figures of a run and what it was run with, as plain values for JSON.

    Frame to command is modelled in virtual time (`simulation.modelled_latency_ms` stands for detector and transport);
    `farz run` measures it.
    """
    figures: dict[str, Any] = msgspec.to_builtins(result.figures)
    return {
        **figures,
        "frame_to_command_basis": "modelled",
        "seed": settings.simulation.seed,
        "model_id": result.model_id,
        "detector": result.detector,
        "precision": result.precision,
        "source": source_name(settings),
        "speed_m_s": settings.belt.speed_m_s,
        "speed_high_m_s": settings.belt.speed_high_m_s,
        "stop_at_m": settings.belt.stop_at_m,
        "drop_ratio": settings.source.drop_ratio,
        "belt_m": (result.stretch.end_um - result.stretch.start_um) / UM_PER_M,
        "view_count": result.view_count,
        "dropped_frame_count": result.dropped_frame_count,
        "suspected_nozzles": {
            f"{nozzle.station_id}:{nozzle.nozzle}": nozzle.suspicion
            for nozzle in result.valves.nozzles
            if nozzle.suspicion is not None
        },
    }


def _with_stop(settings: Settings, stretch: Stretch) -> Settings:
    middle_m = (stretch.start_um + stretch.end_um) / 2 / UM_PER_M
    belt = msgspec.structs.replace(settings.belt, stop_at_m=middle_m)
    return msgspec.structs.replace(settings, belt=belt)


def with_progress(loop: ClosedLoop) -> LoopResult:
    """Run the loop under a bar on a terminal."""
    with click.progressbar(length=1000, label="belt", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        return loop.run(lambda share: bar.update(round(share * 1000) - bar.pos))


def _table(settings: Settings, result: LoopResult) -> str:
    belt_m = (result.stretch.end_um - result.stretch.start_um) / UM_PER_M
    return "\n".join(
        [
            figures_table(result.figures),
            f"{belt_m:.1f} m of belt in virtual time (frame to command is modelled), {result.view_count} views",
            f"{result.detector} {result.precision}, {result.model_id}",
            f"{source_name(settings)}, seed {settings.simulation.seed}",
        ]
    )
