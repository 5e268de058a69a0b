"""Checks of the machine under a line: versions, clock discipline, memory, disk, heat and power."""

import ctypes
import platform
import shutil
import sys
from pathlib import Path

from sorter.doctor_finding import Finding, Verdict
from sorter.doctor_report import library_versions
from sorter.model.settings import Settings
from sorter.runtime.board_sensors import read_board

_GIB = 2**30
_LEAST_MEMORY_GIB = 1.5
_LEAST_DISK_GIB = 2.0
# struct timex is 208 bytes; all zero, it asks and sets nothing
_TIMEX_BYTES = 512
_UNSYNCHRONISED = 5


def check_versions(_settings: Settings) -> Finding:
    """Which Farz, Python and system this is, and the release of Jetson Linux where it is one."""
    release = _first_line(Path("/etc/nv_tegra_release"))
    board = _first_line(Path("/proc/device-tree/model"))
    parts = [
        f"Farz {library_versions()['farz']}",
        f"Python {platform.python_version()}",
        f"{platform.system()} {platform.release()} {platform.machine()}",
        *(text.strip("#\0 ") for text in (board, release) if text is not None),
    ]
    return Finding("versions", Verdict.GOOD, ", ".join(parts))


def check_clock_discipline(_settings: Settings) -> Finding:
    """Whether wall time follows a time server, as the kernel sees it; the line itself reckons with another clock."""
    name = "clock discipline"
    if sys.platform != "linux":
        return Finding(name, Verdict.NOT_APPLICABLE, "asked of Linux alone")
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    if state < 0:
        return Finding(name, Verdict.NOT_APPLICABLE, "the kernel does not tell this process")
    if state == _UNSYNCHRONISED:
        return Finding(name, Verdict.POOR, "wall time follows nothing: run chrony or systemd-timesyncd, or set PTP")
    return Finding(name, Verdict.GOOD, "wall time follows a time source")


def check_memory(_settings: Settings) -> Finding:
    """Whether there is memory left for the line's processes."""
    facts = _memory_gib(Path("/proc/meminfo"))
    if "MemAvailable" not in facts:
        return Finding("memory", Verdict.NOT_APPLICABLE, "this system does not tell")
    free_gib, all_gib = facts["MemAvailable"], facts.get("MemTotal", 0.0)
    text, figures = f"{free_gib:.1f} of {all_gib:.1f} GiB available", {"available_gib": round(free_gib, 3)}
    if free_gib < _LEAST_MEMORY_GIB:
        return Finding("memory", Verdict.POOR, f"{text}: a line wants {_LEAST_MEMORY_GIB} GiB; end other work", figures)
    return Finding("memory", Verdict.GOOD, text, figures)


def check_disk(settings: Settings) -> Finding:
    """Whether there is room where pictures, engines and models go."""
    folder = Path(settings.harvest.folder or settings.detector.engine_folder or Path.home())
    while not folder.exists():
        folder = folder.parent
    free_gib = shutil.disk_usage(folder).free / _GIB
    least_gib = max(_LEAST_DISK_GIB, settings.harvest.min_free_mib / 1024 if settings.harvest.folder else 0.0)
    text, figures = f"{free_gib:.1f} GiB free at {folder}", {"free_gib": round(free_gib, 3)}
    if free_gib < least_gib:
        return Finding("disk", Verdict.POOR, f"{text}: make room, {least_gib:.1f} GiB are wanted", figures)
    return Finding("disk", Verdict.GOOD, text, figures)


def check_heat(settings: Settings) -> Finding:
    """How far the board is from slowing itself down, and whether it does so already."""
    reading = read_board()
    if reading.slowed:
        return Finding(
            "heat", Verdict.POOR, f"slowed down now: {', '.join(reading.slowed)}; look at fan, filter and sun"
        )
    if reading.hottest_c is None or reading.margin_c is None:
        return Finding("heat", Verdict.NOT_APPLICABLE, "no sensor here says when the board would slow itself down")
    text = f"{reading.hottest_c:.0f} °C ({reading.zone}), {reading.margin_c:.0f} °C below where it is slowed down"
    figures = {"temperature_c": reading.hottest_c, "margin_c": reading.margin_c}
    if reading.margin_c <= settings.heat.warn_margin_c:
        return Finding("heat", Verdict.POOR, f"{text}; look at fan, filter and sunlight", figures)
    return Finding("heat", Verdict.GOOD, text, figures)


def check_power(_settings: Settings) -> Finding:
    """What the board draws, rail by rail."""
    reading = read_board()
    if reading.power_w is None:
        return Finding("power", Verdict.NOT_APPLICABLE, "no power rail is measured here")
    rails = ", ".join(f"{name} {watt:.1f} W" for name, watt in reading.rails_w.items())
    return Finding("power", Verdict.GOOD, f"{reading.power_w:.1f} W ({rails})", dict(reading.rails_w))


def _memory_gib(path: Path) -> dict[str, float]:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":")[::2] for line in lines)
    return {name: int(value.split()[0]) / 2**20 for name, value in pairs if value.split()}


def _first_line(path: Path) -> str | None:
    try:
        return path.read_text().splitlines()[0]
    except (OSError, IndexError):
        return None
