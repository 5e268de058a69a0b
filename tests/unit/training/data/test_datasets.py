"""Capture hours are never on both sides of the split, and pictures keep their labels."""

from pathlib import Path

import numpy as np
import pytest

from sorter.model.materials import CLASS_NAMES
from sorter.runtime.labelled_folder import LabelledFolder, LabelledPicture, read_labelled_folder
from training.data.datasets import load_training_set, split_by_capture

WARP_TRAIN = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "warp" / "train"


def folder_of(names: list[str]) -> LabelledFolder:
    nothing = np.zeros((0, 4)), np.zeros(0, dtype=np.int64)
    return LabelledFolder(Path("site"), tuple(LabelledPicture(Path(name), *nothing) for name in names), ("can",))


def names_of(folder: LabelledFolder) -> list[str]:
    return [picture.path.stem for picture in folder.pictures]


def test_an_hour_is_on_one_side_only() -> None:
    names = [f"POSAD_1_{day}-Sep_{hour:02d}-{minute:02d}-00.jpg" for day in (11, 12) for hour in range(6)
             for minute in (1, 7, 30)]  # fmt: skip
    kept, held = split_by_capture(folder_of(names), 0.2, seed=0)
    hours = [{name[:-6] for name in names_of(part)} for part in (kept, held)]
    assert hours[0].isdisjoint(hours[1])
    assert sorted(names_of(kept) + names_of(held)) == sorted(Path(name).stem for name in names)
    assert 0.2 * len(names) <= len(held.pictures) <= 0.3 * len(names)


def test_pictures_without_a_time_are_parted_in_blocks_of_neighbours() -> None:
    names = [f"frame_{index:04d}.png" for index in range(60)]
    _, held = split_by_capture(folder_of(names), 0.15, seed=1)
    blocks = {int(name[-4:]) // 10 for name in names_of(held)}
    assert len(held.pictures) == 10 * len(blocks)


def test_a_single_capture_stays_in_training() -> None:
    kept, held = split_by_capture(folder_of(["frame_1.png", "frame_2.png"]), 0.5, seed=0)
    assert (len(kept.pictures), len(held.pictures)) == (2, 0)


def test_the_seed_decides_the_split() -> None:
    folder = folder_of([f"frame_{index:04d}.png" for index in range(200)])
    first, again, other = (names_of(split_by_capture(folder, 0.2, seed)[1]) for seed in (0, 0, 5))
    assert first == again != other


@pytest.mark.skipif(not WARP_TRAIN.is_dir(), reason="needs ../shared/data/warp/train")
def test_real_pictures_load_with_their_labels() -> None:
    read = read_labelled_folder(WARP_TRAIN, CLASS_NAMES)
    few = LabelledFolder(read.folder, read.pictures[:12], read.complete_for)
    loaded = load_training_set(few, CLASS_NAMES, 128)
    assert loaded.known_class_count == 7
    assert loaded.weights.sum() == pytest.approx(1.0)
    for scene, labelled in zip(loaded.scenes, few.pictures, strict=True):
        assert scene.picture.shape == (128, 128, 3)
        sides = (scene.boxes_px[:, 2:] - scene.boxes_px[:, :2]) / 128
        assert np.allclose(sides, labelled.boxes[:, 2:], atol=0.02)
