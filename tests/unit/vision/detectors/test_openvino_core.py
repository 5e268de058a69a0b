"""A process outlives the networks that it has swapped: a signal afterwards is a signal, and no crash."""

import subprocess
import sys

import pytest

from sorter.runtime.bundle import default_bundle_folder

SWAPS = """
import gc, os, signal
from pathlib import Path
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import load_bundle
from vision.detectors.openvino_detector import OpenVinoDetector

bundle = load_bundle(Path({folder!r}))
detector = OpenVinoDetector(bundle, DetectorSettings())
for _ in range(2):
    newer = OpenVinoDetector(bundle, DetectorSettings())
    detector = newer
    gc.collect()
del detector, newer
gc.collect()
signal.signal(signal.SIGTERM, lambda *_: print("heard"))
os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.skipif(not default_bundle_folder().is_dir(), reason="no bundle is shipped yet")
def test_a_signal_after_two_swaps_is_heard() -> None:
    script = SWAPS.format(folder=str(default_bundle_folder()))
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (answer.returncode, answer.stdout) == (0, "heard\n"), answer.stderr
