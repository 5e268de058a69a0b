"""The shelf of models: one champion at a time, replaced in one step, and the way back always open."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.errors import ShelfError
from sorter.runtime.model_shelf import Champion, ModelShelf, champion_folder, is_shelf


def put(shelf: ModelShelf, tmp_path: Path, model_id: str, content: bytes = b"network") -> None:
    """Shelve a bundle and make it the champion."""
    source = tmp_path / "source" / model_id
    source.mkdir(parents=True, exist_ok=True)
    (source / "net.onnx").write_bytes(content)
    before = shelf.champion()
    with shelf.changing():
        with shelf.taking_in(source) as part:
            shelf.shelve(part, model_id)
        earlier = (*before.earlier, before.model_id) if before else ()
        shelf.point_to(Champion(model_id, earlier, "site", "2026-01-01T00:00:00+00:00"))


def journal(shelf: ModelShelf) -> list[dict[str, object]]:
    return [json.loads(line) for line in (shelf.folder / "journal.jsonl").read_text().splitlines()]


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    return ModelShelf(tmp_path / "models")


def test_a_shelf_begins_without_a_champion(shelf: ModelShelf) -> None:
    assert shelf.champion() is None
    assert shelf.model_ids() == []
    assert not is_shelf(shelf.folder)
    assert champion_folder(shelf.folder) == shelf.folder


def test_the_champion_s_folder_is_what_the_shelf_stands_for(shelf: ModelShelf, tmp_path: Path) -> None:
    put(shelf, tmp_path, "a")
    put(shelf, tmp_path, "b", b"better")
    assert is_shelf(shelf.folder)
    assert (champion_folder(shelf.folder) / "net.onnx").read_bytes() == b"better"
    assert shelf.model_ids() == ["a", "b"]


def test_the_copy_does_not_follow_its_source(shelf: ModelShelf, tmp_path: Path) -> None:
    put(shelf, tmp_path, "a")
    (tmp_path / "source" / "a" / "net.onnx").write_bytes(b"changed")
    copy = shelf.bundle_folder("a") / "net.onnx"
    assert copy.read_bytes() == b"network"
    assert copy.stat().st_mode & 0o222 == 0


def test_roll_back_returns_step_by_step_and_keeps_what_it_leaves(shelf: ModelShelf, tmp_path: Path) -> None:
    for model_id in "abc":
        put(shelf, tmp_path, model_id)
    assert shelf.roll_back().model_id == "b"
    assert shelf.roll_back().model_id == "a"
    with pytest.raises(ShelfError, match="no earlier champion"):
        shelf.roll_back()
    assert shelf.model_ids() == ["a", "b", "c"]
    assert [(entry["from"], entry["to"]) for entry in journal(shelf)] == [("c", "b"), ("b", "a")]
    champion = shelf.champion()
    assert champion is not None
    assert champion.site_set_sha256 == "site"


@given(names=st.lists(st.sampled_from("abcd"), min_size=1, max_size=6), steps=st.integers(0, 6))
def test_rolling_back_undoes_promotions_in_reverse(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], steps: int
) -> None:
    tmp_path = tmp_path_factory.mktemp("shelf")
    shelf = ModelShelf(tmp_path / "models")
    for name in names:
        put(shelf, tmp_path, name)
    for _ in range(min(steps, len(names) - 1)):
        shelf.roll_back()
    champion = shelf.champion()
    assert champion is not None
    assert [*champion.earlier, champion.model_id] == names[: len(names) - min(steps, len(names) - 1)]


def test_the_same_bundle_may_come_again_but_not_another_under_its_name(shelf: ModelShelf, tmp_path: Path) -> None:
    put(shelf, tmp_path, "a")
    put(shelf, tmp_path, "a")
    with pytest.raises(ShelfError, match="new version"):
        put(shelf, tmp_path, "a", b"other")
    assert (shelf.bundle_folder("a") / "net.onnx").read_bytes() == b"network"


def test_a_copy_that_was_not_shelved_leaves_nothing(shelf: ModelShelf, tmp_path: Path) -> None:
    put(shelf, tmp_path, "a")
    with shelf.changing(), pytest.raises(RuntimeError), shelf.taking_in(tmp_path / "source" / "a"):
        raise RuntimeError("refused")
    assert [entry.name for entry in (shelf.folder / "bundles").iterdir()] == ["a"]


def test_a_half_written_copy_or_pointer_is_never_taken_for_whole(shelf: ModelShelf, tmp_path: Path) -> None:
    """What a crash leaves behind: the next change clears it."""
    put(shelf, tmp_path, "a")
    (shelf.folder / "bundles" / "77.part").mkdir()
    (shelf.folder / "champion.part").write_text("{")
    assert shelf.model_ids() == ["a"]
    put(shelf, tmp_path, "b")
    assert champion_folder(shelf.folder).name == "b"


def test_two_cannot_change_it_at_once(shelf: ModelShelf) -> None:
    with (
        shelf.changing(),
        pytest.raises(ShelfError, match="somebody else"),
        ModelShelf(shelf.folder).changing(),
    ):
        pass


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"model_id": 1}', b'{"model_id": "../x"}', b"\xff"])
def test_a_broken_pointer_is_refused_in_one_sentence(shelf: ModelShelf, content: bytes) -> None:
    shelf.folder.mkdir()
    shelf.pointer_path.write_bytes(content)
    with pytest.raises(ShelfError, match=r"champion\.json cannot be read") as caught:
        shelf.champion()
    assert "\n" not in str(caught.value)


def test_a_pointer_cannot_lead_out_of_the_shelf(shelf: ModelShelf) -> None:
    shelf.folder.mkdir()
    pointer = Champion("../../etc", (), "site", "now")
    shelf.pointer_path.write_bytes(msgspec.json.encode(pointer))
    with pytest.raises(ShelfError, match="cannot be read"):
        shelf.champion()


def test_roll_back_to_a_bundle_that_is_gone_changes_nothing(shelf: ModelShelf, tmp_path: Path) -> None:
    put(shelf, tmp_path, "a")
    put(shelf, tmp_path, "b")
    shelf.bundle_folder("a").rename(tmp_path / "elsewhere")
    with pytest.raises(ShelfError, match="not there any more"):
        shelf.roll_back()
    assert champion_folder(shelf.folder).name == "b"


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ShelfError, match="cannot be written"), ModelShelf(tmp_path / "file").changing():
        pass


@pytest.mark.parametrize("name", ["../a", "a/b", ".a", ""])
def test_a_bundle_whose_name_leads_elsewhere_is_refused(shelf: ModelShelf, tmp_path: Path, name: str) -> None:
    put(shelf, tmp_path, "a")
    with (
        shelf.changing(),
        shelf.taking_in(tmp_path / "source" / "a") as part,
        pytest.raises(ShelfError, match="folder's name"),
    ):
        shelf.shelve(part, name)
