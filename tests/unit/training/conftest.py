"""Labelled folders of the program's own belts, so that tests of the lab need no data set."""

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from sorter.model.materials import CLASS_NAMES
from training.synthesis.mixture import Mixture, Recipe, fill_stock
from vision.sprites.artist import DrawnSprites

BeltWriter = Callable[[Path, int, int, tuple[str, ...]], Path]


@pytest.fixture(scope="session")
def write_belts() -> BeltWriter:
    """A function that writes a labelled folder: (folder, pictures, side in px, classes labelled exhaustively)."""
    return write_labelled_belts


def write_labelled_belts(folder: Path, picture_count: int, size_px: int, complete_for: tuple[str, ...]) -> Path:
    """Write images/, labels/, data.yaml and class_map.toml; every item on the pictures is labelled."""
    stock = fill_stock((), [DrawnSprites()], CLASS_NAMES, Recipe(belt_count=1, drawn_per_class=2), size_px, seed=11)
    belts = Mixture((), stock, Recipe(belt_ratio=1.0), size_px, seed=11)
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    for index in range(picture_count):
        scene = belts.scene(index)
        cv2.imwrite(str(folder / "images" / f"belt_{index:03d}.png"), scene.picture)
        shares = scene.boxes_px / size_px
        lines = [
            f"{class_id} {(x0 + x1) / 2:.6f} {(y0 + y1) / 2:.6f} {x1 - x0:.6f} {y1 - y0:.6f}"
            for class_id, (x0, y0, x1, y1) in zip(scene.class_ids, shares, strict=True)
        ]
        (folder / "labels" / f"belt_{index:03d}.txt").write_text("\n".join(lines))
    names = "\n".join(f"  {index}: {name}" for index, name in enumerate(CLASS_NAMES))
    (folder / "data.yaml").write_text(f"names:\n{names}\n")
    mapping = "\n".join(f'"{name}" = "{name}"' for name in CLASS_NAMES)
    complete = ", ".join(f'"{name}"' for name in complete_for)
    (folder / "class_map.toml").write_text(f"complete_for = [{complete}]\n[map]\n{mapping}\n")
    return folder
