"""`farz run`: starts the line, shows that it lives, stops it cleanly, and says how well it sorted."""

import json
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import msgspec

from sorter.calibration import open_calibration
from sorter.errors import ConfigurationError
from sorter.figures_table import figures_table
from sorter.line_options import line_options, settings_from_options, source_name
from sorter.model.condition import Health, Mode, ModeState
from sorter.model.settings import Settings
from sorter.model.stage_times import StageReport
from sorter.model.statistics import LineStatistics
from sorter.model.units import NS_PER_S, s_to_ns
from sorter.page_port import page_port_fault
from sorter.runtime.bus import Publisher, Subscriber, new_boot_id
from sorter.runtime.clock import SystemClock
from sorter.runtime.process import BAD_INPUT_EXIT_CODE
from sorter.runtime.run_folder import RunPlan, create_run_folder
from sorter.runtime.simulated_world import open_world
from sorter.runtime.supervisor import Supervisor, processes_of
from sorter.runtime.topics import HEALTH, MODE, STAGES, STATISTICS
from sorter.stages_table import stage_figures, stages_table
from sorter.store.place import store_path

_STEP_MS = 100.0
_RUN_OUT_S = 2.0
FAILURE_EXIT_CODE = 1
_SECONDS_PER_UNIT = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "": 1.0}


@click.command()
@line_options
@click.option("--for", "duration", help="Stop by itself after so long in operation: 60s, 5m, 1h. Else Ctrl-C stops.")
@click.option("--port", type=int, help="Port of the page.")
@click.option("--stages", "with_stages", is_flag=True, help="Print at the end how long each stage took, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures at the end as one JSON object.")
def run(duration: str | None, as_json: bool, with_stages: bool, **options: Any) -> None:
    r"""Run the line in real time, and its page.

    Without options: the program's own sprites on a simulated belt, the shipped model, simulated valves. Ctrl-C stops
    every process, valves closed, and prints how well it sorted.

    \b
    farz run
    farz run --source strip:../shared/data/warp/val --for 60s
    farz run --config line.toml
    """
    settings = settings_from_options(options)
    duration_s = duration_seconds(duration) if duration is not None else None
    if settings.maintenance:
        raise ConfigurationError("configuration: maintenance = true: the line does not run; set false once it is ready")
    open_calibration(settings)
    open_world(settings)
    _check_port(settings)
    with _stopped_by_signals() as stop_signals:
        plan = create_run_folder(settings)
        try:
            line = _Run(plan, duration_s)
            statistics = line.until_stopped(stop_signals)
        finally:
            shutil.rmtree(plan.run_folder, ignore_errors=True)
    if statistics is None:
        return
    if as_json:
        stages = {"stages": stage_figures(line.stages)} if with_stages else {}
        click.echo(json.dumps({**run_report(settings, statistics), **stages}, indent=2))
    else:
        stages_text = f"\n\n{stages_table(line.stages)}" if with_stages else ""
        click.echo(f"{_table(settings, statistics)}{stages_text}")


