"""What a picture file says of itself, in every form it may have, and what is no picture."""

from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
import pytest
from PIL import Image

from sorter.errors import DataFolderError
from training.data.near_duplicates import NEAR_BITS
from training.data.picture_file import HASH_BITS, read_facts

PICTURE = cv2.resize(np.random.default_rng(3).integers(0, 255, (6, 8, 3), dtype=np.uint8), (160, 120))


def written(path: Path) -> Path:
    cv2.imwrite(str(path), PICTURE)
    return path


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp"])
def test_every_kind_is_read_and_looks_the_same(suffix: str, tmp_path: Path) -> None:
    facts = read_facts(written(tmp_path / f"a{suffix}"), with_looks=True)
    reference = read_facts(written(tmp_path / "b.png"), with_looks=True)
    assert (facts.width_px, facts.height_px) == (160, 120)
    assert facts.looks is not None
    assert reference.looks is not None
    assert facts.looks.shape == (4, HASH_BITS)
    assert (facts.looks[0] != reference.looks[0]).sum() <= NEAR_BITS


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp"])
@pytest.mark.parametrize("kept_ratio", [0.0, 0.02, 0.5, 0.9])
def test_a_file_that_ends_too_early_is_refused(suffix: str, kept_ratio: float, tmp_path: Path) -> None:
    path = written(tmp_path / f"a{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept_ratio)])
    with pytest.raises(DataFolderError, match=r"cannot be read as a picture"):
        read_facts(path)


def test_a_wrong_suffix_does_no_harm(tmp_path: Path) -> None:
    path = written(tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert read_facts(path).width_px == 160


def test_what_other_libraries_make_of_opening_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def installs_packages(*_: object) -> NoReturn:
        raise ModuleNotFoundError("pi_heif")

    monkeypatch.setattr(Image, "open", installs_packages)
    assert read_facts(written(tmp_path / "a.jpg"), with_looks=True).width_px == 160
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    with pytest.raises(DataFolderError, match="does not begin"):
        read_facts(tmp_path / "b.jpg")


def test_time_camera_and_rotation_come_from_the_file(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0110] = "Line cam"
    exif[0x0112] = 6  # shown turned by a quarter
    exif.get_ifd(0x8769)[0x9003] = "2024:03:04 07:10:59"
    Image.fromarray(PICTURE).save(tmp_path / "a.jpg", exif=exif)
    facts = read_facts(tmp_path / "a.jpg")
    assert facts.taken_hour == "Line cam 2024-03-04 07h"
    assert (facts.width_px, facts.height_px) == (120, 160) == cv2.imread(str(tmp_path / "a.jpg")).shape[1::-1]
    assert read_facts(written(tmp_path / "b.jpg")).taken_hour is None
