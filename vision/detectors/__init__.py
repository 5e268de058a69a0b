"""Who finds items in pictures: networks on exchangeable runtimes, and the simulated truth, behind one protocol."""

from vision.detectors.detector import Detector
from vision.detectors.opening import open_detector

__all__ = ["Detector", "open_detector"]
