"""Checks of `farz doctor` for the camera: what it can give, and how old a picture is when it arrives."""

import shutil
import statistics
import subprocess

from sorter.doctor_finding import Finding, Verdict
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import Clock, SystemClock
from vision.sources.capture import StampedCapture
from vision.sources.opening import capture_opener

_FRAME_COUNT = 30
_OLDEST_MS = 60.0


def check_camera(settings: Settings) -> Finding:
    """Which formats the camera offers, as v4l2-ctl lists them."""
    source = settings.source
    if source.kind != "camera":
        return Finding("camera", Verdict.NOT_APPLICABLE, f"source.kind is {source.kind!r}")
    device = f"/dev/video{source.location}" if source.location.isdigit() else source.location
    if not device.startswith("/dev/"):
        return Finding("camera", Verdict.NOT_APPLICABLE, "a stream or pipeline says its format when it is opened")
    lister = shutil.which("v4l2-ctl")
    if lister is None:
        return Finding("camera", Verdict.POOR, "formats are not known: install v4l-utils")
    command = [lister, "--device", device, "--list-formats-ext"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603 - as configured
    if listed.returncode != 0:
        return Finding("camera", Verdict.WRONG, f"{device} does not answer: look at cable and power")
    size = f"{settings.camera.width_px}x{settings.camera.height_px}"
    if size not in listed.stdout:
        return Finding(
            "camera", Verdict.WRONG, f"{device} offers no pictures of {size}: change camera.width_px and height_px"
        )
    return Finding("camera", Verdict.GOOD, f"{device} offers {size}")


def check_capture_latency(settings: Settings) -> Finding:
    """How old pictures are when they are taken, by the driver's own stamps, and how many come a second."""
    name, source, camera = "capture latency", settings.source, settings.camera
    if source.kind != "camera":
        return Finding(name, Verdict.NOT_APPLICABLE, f"source.kind is {source.kind!r}")
    capture = capture_opener(settings)()
    try:
        return capture_latency(capture, camera.frame_rate_hz, SystemClock())
    finally:
        capture.release()


def capture_latency(capture: StampedCapture, wanted_hz: float, clock: Clock) -> Finding:
    """Take pictures and compare their stamps with the clock."""
    name = "capture latency"
    if not capture.is_open:
        return Finding(name, Verdict.WRONG, "the camera does not open: look at source.location, cable and power")
    ages_ms, began_ns = [], clock.now_ns()
    for _ in range(_FRAME_COUNT):
        if not capture.grab():
            return Finding(name, Verdict.WRONG, "the camera opened and gives no pictures: look at cable and bandwidth")
        stamp_ns = capture.stamped_at_ns
        if stamp_ns is not None:
            ages_ms.append((clock.now_ns() - stamp_ns) / NS_PER_MS)
    rate_hz = _FRAME_COUNT / max(1e-9, (clock.now_ns() - began_ns) / 1e9)
    figures = {"rate_hz": rate_hz}
    if not ages_ms or not all(0.0 <= age_ms < 10_000.0 for age_ms in ages_ms):
        return Finding(name, Verdict.POOR, f"{rate_hz:.0f} pictures a second; the driver does not stamp them", figures)
    age_ms = statistics.median(ages_ms)
    text, figures = f"{age_ms:.1f} ms old, {rate_hz:.0f} pictures a second", figures | {"age_ms": age_ms}
    if age_ms > _OLDEST_MS:
        return Finding(name, Verdict.POOR, f"{text}: fewer buffers, or no decoder in between, make it younger", figures)
    if rate_hz < 0.8 * wanted_hz:
        return Finding(name, Verdict.POOR, f"{text}, fewer than camera.frame_rate_hz = {wanted_hz:g}", figures)
    return Finding(name, Verdict.GOOD, text, figures)
