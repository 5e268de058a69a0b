"""Masses: the typical item weighs what its class does, and unsure classes make unsure masses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.mass import HEIGHT_PRIORS, estimated_mass
from sorter.model.materials import CLASS_NAMES, MATERIALS

TYPICAL_MM2 = {one.name: (sum(one.long_side_mm) / 2) ** 2 / (sum(one.aspect_ratio) / 2) for one in MATERIALS}


@pytest.mark.parametrize("material", MATERIALS, ids=lambda one: one.name)
def test_the_typical_item_has_the_typical_mass(material) -> None:
    mass = estimated_mass({material.name: 0.8}, TYPICAL_MM2[material.name])
    assert mass.mass_g == pytest.approx(material.mass_g)
    assert 0.2 < mass.sd_g / mass.mass_g < 1.5


def test_every_class_has_a_prior_of_its_own() -> None:
    assert set(HEIGHT_PRIORS) == set(CLASS_NAMES)


def test_not_knowing_whether_it_is_glass_makes_the_mass_unsure() -> None:
    sure = estimated_mass({"pet_clear": 1.0}, 20_000.0)
    unsure = estimated_mass({"pet_clear": 0.5, "glass": 0.5}, 20_000.0)
    assert unsure.sd_g > 2 * sure.sd_g


@given(st.dictionaries(st.sampled_from(CLASS_NAMES), st.floats(0.0, 1.0)), st.floats(0.0, 1e6))
def test_masses_are_never_negative_and_grow_with_the_area(probabilities: dict[str, float], area_mm2: float) -> None:
    mass, larger = estimated_mass(probabilities, area_mm2), estimated_mass(probabilities, 2 * area_mm2)
    assert mass.mass_g >= 0.0
    assert mass.sd_g >= 0.0
    assert larger.mass_g == pytest.approx(2 * mass.mass_g)


def test_what_is_no_class_at_all_weighs_nothing() -> None:
    assert estimated_mass({}, 1000.0).mass_g == 0.0
