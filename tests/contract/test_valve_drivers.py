"""What every valve driver owes the controller; each driver with the hardware, or the nearest to it, that it drives."""

import os
import pty
import random
import socket
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from actuators.drivers.driver import Actuation, ValveDriver
from actuators.drivers.gpio import GpioBar
from actuators.drivers.modbus import ModbusCoils
from actuators.drivers.modbus_client import ModbusDevice, ModbusError
from actuators.drivers.modbus_queue import HEADER_LENGTH, RECORD_LENGTH, ModbusQueue
from actuators.drivers.outputs import OutputMap
from actuators.drivers.serial_frames import (
    DeviceState,
    Frame,
    FrameKind,
    FrameReader,
    pack_frame,
    read_close,
    read_pulse,
    state_payload,
)
from actuators.drivers.serial_link import SerialValves
from actuators.drivers.simulated import SimulatedBar
from actuators.drivers.walking_one import walk_one
from actuators.errors import DriverError
from sorter.model.condition import WiredInputs
from sorter.model.drive import BeltDrive
from sorter.model.settings import GpioSettings, ModbusSettings, SerialSettings, Settings
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.model.world import ScatteredWorld
from sorter.runtime.clock import SystemClock

EPOCH_NS = 1_000_000_000
LIMIT_NS = 10 * NS_PER_S
SETTINGS = Settings()
STATIONS = [station.id for station in SETTINGS.recipe.stations]
COUNTS = {station.id: station.nozzle_count for station in SETTINGS.recipe.stations}
FIRST_OUTPUTS = {"pet": 0, "hdpe": 120, "can": 240}
LAST_NOZZLE = COUNTS["pet"] - 1
CLOCK = SystemClock()
PULSE_UM = 100
Nozzles = set[tuple[str, int]]


def expect_soon(condition: Callable[[], bool], what: str = "the hardware has moved") -> None:
    ends_at_ns = CLOCK.now_ns() + 20 * NS_PER_S
    while not condition():
        assert CLOCK.now_ns() < ends_at_ns, f"waited for: {what}"
        CLOCK.wait_until_ns(CLOCK.now_ns() + 2 * NS_PER_MS)


def nozzles(station_id: str, first: int, last: int) -> Nozzles:
    return {(station_id, number) for number in range(first, last + 1)}


def nozzles_of(outputs: set[int]) -> Nozzles:
    return {
        (station_id, output - first)
        for station_id, first in FIRST_OUTPUTS.items()
        for output in outputs
        if 0 <= output - first < COUNTS[station_id]
    }


class Rig(Protocol):
    """A driver and its hardware."""

    driver: ValveDriver

    def now_ns(self) -> int: ...

    def open_nozzles(self) -> Nozzles: ...

    def close(self) -> None: ...


class SimulatedRig:
    """The simulated bar, in virtual time: an instant a call."""

    def __init__(self, _folder: Path) -> None:
        self.driver = SimulatedBar(SETTINGS, BeltDrive(SETTINGS.belt), EPOCH_NS, ScatteredWorld(SETTINGS))
        self._now_ns = EPOCH_NS + 2 * NS_PER_S

    def now_ns(self) -> int:
        self._now_ns += NS_PER_MS
        return self._now_ns

    def open_nozzles(self) -> Nozzles:
        self.driver._end_pulses(self.now_ns())
        return {
            (shot.station.id, number)
            for shot in self.driver._shots
            for number in range(shot.first_nozzle, shot.last_nozzle + 1)
            if number not in shot.closed_at_um
        }

    def close(self) -> None:
        pass


class RealTimeRig:
    """A rig whose time is the machine's."""

    def now_ns(self) -> int:
        return CLOCK.now_ns()


class FakeLines:
    """GPIO lines in memory; the kernel refuses while told to."""

    def __init__(self) -> None:
        self.active: set[str] = set()
        self.is_refusing = self.is_released = False

    def write(self, names: list[str], *, is_active: bool) -> None:
        if self.is_refusing:
            raise OSError(19, "No such device")
        self.active = self.active | set(names) if is_active else self.active - set(names)

    def read(self, name: str) -> bool:
        if self.is_refusing:
            raise OSError(19, "No such device")
        return name == "air_present"

    def release(self) -> None:
        self.is_released = True


