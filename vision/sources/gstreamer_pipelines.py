"""GStreamer pipelines for the usual cameras, as text: the newest picture at once, none waiting in a queue.

Every pipeline ends in an application's sink named `sink` that holds one picture and drops older ones. Decoders are told
to hold none back: on a Jetson a decoder left to itself shows a picture four frames late.
"""

from sorter.errors import ConfigurationError
from sorter.model.settings import CameraSettings

_SINK = "appsink name=sink sync=false max-buffers=1 drop=true"
_ONE_FRAME_QUEUE = "queue max-size-buffers=1 max-size-bytes=0 max-size-time=0 leaky=downstream"
_CSI = "csi:"


def pipeline_of(location: str, camera: CameraSettings, *, on_nvidia: bool) -> str:
    """The pipeline for a location.

    Args:
        location: "csi:NUMBER" (a Jetson's camera port), "/dev/videoN" or N, "rtsp://…", or a pipeline of one's own,
            which must end in a sink named `sink`.
        camera: size and rate of the pictures.
        on_nvidia: whether decoding and scaling are the Jetson's own hardware's, and pictures stay in its memory as
            RGBA; else BGR in ordinary memory.

    Raises:
        ConfigurationError: if the location is none of these, or needs a Jetson.
    """
    if " ! " in location:
        return location
    if location.startswith(_CSI):
        return _csi(location, camera, on_nvidia=on_nvidia)
    if location.startswith("rtsp://"):
        return _rtsp(location, camera, on_nvidia=on_nvidia)
    device = f"/dev/video{location}" if location.isdigit() else location
    if not device.startswith("/dev/"):
        raise ConfigurationError(
            f"source.location = {location!r}: with source.taken_by 'gstreamer' or 'nvidia' give 'csi:NUMBER', "
            "a device, 'rtsp://…' or a pipeline"
        )
    return _v4l2(device, camera, on_nvidia=on_nvidia)


def _csi(location: str, camera: CameraSettings, *, on_nvidia: bool) -> str:
    number = location.removeprefix(_CSI)
    if not on_nvidia or not number.isdigit():
        raise ConfigurationError(
            f"source.location = {location!r}: a CSI camera is csi:NUMBER, with source.taken_by 'nvidia'"
        )
    rate_hz = round(camera.frame_rate_hz)
    exposure_ns = round(camera.exposure_us * 1000)
    # white balance and exposure held: a belt of dark items must not brighten the picture
    return (
        f'nvarguscamerasrc sensor-id={number} exposuretimerange="{exposure_ns} {exposure_ns}" aelock=true wbmode=1 ! '
        f"video/x-raw(memory:NVMM),format=NV12,width={camera.width_px},height={camera.height_px},"
        f"framerate={rate_hz}/1 ! {_in_nvidia_memory(camera)}"
    )


def _rtsp(location: str, camera: CameraSettings, *, on_nvidia: bool) -> str:
    source = f'rtspsrc location="{location}" latency=0 drop-on-latency=true protocols=tcp'
    if on_nvidia:
        decoder = "rtph264depay ! h264parse ! nvv4l2decoder disable-dpb=true enable-max-performance=true"
        return f"{source} ! {decoder} ! {_in_nvidia_memory(camera)}"
    decoder = "rtph264depay ! h264parse ! avdec_h264 max-threads=1"
    return f"{source} ! {decoder} ! {_in_ordinary_memory(camera)}"


def _v4l2(device: str, camera: CameraSettings, *, on_nvidia: bool) -> str:
    rate_hz = round(camera.frame_rate_hz)
    size = f"width={camera.width_px},height={camera.height_px},framerate={rate_hz}/1"
    if on_nvidia:
        return f"nvv4l2camerasrc device={device} ! video/x-raw(memory:NVMM),{size} ! {_in_nvidia_memory(camera)}"
    return f"v4l2src device={device} ! video/x-raw,{size} ! {_in_ordinary_memory(camera)}"


def _in_nvidia_memory(camera: CameraSettings) -> str:
    caps = f"video/x-raw(memory:NVMM),format=RGBA,width={camera.width_px},height={camera.height_px}"
    return f"nvvidconv ! {caps} ! {_ONE_FRAME_QUEUE} ! {_SINK}"


def _in_ordinary_memory(camera: CameraSettings) -> str:
    caps = f"video/x-raw,format=BGR,width={camera.width_px},height={camera.height_px}"
    return f"{_ONE_FRAME_QUEUE} ! videoconvert ! videoscale ! {caps} ! {_SINK}"
