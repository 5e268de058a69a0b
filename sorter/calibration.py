"""The calibration that the policy applies to class scores, as the model bundle states it."""

import numpy as np

from sorter.model.settings import Settings
from sorter.policy.evidence import Calibration, no_calibration
from sorter.runtime.bundle import ClassCalibration, bundle_for


def open_calibration(settings: Settings) -> Calibration:
    """Calibration of the configured detector; the oracle's scores are taken as they are.

    Raises:
        BundleError: if the bundle cannot be used.
    """
    if settings.detector.runtime == "oracle":
        return no_calibration(len(settings.recipe.classes))
    stated = bundle_for(settings).manifest.calibration
    rows = [stated.get(name, ClassCalibration()) for name in settings.recipe.classes]
    return Calibration(np.array([row.slope for row in rows]), np.array([row.offset for row in rows]))
