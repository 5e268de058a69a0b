"""Who draws an item: the program itself, or a folder of cut-outs.

The world says class, seed, extents and rotation; an artist answers with pixels. Forms and their materials are drawn by
the modules of each family; blending into a frame is left to `compositing`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from vision.sprites import bottles, cans, cartons, fibre, residue, vessels
from vision.sprites.cutouts import cutouts_by_class, read_cutout
from vision.sprites.errors import SpriteFolderError, UnknownClassError
from vision.sprites.fitting import fitted
from vision.sprites.raster import Field
from vision.sprites.surface import Body, lit, soil

Form = Callable[[Generator], Body]

FORMS: Mapping[str, Sequence[Form]] = {
    "pet_clear": (bottles.clear_bottle,),
    "pet_coloured": (bottles.coloured_bottle,),
    "pet_oil": (bottles.oil_bottle,),
    "hdpe": (
        vessels.milk_bottle, vessels.jug, vessels.detergent_flask, vessels.detergent_flask, vessels.canister,
        vessels.pot, vessels.pot_from_above,
    ),
    "can": (cans.drink_can, cans.drink_can, cans.crushed_can, cans.crushed_can, cans.can_end, cans.food_tin),
    "carton": (cartons.gable_top, cartons.brick, cartons.flattened_carton),
    "glass": (bottles.glass_bottle, bottles.glass_bottle, bottles.glass_jar),
    "paper_cardboard": (
        fibre.corrugated, fibre.corrugated, fibre.newsprint, fibre.crumpled_paper, fibre.egg_box, fibre.printed_box,
    ),
    "residue": (
        residue.film_bag, residue.film_bag, residue.crisp_packet, residue.textile, residue.foam, residue.food,
        residue.banana_peel, residue.face_mask,
    ),
}  # fmt: skip


class SpriteArtist(Protocol):
    """Draws single items."""

    def draw(
        self, class_name: str, appearance_seed: int, rotation_rad: float, width_px: int, length_px: int
    ) -> NDArray[np.uint8]:
        """Picture of one item: (length_px, width_px, 4) BGRA, straight alpha; alpha > 40 touches all four borders.

        Args:
            class_name: material class.
            appearance_seed: which of the class's endless items.
            rotation_rad: turn from across the belt (x) towards along the belt (y); at 0 the long side lies along y.
            width_px: columns, across the belt.
            length_px: rows, along the belt.

        Raises:
            UnknownClassError: `class_name` has no drawings.
        """


class DrawnSprites:
    """The program's own drawings."""

    def draw(
        self, class_name: str, appearance_seed: int, rotation_rad: float, width_px: int, length_px: int
    ) -> NDArray[np.uint8]:
        """Draw one item from code; see `SpriteArtist.draw`."""
        if class_name not in FORMS:
            raise UnknownClassError(f"class {class_name!r} has no drawings; allowed: {', '.join(FORMS)}")
        rng = _source(class_name, appearance_seed)
        forms = FORMS[class_name]
        body = forms[int(rng.integers(len(forms)))](rng)
        soil(body, rng, float(rng.uniform(0, 0.6)))
        return fitted(lit(body, rotation_rad), rotation_rad, width_px, length_px)


class CutoutSprites:
    """Cut-outs from a folder of RGBA PNGs named <material>_<n>.png; classes without any are drawn.

    Materials cardboard and paper stand for paper_cardboard, metal for can, trash for residue, glass for glass, and
    plastic for pet_clear, although some of its pictures are of other plastics.
    """

    def __init__(self, folder: Path, class_of_material: Mapping[str, str] | None = None) -> None:
        """List the usable pictures.

        Args:
            folder: holds the PNGs, and optionally `cutouts.csv` that rates them.
            class_of_material: other classes than those above, by material or by file name.

        Raises:
            SpriteFolderError: no such folder, or no usable picture in it.
        """
        self._paths = cutouts_by_class(folder, class_of_material)
        self._drawn = DrawnSprites()

    def draw(
        self, class_name: str, appearance_seed: int, rotation_rad: float, width_px: int, length_px: int
    ) -> NDArray[np.uint8]:
        """Fit one cut-out, never mirrored, as print would read backwards; see `SpriteArtist.draw`."""
        paths = self._paths.get(class_name)
        if paths is None:
            return self._drawn.draw(class_name, appearance_seed, rotation_rad, width_px, length_px)
        rng = _source(class_name, appearance_seed)
        picture = _solid_cutout(paths, int(rng.integers(len(paths))))
        return fitted(picture, rotation_rad, width_px, length_px)


def _solid_cutout(paths: Sequence[Path], start: int) -> Field:
    """The first usable cut-out from `start` on, round the list."""
    for path in (*paths[start:], *paths[:start]):
        picture = _read_once(path)
        if picture is not None:
            return picture
    raise SpriteFolderError(f"no cut-out like {str(paths[start])!r} is a solid RGBA picture")


@lru_cache(maxsize=48)
def _read_once(path: Path) -> Field | None:
    return read_cutout(path)


def _source(class_name: str, appearance_seed: int) -> Generator:
    return Generator(PCG64([list(FORMS).index(class_name), appearance_seed & 0xFFFF_FFFF_FFFF_FFFF]))
