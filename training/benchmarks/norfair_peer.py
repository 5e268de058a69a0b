"""Norfair as a peer: driven in the environment that `make bench` makes for peers that cannot share the line's."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np

from sorter.errors import FarzError
from training.benchmarks.course import Course

_WORKER = "training.benchmarks.norfair_worker"
_REPOSITORY = Path(__file__).resolve().parents[2]


class NorfairRun(msgspec.Struct, frozen=True):
    """What norfair made of a course; see the worker."""

    median_ms: float
    identities: list[list[int]]


def peers_python() -> Path:
    """Where the peers' Python is, beside the environment that this one runs in."""
    return Path(sys.prefix).parent / ".venv-peers" / "bin" / "python"


def norfair_version(python: Path) -> str | None:
    """The version that the peers' Python has; None where there is no such Python, or no norfair for it."""
    if not python.exists():
        return None
    code = "from importlib.metadata import version; print(version('norfair'))"
    ran = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    return None if ran.returncode else ran.stdout.strip()


def run_norfair(course: Course, python: Path) -> NorfairRun:
    """Let norfair follow a course.

    Args:
        course: the boxes.
        python: the peers' Python.

    Raises:
        FarzError: if it dies.
    """
    with tempfile.TemporaryDirectory(prefix="farz-bench-") as folder:
        path = Path(folder) / "course.npz"
        boxes_px = [one.boxes_px for one in course.detections]
        np.savez(path, boxes_px=np.concatenate(boxes_px), box_counts=[len(one) for one in boxes_px])
        ran = subprocess.run(  # noqa: S603 - our own module
            [python, "-m", _WORKER, path],
            env={**os.environ, "PYTHONPATH": str(_REPOSITORY)},
            stdout=subprocess.PIPE,
            check=False,
        )
    if ran.returncode:
        raise FarzError("norfair has died in its own environment; its own words are above")
    return msgspec.json.decode(ran.stdout, type=NorfairRun)
