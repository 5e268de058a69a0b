"""The recipe as it was changed while the line ran, in the run's folder: a sorter that is born again goes on with it."""

from pathlib import Path

import msgspec

from sorter.errors import ConfigurationError
from sorter.model.explanation import RecipeChange, StationRecipe
from sorter.model.settings import RecipeSettings, Settings
from sorter.runtime.configuration import settings_from

_NAME = "recipe.json"


def stations_of(recipe: RecipeSettings) -> tuple[StationRecipe, ...]:
    """What of a recipe can be changed while the line runs."""
    return tuple(StationRecipe(one.id, one.targets, one.purity_target, one.non_target_cost) for one in recipe.stations)


def changed_recipe(settings: Settings, stations: tuple[StationRecipe, ...]) -> RecipeSettings:
    """The settings' recipe with other targets, purity targets and costs, everything checked as in a configuration.

    Raises:
        ConfigurationError: for other stations than the line has, unknown classes, and values out of range.
    """
    recipe = settings.recipe
    if [one.id for one in stations] != [one.id for one in recipe.stations]:
        raise ConfigurationError(f"recipe: stations must be {[one.id for one in recipe.stations]}, in this order")
    for station in stations:
        if not station.targets:
            raise ConfigurationError(f"recipe: station {station.id!r}: targets = []: one or more of recipe.classes")
    replaced = tuple(
        msgspec.structs.replace(
            old, targets=new.targets, purity_target=new.purity_target, non_target_cost=new.non_target_cost
        )
        for old, new in zip(recipe.stations, stations, strict=True)
    )
    whole = msgspec.structs.replace(settings, recipe=msgspec.structs.replace(recipe, stations=replaced))
    return settings_from(msgspec.to_builtins(whole)).recipe


def keep_change(run_folder: Path, change: RecipeChange) -> None:
    """Write a change down, in one step."""
    draft = run_folder / f"{_NAME}.new"
    draft.write_bytes(msgspec.json.encode(change))
    draft.replace(run_folder / _NAME)


def last_change(run_folder: Path) -> RecipeChange | None:
    """The change that was made last in this run, None if there was none."""
    try:
        return msgspec.json.decode((run_folder / _NAME).read_bytes(), type=RecipeChange)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
