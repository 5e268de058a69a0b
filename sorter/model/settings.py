"""The configuration of a line as types: every key, its unit in the name, its range and its default."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sorter.model.materials import CLASS_NAMES
from sorter.model.release_key import RELEASE_PUBLIC_KEY

Ratio = Annotated[float, Meta(ge=0.0, le=1.0)]
OpenRatio = Annotated[float, Meta(gt=0.0, lt=1.0)]
PositiveMm = Annotated[float, Meta(gt=0.0, le=100_000.0)]
PixelCount = Annotated[int, Meta(ge=32, le=8192)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
PositiveCount = Annotated[int, Meta(ge=1, le=1_000_000)]
SpeedMS = Annotated[float, Meta(gt=0.0, le=10.0)]
EdgeMm = Annotated[float, Meta(ge=-100_000.0, le=100_000.0)]
DurationMs = Annotated[float, Meta(ge=0.0, le=60_000.0)]
Homography = Annotated[tuple[float, ...], Meta(min_length=9, max_length=9)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the configuration; unknown keys are refused."""


class BeltSettings(Section, frozen=True):
    """The belt and how its travel is known."""

    width_mm: PositiveMm = 1400.0
    # simulated: the drive below; pictures: phase correlation between frames, for lines without an encoder; valves: the
    # encoder that the valves' microcontroller counts
    travel_from: Literal["simulated", "pictures", "valves"] = "simulated"
    # belt between two pulses of that encoder
    encoder_pulse_um: Annotated[int, Meta(ge=1, le=100_000)] = 100
    speed_m_s: SpeedMS = 2.0
    # with a second speed the simulated drive ramps between the two
    speed_high_m_s: SpeedMS | None = None
    ramp_m_s2: Annotated[float, Meta(gt=0.0, le=20.0)] = 1.0
    # the simulated drive stops once, at this travel, for this long
    stop_at_m: Annotated[float, Meta(ge=0.0)] | None = None
    stop_s: Annotated[float, Meta(ge=0.0, le=600.0)] = 3.0


class CameraSettings(Section, frozen=True):
    """The camera's picture and how it lies on the belt."""

    width_px: PixelCount = 640
    height_px: PixelCount = 640
    view_width_mm: PositiveMm = 1400.0
    view_length_mm: PositiveMm = 787.5
    # where the picture's left edge lies across the belt; a homography says it itself
    left_edge_mm: EdgeMm = 0.0
    frame_rate_hz: Annotated[float, Meta(gt=0.0, le=1000.0)] = 60.0
    exposure_us: Annotated[float, Meta(ge=0.0, le=100_000.0)] = 300.0
    # one view is processed every so many millimetres of belt travel
    view_step_mm: PositiveMm = 130.0
    # 3×3 matrix, row by row: pixels → (mm across, mm upstream of the reference line); see farz calibrate
    homography: Homography | None = None


class LineCamera(Section, frozen=True):
    """One of several cameras beside each other over one belt: what it does not say is as in `camera` and `source`."""

    id: Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[a-z0-9_]+$")]
    location: str = ""
    left_edge_mm: EdgeMm = 0.0
    homography: Homography | None = None


class SourceSettings(Section, frozen=True):
    """Where pictures come from. `location`: a file, folder, device number, URL or GStreamer pipeline."""

    kind: Literal["sprites", "strip", "video", "folder", "camera"] = "sprites"
    location: str = ""
    # simulated cameras: share of frames that are lost, at random
    drop_ratio: Ratio = 0.0
    noise_grey_levels: Annotated[float, Meta(ge=0.0, le=64.0)] = 2.0


class OracleSettings(Section, frozen=True):
    """How the oracle detector errs."""

    miss_ratio: Ratio = 0.0
    confusion_ratio: Ratio = 0.0
    box_noise_mm: Annotated[float, Meta(ge=0.0, le=500.0)] = 0.0


