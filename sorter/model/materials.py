"""The material classes of the default recipe and what a typical item of each weighs and measures."""

import hashlib
from collections.abc import Sequence

import msgspec


class Material(msgspec.Struct, frozen=True):
    """One material class: its name and the item that stands for it.

    `long_side_mm` and `aspect_ratio` (long over short side) are ranges (low, high) of an item seen from above;
    `mass_g` is that of a typical empty item, from weighings published for household packaging; order-of-magnitude
    figures for weighting purity by mass, not for billing.
    """

    name: str
    mass_g: float
    long_side_mm: tuple[float, float]
    aspect_ratio: tuple[float, float]


MATERIALS: tuple[Material, ...] = (
    Material("pet_clear", 28.0, (180.0, 310.0), (1.8, 3.2)),
    Material("pet_coloured", 30.0, (180.0, 310.0), (1.8, 3.2)),
    Material("pet_oil", 32.0, (200.0, 300.0), (2.2, 3.2)),
    Material("hdpe", 55.0, (150.0, 300.0), (1.2, 2.2)),
    Material("can", 16.0, (90.0, 170.0), (1.3, 2.4)),
    Material("carton", 30.0, (150.0, 240.0), (1.6, 2.6)),
    Material("glass", 250.0, (110.0, 290.0), (1.3, 3.4)),
    Material("paper_cardboard", 60.0, (160.0, 330.0), (1.0, 1.8)),
    Material("residue", 20.0, (90.0, 300.0), (1.0, 1.7)),
)
CLASS_NAMES: tuple[str, ...] = tuple(material.name for material in MATERIALS)


def class_list_sha256(class_names: Sequence[str]) -> str:
    """SHA-256, in hexadecimal, of the ordered class names joined by newlines: the key between recipe and bundle."""
    return hashlib.sha256("\n".join(class_names).encode()).hexdigest()


def material_named(name: str) -> Material:
    """The material of that name, or a middling one for a class that only a site knows."""
    for material in MATERIALS:
        if material.name == name:
            return material
    return Material(name, 30.0, (120.0, 260.0), (1.2, 2.4))
