"""Opening the world that the settings name, so that simulated camera and simulated valves see the same belt."""

from pathlib import Path

from sorter.model.settings import Settings
from sorter.model.world import ScatteredWorld, StripPicture, StripWorld, World
from sorter.runtime.labelled_folder import LabelledFolder, read_labelled_folder


def open_world(settings: Settings) -> World | None:
    """The simulated world, or None where pictures come from outside and the truth is unknown.

    Raises:
        DataFolderError: if the strip's folder cannot be read.
    """
    if settings.source.kind == "sprites":
        return ScatteredWorld(settings)
    if settings.source.kind == "strip":
        return strip_world(read_strip(settings), settings)
    return None


def read_strip(settings: Settings) -> LabelledFolder:
    """The labelled folder that a strip source names."""
    return read_labelled_folder(Path(settings.source.location), settings.recipe.classes)


def strip_world(folder: LabelledFolder, settings: Settings) -> StripWorld:
    """The world of a belt strip laid from a labelled folder."""
    return StripWorld([StripPicture(picture.boxes, picture.class_ids) for picture in folder.pictures], settings)