class DetectorSettings(Section, frozen=True):
    """The network that names items, what runs it and how precisely."""

    runtime: Literal["openvino", "onnxruntime", "oracle"] = "openvino"
    # a bundle's folder, or a shelf's, whose champion is meant; empty means the shipped one
    model: str = ""
    # minisign public keys; a bundle that none of them signed is refused
    trusted_keys: tuple[str, ...] = (RELEASE_PUBLIC_KEY,)
    # true: signatures are not looked at, so whoever can write the bundle's folder decides what the line sees
    allow_unsigned: bool = False
    # int8 needs a bundle that has been quantised, see farz train quantise; the rest of that network stays f32.
    # auto: the fastest here of those whose loss, as the bundle has it, is at most 1 point of mAP50 and 3 of a class
    precision: Literal["f32", "bf16", "f16", "int8", "auto"] = "f32"
    threads: Annotated[int, Meta(ge=0, le=256)] = 0
    # a bundle that looks at a view every so often beside the model in use, for comparison alone; empty: none does
    shadow: str = ""
    shadow_period_ms: Annotated[float, Meta(ge=100.0, le=600_000.0)] = 2000.0
    score_threshold: OpenRatio = 0.1
    nms_iou_ratio: OpenRatio = 0.5
    max_detections: PositiveCount = 300
    oracle: OracleSettings = OracleSettings()


class TrackingSettings(Section, frozen=True):
    """When two views show the same item."""

    # overlap over union that joins a detection to a track; for cut items, overlap over the smaller box
    match_overlap_ratio: OpenRatio = 0.3


class StationSettings(Section, frozen=True):
    """One ejection station: where its bar of nozzles is and what it takes off the belt."""

    id: Annotated[str, Meta(min_length=1, max_length=32)]
    # from the camera's reference line (downstream edge of the view) to the nozzles, along the belt
    offset_mm: PositiveMm
    targets: Annotated[tuple[str, ...], Meta(min_length=1)]
    # a bar of air jets, or one paddle across the belt, which is a bar of one wide nozzle
    actuator: Literal["jets", "diverter", "pusher"] = "jets"
    # no shot is fired whose expected share of targets is below this
    purity_target: OpenRatio = 0.6
    # what taking one non-target along costs, in targets; left out, it follows from the purity target
    non_target_cost: Annotated[float, Meta(ge=0.0, le=1000.0)] | None = None
    nozzle_count: Annotated[int, Meta(ge=1, le=1024)] = 112
    nozzle_pitch_mm: PositiveMm = 12.5
    first_nozzle_at_mm: Annotated[float, Meta(ge=-1000.0, le=100_000.0)] = 0.0
    # share of the item's width and length, around its centre, that the jet covers, and the least it covers
    blast_ratio: OpenRatio = 0.5
    min_blast_mm: PositiveMm = 40.0
    # after it has closed, an actuator is left alone for so long: a paddle's way back and its cycle limit
    min_rest_ms: DurationMs = 0.0


class RecipeSettings(Section, frozen=True):
    """What is sorted, and how sure the line must be."""

    name: str = "default"
    classes: Annotated[tuple[str, ...], Meta(min_length=1)] = CLASS_NAMES
    stations: Annotated[tuple[StationSettings, ...], Meta(min_length=1)] = (
        StationSettings(
            id="pet",
            offset_mm=700.0,
            targets=(
                "pet_clear",
                "pet_coloured",
            ),
        ),
        StationSettings(id="hdpe", offset_mm=1100.0, targets=("hdpe",)),
        StationSettings(
            id="can",
            offset_mm=1500.0,
            targets=(
                "can",
                "carton",
            ),
        ),
    )
    min_decision_views: PositiveCount = 2
    # an item that is not ejected counts as one from this probability of being any of the classes
    min_item_probability: Ratio = 0.5
    # of what was seen but is of none of the classes, the share that is an item after all, hence an impurity; the rest
    # is shadow and stain, and a shot at it costs air alone
    unlisted_item_ratio: Ratio = 0.3
    # how much a view counts in which the picture's edge cuts the item
    truncated_view_weight: Ratio = 0.3
    # a command leaves at least this long before the valve must act
    lead_time_ms: DurationMs = 60.0
    # on a belt that stood for longer, somebody may have moved things: what was commanded before is void
    command_validity_ms: DurationMs = 20_000.0


InputName = Literal[
    "emergency_stop_clear", "guards_closed", "air_present", "upstream_ready", "downstream_ready", "belt_running"
]
OutputNumber = Annotated[int, Meta(ge=0, le=65_535)]


