"""`farz bench`: how fast the line is, measured beside its peers on this machine."""

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from training.benchmarks.bench_table import bench_table
from training.benchmarks.figure import BARS, Report
from training.benchmarks.machine import machine_facts
from training.benchmarks.store_bench_size import event_count

# name → module, function and a line of help; as text, since one bench needs not what another imports
BENCHES: dict[str, tuple[str, str]] = {
    "pipeline": (
        "pipeline_bench:bench_pipeline",
        "Rate, overhead, memory and cost per item, beside Ultralytics track.",
    ),
    "handover": ("handover_bench:bench_handover", "Handing over a 720p frame, beside mp.Queue."),
    "store": ("store_bench:bench_store", "Writing events, and asking for figures over HTTP as the store grows."),
    "tracker": ("tracker_bench:bench_tracker", "Time, counts and identities at 30 items, beside stock ByteTracks."),
    "latency": ("latency_bench:bench_latency", "Exposure to command, under and over what the detector can do."),
    "import": ("import_bench:bench_import", "Time and memory until the vision process is ready, beside Ultralytics."),
    "decide": ("decide_bench:bench_decide", "The policy, for each frame and item."),
    "kernels": ("kernels_bench:bench_kernels", "The GPU's kernels beside OpenCV, and what nvcc says of them; no GPU."),
    "api": ("api_bench:bench_api", "64 readers and 32 streams while the line sorts, and more than it can answer."),
    "hub": ("hub_bench:bench_hub", "Batches into PostgreSQL, the room they take there, and figures as it grows."),
    "fire": ("fire_bench:bench_fire", "Opening error of the valves under load, beside cyclictest."),
}
_ALL = "all"
_IDLE_LOAD = 0.5
_EVENT_COUNT = 20_000_000
# filling the larger store takes most of the time of that bench
_EVENT_COUNT_IN_ALL = 2_000_000


@click.command()
@click.argument("name", required=False, type=click.Choice([*BENCHES, _ALL]))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, figures by their names.")
@click.option("--quick", is_flag=True, help="Run so short that the figures say only that everything runs.")
@click.option("--events", callback=event_count, help="Events in the bench store's larger store: 20M, or 100M by hand.")
def bench(name: str | None, as_json: bool, quick: bool, events: int | None) -> None:
    r"""Measure how fast the line is, its peers beside it in the same run; without a NAME, list what there is.

    Peers come with `pip install 'farz[bench]'`; one that is missing is named. Run it on a machine that does nothing
    else: ratios bear a busy one better than milliseconds do.

    \b
    farz bench pipeline
    farz bench all --json
    """
    if name is None:
        click.echo("\n".join(f"{one:<12}{text}" for one, (_, text) in [*BENCHES.items(), (_ALL, ("", "Every one."))]))
        return
    machine = machine_facts()
    _say_if_busy(machine["load_average"])
    count = events or (_EVENT_COUNT_IN_ALL if name == _ALL else _EVENT_COUNT)
    options = {"store": {"event_count": count}}
    report = run_benches(list(BENCHES) if name == _ALL else [name], is_quick=quick, options=options)
    click.echo(json.dumps(bench_report(report, machine, quick), indent=2) if as_json else bench_table(report, machine))


def run_benches(
    names: Sequence[str], *, is_quick: bool, options: Mapping[str, Mapping[str, Any]] | None = None
) -> Report:
    """Run benches one after the other and put their findings together; `options` are by name of the bench."""
    reports = [_bench(name)(is_quick=is_quick, **(options or {}).get(name, {})) for name in names]
    return Report(
        {key: value for report in reports for key, value in report.figures.items()},
        {key: value for report in reports for key, value in report.conditions.items()},
        {key: value for report in reports for key, value in report.peers.items()},
    )


def bench_report(report: Report, machine: dict[str, str | float], is_quick: bool) -> dict[str, Any]:
    """The findings as plain values for JSON: each figure by its name, then what it was measured with."""
    judged = {key: (report.figures[key], bar) for key, bar in BARS.items() if key in report.figures}
    return {
        **report.figures,
        "bars": {key: {"at_least" if bar.is_least else "at_most": bar.limit} for key, (_, bar) in judged.items()},
        "is_met": {key: None if value is None else bar.is_met(value) for key, (value, bar) in judged.items()},
        "machine": machine,
        "conditions": report.conditions,
        "peers": report.peers,
        "is_quick": is_quick,
    }


def _bench(name: str) -> Any:
    module_name, _, function_name = BENCHES[name][0].partition(":")
    return getattr(importlib.import_module(f"training.benchmarks.{module_name}"), function_name)


def _say_if_busy(load: str | float) -> None:
    if float(load) > _IDLE_LOAD:
        sys.stderr.write(
            f"farz: this machine is busy (load {load}); milliseconds measured now are those of a busy one\n"
        )
