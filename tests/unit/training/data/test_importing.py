"""Importing: labels survive whatever their format, what is broken is reported, and nothing is ever half-written."""

import errno
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorter.errors import DataFolderError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.bundle import file_sha256
from sorter.runtime.labelled_folder import LabelledFolder, read_labelled_folder
from training.data.formats import guess_format
from training.data.import_command import as_text, import_labels
from training.data.importing import ImportReport, ImportRequest, import_source, stored_names
from training.data.manifest import read_manifest

Item = tuple[str, float, float, float, float]
SourceWriter = Callable[[str, Path, Mapping[str, Sequence[Item]]], Path]
FORMATS = ("yolo", "yolo outlines", "coco", "voc", "label-studio")
SIZE_PX = np.array([160.0, 120.0, 160.0, 120.0])
PICTURES: dict[str, list[Item]] = {
    "a.jpg": [("tin", 10, 20, 50, 60), ("jug", 60, 30, 150, 110)],
    "b.jpg": [],
    "c.jpg": [("hand", 0, 0, 40, 40), ("tin", 80, 10, 120, 50)],
}


def request(source: Path, class_map: Path, out: Path, **more: object) -> ImportRequest:
    return msgspec.structs.replace(ImportRequest(source, class_map, "site A", "CC0", out), **more)


def imported(source: Path, class_map: Path, out: Path, **more: object) -> tuple[ImportReport, LabelledFolder]:
    report = import_source(request(source, class_map, out, **more))
    return report, read_labelled_folder(out, CLASS_NAMES)


def refusal(asked: ImportRequest) -> str:
    with pytest.raises(DataFolderError) as caught:
        import_source(asked)
    assert not asked.out.exists()
    assert [path.name for path in asked.out.parent.iterdir() if path.name.endswith(".part")] == []
    return str(caught.value)


sides = st.floats(0.0, 1.0, allow_subnormal=False)
boxes = st.tuples(st.sampled_from(["tin", "jug"]), sides, sides, sides, sides).map(
    lambda one: (
        one[0], min(one[1], one[3]) * 160, min(one[2], one[4]) * 120, max(one[1], one[3]) * 160,
        max(one[2], one[4]) * 120,
    )
)  # fmt: skip


@pytest.mark.parametrize("format_name", FORMATS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=st.lists(boxes, max_size=5))
def test_boxes_survive_whatever_the_format(
    format_name: str, items: list[Item], write_source: SourceWriter, class_map: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    root = tmp_path_factory.mktemp("round")
    source = write_source(format_name, root / "source", {"a.png": items, "b.png": [("tin", 1, 2, 3, 4)]})
    _, folder = imported(source, class_map, root / "out")
    first = folder.pictures[0]
    corners = np.array([item[1:] for item in items]).reshape(-1, 4) / SIZE_PX
    expected = np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], axis=1)
    np.testing.assert_allclose(first.boxes, expected, atol=1e-6)
    wanted = [CLASS_NAMES.index({"tin": "can", "jug": "hdpe"}[item[0]]) for item in items]
    assert first.class_ids.tolist() == wanted


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_format_is_found_out_and_all_parts_are_written(
    format_name: str, write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    source = write_source(format_name, tmp_path / "source", PICTURES)
    assert guess_format(source) == format_name.split()[0]
    report, folder = imported(source, class_map, tmp_path / "out")
    assert (report.picture_count, report.label_count, report.skipped) == (3, 4, ())
    assert [len(picture.boxes) for picture in folder.pictures] == [2, 0, 1]
    np.testing.assert_allclose(folder.pictures[2].ignored, [[0.125, 1 / 6, 0.25, 1 / 3]], atol=1e-6)
    assert folder.complete_for == ("can",)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "images", "labels", "data.yaml", "class_map.toml", "manifest.json", "DATA_SHEET.md"
    }  # fmt: skip


def test_outlines_are_kept_where_an_item_has_one(write_source: SourceWriter, class_map: Path, tmp_path: Path) -> None:
    source = write_source("coco", tmp_path / "source", PICTURES)
    path = source / "annotations" / "instances.json"
    content = json.loads(path.read_text())
    diamond = [10, 40, 30, 20, 50, 40, 30, 60]
    content["annotations"][0]["segmentation"] = [diamond]
    content["annotations"][1]["segmentation"] = [[60, 30, 100, 30, 100, 60], [110, 70, 150, 110, 150, 70]]
    path.write_text(json.dumps(content))
    _, folder = imported(source, class_map, tmp_path / "out")
    outline, box_alone = folder.pictures[0].polygons
    assert outline is not None
    np.testing.assert_allclose(outline * SIZE_PX[:2], np.reshape(diamond, (-1, 2)), atol=1e-6)
    assert box_alone is None


