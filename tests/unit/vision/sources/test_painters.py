"""The painters: every row of the belt is where the world says, and what is cut by an edge is cut there."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sorter.errors import BadInputError, ConfigurationError, SourceError
from sorter.model.settings import Settings
from sorter.model.world import ScatteredWorld
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import settings_from
from sorter.runtime.simulated_world import read_strip, strip_world
from vision.sources import open_source
from vision.sources.painter import BeltScale
from vision.sources.sprite_painter import SpritePainter, open_artist
from vision.sources.strip_painter import StripPainter

SIDE_PX = 40
STILL_COUNT = 3
MAGENTA = (255, 0, 255)


class BlockArtist:
    """Draws every item as a full block and counts how often it is asked."""

    def __init__(self) -> None:
        self.drawn_count = 0

    def draw(
        self, class_name: str, appearance_seed: int, rotation_rad: float, width_px: int, length_px: int
    ) -> NDArray[np.uint8]:
        assert class_name
        assert appearance_seed >= 0
        assert rotation_rad >= 0
        self.drawn_count += 1
        return np.full((length_px, width_px, 4), (*MAGENTA, 255), np.uint8)


def strip_settings(folder: Path) -> Settings:
    camera = {"width_px": SIDE_PX, "height_px": SIDE_PX}
    return settings_from({"camera": camera, "source": {"kind": "strip", "location": str(folder)}})


@pytest.fixture(scope="module")
def strip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stills whose grey levels count rows from the downstream edge, in a channel of their own each."""
    folder = tmp_path_factory.mktemp("strip")
    for name in ("images", "labels"):
        (folder / name).mkdir()
    (folder / "data.yaml").write_text("names: [bottle]\n")
    (folder / "class_map.toml").write_text('[map]\nbottle = "pet_clear"\n')
    for number in range(STILL_COUNT):
        picture = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
        picture[..., number] = 10 + np.arange(SIDE_PX, dtype=np.uint8)[::-1, None]
        cv2.imwrite(str(folder / "images" / f"{number}.png"), picture)
    return folder


@pytest.fixture(scope="module")
def strip_painter(strip_folder: Path) -> tuple[StripPainter, Any]:
    settings = strip_settings(strip_folder)
    folder = read_strip(settings)
    world = strip_world(folder, settings)
    return StripPainter(settings, folder, world, BeltScale.of_camera(settings.camera)), world


@given(first_row=st.integers(0, 20 * SIDE_PX), height_px=st.integers(1, 3 * SIDE_PX))
def test_each_row_of_the_strip_shows_its_row_of_its_still(
    strip_painter: tuple[StripPainter, Any], first_row: int, height_px: int
) -> None:
    painter, world = strip_painter
    canvas = np.full((height_px, SIDE_PX, 3), 255, np.uint8)
    painter.paint(canvas, first_row)
    for index, belt_row in enumerate(range(first_row + height_px - 1, first_row - 1, -1)):
        place, row = divmod(belt_row, SIDE_PX)
        expected = np.zeros(3)
        expected[world.picture_index_at(place)] = 10 + row
        assert (canvas[index] == expected).all()


def test_before_the_strip_begins_there_is_black(strip_painter: tuple[StripPainter, Any]) -> None:
    canvas = np.full((SIDE_PX, SIDE_PX, 3), 255, np.uint8)
    strip_painter[0].paint(canvas, -10)
    assert (canvas[-10:] == 0).all()
    assert (canvas[:-10].max(axis=2) > 0).all()


def test_a_still_that_cannot_be_read_is_named(strip_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "broken.png").write_bytes(b"no picture")
    for name in ("data.yaml", "class_map.toml"):
        (tmp_path / name).write_text((strip_folder / name).read_text())
    with pytest.raises(SourceError, match=r"broken\.png"):
        open_source(strip_settings(tmp_path), ManualClock(), 0)


def sprite_painter(artist: BlockArtist, **camera: Any) -> tuple[SpritePainter, ScatteredWorld, BeltScale]:
    tables = {"camera": {"width_px": 320, "height_px": 160, **camera}, "simulation": {"occupancy_ratio": 0.1}}
    settings = settings_from(tables)
    world, scale = ScatteredWorld(settings), BeltScale.of_camera(settings.camera)
    return SpritePainter(settings, world, scale, artist), world, scale


@hypothesis_settings(max_examples=25)
@given(first_row=st.integers(0, 5000))
def test_items_cover_the_pixels_of_their_boxes_also_when_an_edge_cuts_them(first_row: int) -> None:
    painter, world, scale = sprite_painter(BlockArtist())
    canvas = np.zeros((160, 320, 3), np.uint8)
    painter.paint(canvas, first_row)
    is_item = (canvas == MAGENTA).all(axis=2)
    expected = np.zeros((160, 320))
    for item in world.items_between(0, 40_000_000):
        top = first_row + 160 - (item.belt_um + item.length_um / 2) / scale.row_um
        left = (item.x_um - item.width_um / 2) / scale.column_um
        bottom, right = top + item.length_um / scale.row_um, left + item.width_um / scale.column_um
        rows = slice(max(0, round(top) + 1), max(0, round(bottom) - 1))
        columns = slice(max(0, round(left) + 1), max(0, round(right) - 1))
        expected[rows, columns] = 1
        assert is_item[rows, columns].all()
    assert is_item.sum() >= expected.sum()
    assert is_item.sum() <= expected.sum() * 1.5 + 300


def test_the_belt_moves_down_as_one_with_its_items() -> None:
    painter, _, _ = sprite_painter(BlockArtist())
    first, second = np.zeros((160, 320, 3), np.uint8), np.zeros((160, 320, 3), np.uint8)
    for start in (0, 470, 900):
        painter.paint(first, start)
        painter.paint(second, start + 31)
        assert np.array_equal(second[31:], first[:-31])


def test_each_item_is_drawn_once_while_the_belt_passes() -> None:
    artist = BlockArtist()
    painter, world, _ = sprite_painter(artist)
    canvas = np.zeros((160, 320, 3), np.uint8)
    for first_row in range(0, 600, 5):
        painter.paint(canvas, first_row)
        painter.draw_ahead()
    assert 0 < artist.drawn_count <= len(world.items_between(0, 10_000_000))
    assert artist.drawn_count < 60


def test_what_was_drawn_ahead_is_there_when_it_comes_into_view() -> None:
    artist = BlockArtist()
    painter, _, _ = sprite_painter(artist)
    canvas = np.zeros((160, 320, 3), np.uint8)
    for first_row in range(0, 600, 5):
        painter.paint(canvas, first_row)
        for _ in range(3):
            painter.draw_ahead()
        ahead_count = artist.drawn_count
        painter.paint(canvas, first_row + 5)
        assert artist.drawn_count == ahead_count


def test_a_class_without_drawings_is_refused() -> None:
    station = {"id": "wood", "offset_mm": 500.0, "targets": ["wood"]}
    settings = settings_from({"recipe": {"classes": ["wood"], "stations": [station]}})
    with pytest.raises(ConfigurationError, match="wood"):
        open_artist(settings)


def test_a_folder_without_cutouts_is_refused(tmp_path: Path) -> None:
    settings = settings_from({"source": {"kind": "sprites", "location": str(tmp_path)}})
    with pytest.raises(BadInputError, match=tmp_path.name):
        open_source(settings, ManualClock(), 0)
