"""Capture hours are never on both sides of the split, and pictures keep their labels."""

import logging
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from sorter.errors import DataFolderError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.labelled_folder import LabelledFolder, LabelledPicture, read_labelled_folder
from training.data.datasets import load_scene, load_training_set, split_by_capture
from training.input_size import InputSize
from training.preparation import held_out_pictures
from training.run_settings import Inputs, RunSettings, TrainingPlan
from training.synthesis.pixels import read_picture

BeltWriter = Callable[[Path, int, int, tuple[str, ...]], Path]
WARP_TRAIN = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "warp" / "train"


def folder_of(names: list[str]) -> LabelledFolder:
    nothing = np.zeros((0, 4)), np.zeros(0, dtype=np.int64)
    return LabelledFolder(Path("site"), tuple(LabelledPicture(Path(name), *nothing) for name in names), ("can",))


def names_of(folder: LabelledFolder) -> list[str]:
    return [picture.path.stem for picture in folder.pictures]


def test_an_hour_is_on_one_side_only() -> None:
    names = [f"POSAD_1_{day}-Sep_{hour:02d}-{minute:02d}-00.jpg" for day in (11, 12) for hour in range(6)
             for minute in (1, 7, 30)]  # fmt: skip
    kept, held = split_by_capture(folder_of(names), 0.2)
    hours = [{name[:-6] for name in names_of(part)} for part in (kept, held)]
    assert hours[0].isdisjoint(hours[1])
    assert sorted(names_of(kept) + names_of(held)) == sorted(Path(name).stem for name in names)
    assert 0.2 * len(names) <= len(held.pictures) <= 0.3 * len(names)


def test_pictures_without_a_time_are_parted_in_blocks_of_neighbours() -> None:
    names = [f"frame_{index:04d}.png" for index in range(60)]
    _, held = split_by_capture(folder_of(names), 0.15)
    blocks = {int(name[-4:]) // 10 for name in names_of(held)}
    assert len(held.pictures) == 10 * len(blocks)


def test_a_single_capture_stays_in_training() -> None:
    kept, held = split_by_capture(folder_of(["frame_1.png", "frame_2.png"]), 0.5)
    assert (len(kept.pictures), len(held.pictures)) == (2, 0)


def test_runs_of_every_seed_keep_the_same_pictures_out(write_belts: BeltWriter, tmp_path: Path) -> None:
    site = write_belts(tmp_path / "site", 60, 96, CLASS_NAMES)
    kept_out = [kept_out_boxes(site, seed) for seed in (0, 11)]
    assert len(kept_out[0]) == 10
    assert kept_out[0] == kept_out[1]


def kept_out_boxes(site: Path, seed: int) -> list[list[list[float]]]:
    settings = RunSettings(1, 16, InputSize.of(96), seed=seed)
    return [scene.boxes_px.tolist() for scene in held_out_pictures(TrainingPlan(Inputs((site,)), settings), 96)]


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


def test_broken_pictures_are_left_out_named_and_counted(
    write_belts: BeltWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_belts(tmp_path / "site", 4, 96, ("can",))
    (folder / "images" / "belt_001.png").write_bytes(b"no picture")
    cut = folder / "images" / "belt_002.png"
    cut.write_bytes(cut.read_bytes()[:-2000])
    read = read_labelled_folder(folder, CLASS_NAMES)
    with caplog.at_level(logging.WARNING):
        loaded = load_training_set(read, CLASS_NAMES, 96)
    assert [path.name for path in loaded.broken] == ["belt_001.png", "belt_002.png"]
    assert (len(loaded.scenes), len(loaded.weights)) == (2, 2)
    assert "belt_001.png" in caplog.text
    assert "2 of 4" in caplog.text


def test_a_folder_of_broken_pictures_is_refused(write_belts: BeltWriter, tmp_path: Path) -> None:
    folder = write_belts(tmp_path / "site", 2, 96, ("can",))
    for path in (folder / "images").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataFolderError, match="none of 2 pictures"):
        load_training_set(read_labelled_folder(folder, CLASS_NAMES), CLASS_NAMES, 96)


def test_ignored_regions_are_painted_over_but_labelled_items_in_them_stay(
    write_belts: BeltWriter, tmp_path: Path
) -> None:
    folder = write_belts(tmp_path / "site", 1, 96, ("can",))
    class_map = folder / "class_map.toml"
    class_map.write_text(class_map.read_text().replace('"residue" = "residue"', '"residue" = "ignore"'))
    residue, can = CLASS_NAMES.index("residue"), CLASS_NAMES.index("can")
    (folder / "labels" / "belt_000.txt").write_text(f"{residue} 0.25 0.5 0.5 1\n{can} 0.25 0.25 0.25 0.25\n")
    (scene,) = load_training_set(read_labelled_folder(folder, CLASS_NAMES), CLASS_NAMES, 96).scenes
    shown = read_picture(folder / "images" / "belt_000.png")
    assert scene.class_ids.tolist() == [can]
    assert np.unique(scene.picture[48:, :48].reshape(-1, 3), axis=0).shape == (1, 3)
    np.testing.assert_array_equal(scene.picture[:, 48:], shown[:, 48:])
    np.testing.assert_array_equal(scene.picture[12:36, 12:36], shown[12:36, 12:36])


@pytest.mark.parametrize(("size_px", "shape"), [(None, (64, 128, 3)), (96, (96, 96, 3))])
def test_a_scene_is_stretched_only_if_a_size_is_asked_for(
    tmp_path: Path, size_px: int | None, shape: tuple[int, ...]
) -> None:
    path = tmp_path / "belt.png"
    cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 256, (64, 128, 3), np.uint8))
    labelled = LabelledPicture(path, np.array([[0.5, 0.25, 0.5, 0.5]]), np.array([4]))
    scene = load_scene(labelled, np.ones(len(CLASS_NAMES), np.bool_), size_px)
    assert scene.picture.shape == shape
    height_px, width_px = shape[:2]
    np.testing.assert_allclose(scene.boxes_px, [[width_px / 4, 0.0, width_px * 3 / 4, height_px / 2]])