class GpioRig(RealTimeRig):
    def __init__(self, _folder: Path) -> None:
        lines = {
            f"{station}:{number}": f"line {station} {number}" for station, n in COUNTS.items() for number in range(n)
        }
        self.lines = FakeLines()
        settings = GpioSettings(lines=lines, inputs={"air_present": "a", "guards_closed": "g"})
        self.driver = GpioBar(settings, self.lines)

    def open_nozzles(self) -> Nozzles:
        return {(name.partition(":")[0], int(name.partition(":")[2])) for name in self.lines.active}

    def close(self) -> None:
        self.driver.shut_down()


class Plc:
    """The simulated PLC's process."""

    def __init__(self, folder: Path, **keys: object) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.slow = folder / "slow"
        self.settings = ModbusSettings(
            port=self.port,
            first_coils=FIRST_OUTPUTS,
            timeout_ms=300.0,
            heartbeat_register=1900,
            queue_register=100,
            inputs={"air_present": 1},
            **keys,  # type: ignore[arg-type]
        )
        self.client = ModbusDevice(self.settings)
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        script = Path(__file__).with_name("simulated_plc.py")
        self.process = subprocess.Popen([sys.executable, str(script), str(self.port), str(self.slow)])
        expect_soon(self.is_there, "the PLC answers")

    def is_there(self) -> bool:
        try:
            self.client.connect()
        except ModbusError:
            return False
        return True

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def coils_on(self) -> set[int]:
        return {coil for coil, is_on in enumerate(self.client.read_coils(0, 400)) if is_on}

    def close(self) -> None:
        self.client.hang_up()
        self.stop()


class ModbusRig(RealTimeRig):
    """Coils on pymodbus' own server."""

    def __init__(self, folder: Path) -> None:
        self.plc = Plc(folder)
        self.driver = ModbusCoils(self.plc.settings, OutputMap(FIRST_OUTPUTS, COUNTS), CLOCK)
        expect_soon(self.is_ready, "the driver is connected")

    def is_ready(self) -> bool:
        return self.driver._trouble is None

    def open_nozzles(self) -> Nozzles:
        return nozzles_of(self.plc.coils_on())

    def close(self) -> None:
        self.driver.shut_down()
        self.plc.close()


class ModbusQueueRig(RealTimeRig):
    """The queue on the same server; this rig is the PLC's program: it takes the records and follows its encoder."""

    def __init__(self, folder: Path) -> None:
        self.plc = Plc(folder, mode="queue", queue_lead_ms=20.0)
        self.start_ns = CLOCK.now_ns()
        self.driver = ModbusQueue(self.plc.settings, OutputMap(FIRST_OUTPUTS, COUNTS), CLOCK, self.travel_at_um)
        self.taken = 0
        self.voided = 0
        self.planned: list[tuple[int, int, range, bool, int]] = []
        self.on_until_ns: dict[int, int] = {}
        expect_soon(lambda: self.driver._trouble is None, "the driver is connected")

    def travel_at_um(self, instant_ns: int) -> int:
        """A belt of 2 m/s."""
        return (instant_ns - self.start_ns) * 2_000_000 // NS_PER_S

    def open_nozzles(self) -> Nozzles:
        base = self.plc.settings.queue_register
        head, _, void, _ = self.plc.client.read_registers(base, HEADER_LENGTH)
        while self.taken < head:
            self.taken += 1
            slot = self.taken % self.plc.settings.queue_slot_count
            words = self.plc.client.read_registers(base + HEADER_LENGTH + slot * RECORD_LENGTH, RECORD_LENGTH)
            assert (words[0], words[-1]) == (self.taken, sum(words[:-1]) % 65536)
            coils = range(words[1], words[1] + words[2])
            self.planned.append((words[4] * 65536 + words[5], self.taken, coils, bool(words[3]), words[6]))
        if void > self.voided:
            self.voided = void
            self.planned = [order for order in self.planned if order[1] > void]
            self.on_until_ns.clear()
        now_ns = CLOCK.now_ns()
        due = [order for order in self.planned if order[0] * PULSE_UM <= self.travel_at_um(now_ns)]
        self.planned = [order for order in self.planned if order not in due]
        for _, _, coils, is_on, limit_ms in due:
            for coil in coils:
                self.on_until_ns.pop(coil, None)
            if is_on:
                self.on_until_ns |= dict.fromkeys(coils, now_ns + limit_ms * NS_PER_MS)
        self.plc.client.write_registers(base + 1, [self.taken])
        return nozzles_of({coil for coil, until_ns in self.on_until_ns.items() if now_ns < until_ns})

    def close(self) -> None:
        self.driver.shut_down()
        self.plc.close()


