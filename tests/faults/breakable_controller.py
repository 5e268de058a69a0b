"""The actuators process with simulated valves that keep a log, and disobey while a file is there; for the campaign."""

import os
from pathlib import Path

import actuators.process
from actuators.drivers.driver import Actuation
from actuators.drivers.simulated import SimulatedBar
from actuators.errors import DriverError
from sorter.runtime.process import run_process

LOG = Path(os.environ["FARZ_TEST_VALVE_LOG"])
BROKEN = Path(os.environ["FARZ_TEST_BROKEN"])


class LoggedBar(SimulatedBar):
    """One line a movement: what, station, first, last, when, and for an opening how long it may last."""

    def open(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int, limit_ns: int) -> Actuation:
        self._obey_unless_broken()
        note(f"open {station_id} {first_nozzle} {last_nozzle} {now_ns} {limit_ns}")
        return super().open(station_id, first_nozzle, last_nozzle, now_ns, limit_ns)

    def close(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int) -> Actuation:
        self._obey_unless_broken()
        note(f"close {station_id} {first_nozzle} {last_nozzle} {now_ns} 0")
        return super().close(station_id, first_nozzle, last_nozzle, now_ns)

    def close_all(self, now_ns: int) -> Actuation:
        self._obey_unless_broken()
        note(f"close * 0 100000 {now_ns} 0")
        return super().close_all(now_ns)

    def _obey_unless_broken(self) -> None:
        if BROKEN.exists():
            raise DriverError("the valves do not answer")


def note(line: str) -> None:
    with LOG.open("a") as log:
        log.write(f"{line}\n")


if __name__ == "__main__":
    actuators.process.SimulatedBar = LoggedBar  # type: ignore[attr-defined]
    run_process("actuators", actuators.process.control_valves)
