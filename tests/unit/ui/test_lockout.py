"""No restart, of the page or of the machine, forgives a wrong PIN."""

import errno
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorter.model.units import NS_PER_S
from sorter.runtime.stamp import Stamp
from ui.access import lockout
from ui.access.lockout import Lockout

START_NS = 10**12


def moment(now_ns: int, boot_id: str = "first") -> Stamp:
    return Stamp(now_ns, 10**12, boot_id)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lockout, "stamp", moment)
    return tmp_path / "wrong_pins.json"


def wrong(path: Path, times: int, now_ns: int = START_NS) -> None:
    """So many wrong PINs, and the page is killed after each."""
    for _ in range(times):
        Lockout(path, moment(now_ns)).note_wrong("Omar", now_ns)


def locked_s(path: Path, now_ns: int, boot_id: str = "first") -> int:
    return Lockout(path, moment(now_ns, boot_id)).locked_for_s("Omar", now_ns)


def test_wrong_pins_count_on_over_restarts_and_only_their_owner_may_read_them(path: Path) -> None:
    wrong(path, 4)
    assert locked_s(path, START_NS) == 0
    wrong(path, 1)
    assert locked_s(path, START_NS) == 30
    assert Lockout(path, moment(START_NS)).locked_for_s("Ada", START_NS) == 0
    assert locked_s(path, START_NS + 29 * NS_PER_S) == 1
    assert locked_s(path, START_NS + 30 * NS_PER_S) == 0
    wrong(path, 1, START_NS + 30 * NS_PER_S)
    assert locked_s(path, START_NS + 30 * NS_PER_S) == 60
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_right_pin_ends_the_row_and_that_lasts_too(path: Path) -> None:
    wrong(path, 4)
    Lockout(path, moment(START_NS)).forgive("Omar", START_NS)
    wrong(path, 4)
    assert locked_s(path, START_NS) == 0


@given(wrong_count=st.integers(5, 14), off_at_s=st.integers(0, 1000), now_s=st.integers(0, 2000))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_restart_of_the_machine_shortens_no_lock_and_begins_it_anew_at_most(
    path: Path, wrong_count: int, off_at_s: int, now_s: int
) -> None:
    path.unlink(missing_ok=True)
    wrong(path, wrong_count)
    whole_s = min(30 * 2 ** (wrong_count - 5), 900)
    assert locked_s(path, START_NS + off_at_s * NS_PER_S) == max(0, whole_s - off_at_s)
    assert locked_s(path, now_s * NS_PER_S, "second") == whole_s


def test_a_damaged_file_stops_nobody(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(b'{"written": {}, "tries": ')
    assert locked_s(path, START_NS) == 0
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    wrong(path, 5)
    assert locked_s(path, START_NS) == 30


def test_a_full_disk_is_said_once_and_locks_go_on_in_memory(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lockout, "write_whole_file", full)
    counting = Lockout(path, moment(START_NS))
    for _ in range(5):
        counting.note_wrong("Omar", START_NS)
    assert counting.locked_for_s("Omar", START_NS) == 30
    assert [record.levelname for record in caplog.records] == ["WARNING"]
