"""The same labelled pictures written down in each of the formats, as other tools would."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import cv2
import numpy as np
import pytest

# class name, then x0, y0, x1, y1 in pixels
Item = tuple[str, float, float, float, float]
Pictures = Mapping[str, Sequence[Item]]
SIZE_PX = (160, 120)
MAP = 'complete_for = ["can"]\n[map]\n"tin" = "can"\n"jug" = "hdpe"\n"hand" = "ignore"\n'


def write_picture(path: Path, seed: int, size_px: tuple[int, int] = SIZE_PX) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    grid = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(grid, size_px, interpolation=cv2.INTER_CUBIC))
    return path


def write_pictures(folder: Path, pictures: Pictures) -> None:
    for seed, name in enumerate(pictures):
        write_picture(folder / name, seed)


def class_list(pictures: Pictures) -> list[str]:
    return sorted({"tin", "jug"} | {item[0] for items in pictures.values() for item in items})


def as_yolo(root: Path, pictures: Pictures) -> Path:
    write_pictures(root / "images", pictures)
    (root / "labels").mkdir()
    names = class_list(pictures)
    width, height = SIZE_PX
    for name, items in pictures.items():
        rows = [
            f"{names.index(label)} {(x0 + x1) / 2 / width!r} {(y0 + y1) / 2 / height!r} "
            f"{(x1 - x0) / width!r} {(y1 - y0) / height!r}"
            for label, x0, y0, x1, y1 in items
        ]
        (root / "labels" / f"{Path(name).stem}.txt").write_text("\n".join(rows))
    (root / "data.yaml").write_text("nc: 2\nnames:\n" + "".join(f"- {name}\n" for name in names))
    return root


def as_yolo_outlines(root: Path, pictures: Pictures) -> Path:
    as_yolo(root, pictures)
    names = class_list(pictures)
    for name, items in pictures.items():
        rows = []
        for label, x0, y0, x1, y1 in items:
            left, right, top, low = x0 / SIZE_PX[0], x1 / SIZE_PX[0], y0 / SIZE_PX[1], y1 / SIZE_PX[1]
            rows.append(f"{names.index(label)} {left!r} {top!r} {right!r} {top!r} {right!r} {low!r} {left!r} {low!r}")
        (root / "labels" / f"{Path(name).stem}.txt").write_text("\n".join(rows))
    return root


def as_coco(root: Path, pictures: Pictures) -> Path:
    write_pictures(root / "images", pictures)
    names = class_list(pictures)
    images = [
        {"id": index, "file_name": name, "width": SIZE_PX[0], "height": SIZE_PX[1]}
        for index, name in enumerate(pictures)
    ]
    annotations = [
        {
            "image_id": index,
            "category_id": 10 + names.index(label),
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "area": 1.0,
            "iscrowd": 0,
        }
        for index, items in enumerate(pictures.values())
        for label, x0, y0, x1, y1 in items
    ]
    categories = [{"id": 10 + index, "name": name} for index, name in enumerate(names)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (root / "annotations").mkdir()
    (root / "annotations" / "instances.json").write_text(json.dumps(content))
    return root


def as_voc(root: Path, pictures: Pictures) -> Path:
    write_pictures(root / "JPEGImages", pictures)
    (root / "Annotations").mkdir()
    for name, items in pictures.items():
        objects = "".join(
            f"<object><name>{escape(label)}</name><difficult>0</difficult><bndbox><xmin>{x0!r}</xmin>"
            f"<ymin>{y0!r}</ymin><xmax>{x1!r}</xmax><ymax>{y1!r}</ymax></bndbox></object>"
            for label, x0, y0, x1, y1 in items
        )
        size = f"<size><width>{SIZE_PX[0]}</width><height>{SIZE_PX[1]}</height><depth>3</depth></size>"
        text = f"<annotation><filename>{name}</filename>{size}{objects}</annotation>"
        (root / "Annotations" / f"{Path(name).stem}.xml").write_text(text)
    return root


def as_label_studio(root: Path, pictures: Pictures) -> Path:
    tasks = []
    for seed, (name, items) in enumerate(pictures.items()):
        write_picture(root / "media" / f"1a2b3c4d-{name}", seed)
        result = [region(label, x0, y0, x1, y1) for label, x0, y0, x1, y1 in items]
        data = {"image": f"/data/upload/7/1a2b3c4d-{name}"}
        tasks.append({"id": seed, "data": data, "annotations": [{"result": result, "was_cancelled": False}]})
    (root / "export.json").write_text(json.dumps(tasks))
    return root


def region(label: str, x0: float, y0: float, x1: float, y1: float, rotation: float = 0.0) -> dict[str, object]:
    width, height = SIZE_PX
    value = {
        "x": 100 * x0 / width,
        "y": 100 * y0 / height,
        "width": 100 * (x1 - x0) / width,
        "height": 100 * (y1 - y0) / height,
        "rotation": rotation,
        "rectanglelabels": [label],
    }
    return {"type": "rectanglelabels", "original_width": width, "original_height": height, "value": value}


WRITERS: dict[str, Callable[[Path, Pictures], Path]] = {
    "yolo": as_yolo,
    "yolo outlines": as_yolo_outlines,
    "coco": as_coco,
    "voc": as_voc,
    "label-studio": as_label_studio,
}

SourceWriter = Callable[[str, Path, Pictures], Path]
PictureWriter = Callable[..., Path]


@pytest.fixture(scope="session")
def write_source() -> SourceWriter:
    """A function that writes pictures and labels: (format, folder, {file name: [(class, x0, y0, x1, y1 in px)]})."""
    return lambda format_name, root, pictures: WRITERS[format_name](root, pictures)


@pytest.fixture(scope="session")
def picture_writer() -> PictureWriter:
    """A function that writes one picture: (path, seed, size in px)."""
    return write_picture


@pytest.fixture
def class_map(tmp_path: Path) -> Path:
    """A class map for the classes tin, jug and hand."""
    path = tmp_path / "map.toml"
    path.write_text(MAP)
    return path
