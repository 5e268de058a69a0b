"""Valves: what drives them, who may command them, and the limits of every shot."""

from typing import Annotated, Literal

from msgspec import Meta

from sorter.model.settings.gpio import GpioSettings, InputName
from sorter.model.settings.section import DurationMs, PositiveCount, PositiveMm, Section

OutputNumber = Annotated[int, Meta(ge=0, le=65_535)]


class ModbusSettings(Section, frozen=True):
    """Valves on a PLC by Modbus TCP; registers and coils are numbered from 0, see actuators/PROTOCOLS.md."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535)] = 502
    device_id: Annotated[int, Meta(ge=0, le=255)] = 1
    # coils: valves follow coils at once; queue: the PLC switches them by its own encoder, told some time before
    mode: Literal["coils", "queue"] = "coils"
    # a request that takes longer has failed
    timeout_ms: Annotated[float, Meta(ge=5.0, le=5000.0)] = 100.0
    # coil of each station's first nozzle
    first_coils: dict[str, OutputNumber] = {}
    # discrete input of each wired input
    inputs: dict[InputName, OutputNumber] = {}
    # counts up all the time; the PLC closes all valves when it has not changed for 300 ms
    heartbeat_register: OutputNumber = 0
    queue_register: OutputNumber = 100
    queue_slot_count: Annotated[int, Meta(ge=4, le=1024)] = 64
    # how long before a valve moves the PLC is told
    queue_lead_ms: Annotated[float, Meta(ge=10.0, le=2000.0)] = 100.0
    # travel is counted in this length, that of one pulse of the PLC's encoder
    pulse_um: Annotated[int, Meta(ge=1, le=100_000)] = 100


class SerialSettings(Section, frozen=True):
    """Valves on a microcontroller at a serial port; for the frames see actuators/PROTOCOLS.md."""

    device: str = "/dev/ttyACM0"
    baud_rate: Annotated[int, Meta(ge=9600, le=4_000_000)] = 921_600
    # how long before a valve moves the microcontroller is told, so that its clock decides when
    lead_ms: Annotated[float, Meta(ge=0.0, le=100.0)] = 4.0
    # an order not acknowledged for longer has failed
    timeout_ms: Annotated[float, Meta(ge=5.0, le=1000.0)] = 50.0
    # output of each station's first nozzle
    first_outputs: dict[str, OutputNumber] = {}
    # bit of each wired input
    inputs: dict[InputName, Annotated[int, Meta(ge=0, le=7)]] = {}


class ValveSettings(Section, frozen=True):
    """The valves; the simulated bar obeys all of it, real drivers the responses and their own table."""

    driver: Literal["simulated", "gpio", "modbus", "serial"] = "simulated"
    # from telling a valve to move until it has moved
    response_ms: DurationMs = 8.0
    # the same for a station ("pet") or a nozzle ("pet:30") that is slower or faster than the rest
    own_response_ms: dict[str, DurationMs] = {}
    # air through one open nozzle, at the pressure that the bar has
    air_l_per_ms: Annotated[float, Meta(ge=0.0, le=100.0)] = 0.005
    # standard deviation of the simulated response
    jitter_ms: Annotated[float, Meta(ge=0.0, le=100.0)] = 0.1
    # simulated nozzles that never open, as "station:nozzle"
    dead_nozzles: tuple[str, ...] = ()
    # simulated nozzles that never close again once they have opened, and such as open late
    stuck_open_nozzles: tuple[str, ...] = ()
    slow_nozzles: tuple[str, ...] = ()
    slow_by_ms: DurationMs = 10.0
    gpio: GpioSettings = GpioSettings()
    modbus: ModbusSettings = ModbusSettings()
    serial: SerialSettings = SerialSettings()


class ControllerSettings(Section, frozen=True):
    """How the controller process runs; needs CAP_SYS_NICE and CAP_IPC_LOCK, and goes on without."""

    # first in, first out, above all ordinary threads, below the kernel's own interrupt threads (50)
    real_time_priority: Annotated[int, Meta(ge=1, le=49)] = 20
    # the one processor it runs on, best one that the kernel was told to keep free; left out: any
    cpu: Annotated[int, Meta(ge=0, le=1023)] | None = None


class LinkSettings(Section, frozen=True):
    """How the valve controller is reached; on one box, nothing of this is needed."""

    # tcp://HOST:PORT of the sorter, for a controller on a box of its own; empty: both on this one
    address: Annotated[str, Meta(pattern=r"^(tcp://[^\s/]+:\d+)?$")] = ""
    # CURVE keys as farz keys makes them; nothing goes off the box without
    keys_folder: str = ""

    def __post_init__(self) -> None:
        """Refuse a link between boxes that anybody could use."""
        if self.address and not self.keys_folder:
            raise ValueError(f"address = {self.address!r} leaves the box, which needs keys_folder; farz keys makes one")


class SafetySettings(Section, frozen=True):
    """Limits that the safety gate holds, whatever is asked of it."""

    # no nozzle is open for longer than this at a stretch, shots that follow each other without a gap included
    max_open_ms: Annotated[float, Meta(gt=0.0, le=10_000.0)] = 600.0
    # nor for more than this share of the window that ends with the shot, so that no coil overheats
    max_duty_ratio: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.5
    duty_window_ms: Annotated[float, Meta(ge=100.0, le=600_000.0)] = 10_000.0
    max_blast_mm: PositiveMm = 600.0
    # what the air supply bears, all stations together
    max_open_nozzles: PositiveCount = 64
    # three heartbeats of 100 ms, less what it takes to notice and to close: valves are closed 300 ms after the last
    liveness_ms: Annotated[float, Meta(ge=50.0, le=10_000.0)] = 290.0


class SimulationSettings(Section, frozen=True):
    """The simulated world: what lies on the belt."""

    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 1
    # share of the belt's area that items cover (sprites); at 0.1 and below they lie apart
    occupancy_ratio: Annotated[float, Meta(gt=0.0, le=0.8)] = 0.08
    min_gap_mm: Annotated[float, Meta(ge=0.0, le=1000.0)] = 40.0
    # weights of the classes in the mix (sprites); left out, all alike
    mix: dict[str, Annotated[float, Meta(ge=0.0)]] = {}
    # service time that stands for detector and transport in virtual time
    modelled_latency_ms: DurationMs = 30.0
