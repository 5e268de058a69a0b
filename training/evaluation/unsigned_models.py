"""The lab may measure a model that nobody has signed yet, but says so: a line would refuse it."""

import sys
from pathlib import Path

import msgspec

from sorter.errors import BundleError
from sorter.model.settings import DetectorSettings, Settings
from sorter.runtime.bundle import MANIFEST_NAME
from sorter.runtime.bundle_trust import require_trusted
from sorter.runtime.model_shelf import champion_folder


def unsigned_allowed(settings: Settings) -> Settings:
    """The same settings with unsigned models allowed, and a line on standard error if this model is one."""
    if settings.detector.runtime != "oracle" and settings.detector.model:
        say_if_unsigned(Path(settings.detector.model), settings.detector)
    detector = msgspec.structs.replace(settings.detector, allow_unsigned=True)
    return msgspec.structs.replace(settings, detector=detector)


def say_if_unsigned(folder: Path, settings: DetectorSettings | None = None) -> None:
    """Say on standard error if a line would refuse a bundle for its signature; that there is no bundle, others say."""
    manifest_path = champion_folder(folder) / MANIFEST_NAME
    if not manifest_path.is_file():
        return
    try:
        require_trusted(manifest_path, settings or DetectorSettings())
    except BundleError as error:
        sys.stderr.write(f"farz: measured all the same: {error}\n")
