"""A camera that exposes at a fixed rate whatever happens, and knows when: what latencies are counted from."""

import numpy as np
from numpy.typing import NDArray

from sorter.model.units import NS_PER_S
from sorter.runtime.clock import Clock


class SteadyCapture:
    """A `Capture` in which the newest exposure waits to be taken, as in a driver with one buffer.

    Attributes:
        exposures_ns: when each frame taken so far was exposed, by the order of taking.
    """

    is_open = True

    def __init__(self, picture: NDArray[np.uint8], rate_hz: float, clock: Clock) -> None:
        self._picture = picture
        self._period_ns = round(NS_PER_S / rate_hz)
        self._clock = clock
        self._epoch_ns = clock.now_ns()
        self._newest_taken = 0
        self.exposures_ns: list[int] = []

    def grab(self) -> bool:
        """Take the newest exposure, or wait for the next one if it was taken already; see `Capture`."""
        newest = (self._clock.now_ns() - self._epoch_ns) // self._period_ns
        self._newest_taken = max(newest, self._newest_taken + 1)
        exposed_at_ns = self._epoch_ns + self._newest_taken * self._period_ns
        self._clock.wait_until_ns(exposed_at_ns)
        self.exposures_ns.append(exposed_at_ns)
        return True

    def retrieve(self, buffer: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """Copy the picture; see `Capture`."""
        np.copyto(buffer, self._picture)
        return buffer

    def release(self) -> None:
        """Nothing is held; see `Capture`."""