def test_the_manifest_says_what_each_picture_is_and_where_from(
    write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    pictures = {f"cam1_2024-03-04_0{hour}-{minute}-00.png": [] for hour in (7, 8) for minute in (10, 50)}
    pictures["cam1_2024-03-04_07-20-00.png"] = PICTURES["a.jpg"]
    out = tmp_path / "out"
    import_source(request(write_source("yolo", tmp_path / "source", pictures), class_map, out))
    manifest = read_manifest(out)
    assert len(manifest.pictures) == 5
    assert {entry.session.name for entry in manifest.pictures} == {"cam1_20240304_07", "cam1_20240304_08"}
    for entry in manifest.pictures:
        assert entry.sha256 == file_sha256(out / entry.file)
        assert entry.byte_count == (out / entry.file).stat().st_size
        assert (entry.width_px, entry.height_px, entry.source, entry.licence) == (160, 120, "site A", "CC0")
    sheet = (out / "DATA_SHEET.md").read_text()
    for text in ("# Data sheet: out", "| site A | CC0 | 5 |", "| tin | can | 1 |", "complete for: can", "2 sessions"):
        assert text in sheet


def test_a_picture_s_own_licence_comes_before_the_source_s(
    write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    source = write_source("coco", tmp_path / "source", PICTURES)
    path = source / "annotations" / "instances.json"
    content = json.loads(path.read_text())
    content["licenses"] = [{"id": 4, "name": "CC BY 4.0"}]
    content["images"][0]["license"] = 4
    path.write_text(json.dumps(content))
    import_source(request(source, class_map, tmp_path / "out"))
    assert [entry.licence for entry in read_manifest(tmp_path / "out").pictures] == ["CC BY 4.0", "CC0", "CC0"]


def test_what_the_source_calls_unfit_is_ignored_unless_the_map_says_else(
    write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    source = write_source("voc", tmp_path / "source", PICTURES)
    path = source / "Annotations" / "a.xml"
    path.write_text(path.read_text().replace("<difficult>0", "<difficult>1", 1))
    _, folder = imported(source, class_map, tmp_path / "ignored")
    assert (len(folder.pictures[0].boxes), len(folder.pictures[0].ignored)) == (1, 1)
    class_map.write_text(class_map.read_text() + '"tin (difficult)" = "can"\n')
    _, folder = imported(source, class_map, tmp_path / "kept")
    assert (len(folder.pictures[0].boxes), len(folder.pictures[0].ignored)) == (2, 0)


def test_a_turned_rectangle_becomes_the_outline_it_has_on_the_picture(
    write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    source = write_source("label-studio", tmp_path / "source", {"a.png": [("tin", 80, 60, 120, 80)]})
    tasks = json.loads((source / "export.json").read_text())
    tasks[0]["annotations"][0]["result"][0]["value"]["rotation"] = 90.0
    (source / "export.json").write_text(json.dumps(tasks))
    _, folder = imported(source, class_map, tmp_path / "out")
    # 40 × 20 px, turned clockwise by a quarter round (80, 60): x from 60 to 80, y from 60 to 100
    np.testing.assert_allclose(folder.pictures[0].boxes * SIZE_PX, [[70, 80, 20, 40]], atol=1e-4)


def test_tasks_that_nobody_finished_are_left_out(write_source: SourceWriter, class_map: Path, tmp_path: Path) -> None:
    source = write_source("label-studio", tmp_path / "source", PICTURES)
    tasks = json.loads((source / "export.json").read_text())
    tasks[1]["annotations"][0]["was_cancelled"] = True
    tasks[2]["annotations"][0]["result"][0]["type"] = "brushlabels"
    (source / "export.json").write_text(json.dumps(tasks))
    report, folder = imported(source, class_map, tmp_path / "out")
    assert len(folder.pictures) == 1
    unfinished, unknown = report.skipped
    assert unfinished.why == "not annotated yet"
    assert "brushlabels" in unknown.why


@pytest.mark.parametrize("damage", [b"", b"no picture", None])
def test_a_corrupt_picture_is_reported_and_skipped(
    damage: bytes | None, write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    source = write_source("yolo", tmp_path / "source", PICTURES)
    path = source / "images" / "b.jpg"
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    report, folder = imported(source, class_map, tmp_path / "out")
    assert [picture.path.name for picture in folder.pictures] == ["a.jpg", "c.jpg"]
    assert [one.place for one in report.skipped] == ["images/b.jpg"]
    assert read_manifest(tmp_path / "out").skipped == report.skipped
    assert "images/b.jpg" in as_text(report)
    assert "images/b.jpg" in (tmp_path / "out" / "DATA_SHEET.md").read_text()


def test_labels_drawn_on_a_turned_picture_are_reported_and_skipped(
    write_source: SourceWriter, picture_writer: Callable[..., Path], class_map: Path, tmp_path: Path
) -> None:
    source = write_source("coco", tmp_path / "source", PICTURES)
    picture_writer(source / "images" / "a.jpg", 0, (120, 160))
    report, folder = imported(source, class_map, tmp_path / "out")
    assert len(folder.pictures) == 2
    assert "160×120" in report.skipped[0].why
    assert "120×160" in report.skipped[0].why


@pytest.mark.parametrize(
    ("format_name", "file", "old", "new"),
    [
        ("yolo", "labels/a.txt", "0.5", "half"),
        ("yolo", "labels/a.txt", "1 ", "9 "),
        ("voc", "Annotations/a.xml", "</annotation>", ""),
        ("voc", "Annotations/a.xml", "<xmin>10</xmin>", ""),
        ("voc", "Annotations/a.xml", "<xmin>10<", "<xmin>90<"),
        ("voc", "Annotations/a.xml", "a.jpg", "gone.jpg"),
        ("coco", "annotations/instances.json", '"file_name": "a.jpg"', '"file_name": "gone.jpg"'),
        ("coco", "annotations/instances.json", "[10, 20, 40, 40]", "[10, 20, -40, 40]"),
        ("label-studio", "export.json", '"rectanglelabels": ["jug"]', '"rectanglelabels": []'),
        ("label-studio", "export.json", "d-a.jpg", "d-gone.jpg"),
    ],
)
def test_labels_that_cannot_be_used_cost_their_picture_alone(
    format_name: str, file: str, old: str, new: str, write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    source = write_source(format_name, tmp_path / "source", PICTURES)
    text = (source / file).read_text()
    assert old in text
    (source / file).write_text(text.replace(old, new, 1))
    report, folder = imported(source, class_map, tmp_path / "out")
    assert [picture.path.stem[-1] for picture in folder.pictures] == ["b", "c"]
    assert len(report.skipped) == 1
    assert report.skipped[0].why


def test_entities_in_xml_are_refused(write_source: SourceWriter, class_map: Path, tmp_path: Path) -> None:
    source = write_source("voc", tmp_path / "source", PICTURES)
    path = source / "Annotations" / "a.xml"
    bomb = '<!DOCTYPE b [<!ENTITY a "tin"><!ENTITY b "&a;&a;">]>'
    path.write_text(bomb + path.read_text().replace(">tin<", ">&b;<"))
    report, _ = imported(source, class_map, tmp_path / "out")
    assert "XML" in report.skipped[0].why


def test_a_class_map_that_misses_a_class_names_all_it_misses(
    write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    source = write_source("yolo", tmp_path / "source", PICTURES)
    class_map.write_text('[map]\n"tin" = "can"\n')
    message = refusal(request(source, class_map, tmp_path / "out"))
    assert "'jug'" in message
    assert "'hand'" in message


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [('= "hdpe"', '= "hdpee"', "'hdpee'"), ('complete_for = ["can"]', 'complete_for = ["cam"]', "'cam'"),
     ("[map]", "[maps]", "maps"), ("[map]", "[map", "map.toml")],
)  # fmt: skip
def test_a_class_map_with_a_slip_is_refused(
    old: str, new: str, named: str, write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    source = write_source("yolo", tmp_path / "source", PICTURES)
    class_map.write_text(class_map.read_text().replace(old, new))
    assert named in refusal(request(source, class_map, tmp_path / "out"))


def test_a_source_without_a_usable_picture_is_refused(
    write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    source = write_source("coco", tmp_path / "source", PICTURES)
    for path in (source / "images").iterdir():
        path.write_bytes(b"no picture")
    assert "none of 3 pictures" in refusal(request(source, class_map, tmp_path / "out"))
    shutil.rmtree(source / "images")
    assert "no labelled picture" in refusal(request(source, class_map, tmp_path / "out"))


def test_what_looks_like_no_format_or_like_two_is_asked_for(
    write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    assert "--format" in refusal(request(tmp_path / "empty", class_map, tmp_path / "out"))
    assert "nothing is there" in refusal(request(tmp_path / "gone", class_map, tmp_path / "out"))
    (tmp_path / "cut.json").write_text('{"images": [')
    assert "JSON" in refusal(request(tmp_path / "cut.json", class_map, tmp_path / "out"))
    source = write_source("yolo", tmp_path / "source", PICTURES)
    (source / "voc").mkdir()
    (source / "voc" / "a.xml").write_text("<annotation/>")
    assert "yolo and voc" in refusal(request(source, class_map, tmp_path / "out"))


@pytest.mark.parametrize("failing", ["copyfile", "write_text"])
def test_a_full_disk_leaves_nothing_behind(
    failing: str, write_source: SourceWriter, class_map: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_source("yolo", tmp_path / "source", PICTURES)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((shutil, failing) if failing == "copyfile" else (Path, failing)), full)
    message = refusal(request(source, class_map, tmp_path / "out"))
    assert "the disk is full" in message
    assert str(tmp_path / "out") in message


def test_an_interruption_leaves_nothing_behind(
    write_source: SourceWriter, class_map: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_source("yolo", tmp_path / "source", PICTURES)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.data.importing.write_manifest", interrupted)
    before = set(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        import_source(request(source, class_map, tmp_path / "out"))
    assert set(tmp_path.iterdir()) == before


def test_a_folder_that_is_there_is_not_touched(write_source: SourceWriter, class_map: Path, tmp_path: Path) -> None:
    source = write_source("yolo", tmp_path / "source", PICTURES)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(DataFolderError, match="there already"):
        import_source(request(source, class_map, tmp_path / "out"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_links_are_the_same_files(write_source: SourceWriter, class_map: Path, tmp_path: Path) -> None:
    source = write_source("yolo", tmp_path / "source", PICTURES)
    import_source(request(source, class_map, tmp_path / "out", link=True))
    assert (tmp_path / "out" / "images" / "a.jpg").samefile(source / "images" / "a.jpg")


place = st.lists(st.sampled_from(["a", "b", "A", "a__2"]), min_size=1, max_size=3).map("/".join)


@given(st.lists(st.tuples(place, st.sampled_from([".jpg", ".png"])).map("".join), max_size=12))
def test_every_picture_has_a_label_file_of_its_own(places: list[str]) -> None:
    names = stored_names(places)
    assert len({Path(name).stem.lower() for name in names}) == len(places)
    assert [Path(name).suffix for name in names] == [Path(one).suffix for one in places]
    assert not any("/" in name for name in names)


def test_the_command_reports_in_words_and_in_json(write_source: SourceWriter, class_map: Path, tmp_path: Path) -> None:
    source = write_source("coco", tmp_path / "source", PICTURES)
    arguments = [str(source), "--class-map", str(class_map), "--source", "site A", "--licence", "CC0", "--out"]
    said = CliRunner().invoke(import_labels, [*arguments, str(tmp_path / "one")], catch_exceptions=False)
    assert "3 pictures, 4 labels" in said.output
    said = CliRunner().invoke(import_labels, [*arguments, str(tmp_path / "two"), "--json"], catch_exceptions=False)
    assert json.loads(said.output)["picture_count"] == 3


def test_an_export_folder_of_parts_is_read_as_one_source(
    write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    root = tmp_path / "export"
    for part in ("train", "valid"):
        write_source("yolo", root / part, PICTURES)
        (root / part / "data.yaml").unlink()
    (root / "data.yaml").write_text("train: ../train/images\nnc: 3\nnames: ['hand', 'jug', 'tin']\n")
    (root / "README.txt").write_text("exported")
    report, folder = imported(root, class_map, tmp_path / "out")
    assert report.picture_count == 6
    names = [picture.path.name for picture in folder.pictures]
    assert names[:2] == ["train__images__a.jpg", "train__images__b.jpg"]
    assert [len(picture.boxes) for picture in folder.pictures] == [2, 0, 1] * 2


def test_labels_beside_the_pictures_are_read(write_source: SourceWriter, class_map: Path, tmp_path: Path) -> None:
    flat = write_source("yolo", tmp_path / "source", PICTURES)
    for path in (*(flat / "labels").iterdir(), *(flat / "images").iterdir()):
        path.rename(flat / path.name)
    (flat / "data.yaml").unlink()
    (flat / "classes.txt").write_text("hand\njug\ntin\n")
    _, folder = imported(flat, class_map, tmp_path / "out")
    assert [len(picture.boxes) for picture in folder.pictures] == [2, 0, 1]


def test_pictures_may_lie_elsewhere(write_source: SourceWriter, class_map: Path, tmp_path: Path) -> None:
    for number, (format_name, kind) in enumerate({"yolo": "images", "coco": "images", "voc": "JPEGImages"}.items()):
        source = write_source(format_name, tmp_path / f"source{number}", PICTURES)
        (source / kind).rename(tmp_path / f"pictures{number}")
        report, _ = imported(source, class_map, tmp_path / f"out{number}", pictures=tmp_path / f"pictures{number}")
        assert (report.picture_count, report.label_count, report.skipped) == (3, 4, ())


def test_a_size_that_the_labels_do_not_state_is_the_picture_s(
    write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    coco = write_source("coco", tmp_path / "coco", PICTURES)
    path = coco / "annotations" / "instances.json"
    path.write_text(path.read_text().replace('"width": 160, "height": 120', '"width": 0'))
    voc = write_source("voc", tmp_path / "voc", PICTURES)
    for path in (voc / "Annotations").iterdir():
        path.write_text(path.read_text().replace("<width>160<", "<width>0<"))
    for number, source in enumerate((coco, voc)):
        _, folder = imported(source, class_map, tmp_path / f"out{number}")
        np.testing.assert_allclose(folder.pictures[0].boxes[0] * SIZE_PX, [30, 40, 40, 40], atol=1e-6)


def test_crowds_are_ignored_and_outlines_without_a_box_have_the_box_around_them(
    write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    source = write_source("coco", tmp_path / "source", PICTURES)
    path = source / "annotations" / "instances.json"
    content = json.loads(path.read_text())
    content["annotations"][0] |= {"iscrowd": 1, "segmentation": {"counts": [0, 9], "size": [120, 160]}}
    content["annotations"][1] |= {"bbox": [], "segmentation": [[60, 30, 150, 30, 150, 110]]}
    path.write_text(json.dumps(content))
    _, folder = imported(source, class_map, tmp_path / "out")
    np.testing.assert_allclose(folder.pictures[0].ignored * SIZE_PX, [[30, 40, 40, 40]], atol=1e-6)
    np.testing.assert_allclose(folder.pictures[0].boxes * SIZE_PX, [[105, 70, 90, 80]], atol=1e-6)


def test_label_studio_s_other_ways_to_say_the_same_are_understood(
    write_source: SourceWriter, class_map: Path, tmp_path: Path
) -> None:
    source = write_source("label-studio", tmp_path / "source", {"a.jpg": [("tin", 80, 60, 120, 90)], "b.jpg": []})
    task, turned = json.loads((source / "export.json").read_text())
    named = task["annotations"][0]["result"][0]
    value = named["value"]
    labels = value.pop("rectanglelabels")
    task["annotations"][0]["result"] = [named | {"type": "rectangle"}, named | {"type": "labels"}]
    task["annotations"][0]["result"][1] = named | {"type": "labels", "value": value | {"labels": labels}}
    task["completions"] = task.pop("annotations")
    task["data"] = {"note": "dirty/wet", "picture": "/data/local-files/?d=media/1a2b3c4d-a.jpg"}
    turned["annotations"][0]["result"] = [named | {"type": "rectanglelabels", "image_rotation": 90}]
    (source / "export.json").write_text(json.dumps([task, turned]))
    report, folder = imported(source, class_map, tmp_path / "out")
    np.testing.assert_allclose(folder.pictures[0].boxes * SIZE_PX, [[100, 75, 40, 30]], atol=1e-6)
    assert [one.why for one in report.skipped] == ["was labelled on a turned view of the picture"]


def test_json_min_is_refused_by_name(class_map: Path, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps([{"image": "/a.jpg", "annotation_id": 1, "annotator": 1, "label": []}]))
    assert "JSON-MIN" in refusal(request(path, class_map, tmp_path / "out"))
