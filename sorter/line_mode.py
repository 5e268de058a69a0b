"""The line's mode as it runs: operators' requests and the health of its processes, fed to the mode table."""

from sorter.model.condition import Health, HealthStatus, Mode, ModeState, RequestKind
from sorter.model.units import NS_PER_MS, ms_to_ns
from sorter.policy.mode import ModeEvent, next_mode
from sorter.runtime.topics import HEALTH

# So long that the controller, which is told with every heartbeat, has heard of it.
_LEAST_HELD_NS = 200 * NS_PER_MS
REQUIRED_PROCESSES = ("vision", "actuators")

_EVENT_OF_REQUEST = {kind: ModeEvent(kind.value) for kind in RequestKind}


class LineMode:
    """The mode, why it is so, and whether the line held itself; instants are arguments."""

    def __init__(self, recipe_hash: str, *, starts_by_itself: bool, now_ns: int) -> None:
        self._recipe_hash = recipe_hash
        self._starts_by_itself = starts_by_itself
        self._health: dict[str, tuple[HealthStatus, int]] = {}
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
        """Note how a process is, and that it spoke."""
        self._health[health.process] = (health.status, now_ns)

    def take_fault(self, reason: str, now_ns: int) -> None:
        """Something has gone wrong that may be over already: hold the line all the same."""
        if self._state.mode is Mode.EXECUTE:
            self._apply(ModeEvent.FAULT, reason, now_ns)
            self._held_itself = True

    def step(self, now_ns: int, *, is_link_alive: bool) -> None:
        """Let health and link act on the mode."""
        trouble = self._trouble(now_ns, is_link_alive=is_link_alive)
        if self._state.mode is Mode.IDLE and self._starts_by_itself and not self._was_started:
            self._was_started = True
            self._apply(ModeEvent.START, "start-up of a simulated line", now_ns)
        if trouble is not None:
            self.take_fault(trouble, now_ns)
        has_been_seen = now_ns - self._state.since_ns >= _LEAST_HELD_NS
        if trouble is None and has_been_seen and self._held_itself and self._starts_by_itself:
            self._held_itself = False
            self._apply(ModeEvent.RECOVERED, "the fault is over", now_ns)
        if trouble is None:
            self._apply(ModeEvent.READY, "all processes are ready", now_ns)

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
        return None