class GpioSettings(Section, frozen=True):
    """Valves on GPIO lines; a line is a header pin's number of the board, or its name on the chip."""

    board: Literal["", "jetson-orin-nano", "jetson-orin-nx", "jetson-agx-orin"] = ""
    # path or label of the chip that named lines are on
    chip: str = "/dev/gpiochip0"
    # "station:nozzle" → line
    lines: dict[str, int | str] = {}
    # wired inputs, active when all is well
    inputs: dict[InputName, int | str] = {}
    # true: a low level opens the valve
    is_active_low: bool = False


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


class UiSettings(Section, frozen=True):
    """Where the page is served, and who may act on it."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8420
    # of the live video, which a process of its own serves; 0: the one after the page's
    video_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    preview_rate_hz: Annotated[float, Meta(gt=0.0, le=60.0)] = 10.0
    # users and the trail of what was asked are kept here; empty: farz/LINE_NAME in the user's folder for state
    folder: str = ""
    # true: who has logged in may act from other machines, too; needs TLS, since PINs travel
    network_may_act: bool = False
    # PEM files; with both the page is served by HTTPS
    tls_certificate: str = ""
    tls_key: str = ""
    # bundles that the screen offers for promotion lie here, each in its folder, and the site set that judges them there
    challengers_folder: str = ""
    site_set: str = ""

    def __post_init__(self) -> None:
        """Refuse half a certificate, and PINs in the clear."""
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key go together")
        if self.network_may_act and not self.tls_certificate:
            raise ValueError("network_may_act = true needs tls_certificate and tls_key, since PINs travel")


class PlantSettings(Section, frozen=True):
    """What the plant's control system may read."""

    # where OPC UA is served, read only and without a password: to the plant's own network at most
    host: str = "127.0.0.1"
    # 0: not served; 4840 is the usual one
    opcua_port: Annotated[int, Meta(ge=0, le=65_535)] = 0


class HarvestSettings(Section, frozen=True):
    """Which pictures the line keeps for labelling, and how many; without a folder it keeps none."""

    # where kept pictures and their pre-labels go; empty: nothing is kept
    folder: str = ""
    picture_format: Literal["jpeg", "png"] = "jpeg"
    jpeg_quality: Annotated[int, Meta(ge=50, le=100)] = 95
    # pictures of one shift, all reasons together; shifts are counted from the first one's hour, local time
    max_per_shift: PositiveCount = 200
    shift_h: Annotated[float, Meta(gt=0.0, le=24.0)] = 8.0
    first_shift_at_h: Annotated[float, Meta(ge=0.0, lt=24.0)] = 6.0
    # the folder never grows above this, nor does the disk's free space fall below that
    max_folder_mib: PositiveCount = 4096
    min_free_mib: Count = 1024
    # belt between two pictures that the network chose: below the view's length, some items are in both
    min_distance_mm: PositiveMm = 800.0
    # share of max_per_shift that each reason may use up; together at most 1
    uncertain_share: Ratio = 0.4
    disagreeing_share: Ratio = 0.3
    flagged_share: Ratio = 0.1
    random_share: Ratio = 0.2
    # an item is uncertain when its probability is this near the one at which it would just be ejected
    uncertain_band: Ratio = 0.1
    # a whole view has a say in what an item is when its best probability is at least this
    min_vote_probability: OpenRatio = 0.4
    # decides at which instants a picture is kept whatever it shows
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 1

    def __post_init__(self) -> None:
        """Refuse shares that one shift cannot hold."""
        shares = (self.uncertain_share, self.disagreeing_share, self.flagged_share, self.random_share)
        if sum(shares) > 1.0 + 1e-9:
            raise ValueError(f"the four shares must add up to 1 at most, not {sum(shares):.2f}")


class StoreSettings(Section, frozen=True):
    """What the line remembers: every event for some time, sums for good."""

    # false: nothing is written down, and there are no figures of a shift or a month
    enabled: bool = True
    # where events.sqlite lies; empty: farz/<line_name> in the user's data folder ($XDG_DATA_HOME or ~/.local/share)
    folder: str = ""
    # single events are forgotten after so many days, or earlier where the file would grow above this; sums stay
    keep_days: Annotated[int, Meta(ge=1, le=36_500)] = 400
    max_file_mib: Annotated[int, Meta(ge=16, le=1_000_000_000)] = 16_384
    # with less than this free on the disk, sums alone are written
    min_free_mib: Count = 512


