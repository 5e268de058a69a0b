"""Reading and resizing pictures with cv2, given our types: a picture is (H, W, 3) uint8 BGR everywhere."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def read_picture(path: Path) -> NDArray[np.uint8] | None:
    """A picture file as (H, W, 3) uint8 BGR, or None when it is missing or unreadable."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None or picture.dtype != np.uint8:
        return None
    return np.asarray(picture, np.uint8)


def is_picture(path: Path) -> bool:
    """Whether a file begins as a picture that can be decoded does; looks at a few bytes only."""
    return bool(cv2.haveImageReader(str(path)))


def resize_into(picture: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """Resize a picture into a buffer that may have another size and aspect; both (H, W, 3) uint8 BGR."""
    if picture.shape == out.shape:
        np.copyto(out, picture)
        return
    is_smaller = out.shape[0] * out.shape[1] < picture.shape[0] * picture.shape[1]
    interpolation = cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR
    cv2.resize(picture, (out.shape[1], out.shape[0]), dst=out, interpolation=interpolation)
