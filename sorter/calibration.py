"""The calibration of class scores: that of the model they come from, as its bundle states it."""

from pathlib import Path

import numpy as np

from sorter.errors import BundleError
from sorter.model.materials import class_list_sha256
from sorter.model.settings import Settings
from sorter.policy.evidence import Calibration, no_calibration
from sorter.runtime.bundle import (
    MANIFEST_NAME,
    Bundle,
    ClassCalibration,
    Manifest,
    bundle_for,
    lighter_of,
    read_manifest,
)
from sorter.runtime.bundle_trust import require_trusted
from sorter.runtime.model_shelf import ModelShelf, is_shelf


def open_calibration(settings: Settings) -> Calibration:
    """Calibration of the configured detector; the oracle's scores are taken as they are.

    Raises:
        BundleError: if the bundle cannot be used.
    """
    if settings.detector.runtime == "oracle":
        return no_calibration(len(settings.recipe.classes))
    return _calibration(bundle_for(settings).manifest, settings)


class ModelCalibrations:
    """Calibrations by model: on a line that swaps models, each frame's scores are read by those of its own."""

    def __init__(self, settings: Settings) -> None:
        """Open the calibration of the configured model.

        Raises:
            BundleError: if the bundle cannot be used.
        """
        self._settings = settings
        self._known: dict[str, Calibration] = {}
        if settings.detector.runtime == "oracle":
            self.first = no_calibration(len(settings.recipe.classes))
        else:
            self.first = self._add(bundle_for(settings))

    def of(self, model_id: str) -> Calibration:
        """The calibration of the model that a frame's tracks name.

        On a shelf the manifest alone is read, which takes a millisecond: the network was checked where it is run.

        Raises:
            BundleError: if there is no such bundle, or it cannot be used.
        """
        if self._settings.detector.runtime == "oracle":
            return self.first
        if model_id not in self._known:
            self._add(self._bundle_with(model_id))
        return self._known[model_id]

    def _add(self, bundle: Bundle) -> Calibration:
        for one in _models_in(bundle):
            self._known[one.model_id] = _calibration(one.manifest, self._settings)
        return self._known[bundle.model_id]

    def _bundle_with(self, model_id: str) -> Bundle:
        folder = Path(self._settings.detector.model)
        bundle = _shelved_with(folder, model_id) if is_shelf(folder) else bundle_for(self._settings)
        require_trusted(bundle.folder / MANIFEST_NAME, self._settings.detector)
        wanted_sha256 = class_list_sha256(self._settings.recipe.classes)
        is_there = model_id in {one.model_id for one in _models_in(bundle)}
        if not is_there or bundle.manifest.classes_sha256 != wanted_sha256:
            raise BundleError(f"bundle {bundle.folder}: it is {bundle.model_id}, but the scores come from {model_id}")
        return bundle


def _models_in(bundle: Bundle) -> list[Bundle]:
    lighter = lighter_of(bundle)
    return [bundle] if lighter is None else [bundle, lighter]


def _shelved_with(folder: Path, model_id: str) -> Bundle:
    shelf = ModelShelf(folder)
    if not shelf.bundle_folder(model_id).is_dir():
        shelved = (_manifest_in(shelf.bundle_folder(name)) for name in shelf.model_ids())
        for bundle in shelved:
            if model_id in {one.model_id for one in _models_in(bundle)}:
                return bundle
    return _manifest_in(shelf.bundle_folder(model_id))


def _manifest_in(folder: Path) -> Bundle:
    return Bundle(folder, read_manifest(folder))


def _calibration(manifest: Manifest, settings: Settings) -> Calibration:
    rows = [manifest.calibration.get(name, ClassCalibration()) for name in settings.recipe.classes]
    return Calibration(np.array([row.slope for row in rows]), np.array([row.offset for row in rows]))
