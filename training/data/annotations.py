"""Labels as any of the formats gives them, in one neutral form; nothing here knows a format or a material."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from sorter.errors import DataFolderError

Point = tuple[float, float]

# What a source itself calls unfit to learn from or be judged by: part of the class name, so that a map can say else.
CROWD = " (crowd)"
DIFFICULT = " (difficult)"


class LabelError(DataFolderError):
    """The labels of one picture cannot be used; the picture is skipped, the others stay."""


class SourceItem(msgspec.Struct, frozen=True):
    """One labelled item.

    Attributes:
        class_name: as the source calls it.
        box: centre x, centre y, width, height as shares of the picture.
        polygon: its outline as shares x, y; empty where only the box is known.
    """

    class_name: str
    box: tuple[float, float, float, float]
    polygon: tuple[Point, ...] = ()


class SourcePicture(msgspec.Struct, frozen=True):
    """One labelled picture of a source.

    Attributes:
        path: its file.
        place: its path inside the source, as text.
        items: what is labelled in it.
        size_px: width and height that the labels were drawn on, if they say so.
        licence: its own licence, where the source states one a picture.
    """

    path: Path
    place: str
    items: tuple[SourceItem, ...] = ()
    size_px: tuple[int, int] | None = None
    licence: str | None = None


class Skipped(msgspec.Struct, frozen=True):
    """A picture that was left out, and why, in a sentence."""

    place: str
    why: str


class Annotations(msgspec.Struct, frozen=True):
    """All that a source holds: its classes in order, its pictures, and those that could not be used."""

    class_names: tuple[str, ...]
    pictures: tuple[SourcePicture, ...]
    skipped: tuple[Skipped, ...] = ()


def gather(
    readers: Iterable[tuple[str, Callable[[], SourcePicture]]],
) -> tuple[tuple[SourcePicture, ...], tuple[Skipped, ...]]:
    """Read pictures one by one; those whose labels cannot be used are put aside with the reason.

    Args:
        readers: name of each picture, and what reads its labels.
    """
    outcomes = [_read_or_skip(place, reader) for place, reader in readers]
    found = tuple(one for one in outcomes if isinstance(one, SourcePicture))
    return found, tuple(one for one in outcomes if isinstance(one, Skipped))


def boxed(class_name: str, corners: Sequence[float], size: Sequence[float] = (1.0, 1.0)) -> SourceItem:
    """An item from the corners x0, y0, x1, y1 of its box on a picture of the given width and height.

    Raises:
        LabelError: if the box is not finite or its corners are in the wrong order.
    """
    x0, y0, x1, y1 = (float(value) for value in corners)
    width, height = size
    if not np.isfinite([x0, y0, x1, y1]).all() or x1 < x0 or y1 < y0:
        raise LabelError(f"a box of {class_name!r} from ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}) is none")
    box = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
    return SourceItem(class_name, box)


def outlined(class_name: str, points: Sequence[Sequence[float]], size: Sequence[float] = (1.0, 1.0)) -> SourceItem:
    """An item from the corners (x, y) of its outline on a picture of the given width and height.

    Raises:
        LabelError: if the outline has less than three corners or one that is not finite.
    """
    shares = np.asarray(points, np.float64).reshape(-1, 2) / np.asarray(size, np.float64)
    if len(shares) < 3 or not np.isfinite(shares).all():
        raise LabelError(f"an outline of {class_name!r} with {len(shares)} corners, or not all finite, is none")
    item = boxed(class_name, (*shares.min(axis=0), *shares.max(axis=0)))
    return SourceItem(class_name, item.box, tuple((float(x), float(y)) for x, y in shares))


def _read_or_skip(place: str, reader: Callable[[], SourcePicture]) -> SourcePicture | Skipped:
    try:
        return reader()
    except LabelError as error:
        return Skipped(place, str(error))
