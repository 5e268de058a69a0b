"""When the frames of a steady source are exposed, and waiting for one; what is on them is left to the sources."""

from sorter.model.units import NS_PER_S, ms_to_ns
from sorter.runtime.clock import Clock


class FrameTimes:
    """Exposures at epoch + k / rate: the phase is fixed, so waiting late for one never shifts the next."""

    def __init__(self, clock: Clock, epoch_ns: int, frame_rate_hz: float) -> None:
        self._clock = clock
        self._epoch_ns = epoch_ns
        self._frame_rate_hz = frame_rate_hz

    def exposed_at_ns(self, frame_id: int) -> int:
        """Instant at which a frame is exposed."""
        return self._epoch_ns + round(frame_id * NS_PER_S / self._frame_rate_hz)

    def newest_id(self) -> int:
        """The newest frame exposed by now; negative before the first."""
        elapsed_ns = self._clock.now_ns() - self._epoch_ns
        estimate = int(elapsed_ns * self._frame_rate_hz // NS_PER_S) + 1
        while self.exposed_at_ns(estimate) - self._epoch_ns > elapsed_ns:
            estimate -= 1
        return estimate

    def remaining_ns(self, frame_id: int) -> int:
        """Time until a frame's exposure; negative when it has passed."""
        return self.exposed_at_ns(frame_id) - self._clock.now_ns()

    def deadline_ns(self, timeout_ms: float) -> int:
        """The instant at which a wait of that length is over."""
        return self._clock.now_ns() + ms_to_ns(timeout_ms)

    def wait_out(self, deadline_ns: int) -> None:
        """Wait until the deadline, so that who asks an exhausted source again and again does not spin."""
        self._clock.wait_until_ns(deadline_ns)

    def wait_for(self, frame_id: int, deadline_ns: int) -> bool:
        """Wait for a frame's exposure, at most until the deadline; whether it was exposed."""
        exposed_at_ns = self.exposed_at_ns(frame_id)
        self._clock.wait_until_ns(min(exposed_at_ns, deadline_ns))
        return exposed_at_ns <= self._clock.now_ns()
