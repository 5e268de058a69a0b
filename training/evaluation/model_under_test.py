"""Opening a bundle just as the line opens it, to be measured: all detections down to the faintest, no class refused."""

from pathlib import Path
from typing import Literal

import msgspec

from sorter.model.settings import DetectorSettings, Settings
from sorter.runtime.bundle import load_bundle
from vision.detectors import Detector, open_detector

Runtime = Literal["openvino", "onnxruntime"]
Precision = Literal["f32", "bf16"]

# Average precision wants the whole curve; what a line would act on starts much higher.
FAINTEST_SCORE = 0.001


def open_model(folder: Path, runtime: Runtime = "openvino", precision: Precision = "f32") -> Detector:
    """Open the bundle in a folder.

    Raises:
        BundleError: if it cannot be used.
        ConfigurationError: if the runtime cannot do the precision.
    """
    classes = load_bundle(folder).manifest.classes
    line = Settings()
    detector = DetectorSettings(runtime=runtime, model=str(folder), precision=precision, score_threshold=FAINTEST_SCORE)
    recipe = msgspec.structs.replace(line.recipe, classes=classes)
    return open_detector(msgspec.structs.replace(line, detector=detector, recipe=recipe))
