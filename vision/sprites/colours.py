"""Palettes of packaging, so that drawings carry the colours that reach a sorting line and no stray numbers."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.random import Generator

from vision.sprites.raster import Field

_T = TypeVar("_T")


def bgr(hex_rgb: str) -> Field:
    """The colour `rrggbb` as (3,) BGR in 0..1."""
    return np.array([int(hex_rgb[at : at + 2], 16) for at in (4, 2, 0)], np.float32) / np.float32(255)


def _palette(codes: str) -> tuple[Field, ...]:
    return tuple(bgr(code) for code in codes.split())


def pick(rng: Generator, choices: Sequence[_T]) -> _T:
    """One of `choices`, all alike likely."""
    return choices[int(rng.integers(len(choices)))]


def shifted(rng: Generator, colour: Field, amount: float = 0.08) -> Field:
    """`colour` with a little of another dye batch in it."""
    gain = rng.uniform(1 - amount, 1 + amount) + rng.uniform(-amount / 2, amount / 2, 3)
    return np.clip(colour * gain, 0, 1).astype(np.float32)


WHITE = bgr("f2f2ee")
BLACK = bgr("161616")
SILVER = bgr("b9bcbf")
INKS = _palette("d21f2b 1a4fa3 0b8a43 f4b81c ef6c1a 6a2d8a 12a3b8 111318 e5e5df c2185b 7a4a21 8cc63f")
CAPS = _palette("d9232e 1f5fc0 f3f3f3 1d9a4a f2c21a 202020 ef7d1a 58b8e8")
CLEAR_PET = _palette("aebcc4 a4b4b8 a2b9c8 8fb0cf 7fa6d0 b4b8ae")
TINTED_PET = _palette("1f7a35 2c8f3d 145a2a 4a2c14 5c3516 33200f 6d4218 8c1220 1f3fa8 6cc024 3a1830")
OPAQUE_PET = _palette("151517 1d49b8 b8141d 57b31e e6e6e2 c58a1c")
OIL = _palette("c9b04a b89a38 cdbf70 bfa654 a88a34")
MILKY = _palette("e9e8e2 dedcd2 f0f0ec e4e6ea")
DETERGENT = _palette("1c57c4 2a8fdc 0f8f5c 6d2aa0 e5531c d9b13a d11f3a e8e8e6 f0a8c0 1b9a46")
GLASS = _palette("1c3a16 2e5a22 27451a 2c1606 3a1f0a 241206 93a39a 9aa8a4")
BROWN_BOARD = _palette("a8865c b5946a 96754c b08c5e 8b6d48")
PALE_PAPER = _palette("dcd9cf e8e6df cfcac0 d9d2c0 c8c8c4")
FILM = _palette("c8cbd0 dfe3e6 3f7fd0 2c2f36 d8d0b4 4aa0a8 b5d8e8 7a6b3a e0e0e0")
CLOTH = _palette("35456b 7a2a35 4b4b4b 8d8a7c 5e3d6e 2a5a4a b88a4a 3a4250 a65b4a")
FOOD = _palette("6b4a1e 8a6a3c 4a5a1c 7a3a1c c08a3e 3a2a16 a8502c 5a6b32 c8a878 6a5040")
