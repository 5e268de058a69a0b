"""Choosing the source that the settings name; each source checks for itself what it was given."""

from collections.abc import Callable, Mapping
from functools import partial

from sorter.errors import ConfigurationError
from sorter.model.settings import Settings
from sorter.model.world import ScatteredWorld
from sorter.runtime.clock import Clock
from sorter.runtime.simulated_world import read_strip, strip_world
from vision.sources.capture import StampedCapture, open_camera
from vision.sources.gstreamer import GstCapture, mapped_bytes
from vision.sources.gstreamer_pipelines import pipeline_of
from vision.sources.live_camera import LiveCamera
from vision.sources.painter import BeltScale
from vision.sources.picture_folder import PictureFolder
from vision.sources.simulated_camera import SimulatedCamera
from vision.sources.source import FrameSource
from vision.sources.sprite_painter import SpritePainter, open_artist
from vision.sources.strip_painter import StripPainter
from vision.sources.video_file import VideoFile


def open_source(settings: Settings, clock: Clock, epoch_ns: int) -> FrameSource:
    """Open the pictures that `settings.source` names.

    Args:
        settings: the line's configuration.
        clock: what frames are waited for on.
        epoch_ns: when the simulated world, or the file, begins.

    Raises:
        SourceError: if it cannot be opened or holds nothing usable.
        DataFolderError: if the folder of a belt strip cannot be read.
    """
    return _OPENERS[settings.source.kind](settings, clock, epoch_ns)


def _open_sprites(settings: Settings, clock: Clock, epoch_ns: int) -> FrameSource:
    scale = BeltScale.of_camera(settings.camera)
    painter = SpritePainter(settings, ScatteredWorld(settings), scale, open_artist(settings))
    return SimulatedCamera(settings, clock, epoch_ns, painter)


def _open_strip(settings: Settings, clock: Clock, epoch_ns: int) -> FrameSource:
    folder = read_strip(settings)
    painter = StripPainter(settings, folder, strip_world(folder, settings), BeltScale.of_camera(settings.camera))
    return SimulatedCamera(settings, clock, epoch_ns, painter)


def _open_live(settings: Settings, clock: Clock, _epoch_ns: int) -> FrameSource:
    camera, location = settings.camera, settings.source.location
    return LiveCamera(camera, location, clock, capture_opener(settings))


def capture_opener(settings: Settings) -> Callable[[], StampedCapture]:
    """How the camera that the settings name is opened.

    Raises:
        ConfigurationError: if location, detector and who takes the pictures do not fit together.
        SourceError: if a Jetson's own memory cannot be reached here.
    """
    camera, location, taken_by = settings.camera, settings.source.location, settings.source.taken_by
    if taken_by == "opencv":
        return partial(open_camera, location, camera.width_px, camera.height_px, camera.frame_rate_hz)
    pipeline = pipeline_of(location, camera, on_nvidia=taken_by == "nvidia")
    if taken_by == "gstreamer":
        return partial(GstCapture, pipeline)
    if settings.detector.runtime != "tensorrt":
        raise ConfigurationError(
            "configuration: source.taken_by = 'nvidia': needs detector.runtime 'tensorrt', whose ring the GPU can write"
        )
    from vision.cuda.device import open_device
    from vision.cuda.nvmm import NvBufSurfaces, NvmmUnpack

    return partial(GstCapture, pipeline, NvmmUnpack(open_device(), NvBufSurfaces(), mapped_bytes))


_OPENERS: Mapping[str, Callable[[Settings, Clock, int], FrameSource]] = {
    "sprites": _open_sprites,
    "strip": _open_strip,
    "video": VideoFile,
    "folder": PictureFolder,
    "camera": _open_live,
}
