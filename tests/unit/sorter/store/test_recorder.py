"""The writing thread: what is put is durable after closing, and its death does not pass unnoticed."""

from pathlib import Path

import pytest

from sorter.model.condition import Mode
from sorter.model.events import ModeTime
from sorter.model.settings import StoreSettings
from sorter.runtime.clock import SystemClock, wall_ms
from sorter.store.keeping import Keeping
from sorter.store.protocol import Position
from sorter.store.recorder import Recorder
from sorter.store.sqlite_reader import SqliteReader


def second(seq: int) -> ModeTime:
    return ModeTime(device_id="n", boot_id="a", seq=seq, at_ms=wall_ms(), mode=Mode.EXECUTE, duration_ms=1000)


def test_closing_writes_all_that_waits(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    recorder = Recorder(Keeping(path, StoreSettings(min_free_mib=0)), SystemClock())
    for seq in range(1, 12_001):
        recorder.put(second(seq))
    recorder.close()
    assert recorder.trouble is None
    reader = SqliteReader(path)
    assert len(reader.written_after(Position(), 20_000)) == 12_000
    reader.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_recorder_that_died_is_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class BrokenKeeping(Keeping):
        def step(self, now_ns: int, wall_ms: int) -> None:  # noqa: ARG002 - as its parent's
            raise ZeroDivisionError

    monkeypatch.setattr("sorter.store.recorder._BATCH_S", 0.01)
    recorder = Recorder(BrokenKeeping(tmp_path / "events.sqlite", StoreSettings()), SystemClock())
    recorder._thread.join(10.0)
    assert recorder.trouble is not None
    assert "has died" in recorder.trouble.detail
    recorder.put(second(1))
    recorder.close()
