"""Belt, cameras, where pictures come from, and what names the items on them."""

from typing import Annotated, Literal

from msgspec import Meta

from sorter.model.release_key import RELEASE_PUBLIC_KEY
from sorter.model.settings.gpio import GpioEncoderSettings
from sorter.model.settings.section import (
    EdgeMm,
    Homography,
    OpenRatio,
    PixelCount,
    PositiveCount,
    PositiveMm,
    Ratio,
    Section,
    SpeedMS,
)


class BeltSettings(Section, frozen=True):
    """The belt and how its travel is known."""

    width_mm: PositiveMm = 1400.0
    # simulated: the drive below; pictures: phase correlation between frames, for lines without an encoder; valves: the
    # encoder that the valves' microcontroller counts; gpio: an encoder on this box's own lines
    travel_from: Literal["simulated", "pictures", "valves", "gpio"] = "simulated"
    # belt between two counts of that encoder; on GPIO lines with channels A and B, every edge of both is one
    encoder_pulse_um: Annotated[int, Meta(ge=1, le=100_000)] = 100
    gpio: GpioEncoderSettings = GpioEncoderSettings()
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
    # who takes and decodes a camera's pictures: opencv; gstreamer, the system's own; nvidia, a Jetson's hardware, which
    # needs detector.runtime "tensorrt". Both know "csi:0", a device, "rtsp://…" and pipelines with a sink "sink"
    taken_by: Literal["opencv", "gstreamer", "nvidia"] = "opencv"
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

    runtime: Literal["openvino", "onnxruntime", "tensorrt", "oracle"] = "openvino"
    # a bundle's folder, or a shelf's, whose champion is meant; empty means the shipped one
    model: str = ""
    # minisign public keys; a bundle that none of them signed is refused
    trusted_keys: tuple[str, ...] = (RELEASE_PUBLIC_KEY,)
    # true: signatures are not looked at, so whoever can write the bundle's folder decides what the line sees
    allow_unsigned: bool = False
    # int8 needs a bundle that has been quantised, see farz train quantise.
    # auto: the fastest here of those whose loss, as the bundle has it, is at most 1 point of mAP50 and 3 of a class
    precision: Literal["f32", "bf16", "f16", "int8", "auto"] = "f32"
    # whether the lighter model of a bundle that has one is taken in its place. auto: where a running line finds at its
    # start that a view takes longer, by a quarter, than the belt does to the next one; nothing else chooses by time
    lighter: Literal["auto", "always", "never"] = "auto"
    threads: Annotated[int, Meta(ge=0, le=256)] = 0
    # a bundle that looks at a view every so often beside the model in use, for comparison alone; empty: none does
    shadow: str = ""
    shadow_period_ms: Annotated[float, Meta(ge=100.0, le=600_000.0)] = 2000.0
    # pictures looked at at a time, each by its share of the threads: more of them a second, each one later
    streams: Annotated[int, Meta(ge=1, le=64)] = 1
    score_threshold: OpenRatio = 0.1
    nms_iou_ratio: OpenRatio = 0.45
    max_detections: PositiveCount = 300
    # whether the bundle's second network, if it has one, names what the first one finds; its probabilities were
    # calibrated with it
    second_look: bool = True
    # views in which an item is looked at whole until its name stays
    looks_per_item: Annotated[int, Meta(ge=1, le=100)] = 1
    # items looked at in one view, new ones before those looked at already: each takes some milliseconds on a processor
    looks_per_view: Annotated[int, Meta(ge=1, le=1000)] = 1
    # where TensorRT's engines are kept, which take minutes to build; empty: farz/engines in the user's cache
    engine_folder: str = ""
    oracle: OracleSettings = OracleSettings()


class TrackingSettings(Section, frozen=True):
    """When two views show the same item."""

    # overlap over union that joins a detection to a track; for cut items, overlap over the smaller box
    match_overlap_ratio: OpenRatio = 0.3


class HeatStep(Section, frozen=True):
    """From so near to slowing itself down, the board looks less often."""

    # degrees below the temperature at which the board slows itself down
    margin_c: Annotated[float, Meta(ge=0.0, le=60.0)]
    # by how much camera.view_step_mm grows
    view_step_ratio: Annotated[float, Meta(ge=1.0, le=10.0)]


class HeatSettings(Section, frozen=True):
    """What a line does about a hot board: it tells, then looks less often, rather than fall behind."""

    warn_margin_c: Annotated[float, Meta(ge=0.0, le=60.0)] = 10.0
    # each with a smaller margin and a larger ratio than the one before; none: the line only tells
    steps: tuple[HeatStep, ...] = (HeatStep(6.0, 1.25), HeatStep(3.0, 1.6))
    # one step is taken back when the margin was larger by this for so long
    recover_margin_c: Annotated[float, Meta(ge=0.0, le=30.0)] = 2.0
    recover_s: Annotated[float, Meta(ge=1.0, le=3600.0)] = 30.0

    def __post_init__(self) -> None:
        """Refuse steps that are no steps."""
        for before, after in zip(self.steps[:-1], self.steps[1:], strict=True):
            if not (after.margin_c < before.margin_c and after.view_step_ratio > before.view_step_ratio):
                raise ValueError("each of steps must have a smaller margin_c and a larger view_step_ratio than before")
