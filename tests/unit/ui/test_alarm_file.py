"""Alarms outlive the page's process, and no file, disk or clock keeps the page from showing them."""

import errno
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorter.model.units import NS_PER_S
from sorter.policy.alarms import AlarmState, Condition, Priority, ShelfReason
from sorter.runtime.clock import ManualClock
from ui import alarm_desk, alarm_file
from ui.alarm_desk import AlarmDesk
from ui.alarm_file import RETRY_AFTER_NS, AlarmFile

AIR = Condition("no_air", "line", Priority.HIGH)
PET = Condition("purity_low", "pet", Priority.MEDIUM, "59% < 60%")
HDPE = Condition("purity_low", "hdpe", Priority.MEDIUM)
THERE = [AIR, PET]
START_NS = 10**12
WALL_MS = 1_700_000_000_000


class Machine:
    """Clocks and a disk that outlive a page's process."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.path = folder / "state" / "alarms.json"
        self.clock = ManualClock(START_NS)
        self.wall_ms, self.boot_id = WALL_MS, "first"
        self.write_count = 0
        self.is_full = False
        patch.setattr("sorter.runtime.stamp.wall_ms", lambda: self.wall_ms)
        patch.setattr("sorter.runtime.stamp._machine_boot_id", lambda: self.boot_id)
        patch.setattr(alarm_file, "write_whole_file", self._counting(alarm_file.write_whole_file))

    def desk(self) -> AlarmDesk:
        """What a page's process that begins now makes of it."""
        return AlarmDesk(self.clock, AlarmFile(self.path))

    def pass_s(self, seconds: int) -> None:
        self.clock.wait_until_ns(self.clock.now_ns() + seconds * NS_PER_S)
        self.wall_ms += 1000 * seconds

    def restart(self, off_ms: int) -> None:
        """Off and on again, the wall clock so much later."""
        self.clock, self.boot_id = ManualClock(7 * NS_PER_S), "second"
        self.wall_ms += off_ms

    def _counting(self, write: Callable[[Path, bytes], None]) -> Callable[[Path, bytes], None]:
        def counted(path: Path, data: bytes) -> None:
            self.write_count += 1
            if self.is_full:
                raise OSError(errno.ENOSPC, "No space left on device")
            write(path, data)

        return counted


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Machine:
    caplog.set_level(logging.INFO, "ui")
    return Machine(tmp_path, monkeypatch)


def look(desk: AlarmDesk) -> dict[str, AlarmState]:
    return {alarm.condition.key: alarm.state for alarm in desk.alarms()[0]}


def with_one_of_each(machine: Machine) -> AlarmDesk:
    """One alarm acknowledged, one shelved for a quarter of an hour, one over and unseen."""
    desk = machine.desk()
    desk.step([AIR, PET, HDPE])
    desk.acknowledge(AIR.key, "Omar")
    desk.shelve(PET.key, 900 * NS_PER_S, ShelfReason.SENSOR, "Omar")
    desk.step(THERE)
    desk.keep()
    return desk


AS_THEY_WERE = {
    AIR.key: AlarmState.ACKNOWLEDGED,
    PET.key: AlarmState.SHELVED,
    HDPE.key: AlarmState.RETURNED,
}


def test_a_new_process_shows_what_the_old_one_did(machine: Machine) -> None:
    before = with_one_of_each(machine)
    after = machine.desk()
    assert after.alarms() == before.alarms()
    after.step(THERE)
    assert after.alarms() == before.alarms()
    assert look(after) == AS_THEY_WERE


def test_what_an_operator_does_is_on_the_disk_when_it_is_answered(machine: Machine) -> None:
    desk = machine.desk()
    desk.step(THERE)
    desk.acknowledge_all([AIR.key, PET.key], "Omar")
    assert look(machine.desk()) == {AIR.key: AlarmState.ACKNOWLEDGED, PET.key: AlarmState.ACKNOWLEDGED}
    assert machine.write_count == 1
    desk.shelve(PET.key, NS_PER_S, ShelfReason.SENSOR, "Omar")
    assert look(machine.desk())[PET.key] is AlarmState.SHELVED
    desk.unshelve(PET.key)
    assert look(machine.desk())[PET.key] is AlarmState.UNACKNOWLEDGED


def test_it_is_written_when_an_alarm_changes_and_not_with_every_state(machine: Machine) -> None:
    desk = machine.desk()
    for tick in range(100):
        desk.step([AIR, msgspec.structs.replace(PET, detail=f"{tick}% < 60%")])
        desk.keep()
        machine.pass_s(1)
    assert machine.write_count == 1
    desk.step([AIR])
    desk.keep()
    assert machine.write_count == 2


