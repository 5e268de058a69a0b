"""What every process of the line does alike: read its plan, publish health, stop when told, die with its parent."""

import argparse
import ctypes
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from sorter.errors import BadInputError
from sorter.model.condition import Fault, Health, HealthStatus
from sorter.model.histogram import Distribution
from sorter.model.settings import Settings
from sorter.model.stage_times import StageReport
from sorter.runtime.bus import Publisher, new_boot_id
from sorter.runtime.clock import SystemClock
from sorter.runtime.run_folder import RunPlan, read_run_plan
from sorter.runtime.watchdog import Watchdog

BAD_INPUT_EXIT_CODE = 2
RESTART_COUNT_VARIABLE = "FARZ_RESTART_COUNT"
SUPERVISOR_ID_VARIABLE = "FARZ_SUPERVISOR_ID"
_PR_SET_PDEATHSIG = 1
_HEALTH_PERIOD_NS = 500_000_000


class ProcessContext:
    """What a process body is given.

    Attributes:
        name: the process's name in the table of topics.
        plan: settings, run folder, and the instant at which the simulated world began.
        clock: the system clock.
        boot_id: name of this life of the process.
        publisher: the socket to say things on.
    """

    def __init__(self, name: str, plan: RunPlan) -> None:
        self.name = name
        self.plan = plan
        self.clock = SystemClock()
        self.boot_id = new_boot_id()
        self.publisher = Publisher(plan.run_folder, name, self.boot_id, self.clock)
        self.stop_requested = threading.Event()
        self._watchdog = Watchdog()
        self._status = HealthStatus.STARTING
        self._detail = ""
        self._since_ns = self.clock.now_ns()
        self._health_due_ns = 0
        self._faults: dict[str, Fault] = {}

    @property
    def settings(self) -> Settings:
        """The line's configuration."""
        return self.plan.settings

    def is_running(self) -> bool:
        """False once the process was asked to stop; the loop's condition."""
        return not self.stop_requested.is_set()

    def set_health(self, status: HealthStatus, detail: str = "") -> None:
        """Change status or detail; published at once when the status changes."""
        if status is not self._status:
            self._since_ns = self.clock.now_ns()
            self._health_due_ns = 0
        self._status, self._detail = status, detail

    def publish_health(
        self,
        figures: dict[str, float] | None = None,
        stages: Callable[[], dict[str, Distribution]] | None = None,
    ) -> None:
        """Publish health when it is due; call it from the work loop, so that a stuck loop falls silent.

        Args:
            figures: numbers to show, unit in the name; given by the work loop, whose turn the service manager is told.
            stages: asked how long the process's stages take, which is published along.
        """
        now_ns = self.clock.now_ns()
        if figures is not None:
            self._watchdog.ping(now_ns)
        if now_ns < self._health_due_ns:
            return
        self._health_due_ns = now_ns + _HEALTH_PERIOD_NS
        restarts = int(os.environ.get(RESTART_COUNT_VARIABLE, "0"))
        faults = tuple(self._faults.values())
        health = Health(self.name, self._status, self._since_ns, self._detail, restarts, figures or {}, faults)
        self.publisher.publish(health)
        if stages is not None:
            self.publisher.publish(StageReport(self.name, stages()))

    def raise_fault(self, code: str, detail: str, status: HealthStatus = HealthStatus.FAULT) -> None:
        """Publish a fault once until it is cleared, and show it in the health; a FAULT there holds the line."""
        if code not in self._faults:
            self.tell_fault(Fault(self.name, code, detail, self.clock.now_ns()))
            logging.getLogger(self.name).warning("%s: %s", code, detail)
        self.set_health(status, detail)

    def clear_fault(self, code: str) -> None:
        """Say that a fault is over; without effect when it was not raised."""
        fault = self._faults.get(code)
        if fault is not None:
            self.tell_fault(msgspec.structs.replace(fault, is_cleared=True))
            self.set_health(HealthStatus.OK)

    def tell_fault(self, fault: Fault) -> None:
        """Publish a fault, or that it is over, and leave the health's status alone; it names what stands."""
        if fault.is_cleared:
            self._faults.pop(fault.code, None)
        else:
            self._faults[fault.code] = fault
        self.publisher.publish(fault)


def run_process(name: str, body: Callable[[ProcessContext], None]) -> None:
    """Entry point of a process: parse the command line, run the body until it returns, exit.

    Bad input ends the process with one sentence and exit code 2, which tells the supervisor not to try again.
    """
    run_folder, config = _arguments(name)
    _die_with_parent()
    logging.basicConfig(level=logging.INFO, format=f"{name}: %(message)s", stream=sys.stderr)
    try:
        context = ProcessContext(name, read_run_plan(run_folder, config))
        _stop_on_signals(context.stop_requested)
        body(context)
        context.publisher.close()
    except BadInputError as error:
        sys.stderr.write(f"farz: {error}\n")
        sys.exit(BAD_INPUT_EXIT_CODE)


def _arguments(name: str) -> tuple[Path | None, Path | None]:
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=f"The {name} process of a Farz line.")
    parser.add_argument("--run-folder", type=Path, help="folder that `farz run` prepared, with run.json in it")
    parser.add_argument("--config", type=Path, help="line configuration (TOML), to run this process alone")
    arguments = parser.parse_args()
    return arguments.run_folder, arguments.config


def _die_with_parent() -> None:
    # Linux sends SIGTERM when the parent dies, however it died; elsewhere the supervisor's own care must do. A parent
    # that died while this process was still importing sends nothing, so whose child this is gets asked afterwards.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    supervisor_id = os.environ.get(SUPERVISOR_ID_VARIABLE)
    if supervisor_id is not None and os.getppid() != int(supervisor_id):
        sys.exit(0)


def _stop_on_signals(stop_requested: threading.Event) -> None:
    # Ctrl-C reaches the whole foreground group; the supervisor alone answers it, and sends SIGTERM in its order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stop_requested.set())
