"""The line's mode as it runs: operators' requests, the health of its processes and what is wired, fed to the table."""

from sorter.model.condition import Health, HealthStatus, Mode, ModeState, RequestKind, WiredInputs
from sorter.model.units import NS_PER_MS, ms_to_ns
from sorter.policy.mode import ModeEvent, next_mode
from sorter.runtime.topics import HEALTH

# So long that the controller, which is told with every heartbeat, has heard of it.
_LEAST_HELD_NS = 200 * NS_PER_MS
REQUIRED_PROCESSES = ("vision", "actuators")
OPEN_COUNT_FIGURE = "open_nozzle_count"

_EVENT_OF_REQUEST = {kind: ModeEvent(kind.value) for kind in RequestKind}
_OWN_FAULTS = {"guards_closed": "a guard is open", "air_present": "no compressed air"}
_OTHERS = {
    "upstream_ready": "nothing comes from upstream",
    "downstream_ready": "downstream takes nothing",
    "belt_running": "the belt does not run",
}


class LineMode:
    """The mode, why it is so, and whether the line held itself; instants are arguments."""

    def __init__(self, recipe_hash: str, *, starts_by_itself: bool, now_ns: int) -> None:
        self._recipe_hash = recipe_hash
        self._starts_by_itself = starts_by_itself
        self._health: dict[str, tuple[HealthStatus, int]] = {}
        self._inputs = WiredInputs()
        self._open_count = 0.0
        self._was_started = False
        self._held_itself = False
        self._state = ModeState(Mode.IDLE, now_ns, "power-up", recipe_hash)

    @property
    def state(self) -> ModeState:
        """The mode to publish."""
        return self._state

    @property
    def is_executing(self) -> bool:
        """Whether ejections may be commanded."""
        return self._state.mode is Mode.EXECUTE

    def take_request(self, kind: RequestKind, who: str, now_ns: int) -> None:
        """An operator asks; without effect where the table has no way."""
        self._held_itself = False
        self._apply(_EVENT_OF_REQUEST[kind], f"{kind.value} by {who}", now_ns)

    def take_health(self, health: Health, now_ns: int) -> None:
        """Note how a process is, that it spoke, and how many valves it says are open."""
        self._health[health.process] = (health.status, now_ns)
        if health.process == "actuators":
            self._open_count = health.figures.get(OPEN_COUNT_FIGURE, 0.0)

    def take_inputs(self, inputs: WiredInputs, now_ns: int) -> None:
        """Note what is wired; an emergency stop acts at once, by its own wires, and is shown here."""
        self._inputs = inputs
        if inputs.emergency_stop_clear is False:
            self._apply(ModeEvent.ABORT, "emergency stop", now_ns)

    def take_fault(self, reason: str, now_ns: int) -> None:
        """Something has gone wrong that may be over already: hold the line all the same."""
        if next_mode(self._state.mode, ModeEvent.FAULT) is not self._state.mode:
            self._apply(ModeEvent.FAULT, reason, now_ns)
            self._held_itself = True

    def step(self, now_ns: int, *, is_link_alive: bool) -> None:
        """Let health, link and what is wired act on the mode."""
        trouble = self._trouble(now_ns, is_link_alive=is_link_alive)
        others = self._stated(_OTHERS)
        self._finish_acting(now_ns, is_link_alive=is_link_alive)
        self._start_by_itself(now_ns)
        if trouble is not None:
            self.take_fault(trouble, now_ns)
        elif others is not None:
            self._apply(ModeEvent.SUSPEND, others, now_ns)
        else:
            self._go_on(now_ns)

    def _start_by_itself(self, now_ns: int) -> None:
        if self._state.mode is Mode.IDLE and self._starts_by_itself and not self._was_started:
            self._was_started = True
            self._apply(ModeEvent.START, "start-up of a simulated line", now_ns)

    def _go_on(self, now_ns: int) -> None:
        """All is well: leave what was only waited through."""
        has_been_seen = now_ns - self._state.since_ns >= _LEAST_HELD_NS
        if has_been_seen and self._held_itself and self._starts_by_itself:
            self._held_itself = False
            self._apply(ModeEvent.RECOVERED, "the fault is over", now_ns)
        if has_been_seen:
            self._apply(ModeEvent.UNSUSPEND, "upstream and downstream are ready", now_ns)
        self._apply(ModeEvent.READY, "all processes are ready", now_ns)

    def _finish_acting(self, now_ns: int, *, is_link_alive: bool) -> None:
        """An acting state ends when valves are closed; a controller that is not heard has closed them by itself."""
        if self._open_count == 0.0 or not is_link_alive:
            self._apply(ModeEvent.DONE, self._state.reason, now_ns)

    def _apply(self, event: ModeEvent, reason: str, now_ns: int) -> None:
        mode = next_mode(self._state.mode, event)
        if mode is not self._state.mode:
            self._state = ModeState(mode, now_ns, reason, self._recipe_hash)

    def _trouble(self, now_ns: int, *, is_link_alive: bool) -> str | None:
        if not is_link_alive:
            return "no connection to the valve controller"
        for process in REQUIRED_PROCESSES:
            status, heard_at_ns = self._health.get(process, (HealthStatus.STARTING, now_ns))
            if now_ns - heard_at_ns > ms_to_ns(HEALTH.stale_after_ms or 0.0):
                return f"{process} is silent"
            if status in {HealthStatus.STARTING, HealthStatus.FAULT}:
                return f"{process}: {status.value}"
        if self._inputs.emergency_stop_clear is False:
            return "emergency stop"
        return self._stated(_OWN_FAULTS)

    def _stated(self, sentences: dict[str, str]) -> str | None:
        """The sentence of the first wired input that is not well."""
        return next((said for name, said in sentences.items() if getattr(self._inputs, name) is False), None)