class PlayedDevice:
    """A microcontroller on a pseudo-terminal: follows the protocol, and errs when told to."""

    def __init__(self) -> None:
        self.near, far = pty.openpty()
        tty.setraw(self.near)
        tty.setraw(far)
        self.path = os.ttyname(far)
        self._far = far
        self.rng = random.Random(1)
        self.lock = threading.Lock()
        self.garbage_ratio = self.loss_ratio = 0.0
        self.boot_id = 1
        self.start_ns = CLOCK.now_ns()
        # 200 parts in a million fast
        self.drift = 1.0002
        self.pulses: list[tuple[int, int, int, int]] = []
        self.closes: list[tuple[int, int, int]] = []
        self.openings_us: list[int] = []
        self.is_ending = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def tick_us(self, instant_ns: int | None = None) -> int:
        instant_ns = CLOCK.now_ns() if instant_ns is None else instant_ns
        return round((instant_ns - self.start_ns) / 1000 * self.drift) + 4_294_000_000

    def reboot(self) -> None:
        with self.lock:
            self.boot_id += 1
            self.start_ns = CLOCK.now_ns()
            self.pulses, self.closes = [], []

    def open_outputs(self) -> set[int]:
        """Each output is as the newest order that is due says, and no longer than its limit."""
        with self.lock:
            now_us = self.tick_us()
            outputs: set[int] = set()
            for first, count, at_us, limit_us in self.pulses:
                closed = {
                    output
                    for start, number, closed_us in self.closes
                    if at_us <= closed_us <= now_us
                    for output in range(start, start + number)
                }
                if at_us <= now_us < at_us + limit_us:
                    outputs |= set(range(first, first + count)) - closed
            return outputs

    def serve(self) -> None:
        reader = FrameReader()
        while not self.is_ending:
            try:
                data = os.read(self.near, 4096)
            except OSError:
                return
            for frame in [] if self.is_ending else reader.feed(data):
                if self.rng.random() >= self.loss_ratio:
                    self.answer(frame)

    def answer(self, frame: Frame) -> None:
        with self.lock:
            turn_us = self.tick_us() // 2**32 * 2**32
            if frame.kind == FrameKind.PULSE:
                first, count, at_us, limit_us = read_pulse(frame.payload)
                self.pulses.append((first, count, self.unwrapped(at_us, turn_us), limit_us))
            elif frame.kind == FrameKind.CLOSE:
                first, count, at_us = read_close(frame.payload)
                self.closes.append((first, count, self.unwrapped(at_us, turn_us)))
            elif frame.kind == FrameKind.CLOSE_ALL:
                self.pulses, self.closes = [], []
            state = DeviceState(self.boot_id, self.tick_us() % 2**32, 0b10, 7)
        said = pack_frame(Frame(FrameKind.STATE, frame.number, state_payload(state)))
        if self.rng.random() < self.garbage_ratio:
            said = self.rng.randbytes(self.rng.randrange(1, 40)) + b"\0" + said
        os.write(self.near, said)

    def unwrapped(self, tick_us: int, turn_us: int) -> int:
        now_us = self.tick_us()
        return min((turn_us + tick_us + turns * 2**32 for turns in (-1, 0, 1)), key=lambda tick: abs(tick - now_us))

    def close(self) -> None:
        self.is_ending = True
        os.write(self._far, b"\0")
        self.thread.join()
        os.close(self._far)
        os.close(self.near)


