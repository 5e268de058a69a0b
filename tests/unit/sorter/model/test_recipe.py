"""The recipe's fingerprint and the cost that follows from a purity target; the class list's own hash."""

import hashlib

import msgspec
import pytest

from sorter.model.materials import CLASS_NAMES, class_list_sha256, material_named
from sorter.model.recipe import non_target_cost, recipe_hash
from sorter.model.settings import RecipeSettings, StationSettings

OTHER_VALUES: dict[str, object] = {
    "name": "night",
    "classes": (*CLASS_NAMES, "textile"),
    "stations": RecipeSettings().stations[:2],
    "min_decision_views": 3,
    "min_item_probability": 0.4,
    "unlisted_item_ratio": 0.4,
    "truncated_view_weight": 0.4,
    "lead_time_ms": 61.0,
    "command_validity_ms": 10_000.0,
}


def test_the_fingerprint_is_sixteen_digits_and_the_same_for_equal_recipes() -> None:
    again = msgspec.json.decode(msgspec.json.encode(RecipeSettings()), type=RecipeSettings)
    assert recipe_hash(RecipeSettings()) == recipe_hash(again)
    assert len(recipe_hash(again)) == 16
    assert int(recipe_hash(again), 16) >= 0


@pytest.mark.parametrize("key", RecipeSettings.__struct_fields__)
def test_every_key_of_the_recipe_is_in_the_fingerprint(key: str) -> None:
    changed = msgspec.structs.replace(RecipeSettings(), **{key: OTHER_VALUES[key]})
    assert recipe_hash(changed) != recipe_hash(RecipeSettings())


@pytest.mark.parametrize("key", StationSettings.__struct_fields__)
def test_every_key_of_a_station_is_in_the_fingerprint(key: str) -> None:
    first, *rest = RecipeSettings().stations
    old = getattr(first, key)
    new = {"id": "other", "targets": ("glass",), "non_target_cost": 2.0, "nozzle_count": 7}.get(key, 0.123)
    assert new != old
    changed = RecipeSettings(stations=(msgspec.structs.replace(first, **{key: new}), *rest))
    assert recipe_hash(changed) != recipe_hash(RecipeSettings())


@pytest.mark.parametrize(("purity", "cost"), [(0.5, 1.0), (0.6, 1.5), (0.9, 9.0), (0.25, 1 / 3)])
def test_without_a_cost_it_follows_from_the_purity_target(purity: float, cost: float) -> None:
    station = StationSettings(id="one", offset_mm=1.0, targets=("can",), purity_target=purity)
    assert non_target_cost(station) == pytest.approx(cost)


@pytest.mark.parametrize("cost", [0.0, 3.0])
def test_a_stated_cost_is_taken_as_it_is_even_when_it_is_nothing(cost: float) -> None:
    station = StationSettings(id="one", offset_mm=1.0, targets=("can",), purity_target=0.9, non_target_cost=cost)
    assert non_target_cost(station) == cost


def test_the_class_hash_is_that_of_the_names_in_their_order() -> None:
    assert class_list_sha256(("a", "b")) == hashlib.sha256(b"a\nb").hexdigest()
    assert class_list_sha256(("b", "a")) != class_list_sha256(("a", "b"))
    assert class_list_sha256(("ab",)) != class_list_sha256(("a", "b"))


def test_a_material_that_only_a_site_knows_gets_middling_measures() -> None:
    assert material_named("can").mass_g == 16.0
    textile = material_named("textile")
    assert textile.name == "textile"
    assert textile.mass_g > 0
