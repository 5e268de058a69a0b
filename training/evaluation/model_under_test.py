"""Opening a bundle just as the line opens it, to be measured: all detections down to the faintest, no class refused."""

from pathlib import Path
from typing import get_args, get_type_hints

import msgspec

from sorter.errors import ConfigurationError
from sorter.model.settings import DetectorSettings, Settings
from sorter.runtime.bundle import load_bundle
from training.evaluation.average_precision import FAINTEST_SCORE
from vision.detectors import Detector, open_detector

_ALLOWED = get_type_hints(DetectorSettings)
# What the line's own settings allow, so that a runtime or precision added there can be measured at once.
RUNTIMES: tuple[str, ...] = tuple(one for one in get_args(_ALLOWED["runtime"]) if one != "oracle")
PRECISIONS: tuple[str, ...] = get_args(_ALLOWED["precision"])


def open_model(
    folder: Path, runtime: str = "openvino", precision: str = "f32", *, second_look: bool = True
) -> Detector:
    """Open the bundle in a folder, without its second look if it is to be left out.

    Raises:
        BundleError: if it cannot be used.
        ConfigurationError: if there is no such runtime or precision, or the runtime cannot do the precision.
    """
    classes = load_bundle(folder).manifest.classes
    line = Settings()
    wanted: dict[str, object] = {
        "runtime": runtime,
        "model": str(folder),
        "precision": precision,
        "score_threshold": FAINTEST_SCORE,
        "second_look": second_look,
    }
    # the lab measures what nobody has signed yet
    wanted["allow_unsigned"] = True
    recipe = msgspec.structs.replace(line.recipe, classes=classes)
    return open_detector(msgspec.structs.replace(line, detector=_detector_settings(wanted), recipe=recipe))


def _detector_settings(wanted: dict[str, object]) -> DetectorSettings:
    try:
        return msgspec.convert(wanted, DetectorSettings)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"the model under test cannot be opened so: {error}") from error