class SerialRig(RealTimeRig):
    def __init__(self, _folder: Path) -> None:
        self.device = PlayedDevice()
        settings = SerialSettings(
            device=self.device.path,
            first_outputs=FIRST_OUTPUTS,
            timeout_ms=500.0,
            inputs={"air_present": 1, "guards_closed": 0},
        )
        self.driver = SerialValves(settings, OutputMap(FIRST_OUTPUTS, COUNTS), CLOCK)
        expect_soon(self.is_ready, "the device is heard")

    def is_ready(self) -> bool:
        return self.driver._trouble is None

    def open_nozzles(self) -> Nozzles:
        return nozzles_of(self.device.open_outputs())

    def close(self) -> None:
        self.driver.shut_down()
        self.device.close()


@pytest.fixture(params=[SimulatedRig, GpioRig, ModbusRig, ModbusQueueRig, SerialRig])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    rig: Rig = request.param(tmp_path)
    yield rig
    rig.close()


def assert_plausible(actuation: Actuation | None, told_at_ns: int) -> None:
    """None, or an instant not before the order and within a tenth of a second of it."""
    if actuation is not None:
        assert told_at_ns <= actuation.at_ns <= told_at_ns + 100 * NS_PER_MS


def open_and_wait(rig: Rig, station_id: str, first: int, last: int, limit_ns: int = LIMIT_NS) -> None:
    before = rig.open_nozzles()
    now_ns = rig.now_ns()
    assert_plausible(rig.driver.open(station_id, first, last, now_ns, limit_ns), now_ns)
    expect_soon(lambda: rig.open_nozzles() == before | nozzles(station_id, first, last))


@pytest.mark.parametrize("station_id", STATIONS)
@pytest.mark.parametrize(("first", "last"), [(0, 0), (LAST_NOZZLE, LAST_NOZZLE), (0, LAST_NOZZLE), (5, 14)])
def test_opens_and_closes_any_range_of_any_bar_and_nothing_else(
    rig: Rig, station_id: str, first: int, last: int
) -> None:
    open_and_wait(rig, station_id, first, last)
    now_ns = rig.now_ns()
    assert_plausible(rig.driver.close(station_id, first, last, now_ns), now_ns)
    expect_soon(lambda: rig.open_nozzles() == set())


def test_closing_what_is_closed_is_harmless(rig: Rig) -> None:
    for _ in range(2):
        rig.driver.close("pet", 0, LAST_NOZZLE, rig.now_ns())
        rig.driver.close_all(rig.now_ns())
    assert rig.open_nozzles() == set()


def test_opening_what_is_open_is_harmless(rig: Rig) -> None:
    open_and_wait(rig, "pet", 0, 9)
    open_and_wait(rig, "pet", 5, 14)
    rig.driver.close("pet", 0, 4, rig.now_ns())
    expect_soon(lambda: rig.open_nozzles() == nozzles("pet", 5, 14))
    rig.driver.close("pet", 5, 14, rig.now_ns())
    expect_soon(lambda: rig.open_nozzles() == set())


def test_close_all_closes_every_bar(rig: Rig) -> None:
    for station_id in STATIONS:
        open_and_wait(rig, station_id, 3, 8)
    rig.driver.close_all(rig.now_ns())
    expect_soon(lambda: rig.open_nozzles() == set())


def test_a_pulse_ends_by_itself_where_the_driver_says_so(rig: Rig) -> None:
    if not rig.driver.ends_pulses_itself:
        pytest.skip("this hardware cannot; the controller's own deadline must do")
    open_and_wait(rig, "hdpe", 3, 8, limit_ns=400 * NS_PER_MS)
    expect_soon(lambda: rig.open_nozzles() == set())


