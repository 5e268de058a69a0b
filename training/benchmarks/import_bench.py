"""`farz bench import`: time and memory until the vision process is ready, beside a process that runs Ultralytics."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import msgspec
import numpy as np

from sorter.errors import FarzError
from sorter.model.condition import Health, HealthStatus
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.runtime.bundle import bundle_for
from sorter.runtime.bus import Subscriber
from sorter.runtime.clock import SystemClock
from sorter.runtime.run_folder import create_run_folder
from sorter.runtime.topics import HEALTH
from training.benchmarks.figure import Report
from training.benchmarks.footage import HEIGHT_PX, WIDTH_PX, bench_settings
from training.benchmarks.machine import resident_mb
from training.benchmarks.peers import ULTRALYTICS, is_installed, peer_state, quieten_ultralytics
from training.benchmarks.rounds import median_ratio
from training.progress import progress

_OURS, _THEIRS = "farz", "ultralytics"
_READY = "ready"
_START_LIMIT_NS = 120 * NS_PER_S
_WAIT_MS = 20.0
_STOP_TIMEOUT_S = 10.0
_THEIR_CODE = f"""
import sys
import numpy as np
from ultralytics import YOLO
model = YOLO(sys.argv[1], task="detect", verbose=False)
model.track(np.zeros(({HEIGHT_PX}, {WIDTH_PX}, 3), np.uint8), persist=True, verbose=False, tracker="bytetrack.yaml")
print("{_READY}", flush=True)
sys.stdin.read()
"""


class _Start(msgspec.Struct, frozen=True):
    """What starting a process took."""

    time_ms: float
    resident_mb: float


def bench_import(*, is_quick: bool) -> Report:
    """Start both processes in turns, to their first frame; without Ultralytics the ratios are None."""
    round_count = 1 if is_quick else 7
    with tempfile.TemporaryDirectory(prefix="farz-bench-") as name:
        folder = Path(name)
        settings = _settings(folder)
        form = _ultralytics_form(settings, folder)
        names = [_OURS, *([] if form is None else [_THEIRS])]
        starts: dict[str, list[_Start]] = {one: [] for one in names}
        turns = names * round_count
        with progress(turns, len(turns), "import") as steps:
            for one in steps:
                starts[one].append(_start_ours(settings) if form is None or one == _OURS else _start_theirs(form))
    conditions: dict[str, str | float] = {
        "import.farz": f"python -m vision with {settings.detector.runtime}, until it says that all is well",
        "import.ultralytics": "YOLO on its OpenVINO export, track, until the first frame is done",
        "import.rounds": float(round_count),
    }
    return Report(_figures(starts), conditions, {"ultralytics": peer_state(ULTRALYTICS)})


def _settings(folder: Path) -> Settings:
    """A vision process whose pictures come from a folder: nothing is drawn, nothing simulated.

    Views are due as on a line by default: where the model does not keep up with that, the lighter one is opened, too.
    """
    pictures = folder / "pictures"
    pictures.mkdir()
    cv2.imwrite(str(pictures / "black.png"), np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8))
    line = Settings()
    views = {"camera": {"view_step_mm": line.camera.view_step_mm}, "belt": {"speed_m_s": line.belt.speed_m_s}}
    return bench_settings(1, {"source": {"kind": "folder", "location": str(pictures)}, **views})


def _ultralytics_form(settings: Settings, folder: Path) -> Path | None:
    if not is_installed(ULTRALYTICS):
        return None
    from training.benchmarks.ultralytics_form import write_ultralytics_form

    return write_ultralytics_form(bundle_for(settings), folder)


def _start_ours(settings: Settings) -> _Start:
    """The line's own vision process, as its supervisor starts it, until it says that all is well."""
    plan, clock = create_run_folder(settings), SystemClock()
    reader = Subscriber(plan.run_folder, [HEALTH])
    command = [sys.executable, "-m", "vision", "--run-folder", str(plan.run_folder)]
    started_ns = clock.now_ns()
    with subprocess.Popen(command) as process:  # noqa: S603 - our own module
        try:
            _wait_until_ready(process, reader, started_ns + _START_LIMIT_NS)
            return _Start((clock.now_ns() - started_ns) / NS_PER_MS, resident_mb(process.pid))
        finally:
            process.terminate()
            reader.close()
            process.wait(_STOP_TIMEOUT_S)
            shutil.rmtree(plan.run_folder, ignore_errors=True)


def _wait_until_ready(process: "subprocess.Popen[bytes]", reader: Subscriber, deadline_ns: int) -> None:
    clock = SystemClock()
    while clock.now_ns() < deadline_ns and process.poll() is None:
        for received in reader.receive(_WAIT_MS):
            if isinstance(received.message, Health) and received.message.status is HealthStatus.OK:
                return
    raise FarzError("the vision process did not become ready; its own words are above")


def _start_theirs(form: Path) -> _Start:
    """A process that tracks one frame with Ultralytics, and stays until it is told to go."""
    quieten_ultralytics()
    clock = SystemClock()
    command = [sys.executable, "-W", "ignore", "-c", _THEIR_CODE, str(form)]
    started_ns = clock.now_ns()
    with subprocess.Popen(  # noqa: S603 - the code above
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None, "asked for above"
        if process.stdout.readline().strip() != _READY:
            raise FarzError("Ultralytics did not become ready; its own words are above")
        return _Start((clock.now_ns() - started_ns) / NS_PER_MS, resident_mb(process.pid))


def _figures(starts: Mapping[str, Sequence[_Start]]) -> dict[str, float | None]:
    ours_mb, ours_ms = [one.resident_mb for one in starts[_OURS]], [one.time_ms for one in starts[_OURS]]
    figures: dict[str, float | None] = {
        "import.memory_ratio": None,
        "import.time_ratio": None,
        "import.memory_farz_mb": statistics.median(ours_mb),
        "import.time_farz_ms": statistics.median(ours_ms),
    }
    if _THEIRS in starts:
        theirs_mb, theirs_ms = [one.resident_mb for one in starts[_THEIRS]], [one.time_ms for one in starts[_THEIRS]]
        figures["import.memory_ratio"] = median_ratio(ours_mb, theirs_mb)
        figures["import.time_ratio"] = median_ratio(ours_ms, theirs_ms)
        figures["import.memory_ultralytics_mb"] = statistics.median(theirs_mb)
        figures["import.time_ultralytics_ms"] = statistics.median(theirs_ms)
    return figures
