"""From a line to the labellers and back: every box where it was, every reason and session kept."""

import json
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sorter.errors import DataFolderError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.labelled_folder import read_labelled_folder
from training.data.manifest import read_manifest
from training.harvest.export import ExportRequest, export
from training.harvest.harvest_folder import Harvested, read_harvest
from training.harvest.harvest_record import read_record
from training.harvest.import_back import BackRequest, import_back
from vision.harvest.choice import Reason

MIN_PROBABILITY = 0.3


@pytest.fixture
def pictures(harvest_folder: Path) -> tuple[Harvested, ...]:
    return read_harvest(harvest_folder)


def exported(pictures: tuple[Harvested, ...], format_name: str, tmp_path: Path) -> Path:
    export(ExportRequest(pictures, format_name, tmp_path / format_name, MIN_PROBABILITY))
    return tmp_path / format_name


def accepted(tasks: list[dict]) -> list[dict]:
    """The export of a labeller who accepts every prediction."""
    return [
        {**task, "id": number, "annotations": [{"id": number, "result": task["predictions"][0]["result"]}]}
        for number, task in enumerate(tasks)
    ]


def written(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def assert_same_boxes(folder: Path, pictures: tuple[Harvested, ...]) -> None:
    labelled = {one.path.name: one for one in read_labelled_folder(folder, CLASS_NAMES).pictures}
    assert labelled.keys() == {one.path.name for one in pictures}
    for one in pictures:
        items = one.pre_labels(MIN_PROBABILITY)
        corners = np.array([item.box_px for item in items]).reshape(-1, 4) / [128, 96, 128, 96]
        boxes = labelled[one.path.name].boxes
        found = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)
        assert np.allclose(found, corners, rtol=0.0, atol=1e-6)
        classes = [CLASS_NAMES[index] for index in labelled[one.path.name].class_ids]
        assert classes == [item.class_name for item in items]


def test_the_line_has_kept_items_to_label(pictures: tuple[Harvested, ...]) -> None:
    assert len(pictures) >= 5
    assert {Reason.RANDOM, Reason.DISAGREEING} <= {one.kept.reason for one in pictures}
    assert sum(len(one.pre_labels(MIN_PROBABILITY)) for one in pictures) > 20


def test_label_studio_and_back(pictures: tuple[Harvested, ...], tmp_path: Path) -> None:
    folder = exported(pictures, "label-studio", tmp_path)
    tasks = json.loads((folder / "tasks.json").read_text())
    report = import_back(BackRequest(folder, written(tmp_path / "export.json", accepted(tasks)), tmp_path / "back"))
    assert report.imported.picture_count == len(pictures)
    assert_same_boxes(tmp_path / "back", pictures)


@pytest.mark.parametrize("is_zipped", [False, True])
def test_cvat_and_back(pictures: tuple[Harvested, ...], tmp_path: Path, is_zipped: bool) -> None:
    folder = exported(pictures, "cvat", tmp_path)
    labels = folder
    if is_zipped:
        labels = tmp_path / "project.zip"
        with zipfile.ZipFile(labels, "w") as archive:
            archive.write(folder / "annotations.xml", "annotations.xml")
    import_back(BackRequest(folder, labels, tmp_path / "back"))
    assert_same_boxes(tmp_path / "back", pictures)


def test_yolo_and_back(pictures: tuple[Harvested, ...], tmp_path: Path) -> None:
    folder = exported(pictures, "yolo", tmp_path)
    assert read_labelled_folder(folder, CLASS_NAMES).complete_for == ()
    import_back(BackRequest(folder, folder, tmp_path / "back", "yolo"))
    assert_same_boxes(tmp_path / "back", pictures)


def test_reasons_and_sessions_come_back_with_the_labels(pictures: tuple[Harvested, ...], tmp_path: Path) -> None:
    folder = exported(pictures, "cvat", tmp_path)
    report = import_back(BackRequest(folder, folder, tmp_path / "back", complete_for=("can", "hdpe")))
    back = tmp_path / "back"
    assert read_record(back).reason_of == {one.path.name: one.kept.reason for one in pictures}
    sessions = {Path(entry.file).name: entry.session.name for entry in read_manifest(back).pictures}
    assert sessions == {one.path.name: one.kept.session for one in pictures}
    assert len(set(sessions.values())) == 2
    assert sum(report.by_reason.values()) == len(pictures)
    assert read_labelled_folder(back, CLASS_NAMES).complete_for == ("can", "hdpe")
    sheet = (back / "DATA_SHEET.md").read_text()
    assert sheet.startswith("# Data sheet: back\n")
    assert f"| random | {report.by_reason['random']} |" in sheet