def test_a_station_that_is_not_there_is_refused(rig: Rig) -> None:
    with pytest.raises(DriverError, match="nowhere"):
        rig.driver.open("nowhere", 0, 1, rig.now_ns(), LIMIT_NS)
    assert rig.open_nozzles() == set()


def test_inputs_are_told_as_far_as_they_are_wired(rig: Rig) -> None:
    expect_soon(
        lambda: isinstance(rig, SimulatedRig) or rig.driver.read_inputs().air_present is True, "inputs are read"
    )
    inputs = rig.driver.read_inputs()
    assert inputs.belt_running is None
    if isinstance(rig, SimulatedRig):
        assert inputs == WiredInputs()


def test_shutting_down_closes_all(rig: Rig) -> None:
    open_and_wait(rig, "pet", 3, 8)
    if isinstance(rig, SimulatedRig):
        rig.driver.close_all(rig.now_ns())
    rig.driver.shut_down()
    expect_soon(lambda: rig.open_nozzles() == set())


# what is one driver's own


def test_simulated_valves_never_close_before_they_opened_and_know_the_travel(tmp_path: Path) -> None:
    rig = SimulatedRig(tmp_path)
    for _ in range(200):
        now_ns = rig.now_ns()
        opening = rig.driver.open("pet", 0, 9, now_ns, LIMIT_NS)
        assert rig.driver.close("pet", 0, 9, now_ns).at_ns >= opening.at_ns
        belt_speed_um_s = round(SETTINGS.belt.speed_m_s * 1_000_000)
        assert opening.travel_um == pytest.approx(belt_speed_um_s * (opening.at_ns - EPOCH_NS) / NS_PER_S, abs=2)


def test_a_kernel_that_refuses_is_an_error_and_shutting_down_is_none(tmp_path: Path) -> None:
    rig = GpioRig(tmp_path)
    rig.lines.is_refusing = True
    with pytest.raises(DriverError, match="GPIO"):
        rig.driver.close_all(rig.now_ns())
    with pytest.raises(DriverError, match="inputs"):
        rig.driver.read_inputs()
    rig.driver.shut_down()
    rig.lines.is_refusing = False
    rig.driver.shut_down()
    assert rig.lines.is_released


def is_refusing(driver: ValveDriver) -> bool:
    try:
        driver.close_all(CLOCK.now_ns())
    except DriverError:
        return True
    return False


@pytest.fixture(params=[ModbusRig, ModbusQueueRig])
def on_plc(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ModbusRig | ModbusQueueRig]:
    rig: ModbusRig | ModbusQueueRig = request.param(tmp_path)
    yield rig
    rig.close()


def test_a_plc_that_goes_and_comes_back_is_closed_first(on_plc: ModbusRig | ModbusQueueRig) -> None:
    open_and_wait(on_plc, "pet", 0, 9)
    on_plc.plc.stop()
    expect_soon(lambda: is_refusing(on_plc.driver), "the loss is noticed")
    with pytest.raises(DriverError, match="PLC"):
        on_plc.driver.open("pet", 0, 9, on_plc.now_ns(), LIMIT_NS)
    on_plc.plc.start()
    if isinstance(on_plc, ModbusQueueRig):
        on_plc.taken = on_plc.voided = 0
        on_plc.on_until_ns.clear()
    expect_soon(lambda: not is_refusing(on_plc.driver), "the driver is back")
    assert on_plc.open_nozzles() == set()
    open_and_wait(on_plc, "can", 3, 4)


def test_a_plc_too_slow_is_trouble_and_nothing_old_is_written_later(on_plc: ModbusRig | ModbusQueueRig) -> None:
    on_plc.plc.slow.write_text("0.5")
    on_plc.driver.open("pet", 0, 9, on_plc.now_ns(), LIMIT_NS)
    expect_soon(lambda: is_refusing(on_plc.driver), "the slowness is noticed")
    on_plc.plc.slow.unlink()
    expect_soon(lambda: not is_refusing(on_plc.driver), "the driver is back")
    expect_soon(lambda: on_plc.open_nozzles() == set())


