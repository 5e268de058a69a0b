"""The table of processes and the supervisor that starts them, restarts what dies, and stops them all in order.

A process that dies is started again after a back-off that doubles, so many times in a window; then the line gives up
on it and the fault stays on show. Exit code 2 means bad input: trying again is pointless, so the whole line stops.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections import deque

import msgspec

from sorter.model.condition import Fault, Health, HealthStatus
from sorter.model.settings import Settings, SupervisionSettings
from sorter.model.units import NS_PER_MS, ms_to_ns, s_to_ns
from sorter.runtime.bus import Publisher
from sorter.runtime.clock import Clock
from sorter.runtime.process import BAD_INPUT_EXIT_CODE, RESTART_COUNT_VARIABLE, SUPERVISOR_ID_VARIABLE
from sorter.runtime.run_folder import RunPlan

_HEALTH_PERIOD_NS = 500 * NS_PER_MS


class ProcessSpec(msgspec.Struct, frozen=True):
    """One row of the table: a process's name, the module that `python -m` runs, and its niceness.

    A negative niceness puts the process before others, where the system allows it.
    """

    name: str
    module: str
    niceness: int = 0


# In the order of starting; asked to stop in reverse. What commands valves goes before what shows pages: a browser on
# the same box must not make shots late. (The controller asks for real-time priority by itself.)
PROCESSES: tuple[ProcessSpec, ...] = (
    ProcessSpec("actuators", "actuators", niceness=-10),
    ProcessSpec("sorter", "sorter", niceness=-10),
    ProcessSpec("vision", "vision", niceness=-5),
    ProcessSpec("ui", "ui"),
    ProcessSpec("video", "ui.video", niceness=5),
    ProcessSpec("plant", "sorter.plant", niceness=5),
    ProcessSpec("fleet", "sorter.fleet", niceness=10),
)


def processes_of(settings: Settings) -> tuple[ProcessSpec, ...]:
    """What runs on this box: a controller on another one is that box's own; plant and hub need not be told anything."""
    left_out = {"actuators"} if settings.link.address else set()
    if settings.plant.opcua_port == settings.plant.modbus_port == 0 and not settings.plant.mqtt.host:
        left_out.add("plant")
    if not settings.fleet.hub_url:
        left_out.add("fleet")
    return tuple(spec for spec in PROCESSES if spec.name not in left_out)


class _Child:
    """One process of the table and its history."""

    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        self.process: subprocess.Popen[bytes] | None = None
        self.died_at_ns: deque[int] = deque()
        self.restart_count = 0
        self.restart_at_ns: int | None = None
        self.is_given_up = False
        self.fault: Fault | None = None


class Supervisor:
    """Keeps the processes of one run alive; `step` is to be called a few times a second."""

    def __init__(
        self,
        plan: RunPlan,
        settings: SupervisionSettings,
        clock: Clock,
        publisher: Publisher,
        specs: tuple[ProcessSpec, ...] = PROCESSES,
    ) -> None:
        self._plan = plan
        self._settings = settings
        self._clock = clock
        self._publisher = publisher
        self._children = [_Child(spec) for spec in specs]
        self._started_at_ns = clock.now_ns()
        self._health_due_ns = 0
        self.bad_input_process: str | None = None

    def start(self) -> None:
        """Start every process of the table."""
        for child in self._children:
            self._start(child)

    def step(self) -> None:
        """Notice deaths, start again what is due, and say how the line's processes are."""
        now_ns = self._clock.now_ns()
        self._publish_health(now_ns)
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._note_death(child, child.process.returncode, now_ns)
            if child.restart_at_ns is not None and now_ns >= child.restart_at_ns:
                self._start(child)

    def stop(self) -> None:
        """Ask all to stop; kill what has not within the time allowed."""
        running = [child.process for child in reversed(self._children) if child.process is not None]
        for process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline_ns = self._clock.now_ns() + ms_to_ns(self._settings.stop_timeout_ms)
        for process in running:
            _wait_or_kill(process, max(0.05, (deadline_ns - self._clock.now_ns()) / 1e9))

    @property
    def has_given_up(self) -> bool:
        """Whether some process died too often to be started again."""
        return any(child.is_given_up for child in self._children)

    def process_ids(self) -> dict[str, int]:
        """Names and process ids of what runs."""
        return {child.spec.name: child.process.pid for child in self._children if child.process is not None}

    def _publish_health(self, now_ns: int) -> None:
        if now_ns < self._health_due_ns:
            return
        self._health_due_ns = now_ns + _HEALTH_PERIOD_NS
        given_up = [child.spec.name for child in self._children if child.is_given_up]
        status = HealthStatus.FAULT if given_up else HealthStatus.OK
        detail = f"gave up on {', '.join(given_up)}" if given_up else ""
        faults = tuple(child.fault for child in self._children if child.fault is not None)
        self._publisher.publish(Health("supervisor", status, self._started_at_ns, detail, 0, faults=faults))

    def _start(self, child: _Child) -> None:
        child.restart_at_ns = child.fault = None
        command = [sys.executable, "-m", child.spec.module, "--run-folder", str(self._plan.run_folder)]
        # several numeric libraries spin idle threads by default, which on two cores steals from the detector
        environment = {
            # the service manager watches the supervisor, which watches its children; see `watchdog`
            **{key: value for key, value in os.environ.items() if key != "NOTIFY_SOCKET"},
            RESTART_COUNT_VARIABLE: str(child.restart_count),
            SUPERVISOR_ID_VARIABLE: str(os.getpid()),
            "OMP_WAIT_POLICY": "PASSIVE",
        }
        child.process = subprocess.Popen(command, env=environment)  # noqa: S603 - our own modules
        # without the right to go first (CAP_SYS_NICE) a process keeps the ordinary place
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, child.process.pid, child.spec.niceness)

    def _note_death(self, child: _Child, exit_code: int, now_ns: int) -> None:
        child.process = None
        name = child.spec.name
        if exit_code == BAD_INPUT_EXIT_CODE:
            self.bad_input_process = name
            return
        child.died_at_ns.append(now_ns)
        while child.died_at_ns[0] < now_ns - s_to_ns(self._settings.window_s):
            child.died_at_ns.popleft()
        deaths = len(child.died_at_ns)
        if deaths > self._settings.max_restarts:
            child.is_given_up = True
            self._say(
                child, f"{name} died {deaths} times in {self._settings.window_s:.0f} s; not started again", now_ns
            )
            return
        child.restart_count += 1
        child.restart_at_ns = now_ns + ms_to_ns(self._settings.first_backoff_ms) * 2 ** (deaths - 1)
        self._say(child, f"{name} ended with exit code {exit_code}; restart {child.restart_count}", now_ns)

    def _say(self, child: _Child, detail: str, now_ns: int) -> None:
        name = child.spec.name
        sys.stderr.write(f"farz: {detail}\n")
        child.fault = Fault(name, "process_died", detail, now_ns)
        self._publisher.publish(child.fault)
        self._publisher.publish(Health(name, HealthStatus.FAULT, now_ns, detail, child.restart_count))


def _wait_or_kill(process: "subprocess.Popen[bytes]", timeout_s: float) -> None:
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
