"""The folder of kept pictures: written atomically, never above its size, and never at the cost of the disk.

Layout: `FOLDER/<date>/<session>-<minute>-<second>_<frame>.jpg`, and a sidecar of the same name with `.json`. The
sidecar is written last, so what has one is complete.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import DataFolderError
from sorter.model.settings import HarvestSettings
from sorter.model.units import BYTES_PER_MIB
from vision.harvest.choice import Kept, Limits, fits, shift_at
from vision.harvest.sidecar import SIDECAR_SUFFIX, KeptPicture, encode_sidecar, read_sidecar

_PART_SUFFIX = ".part"


class ChosenPicture(msgspec.Struct, frozen=True, eq=False):
    """A picture to keep: (H, W, 3) uint8 BGR of its own, or a finished JPEG; and its sidecar."""

    image: NDArray[np.uint8] | bytes
    sidecar: KeptPicture


class PictureStore:
    """Writes pictures until something forbids it.

    Attributes:
        byte_count: size of the folder's files.
        written_count: pictures written.
        stopped_because: why nothing more is written, None while all is well.
    """

    def __init__(self, harvest: HarvestSettings, limits: Limits) -> None:
        self._harvest = harvest
        self._limits = limits
        self._folder = Path(harvest.folder)
        self._refused_bytes = 0
        self.byte_count = 0
        self.written_count = 0
        self.stopped_because: str | None = None

    def open(self) -> None:
        """Make and measure the folder, and clear what a killed writer left; also to begin again after a stop."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for part in self._folder.glob(f"*/*{_PART_SUFFIX}"):
                part.unlink()
            self.byte_count = sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())
            self.stopped_because = self._objection_to(self._refused_bytes)
        except OSError as error:
            self.stopped_because = f"harvest.folder {self._folder} cannot be used: {error.strerror or error}"

    def kept_in_shift(self, wall: datetime) -> Kept:
        """What an earlier life of the process has kept in the shift of an instant, so that a restart gives no more."""
        shift = shift_at(wall_ns_of(wall), self._harvest)
        days = {wall.date(), wall.date() - timedelta(days=1)}
        sidecars = [one for day in sorted(days) for one in _sidecars_in(self._folder / day.isoformat())]
        times_ns = [wall_ns_of(datetime.fromisoformat(one.kept_at)) for one in sidecars]
        counts = Counter(
            one.reason for one, at_ns in zip(sidecars, times_ns, strict=True) if shift_at(at_ns, self._harvest) == shift
        )
        return Kept(shift, dict(counts), self.byte_count)

    def write(self, chosen: ChosenPicture) -> bool:
        """Write picture and sidecar; False if that was forbidden, which `stopped_because` explains."""
        if self.stopped_because is None:
            data, sidecar = self._encoded(chosen.image), encode_sidecar(chosen.sidecar)
            self._refused_bytes = len(data) + len(sidecar)
            self.stopped_because = self._write(chosen.sidecar, data, sidecar)
        return self.stopped_because is None

    def _write(self, description: KeptPicture, data: bytes, sidecar: bytes) -> str | None:
        path = self._folder / description.kept_at[:10] / description.picture
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            objection = self._objection_to(len(data) + len(sidecar))
            if objection is not None:
                return objection
            _write_atomically(path, data)
            _write_atomically(path.with_suffix(SIDECAR_SUFFIX), sidecar)
        except OSError as error:
            return f"harvest.folder {self._folder} cannot be written: {error.strerror or error}"
        self.byte_count += len(data) + len(sidecar)
        self.written_count += 1
        return None

    def _encoded(self, image: NDArray[np.uint8] | bytes) -> bytes:
        if isinstance(image, bytes):
            return image
        is_jpeg = self._harvest.picture_format == "jpeg"
        flags = [cv2.IMWRITE_JPEG_QUALITY, self._harvest.jpeg_quality] if is_jpeg else []
        _, data = cv2.imencode(".jpg" if is_jpeg else ".png", image, flags)
        return data.tobytes()

    def _objection_to(self, byte_count: int) -> str | None:
        if not fits(Kept(byte_count=self.byte_count), byte_count, self._limits):
            return f"harvest.folder {self._folder} is full: harvest.max_folder_mib {self._harvest.max_folder_mib}"
        free_bytes = shutil.disk_usage(self._folder).free
        if free_bytes - byte_count < self._harvest.min_free_mib * BYTES_PER_MIB:
            return (
                f"the disk of harvest.folder {self._folder} has {free_bytes // BYTES_PER_MIB} MiB left: "
                f"harvest.min_free_mib {self._harvest.min_free_mib}"
            )
        return None


def wall_ns_of(wall: datetime) -> int:
    """Local wall time in nanoseconds since 1970, for counting shifts: the clock on the plant's wall, zone left out."""
    seconds = (wall.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 - see docstring
    return round(seconds * 1e9)


def _sidecars_in(folder: Path) -> Iterator[KeptPicture]:
    for path in sorted(folder.glob(f"*{SIDECAR_SUFFIX}")):
        # somebody else's file in the folder counts as bytes alone
        with suppress(DataFolderError):
            yield read_sidecar(path)


def _write_atomically(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + _PART_SUFFIX)
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