@pytest.mark.parametrize("jump_ms", [-(10**11), 10**11])
def test_while_the_machine_is_on_a_jump_of_the_wall_clock_moves_no_shelving(machine: Machine, jump_ms: int) -> None:
    with_one_of_each(machine)
    machine.pass_s(300)
    machine.wall_ms += jump_ms
    after = machine.desk()
    after.step(THERE)
    assert look(after) == AS_THEY_WERE
    machine.pass_s(599)
    after.step(THERE)
    assert look(after)[PET.key] is AlarmState.SHELVED
    machine.pass_s(1)
    after.step(THERE)
    assert look(after)[PET.key] is AlarmState.UNACKNOWLEDGED


@pytest.mark.parametrize(("off_ms", "is_shelved"), [(899_999, True), (900_000, False), (-1, False), (10**13, False)])
def test_after_the_machine_was_off_a_shelving_ends_when_its_time_is_up_or_unknown(
    machine: Machine, off_ms: int, is_shelved: bool
) -> None:
    with_one_of_each(machine)
    machine.restart(off_ms)
    after = machine.desk()
    after.step(THERE)
    assert look(after) == AS_THEY_WERE | ({} if is_shelved else {PET.key: AlarmState.UNACKNOWLEDGED})
    after.keep()
    assert machine.desk().alarms() == after.alarms()


def test_a_clock_that_wakes_in_1970_and_then_jumps_to_the_present_loses_no_alarm(machine: Machine) -> None:
    machine.wall_ms = 60_000
    with_one_of_each(machine)
    machine.restart(WALL_MS)
    after = machine.desk()
    after.step(THERE)
    after.keep()
    machine.restart(1000)
    assert look(machine.desk()) == AS_THEY_WERE | {PET.key: AlarmState.UNACKNOWLEDGED}


def test_the_line_is_asked_before_an_alarm_is_over(machine: Machine) -> None:
    with_one_of_each(machine)
    after = machine.desk()
    after.step([], lambda _condition: False)
    assert look(after) == AS_THEY_WERE
    after.step([AIR], lambda condition: condition.code == "no_air")
    assert look(after) == AS_THEY_WERE
    after.step([], lambda _condition: True)
    assert look(after) == {PET.key: AlarmState.SHELVED, HDPE.key: AlarmState.RETURNED}


def test_a_page_of_an_earlier_life_takes_no_list_for_its_own(machine: Machine) -> None:
    old = machine.desk()
    shown = {old.step([]).version, old.step(THERE).version}
    machine.pass_s(1)
    assert machine.desk().step(THERE).version > max(shown)


def test_a_missing_file_is_said_once(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    desk = machine.desk()
    desk.step(THERE)
    desk.step(THERE)
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert str(machine.path) in caplog.text


@given(data=st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_the_file_the_page_begins_and_goes_on(machine: Machine, data: st.DataObject) -> None:
    with_one_of_each(machine)
    whole = machine.path.read_bytes()
    damage = data.draw(st.sampled_from(["cut", "changed", "else"]))
    if damage == "else":
        machine.path.write_bytes(data.draw(st.binary(max_size=40)))
    else:
        at = data.draw(st.integers(0, len(whole) - 1))
        new = b"" if damage == "cut" else data.draw(st.binary(min_size=1, max_size=3)) + whole[at + 1 :]
        machine.path.write_bytes(whole[:at] + new)
    desk = machine.desk()
    desk.step([AIR, PET, HDPE])
    assert set(look(desk)) >= {AIR.key, PET.key, HDPE.key}
    desk.keep()
    assert machine.desk().alarms() == desk.alarms()
    machine.path.unlink()


@pytest.mark.parametrize("damaged", [b"", b"{", b'{"written": 1}', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_said_once_and_replaced(
    machine: Machine, damaged: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    machine.path.parent.mkdir()
    machine.path.write_bytes(damaged)
    desk = machine.desk()
    for _ in range(3):
        desk.step(THERE)
        desk.keep()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "cannot be read" in caplog.text
    assert machine.desk().alarms() == desk.alarms()


def test_a_full_disk_is_said_once_and_alarms_go_on_in_memory_until_it_takes_them(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    desk = machine.desk()
    caplog.clear()
    machine.is_full = True
    for second in range(3 * RETRY_AFTER_NS // NS_PER_S):
        desk.step([AIR] if second % 2 else THERE)
        desk.keep()
        machine.pass_s(1)
    assert desk.acknowledge(AIR.key, "Omar")
    assert look(desk)[AIR.key] is AlarmState.ACKNOWLEDGED
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "No space left" in caplog.text
    assert 3 <= machine.write_count <= 4
    machine.is_full = False
    machine.pass_s(RETRY_AFTER_NS // NS_PER_S)
    desk.keep()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert machine.desk().alarms() == desk.alarms()


def test_a_desk_without_a_file_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm_desk, "kept", lambda _book: pytest.fail("nothing is to be kept"))
    desk = AlarmDesk(ManualClock(START_NS))
    desk.step(THERE)
    assert desk.acknowledge(AIR.key, "Omar")
