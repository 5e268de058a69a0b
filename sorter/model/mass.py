"""What an item weighs, as far as a camera can tell: its class, the area of its box, and how high such items are.

    m = area × d_c      d_c = typical mass of the class ÷ area of the typical item's box

A box does not tell how high an item is, whether it is crushed, or what is left in it. The height of items of a class
varies around the typical one within the table below, uniformly; walls and contents add a spread of their own. For
independent relative errors (JCGM 100:2008, 5.1.6):

    (sd ÷ m)² = (high − low)² ÷ (3 (high + low)²) + s_c²

Where several classes are likely, mean and variance are those of the mixture over their probabilities.
"""

import math
from collections.abc import Mapping
from functools import cache

import msgspec

from sorter.model.materials import material_named


class HeightPrior(msgspec.Struct, frozen=True):
    """How high items of a class lie on a belt, and how much their mass varies for all other reasons (relative sd)."""

    low_mm: float
    high_mm: float
    other_sd_ratio: float


class Mass(msgspec.Struct, frozen=True):
    """An estimated mass in grams and its standard deviation."""

    mass_g: float
    sd_g: float


# judged, not weighed: a site that weighs a sample of each class should put its own means into the materials' table
HEIGHT_PRIORS: dict[str, HeightPrior] = {
    "pet_clear": HeightPrior(20.0, 90.0, 0.3),
    "pet_coloured": HeightPrior(20.0, 90.0, 0.3),
    "pet_oil": HeightPrior(25.0, 90.0, 0.4),
    "hdpe": HeightPrior(40.0, 130.0, 0.35),
    "can": HeightPrior(15.0, 70.0, 0.3),
    "carton": HeightPrior(15.0, 80.0, 0.3),
    "glass": HeightPrior(50.0, 90.0, 0.25),
    "paper_cardboard": HeightPrior(1.0, 40.0, 0.6),
    "residue": HeightPrior(2.0, 80.0, 0.8),
}
_UNKNOWN = HeightPrior(5.0, 100.0, 0.8)


def estimated_mass(class_probabilities: Mapping[str, float], area_mm2: float) -> Mass:
    """Mass of an item with its standard deviation; formula above.

    Args:
        class_probabilities: calibrated, by class name; what is missing to 1 is spread over them.
        area_mm2: of the item's box on the belt.
    """
    whole = sum(class_probabilities.values())
    if whole <= 0.0:
        return Mass(0.0, 0.0)
    mean_g = square_g2 = 0.0
    for name, probability in class_probabilities.items():
        density_g_mm2, sd_ratio = _class_prior(name)
        mass_g = density_g_mm2 * area_mm2
        mean_g += probability / whole * mass_g
        square_g2 += probability / whole * mass_g**2 * (1.0 + sd_ratio**2)
    return Mass(mean_g, math.sqrt(max(0.0, square_g2 - mean_g**2)))


@cache
def _class_prior(name: str) -> tuple[float, float]:
    """Grams a square millimetre of box, and the relative standard deviation of an item's mass."""
    material, prior = material_named(name), HEIGHT_PRIORS.get(name, _UNKNOWN)
    long_mm, aspect_ratio = sum(material.long_side_mm) / 2, sum(material.aspect_ratio) / 2
    height_variance = (prior.high_mm - prior.low_mm) ** 2 / (3.0 * (prior.high_mm + prior.low_mm) ** 2)
    return material.mass_g / (long_mm**2 / aspect_ratio), math.sqrt(height_variance + prior.other_sd_ratio**2)