def duration_seconds(text: str) -> float:
    """Seconds of a duration such as 60s, 5m or 1h; a bare number is seconds.

    Raises:
        ConfigurationError: for anything else.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|min|h|)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise ConfigurationError(f"--for {text!r}: a duration above zero, such as 60s, 5m or 1h")
    return float(match[1]) * _SECONDS_PER_UNIT[match[2]]


def run_report(settings: Settings, statistics: LineStatistics) -> dict[str, Any]:
    """The figures of a run as plain values for JSON, with the same keys as those of `farz score`."""
    figures: dict[str, Any] = msgspec.to_builtins(statistics.figures)
    return {
        **figures,
        "frame_to_command_basis": "measured",
        "has_truth": statistics.has_truth,
        "class_counts": statistics.class_counts,
        "seed": settings.simulation.seed,
        "model_id": statistics.model_id,
        "detector": statistics.detector,
        "precision": statistics.precision,
        "source": source_name(settings),
        "speed_m_s": settings.belt.speed_m_s,
    }


class _Run:
    """One run: the supervisor, and what the processes say meanwhile."""

    def __init__(self, plan: RunPlan, duration_s: float | None) -> None:
        self._plan = plan
        self._duration_ns = None if duration_s is None else s_to_ns(duration_s)
        self._clock = SystemClock()
        self._publisher = Publisher(plan.run_folder, "supervisor", new_boot_id(), self._clock)
        self._reader = Subscriber(plan.run_folder, [STATISTICS, MODE, HEALTH, STAGES])
        specs = processes_of(plan.settings)
        self._supervisor = Supervisor(plan, plan.settings.supervision, self._clock, self._publisher, specs)
        self._statistics: LineStatistics | None = None
        self._stages: dict[str, StageReport] = {}
        self._mode: ModeState | None = None
        self._ends_at_ns: int | None = None

    def until_stopped(self, stop_signals: list[int]) -> LineStatistics | None:
        """Run until a signal, the end of the duration or of the pictures; the last figures, None if there are none."""
        ui = self._plan.settings.ui
        click.echo(f"Farz is starting; the page is at http://{ui.host}:{ui.port}/  (Ctrl-C stops the line)", err=True)
        if self._plan.settings.store.enabled:
            place = store_path(self._plan.settings)
            click.echo(f"What it sorts is remembered in {place}; farz store figures tells it", err=True)
        try:
            self._supervisor.start()
            while not stop_signals and not self._is_over():
                self._take(_STEP_MS)
                self._supervisor.step()
                self._show()
        finally:
            self._supervisor.stop()
            self._take(_STEP_MS)
            self._reader.close()
            self._publisher.close()
        if self._supervisor.bad_input_process is not None:
            sys.exit(BAD_INPUT_EXIT_CODE)
        if self._supervisor.has_given_up:
            sys.exit(FAILURE_EXIT_CODE)
        return self._statistics

    @property
    def stages(self) -> list[StageReport]:
        """How long the stages of each process took, in the order of names."""
        return [self._stages[name] for name in sorted(self._stages)]

    def _take(self, timeout_ms: float) -> None:
        for received in self._reader.receive(timeout_ms):
            match received.message:
                case LineStatistics() as statistics:
                    self._statistics = statistics
                case ModeState() as mode:
                    self._note_mode(mode)
                case StageReport(process=process) as report:
                    self._stages[process] = report
                case Health(process="vision", figures={"is_exhausted": 1.0}) if self._ends_at_ns is None:
                    self._ends_at_ns = self._clock.now_ns() + s_to_ns(_RUN_OUT_S)

    def _note_mode(self, mode: ModeState) -> None:
        if self._mode is None or mode.mode is not self._mode.mode:
            _say(f"{mode.mode.value}: {mode.reason}")
        self._mode = mode
        if mode.mode is Mode.EXECUTE and self._duration_ns is not None and self._ends_at_ns is None:
            self._ends_at_ns = self._clock.now_ns() + self._duration_ns

    def _is_over(self) -> bool:
        is_late = self._ends_at_ns is not None and self._clock.now_ns() >= self._ends_at_ns
        is_hopeless = self._supervisor.has_given_up and self._duration_ns is not None
        return is_late or is_hopeless or self._supervisor.bad_input_process is not None

    def _show(self) -> None:
        """One line on a terminal that is written over; nothing in a pipe."""
        if self._statistics is None or not sys.stderr.isatty():
            return
        overall, mode = self._statistics.figures.overall, self._mode.mode.value if self._mode else "…"
        left = (
            "" if self._ends_at_ns is None else f", {(self._ends_at_ns - self._clock.now_ns()) / NS_PER_S:.0f} s left"
        )
        shares = ", ".join(
            f"{name} –" if share.value is None else f"{name} {share.value:.1%}"
            for name, share in (("recovery", overall.recovery), ("purity", overall.purity))
        )
        sys.stderr.write(f"\r{mode}: {self._statistics.figures.counted_count} items, {shares}{left}\033[K")
        sys.stderr.flush()


def _say(text: str) -> None:
    sys.stderr.write(f"\r{text}\033[K\n" if sys.stderr.isatty() else f"{text}\n")
    sys.stderr.flush()


def _table(settings: Settings, statistics: LineStatistics) -> str:
    title = f"{statistics.detector} {statistics.precision}, {statistics.model_id}, {source_name(settings)}"
    if statistics.has_truth:
        return f"{figures_table(statistics.figures)}\n{title}"
    counts = "\n".join(f"{name:<20}{count:>8}" for name, count in statistics.class_counts.items())
    return f"{counts}\n{title}; the truth is not known here, so purity and recovery are not either"


def _check_port(settings: Settings) -> None:
    fault = page_port_fault(settings.ui)
    if fault is not None:
        raise ConfigurationError(
            f"configuration: ui.port = {settings.ui.port}: cannot serve the page at {settings.ui.host}: "
            f"{fault}; choose another with --port"
        )


@contextmanager
def _stopped_by_signals() -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM are noted in the list handed out; nothing is interrupted half-way."""
    seen: list[int] = []
    old = {number: signal.signal(number, lambda got, _frame: seen.append(got)) for number in _STOP_SIGNALS}
    try:
        yield seen
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
