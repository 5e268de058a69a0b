"""Who finds items in pictures: networks on exchangeable runtimes, and the simulated truth, behind one protocol."""

from vision.detectors.detector import Detector
from vision.detectors.opening import in_same_weight, open_detector

__all__ = ["Detector", "in_same_weight", "open_detector"]