def test_a_walking_one_finds_every_coil_alone(tmp_path: Path) -> None:
    plc = Plc(tmp_path)
    findings = list(walk_one(plc.client, OutputMap({"pet": 10}, {"pet": 20})))
    assert [finding.coil for finding in findings] == list(range(10, 30))
    assert all(finding.is_right for finding in findings)
    assert plc.coils_on() == set()
    plc.close()


def test_a_heartbeat_counts_up_for_the_plc_to_watch(tmp_path: Path) -> None:
    rig = ModbusRig(tmp_path)
    before = rig.plc.client.read_registers(rig.plc.settings.heartbeat_register, 1)
    expect_soon(lambda: rig.plc.client.read_registers(rig.plc.settings.heartbeat_register, 1) != before)
    rig.close()


def test_a_full_queue_is_an_error(tmp_path: Path) -> None:
    rig = ModbusQueueRig(tmp_path)
    for _ in range(rig.plc.settings.queue_slot_count):
        rig.driver.open("pet", 0, 0, rig.now_ns(), LIMIT_NS)
    with pytest.raises(DriverError, match="full"):
        rig.driver.open("pet", 0, 0, rig.now_ns(), LIMIT_NS)
    rig.close()


@pytest.fixture
def on_wire(tmp_path: Path) -> Iterator[SerialRig]:
    rig = SerialRig(tmp_path)
    yield rig
    rig.close()


def test_garbage_on_the_wire_is_counted_and_harms_nothing(on_wire: SerialRig) -> None:
    on_wire.device.garbage_ratio = 0.8
    for _ in range(20):
        open_and_wait(on_wire, "pet", 0, 9)
        on_wire.driver.close("pet", 0, 9, on_wire.now_ns())
        expect_soon(lambda: on_wire.open_nozzles() == set())
    assert on_wire.driver.damaged_count > 5


def test_a_device_that_begins_anew_is_trouble_until_all_is_confirmed_closed(on_wire: SerialRig) -> None:
    open_and_wait(on_wire, "pet", 0, 9)
    on_wire.device.reboot()
    expect_soon(lambda: is_refusing(on_wire.driver), "the reboot is noticed")
    expect_soon(lambda: not is_refusing(on_wire.driver), "the driver is back")
    open_and_wait(on_wire, "hdpe", 0, 9)


def test_orders_that_get_lost_are_trouble(on_wire: SerialRig) -> None:
    on_wire.device.loss_ratio = 1.0
    expect_soon(lambda: is_refusing(on_wire.driver), "the silence is noticed")
    on_wire.device.loss_ratio = 0.0
    expect_soon(lambda: not is_refusing(on_wire.driver), "the driver is back")


def test_the_encoder_s_count_comes_with_the_instant_of_counting(on_wire: SerialRig) -> None:
    expect_soon(lambda: len(on_wire.driver._ticks._pings) >= 40, "forty pings")
    now_ns = CLOCK.now_ns()
    reading = on_wire.driver.encoder_reading(now_ns)
    assert reading is not None
    assert reading[1] == 7
    assert reading[0] <= now_ns
    on_wire.device.loss_ratio = 1.0
    expect_soon(lambda: on_wire.driver.encoder_reading(CLOCK.now_ns()) is None, "the silence is noticed")


def test_the_device_s_clock_is_followed_though_it_drifts_and_wraps(on_wire: SerialRig) -> None:
    expect_soon(lambda: len(on_wire.driver._ticks._pings) >= 40, "forty pings")
    ahead_ns = CLOCK.now_ns() + 100 * NS_PER_MS
    predicted_us = on_wire.driver._ticks.tick_us_at(ahead_ns)
    assert predicted_us is not None
    # as good as its pings, which a busy machine holds up
    allowed_us = on_wire.driver._ticks.slowest_used_ns() / 1000 + 100
    assert predicted_us == pytest.approx(on_wire.device.tick_us(ahead_ns), abs=allowed_us)
