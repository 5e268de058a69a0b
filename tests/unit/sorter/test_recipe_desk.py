"""A recipe that is changed while the line runs: checked, kept for a sorter that is born again, or refused."""

from pathlib import Path

import msgspec
import pytest

from sorter.errors import ConfigurationError
from sorter.model.explanation import RecipeChange, StationRecipe
from sorter.model.settings import Settings
from sorter.recipe_desk import RecipeDesk
from sorter.runtime.live_recipe import changed_recipe, stations_of
from sorter.runtime.run_folder import RunPlan

SETTINGS = Settings()


def change(**first: object) -> RecipeChange:
    stations = stations_of(SETTINGS.recipe)
    return RecipeChange((msgspec.structs.replace(stations[0], **first), *stations[1:]), 0, "Ada")


@pytest.fixture
def plan(tmp_path: Path) -> RunPlan:
    return RunPlan(SETTINGS, 0, tmp_path)


def test_a_change_holds_and_a_new_life_goes_on_with_it(plan: RunPlan) -> None:
    desk = RecipeDesk(plan)
    before = desk.state
    assert desk.take(change(targets=("hdpe",), purity_target=0.9, non_target_cost=4.0))
    station = desk.recipe.stations[0]
    assert (station.targets, station.purity_target, station.non_target_cost) == (("hdpe",), 0.9, 4.0)
    assert station.offset_mm == SETTINGS.recipe.stations[0].offset_mm
    assert desk.state.changed_by == "Ada"
    assert desk.state.recipe_hash != before.recipe_hash
    assert RecipeDesk(plan).state == desk.state


@pytest.mark.parametrize(
    "wrong",
    [{"targets": ()}, {"targets": ("gold",)}, {"purity_target": 1.0}, {"non_target_cost": -1.0}, {"id": "other"}],
)
def test_what_is_no_recipe_changes_nothing(plan: RunPlan, wrong: dict[str, object]) -> None:
    desk = RecipeDesk(plan)
    assert not desk.take(change(**wrong))
    assert desk.recipe == SETTINGS.recipe
    assert RecipeDesk(plan).recipe == SETTINGS.recipe


def test_stations_must_be_the_lines_own() -> None:
    with pytest.raises(ConfigurationError, match="stations must be"):
        changed_recipe(SETTINGS, (StationRecipe("pet", ("can",), 0.6, None),))


def test_a_torn_file_counts_as_no_change(plan: RunPlan) -> None:
    (plan.run_folder / "recipe.json").write_text("{")
    assert RecipeDesk(plan).recipe == SETTINGS.recipe