def test_what_nobody_finished_is_left_out(pictures: tuple[Harvested, ...], tmp_path: Path) -> None:
    folder = exported(pictures, "label-studio", tmp_path)
    tasks = accepted(json.loads((folder / "tasks.json").read_text()))
    tasks[0]["annotations"] = []
    tasks[1]["annotations"][0]["was_cancelled"] = True
    report = import_back(BackRequest(folder, written(tmp_path / "export.json", tasks), tmp_path / "back"))
    assert len(report.imported.skipped) == 2
    assert len(read_record(tmp_path / "back").pictures) == len(pictures) - 2


def test_tasks_are_as_label_studio_documents_them(pictures: tuple[Harvested, ...], tmp_path: Path) -> None:
    folder = exported(pictures, "label-studio", tmp_path)
    interface = ET.fromstring((folder / "labelling_interface.xml").read_text())
    image, labels = interface.find("Image"), interface.find("RectangleLabels")
    offered = [label.get("value") for label in labels]
    assert offered == list(CLASS_NAMES)
    tasks = json.loads((folder / "tasks.json").read_text())
    regions = [region for task in tasks for region in task["predictions"][0]["result"]]
    assert len({region["id"] for region in regions}) == len(regions)
    for task in tasks:
        address = task["data"][image.get("value").removeprefix("$")]
        assert (folder / address.partition("?d=")[2]).is_file()
        assert task["predictions"][0]["model_version"]
        assert 0.0 <= task["predictions"][0]["score"] <= 1.0
    for region in regions:
        value = region["value"]
        assert (region["from_name"], region["to_name"]) == (labels.get("name"), image.get("name"))
        assert labels.get("toName") == image.get("name")
        assert (region["type"], region["image_rotation"], value["rotation"]) == ("rectanglelabels", 0, 0)
        assert (region["original_width"], region["original_height"]) == (128, 96)
        assert set(value["rectanglelabels"]) <= set(offered)
        assert 0 <= value["x"] <= value["x"] + value["width"] <= 100 + 1e-9
        assert 0 <= value["y"] <= value["y"] + value["height"] <= 100 + 1e-9


def test_annotations_are_as_cvat_documents_them(pictures: tuple[Harvested, ...], tmp_path: Path) -> None:
    folder = exported(pictures, "cvat", tmp_path)
    root = ET.parse(folder / "annotations.xml").getroot()
    assert (root.tag, root.findtext("version"), root.findtext("meta/task/mode")) == ("annotations", "1.1", "annotation")
    assert root.findtext("meta/task/size") == str(len(pictures))
    known = [label.findtext("name") for label in root.iterfind("meta/task/labels/label")]
    assert known == [label["name"] for label in json.loads((folder / "labels.json").read_text())] == list(CLASS_NAMES)
    images = root.findall("image")
    assert [image.get("name") for image in images] == sorted(path.name for path in (folder / "images").iterdir())
    assert [image.get("id") for image in images] == [str(index) for index in range(len(images))]
    for image in images:
        assert (image.get("width"), image.get("height")) == ("128", "96")
        for box in image:
            assert box.tag == "box"
            assert box.keys() == ["label", "source", "occluded", "xtl", "ytl", "xbr", "ybr", "z_order"]
            assert box.get("label") in known
            assert 0 <= float(box.get("xtl")) < float(box.get("xbr")) <= 128
            assert 0 <= float(box.get("ytl")) < float(box.get("ybr")) <= 96


def test_nothing_half_written_is_left_behind(pictures: tuple[Harvested, ...], tmp_path: Path) -> None:
    folder = exported(pictures, "label-studio", tmp_path)
    broken = tmp_path / "export.json"
    broken.write_text("[{")
    with pytest.raises(DataFolderError, match=r"export\.json"):
        import_back(BackRequest(folder, broken, tmp_path / "back"))
    with pytest.raises(DataFolderError, match="complete-for tin"):
        import_back(BackRequest(folder, broken, tmp_path / "back", complete_for=("tin",)))
    with pytest.raises(DataFolderError, match="there already"):
        export(ExportRequest(pictures, "cvat", folder))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export.json", "label-studio"]
