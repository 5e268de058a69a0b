"""The line's memory: trouble with the store is a fault that holds nothing, and a store may be left out."""

from pathlib import Path
from typing import Any

from sorter.line_memory import LineMemory
from sorter.model.condition import HealthStatus, Mode, ModeState
from sorter.model.settings import Settings, StoreSettings
from sorter.runtime.clock import SystemClock
from sorter.store.place import store_path

IDLE = ModeState(Mode.IDLE, 0, "power-up", "r")


class Context:
    """What of a process's context the memory uses."""

    def __init__(self, store: StoreSettings) -> None:
        self.settings = Settings(line_name="hall 2/north", store=store)
        self.clock = SystemClock()
        self.boot_id = "boot"
        self.faults: list[tuple[str, HealthStatus]] = []
        self.cleared: list[str] = []

    def raise_fault(self, code: str, _detail: str, status: HealthStatus) -> None:
        self.faults.append((code, status))

    def clear_fault(self, code: str) -> None:
        self.cleared.append(code)


def memory_of(context: Any) -> LineMemory:
    return LineMemory(context)


def test_a_store_that_cannot_be_opened_degrades_the_process_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    context = Context(StoreSettings(folder=str(tmp_path / "file" / "store")))
    memory = memory_of(context)
    memory.step(IDLE, context.clock.now_ns())
    memory.close()
    for _ in range(3):
        memory.step(IDLE, context.clock.now_ns())
    assert context.faults == [("store_fault", HealthStatus.DEGRADED)]
    assert memory.figures()["store_stored_count"] == 0.0


def test_a_store_that_is_left_out_writes_nothing_and_is_no_fault(tmp_path: Path) -> None:
    context = Context(StoreSettings(enabled=False, folder=str(tmp_path / "store")))
    memory = memory_of(context)
    memory.step(IDLE, context.clock.now_ns())
    memory.close()
    assert not (tmp_path / "store").exists()
    assert (context.faults, memory.figures()) == ([], {})


def test_without_a_folder_each_line_has_one_of_its_own_in_the_users_data(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert store_path(Settings(line_name="hall 2/north")) == tmp_path / "farz" / "hall_2_north" / "events.sqlite"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store_path(Settings()).is_relative_to(tmp_path / ".local" / "share" / "farz")
