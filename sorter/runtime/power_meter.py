"""What this machine's own power sensors say: processor packages (RAPL), or a Jetson's input (INA3221 through hwmon).

Sensors that cannot be read are not there: RAPL is shown to root alone by default. A thread reads them, since one behind
an I²C bus takes its time.
"""

import contextlib
import threading
from pathlib import Path
from typing import Protocol

from sorter.runtime.clock import Clock

_POWERCAP = Path("/sys/class/powercap")
_HWMON = Path("/sys/class/hwmon")
_SAMPLE_S = 1.0
_UJ_PER_MJ = 1000
# the one that a Jetson's board as a whole is fed by; boards without it list the rails that add up to it
_WHOLE_BOARD = "VDD_IN"
_NO_RAIL = "sum of shunt voltages"


class PowerSensor(Protocol):
    """Energy so far, by a sensor."""

    name: str

    def energy_uj(self, now_ns: int) -> int:
        """Microjoules since the sensor was opened.

        Raises:
            OSError: if the sensor cannot be read.
        """
        ...


class RaplSensor:
    """Processor packages; their counters run over."""

    name = "rapl"

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._ranges_uj = [_number(folder / "max_energy_range_uj") for folder in folders]
        self._last_uj = [_number(folder / "energy_uj") for folder in folders]
        self._sum_uj = 0

    def energy_uj(self, now_ns: int) -> int:  # noqa: ARG002 - a counter needs no clock
        """As `PowerSensor.energy_uj`."""
        for index, folder in enumerate(self._folders):
            now_uj = _number(folder / "energy_uj")
            self._sum_uj += (now_uj - self._last_uj[index]) % (self._ranges_uj[index] + 1)
            self._last_uj[index] = now_uj
        return self._sum_uj


class HwmonSensor:
    """Voltage and current of rails, in mV and mA: power is summed up from one reading to the next."""

    name = "hwmon"

    def __init__(self, rails: list[tuple[Path, Path]], now_ns: int) -> None:
        self._rails = rails
        self._last_ns = now_ns
        self._last_uw = self._power_uw()
        self._sum_uj = 0.0

    def energy_uj(self, now_ns: int) -> int:
        """As `PowerSensor.energy_uj`."""
        power_uw = self._power_uw()
        self._sum_uj += (self._last_uw + power_uw) / 2 * (now_ns - self._last_ns) / 1e9
        self._last_ns, self._last_uw = now_ns, power_uw
        return round(self._sum_uj)

    def _power_uw(self) -> int:
        return sum(_number(voltage) * _number(current) for voltage, current in self._rails)


def find_sensor(now_ns: int, powercap: Path = _POWERCAP, hwmon: Path = _HWMON) -> PowerSensor | None:
    """The sensor of the most of this machine that can be read, None where there is none."""
    rails = _jetson_rails(hwmon)
    packages = [folder for folder in sorted(powercap.glob("intel-rapl:*")) if folder.name.count(":") == 1]
    try:
        if rails:
            return HwmonSensor(rails, now_ns)
        return RaplSensor(packages) if packages else None
    except OSError:
        return None


class PowerMeter:
    """Reads a sensor once a second in a thread of its own; without a sensor it does nothing."""

    def __init__(self, sensor: PowerSensor | None, clock: Clock) -> None:
        self.name = sensor.name if sensor is not None else None
        self._sensor = sensor
        self._clock = clock
        self._energy_uj = 0
        self._told_uj = 0
        self._stop_requested = threading.Event()
        if sensor is not None:
            threading.Thread(target=self._run, args=(sensor,), name="power meter", daemon=True).start()

    def take_mj(self) -> int:
        """Millijoules since they were last taken, as of the newest reading."""
        new_mj = (self._energy_uj - self._told_uj) // _UJ_PER_MJ
        self._told_uj += new_mj * _UJ_PER_MJ
        return new_mj

    def close(self) -> None:
        """Let the thread end."""
        self._stop_requested.set()

    def _run(self, sensor: PowerSensor) -> None:
        with contextlib.suppress(OSError):
            while not self._stop_requested.wait(_SAMPLE_S):
                self._energy_uj = sensor.energy_uj(self._clock.now_ns())


def _jetson_rails(hwmon: Path) -> list[tuple[Path, Path]]:
    labels: dict[str, tuple[Path, Path]] = {}
    for folder in sorted(hwmon.glob("hwmon*")):
        if _text(folder / "name") != "ina3221":
            continue
        for label in sorted(folder.glob("in*_label")):
            voltage = label.with_name(label.name.replace("_label", "_input"))
            labels[_text(label)] = (voltage, voltage.with_name(voltage.name.replace("in", "curr", 1)))
    if _WHOLE_BOARD in labels:
        return [labels[_WHOLE_BOARD]]
    return [rail for label, rail in labels.items() if label not in {"", _NO_RAIL} and rail[1].exists()]


def _number(path: Path) -> int:
    return int(path.read_text())


def _text(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""
