"""A file is the old one or the new one, and its owner's alone."""

import errno
import stat
from pathlib import Path

import pytest

from sorter.runtime.whole_file import write_whole_file


def test_it_is_replaced_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "file"
    left = path.with_name("file.new")
    left.parent.mkdir()
    left.write_bytes(b"half of what was to be writt")
    left.chmod(0o644)
    for data in (b"a longer text", b"short"):
        write_whole_file(path, data)
        assert path.read_bytes() == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_one_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole_file(path, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sorter.runtime.whole_file.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole_file(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
