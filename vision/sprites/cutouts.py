"""Cut-outs of real items from a folder, so that a site can see its own waste on the simulated belt."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision.sprites.errors import SpriteFolderError
from vision.sprites.raster import Picture, read_picture, resized_picture

_LONGEST_PX = 256
_LEAST_SOLIDITY = 0.8
_LEAST_FILL_AT_EDGE = 0.25

CLASS_OF_MATERIAL = {
    "cardboard": "paper_cardboard",
    "glass": "glass",
    "metal": "can",
    "paper": "paper_cardboard",
    "plastic": "pet_clear",
    "trash": "residue",
}


def cutouts_by_class(folder: Path, class_of_material: Mapping[str, str] | None = None) -> dict[str, list[Path]]:
    """Usable cut-outs `<material>_<n>.png` of `folder` by material class, in name order.

    A picture that `cutouts.csv` rates as poor is left out: ragged (solidity below 0.8), or cut by the border of its
    source picture with little left of it. Classes without a usable picture are absent.

    Args:
        folder: where they are.
        class_of_material: class of a material, or of a single file by its name, which goes before; `CLASS_OF_MATERIAL`
            if left out. What it does not name is left out.

    Raises:
        SpriteFolderError: no such folder, or no usable picture in it.
    """
    if not folder.is_dir():
        raise SpriteFolderError(f"cut-out folder {str(folder)!r} does not exist")
    known = CLASS_OF_MATERIAL if class_of_material is None else class_of_material
    poor = _rated_poor(folder / "cutouts.csv")
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*_*.png")):
        class_name = known.get(path.name, known.get(path.stem.rsplit("_", 1)[0]))
        if class_name is not None and path.name not in poor:
            found.setdefault(class_name, []).append(path)
    if not found:
        raise SpriteFolderError(
            f"cut-out folder {str(folder)!r} holds no usable picture; expected <material>_<n>.png with material one of "
            f"{', '.join(known)}"
        )
    return found


def _rated_poor(table: Path) -> set[str]:
    if not table.is_file():
        return set()
    with table.open(newline="", encoding="utf-8") as lines:
        try:
            return {row["file"] for row in csv.DictReader(lines) if _is_poor(row)}
        except (KeyError, ValueError, TypeError) as error:
            raise SpriteFolderError(f"cut-out table {str(table)!r} is not readable: {error}") from error


def _is_poor(row: dict[str, str]) -> bool:
    cut_off = row["touches_edge"] == "1" and float(row["fill_ratio"]) < _LEAST_FILL_AT_EDGE
    return float(row["solidity_ratio"]) < _LEAST_SOLIDITY or cut_off


def read_cutout(path: Path) -> NDArray[np.float32] | None:
    """A cut-out as (rows, columns, 4) BGRA field 0..1, its long side along rows; None where it is no solid RGBA."""
    picture = read_picture(path)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4 or not _is_solid(picture[..., 3]):
        return None
    if picture.shape[1] > picture.shape[0]:
        picture = np.ascontiguousarray(np.rot90(picture))
    scale = min(1.0, _LONGEST_PX / picture.shape[0])
    shape = max(1, round(picture.shape[0] * scale)), max(1, round(picture.shape[1] * scale))
    return resized_picture(picture, shape).astype(np.float32) / np.float32(255)


def _is_solid(alpha: Picture) -> bool:
    inside = alpha[alpha > 127]
    return inside.size > 64 and float(inside.mean()) / 255 >= _LEAST_SOLIDITY
