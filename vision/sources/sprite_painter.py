"""The simulated belt with items drawn by the program or cut out of pictures; where they lie is the world's to say."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sorter.errors import ConfigurationError, SourceError
from sorter.model.settings import Settings
from sorter.model.units import UM_PER_MM, mm_to_um
from sorter.model.world import World, WorldItem
from vision.sources.painter import BeltScale
from vision.sprites.artist import FORMS, CutoutSprites, DrawnSprites, SpriteArtist
from vision.sprites.belt_texture import draw_belt
from vision.sprites.compositing import SHADOW_REACH_PX, paste
from vision.sprites.errors import SpriteFolderError

_PERIOD_MM = 2400.0
_LARGEST_ITEM_UM = 500_000
_SPRITE_CAPACITY = 96


class SpritePainter:
    """Lays the world's items on a belt texture; each item is drawn once while it is near the view."""

    def __init__(self, settings: Settings, world: World, scale: BeltScale, artist: SpriteArtist) -> None:
        self._class_names = settings.recipe.classes
        self._world = world
        self._scale = scale
        self._artist = artist
        self._texture = _belt_texture(settings, scale)
        self._left_edge_um = mm_to_um(settings.camera.left_edge_mm)
        self._near: list[WorldItem] = []
        self._sprites: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()

    def paint(self, canvas: NDArray[np.uint8], first_row: int) -> None:
        """Fill a picture of the belt; see `BeltPainter`."""
        self._lay_belt(canvas, first_row)
        start_um = round(first_row * self._scale.row_um) - _LARGEST_ITEM_UM
        end_um = round((first_row + len(canvas)) * self._scale.row_um) + _LARGEST_ITEM_UM
        self._near = self._world.items_between(start_um, end_um)
        for item in self._near:
            self._lay_item(canvas, item, first_row)

    def draw_ahead(self) -> None:
        """Draw one item that lies upstream of the view; drawing takes as long as painting some ten frames."""
        undrawn = next((item for item in self._near if item.item_id not in self._sprites), None)
        if undrawn is not None:
            self._sprite_of(undrawn)

    def _lay_belt(self, canvas: NDArray[np.uint8], first_row: int) -> None:
        period, height = len(self._texture), len(canvas)
        top = -(first_row + height)
        filled = 0
        while filled < height:
            start = (top + filled) % period
            count = min(height - filled, period - start)
            canvas[filled : filled + count] = self._texture[start : start + count]
            filled += count

    def _lay_item(self, canvas: NDArray[np.uint8], item: WorldItem, first_row: int) -> None:
        top_px = first_row + len(canvas) - self._scale.rows_at(item.belt_um + item.length_um / 2)
        length_px = max(1, round(item.length_um / self._scale.row_um))
        if top_px >= len(canvas) + SHADOW_REACH_PX or top_px + length_px + SHADOW_REACH_PX < 0:
            return
        left_px = round((item.x_um - self._left_edge_um - item.width_um / 2) / self._scale.column_um)
        paste(canvas, self._sprite_of(item), top_px, left_px)

    def _sprite_of(self, item: WorldItem) -> NDArray[np.uint8]:
        sprite = self._sprites.pop(item.item_id, None)
        if sprite is None:
            width_px = max(1, round(item.width_um / self._scale.column_um))
            length_px = max(1, round(item.length_um / self._scale.row_um))
            sprite = self._draw(item, width_px, length_px)
        self._sprites[item.item_id] = sprite
        if len(self._sprites) > _SPRITE_CAPACITY:
            self._sprites.popitem(last=False)
        return sprite

    def _draw(self, item: WorldItem, width_px: int, length_px: int) -> NDArray[np.uint8]:
        class_name = self._class_names[item.class_id]
        try:
            return self._artist.draw(class_name, item.appearance_seed, item.rotation_rad, width_px, length_px)
        except SpriteFolderError as error:
            raise SourceError(f"source.location: {error}") from error


def open_artist(settings: Settings) -> SpriteArtist:
    """Cut-outs from the folder at `source.location`, or the program's own drawings when none is given.

    Raises:
        ConfigurationError: if the recipe names a class that has no drawings.
        SourceError: if the folder is missing or holds no usable cut-out.
    """
    undrawn = [name for name in settings.recipe.classes if name not in FORMS]
    if undrawn:
        raise ConfigurationError(
            f"configuration: recipe.classes {undrawn}: source.kind 'sprites' has no drawings; allowed: {list(FORMS)}"
        )
    location = settings.source.location
    if not location:
        return DrawnSprites()
    try:
        return CutoutSprites(Path(location))
    except SpriteFolderError as error:
        raise SourceError(f"source.location: {error}") from error


def _belt_texture(settings: Settings, scale: BeltScale) -> NDArray[np.uint8]:
    """One period of empty belt as wide as the picture, black where the camera sees past the belt."""
    width_px = settings.camera.width_px
    left_px = round(settings.camera.left_edge_mm * UM_PER_MM / scale.column_um)
    belt_px = max(32, round(settings.belt.width_mm * UM_PER_MM / scale.column_um))
    period_px = max(64, round(_PERIOD_MM * UM_PER_MM / scale.row_um))
    belt = draw_belt(belt_px, period_px, settings.simulation.seed)
    texture = np.zeros((period_px, width_px, 3), np.uint8)
    seen = belt[:, max(0, left_px) : max(0, left_px + width_px)]
    start_px = max(0, -left_px)
    texture[:, start_px : start_px + seen.shape[1]] = seen
    return texture