class FactorSettings(Section, frozen=True):
    """What a tonne is worth or avoids: a range, and where it comes from; without a source there is no figure."""

    low: Annotated[float, Meta(ge=-1e6, le=1e6)]
    central: Annotated[float, Meta(ge=-1e6, le=1e6)]
    high: Annotated[float, Meta(ge=-1e6, le=1e6)]
    source: Annotated[str, Meta(min_length=3)]
    year: Annotated[int, Meta(ge=1990, le=2100)]

    def __post_init__(self) -> None:
        """Refuse a range whose ends are in the wrong order."""
        if not self.low <= self.central <= self.high:
            raise ValueError(f"low {self.low}, central {self.central}, high {self.high}: must not fall")


class FiguresSettings(Section, frozen=True):
    """What figures need to know that no sensor tells."""

    # what the line is meant to sort; left out, there is no performance and no OEE
    nominal_items_per_min: Annotated[float, Meta(gt=0.0, le=1e6)] | None = None
    # what belt, lights and computer take, where no sensor tells; added to nothing that is measured
    power_w: Annotated[float, Meta(gt=0.0, le=1e7)] | None = None
    # by how much the logit of a share may differ from what the model believes, before any audit; standard deviation
    calibration_shift_sd: Annotated[float, Meta(ge=0.05, le=3.0)] = 0.5
    # money for a tonne of a class, and what money
    value_per_t: dict[str, FactorSettings] = {}
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "EUR"
    # CO2e that recycling a tonne of a class avoids; what has no factor here is in no figure
    co2e_avoided_kg_per_t: dict[str, FactorSettings] = {}


class SupervisionSettings(Section, frozen=True):
    """How often a process that dies is started again before the line gives up on it."""

    max_restarts: Count = 5
    window_s: Annotated[float, Meta(gt=0.0, le=86_400.0)] = 60.0
    first_backoff_ms: DurationMs = 500.0
    stop_timeout_ms: DurationMs = 2000.0


class Settings(Section, frozen=True):
    """The whole configuration of one line."""

    line_name: Annotated[str, Meta(min_length=1, max_length=64)] = "demo"
    # true: a line starts, and goes on after a fault of its own, without an operator; for simulated valves
    start_by_itself: bool = True
    # true: valves may be moved by hand (farz commission), and the line does not run
    maintenance: bool = False
    belt: BeltSettings = BeltSettings()
    camera: CameraSettings = CameraSettings()
    source: SourceSettings = SourceSettings()
    # several cameras over the belt, which share the network and the tracks; left out, there is one
    cameras: tuple[LineCamera, ...] = ()
    detector: DetectorSettings = DetectorSettings()
    tracking: TrackingSettings = TrackingSettings()
    recipe: RecipeSettings = RecipeSettings()
    valves: ValveSettings = ValveSettings()
    link: LinkSettings = LinkSettings()
    controller: ControllerSettings = ControllerSettings()
    safety: SafetySettings = SafetySettings()
    simulation: SimulationSettings = SimulationSettings()
    ui: UiSettings = UiSettings()
    plant: PlantSettings = PlantSettings()
    harvest: HarvestSettings = HarvestSettings()
    store: StoreSettings = StoreSettings()
    figures: FiguresSettings = FiguresSettings()
    supervision: SupervisionSettings = SupervisionSettings()


def camera_settings(settings: Settings) -> tuple[tuple[str, Settings], ...]:
    """Name and settings of each camera of the line, as if it were the only one; the name is empty where it is."""
    if not settings.cameras:
        return (("", settings),)
    return tuple((one.id, _of_one(settings, one)) for one in settings.cameras)


def _of_one(settings: Settings, one: LineCamera) -> Settings:
    camera = msgspec.structs.replace(settings.camera, left_edge_mm=one.left_edge_mm, homography=one.homography)
    source = msgspec.structs.replace(settings.source, location=one.location or settings.source.location)
    return msgspec.structs.replace(settings, camera=camera, source=source, cameras=())


def is_simulated_source(settings: Settings) -> bool:
    """Whether pictures come from a simulated world, so that the truth is known."""
    return settings.source.kind in {"sprites", "strip"}
