"""A picture file judged from outside: is it whole, how large, when taken, what does it look like; no pixel leaves here.

Pillow judges, because it refuses a file that ends too early, where OpenCV hands out a picture with a grey rest.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import DataFolderError
from sorter.runtime.labelled_folder import PICTURE_SUFFIXES

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

_DATE_TAKEN = 0x9003
_DATE = 0x0132
_CAMERA_MODEL = 0x0110
_EXIF_PART = 0x8769
_EXIF_HOUR = re.compile(r"^(\d{4}):(\d{2}):(\d{2}) (\d{2}):")
_HASH_SIDE = 16
_THUMBNAIL_PX = 4 * _HASH_SIDE
_MOST_PX = 200_000_000
HASH_BITS = _HASH_SIDE * _HASH_SIDE


class PictureFacts(msgspec.Struct, frozen=True):
    """What a whole picture file says of itself.

    Attributes:
        width_px: columns, as shown (after the file's own rotation).
        height_px: rows, as shown.
        taken_hour: camera and hour it was taken in by its EXIF, or None.
        looks: (4, 256) bool perceptual hashes: as it is, mirrored, upside down, turned by half; None if not asked for.
    """

    width_px: int
    height_px: int
    taken_hour: str | None = None
    looks: NDArray[np.bool_] | None = None


def read_facts(path: Path, *, with_looks: bool = False) -> PictureFacts:
    """Read a picture to its end.

    Args:
        path: the file.
        with_looks: take the perceptual hashes too.

    Raises:
        DataFolderError: if it is no picture, or not whole.
    """
    from PIL import ImageOps

    try:
        with _opened(path) as opened:
            hour = _taken_hour(opened)
            picture = ImageOps.exif_transpose(opened)
            picture.load()
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise DataFolderError(f"{path}: cannot be read as a picture ({error})") from error
    return PictureFacts(picture.width, picture.height, hour, _looks(picture) if with_looks else None)


def find_pictures(folder: Path) -> list[Path]:
    """All picture files below a folder, ordered by path."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())


def _opened(path: Path) -> "ImageFile":
    # Not by Image.open: Ultralytics puts one in its place that installs a package when a file is no picture.
    from PIL import BmpImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

    readers: dict[bytes, type[ImageFile]] = {
        b"\xff\xd8\xff": JpegImagePlugin.JpegImageFile,
        b"\x89PNG": PngImagePlugin.PngImageFile,
        b"RIFF": WebPImagePlugin.WebPImageFile,
        b"BM": BmpImagePlugin.BmpImageFile,
    }
    with path.open("rb") as file:
        signature = file.read(4)
    reader = next((reader for start, reader in readers.items() if signature.startswith(start)), None)
    if reader is None:
        raise ValueError("it does not begin as JPEG, PNG, WebP or BMP do")
    opened = reader(path)
    if opened.width * opened.height > _MOST_PX:
        opened.close()
        raise ValueError(f"{opened.width}×{opened.height} px are too many")
    return opened


def _looks(picture: "Image") -> NDArray[np.bool_]:
    # Perceptual hash of 256 bits: belts of one camera are too much alike for the usual 64.
    import imagehash
    from PIL import Image, ImageOps

    small = picture.convert("L").resize((_THUMBNAIL_PX, _THUMBNAIL_PX), Image.Resampling.LANCZOS)
    turned = (small, ImageOps.mirror(small), ImageOps.flip(small), ImageOps.mirror(ImageOps.flip(small)))
    return np.array([imagehash.phash(one, _HASH_SIDE).hash.ravel() for one in turned])


def _taken_hour(picture: "Image") -> str | None:
    exif = picture.getexif()
    stamp = str(exif.get_ifd(_EXIF_PART).get(_DATE_TAKEN) or exif.get(_DATE) or "")
    match = _EXIF_HOUR.match(stamp)
    if not match:
        return None
    camera = str(exif.get(_CAMERA_MODEL) or "").strip("\0 ")
    return f"{camera} {'-'.join(match.groups()[:3])} {match.group(4)}h".strip()
