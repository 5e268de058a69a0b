"""A folder of cut-outs becomes an artist, or one clear sentence."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from vision.sprites.artist import CutoutSprites, DrawnSprites
from vision.sprites.errors import SpriteFolderError, UnknownClassError

REAL_FOLDER = Path(__file__).parents[5] / "shared" / "data" / "cutouts"


def write_cutout(path: Path, alpha: int = 255, colour: tuple[int, int, int] = (10, 200, 30)) -> None:
    picture = np.zeros((80, 40, 4), np.uint8)
    picture[5:75, 5:35, :3] = colour
    picture[5:75, 5:35, 3] = alpha
    cv2.imwrite(str(path), picture)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SpriteFolderError, match="nowhere"):
        CutoutSprites(tmp_path / "nowhere")


def test_a_folder_without_cutouts_says_what_is_expected(tmp_path):
    write_cutout(tmp_path / "holiday_0001.png")
    with pytest.raises(SpriteFolderError, match=r"<material>_<n>\.png"):
        CutoutSprites(tmp_path)


def test_a_folder_rated_poor_throughout_is_no_folder(tmp_path):
    write_cutout(tmp_path / "metal_1.png")
    header = "file,material,fill_ratio,solidity_ratio,touches_edge\n"
    (tmp_path / "cutouts.csv").write_text(header + "metal_1.png,metal,0.5,0.6,0\n", encoding="utf-8")
    with pytest.raises(SpriteFolderError, match="no usable picture"):
        CutoutSprites(tmp_path)


def test_a_table_of_another_kind_is_refused(tmp_path):
    write_cutout(tmp_path / "metal_1.png")
    (tmp_path / "cutouts.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(SpriteFolderError, match="not readable"):
        CutoutSprites(tmp_path)


def test_a_cutout_stands_for_its_class_and_the_rest_is_drawn(tmp_path):
    write_cutout(tmp_path / "metal_1.png")
    artist = CutoutSprites(tmp_path)
    sprite = artist.draw("can", 3, 0.0, 30, 70)
    assert sprite.shape == (70, 30, 4)
    assert sprite[35, 15, :3] == pytest.approx((10, 200, 30), abs=2)
    assert np.array_equal(artist.draw("hdpe", 3, 0.2, 50, 70), DrawnSprites().draw("hdpe", 3, 0.2, 50, 70))


def test_a_veil_is_passed_over_for_a_solid_cutout(tmp_path):
    write_cutout(tmp_path / "metal_1.png", alpha=140, colour=(255, 0, 0))
    write_cutout(tmp_path / "metal_2.png", colour=(0, 0, 255))
    artist = CutoutSprites(tmp_path)
    assert all(artist.draw("can", seed, 0.0, 30, 70)[35, 15, 2] > 200 for seed in range(6))


def test_only_veils_is_an_error(tmp_path):
    write_cutout(tmp_path / "metal_1.png", alpha=140)
    with pytest.raises(SpriteFolderError, match="metal_1"):
        CutoutSprites(tmp_path).draw("can", 0, 0.0, 30, 70)


def test_an_unknown_class_is_unknown_here_too(tmp_path):
    write_cutout(tmp_path / "metal_1.png")
    with pytest.raises(UnknownClassError):
        CutoutSprites(tmp_path).draw("plutonium", 0, 0.0, 30, 70)


@pytest.mark.skipif(not REAL_FOLDER.is_dir(), reason="no development data beside the repository")
@pytest.mark.parametrize("class_name", ["can", "glass", "paper_cardboard", "pet_clear", "residue"])
def test_real_cutouts_fill_their_box(class_name):
    artist = CutoutSprites(REAL_FOLDER)
    for seed in range(3):
        sprite = artist.draw(class_name, seed, 0.5, 90, 120)
        seen = sprite[..., 3] > 40
        assert seen.any(axis=0).all() or seen.mean() > 0.15
        assert all(line.any() for line in (seen[0], seen[-1], seen[:, 0], seen[:, -1]))
        assert sprite[seen][:, :3].std() > 4


def test_a_single_file_may_be_of_another_class_than_its_material(tmp_path):
    write_cutout(tmp_path / "plastic_1.png", colour=(0, 0, 255))
    write_cutout(tmp_path / "plastic_2.png", colour=(255, 0, 0))
    artist = CutoutSprites(tmp_path, {"plastic_2.png": "hdpe"})
    sprite = artist.draw("hdpe", 1, 0.0, 20, 40)
    assert sprite[20, 10, :3].tolist() == [255, 0, 0]
    assert np.array_equal(artist.draw("can", 1, 0.0, 20, 40), DrawnSprites().draw("can", 1, 0.0, 20, 40))
