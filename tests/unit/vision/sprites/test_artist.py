"""The drawings keep the artist's contract: tight, repeatable, never blank, different from seed to seed."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.sprites.artist import FORMS, CutoutSprites, DrawnSprites
from vision.sprites.errors import UnknownClassError

CLASSES = tuple(FORMS)
ARTIST = DrawnSprites()


def borders(alpha: np.ndarray) -> tuple[np.ndarray, ...]:
    return alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]


def test_every_default_material_class_has_drawings():
    assert CLASSES == (
        "pet_clear", "pet_coloured", "pet_oil", "hdpe", "can", "carton", "glass", "paper_cardboard", "residue",
    )  # fmt: skip


@pytest.fixture(scope="module", params=["drawn", "cutouts"])
def artist(request, tmp_path_factory):
    if request.param == "drawn":
        return ARTIST
    folder = tmp_path_factory.mktemp("cutouts")
    rng = np.random.default_rng(1)
    for n in range(2):
        cutout = rng.integers(0, 255, (90, 40, 4)).astype(np.uint8)
        cutout[..., 3] = 0
        cutout[4:80, 10 + n : 30, 3] = 255
        cv2.imwrite(str(folder / f"metal_{n}.png"), cutout)
    return CutoutSprites(folder)


@settings(max_examples=40, deadline=None)
@given(
    class_name=st.sampled_from(CLASSES),
    seed=st.integers(-(2**63), 2**64),
    rotation_rad=st.floats(-7, 7),
    width_px=st.integers(1, 220),
    length_px=st.integers(1, 220),
)
def test_any_box_is_filled_exactly_and_tightly(artist, class_name, seed, rotation_rad, width_px, length_px):
    sprite = artist.draw(class_name, seed, rotation_rad, width_px, length_px)
    assert sprite.shape == (length_px, width_px, 4)
    assert sprite.dtype == np.uint8
    assert all(int(line.max()) > 40 for line in borders(sprite[..., 3]))


@pytest.mark.parametrize("class_name", CLASSES)
def test_the_same_arguments_give_the_same_pixels(artist, class_name):
    first, again = (artist.draw(class_name, 11, 0.4, 90, 120) for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize("class_name", CLASSES)
def test_every_seed_is_another_item(class_name):
    pictures = {ARTIST.draw(class_name, seed, 0.0, 40, 60).tobytes() for seed in range(8)}
    assert len(pictures) == 8


@pytest.mark.parametrize("class_name", CLASSES)
@pytest.mark.parametrize("seed", range(8))
def test_no_drawing_is_blank(class_name, seed):
    sprite = ARTIST.draw(class_name, seed, 0.0, 90, 150)
    seen = sprite[..., 3] > 40
    assert 0.15 < seen.mean() <= 1.0
    assert sprite[seen][:, :3].astype(float).std(axis=0).min() > 4.0


def test_clear_bottles_let_the_belt_through_and_cans_do_not():
    clear, can = (
        np.mean([np.median(a[a > 40]) for s in range(12) for a in [ARTIST.draw(name, s, 0.0, 60, 150)[..., 3]]])
        for name in ("pet_clear", "can")
    )
    assert clear < 200
    assert can > 250


def test_rotation_turns_the_long_side_across_the_belt():
    upright = ARTIST.draw("glass", 0, 0.0, 60, 180)
    turned = ARTIST.draw("glass", 0, -math.pi / 2, 180, 60)
    back = np.rot90(turned, -1)
    assert np.abs(upright[..., 3].astype(int) - back[..., 3]).mean() < 12


def test_an_unknown_class_is_named_in_the_error(artist):
    with pytest.raises(UnknownClassError, match="plutonium"):
        artist.draw("plutonium", 0, 0.0, 10, 10)
