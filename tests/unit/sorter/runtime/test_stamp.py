"""How much time has passed, by the clock that can be believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.runtime import stamp as stamps
from sorter.runtime.stamp import Stamp, passed_ns, stamp

YEAR_MS = 365 * 24 * 3600 * 1000


@given(jump_ms=st.integers(-(10**12), 10**12), passed=st.integers(0, 10**15))
def test_while_the_machine_is_on_a_wall_clock_that_jumps_changes_nothing(jump_ms: int, passed: int) -> None:
    since = Stamp(7, 2 * 10**12, "boot")
    assert passed_ns(since, Stamp(7 + passed, 2 * 10**12 + jump_ms, "boot")) == passed


@pytest.mark.parametrize("boots", [("one", "another"), ("", ""), ("one", "")])
def test_after_a_restart_of_the_machine_the_wall_clock_tells(boots: tuple[str, str]) -> None:
    since = Stamp(10**15, 5_000, boots[0])
    assert passed_ns(since, Stamp(NS_PER_S, 65_000, boots[1])) == 60_000 * NS_PER_MS


@pytest.mark.parametrize("jump_ms", [-1, -YEAR_MS, 11 * YEAR_MS])
def test_a_wall_clock_that_has_clearly_jumped_tells_nothing(jump_ms: int) -> None:
    assert passed_ns(Stamp(0, 20 * YEAR_MS, "one"), Stamp(0, 20 * YEAR_MS + jump_ms, "another")) is None


def test_a_line_clock_that_has_gone_back_is_not_believed() -> None:
    assert passed_ns(Stamp(NS_PER_S, 1000, "boot"), Stamp(0, 3000, "boot")) == 2 * NS_PER_S


def test_two_stamps_of_one_machine_know_that_it_was_on(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    first = stamp(5)
    assert first.machine_boot_id == stamp(6).machine_boot_id != ""
    assert first.wall_ms <= stamp(6).wall_ms
    monkeypatch.setattr(stamps, "_BOOT_ID", tmp_path / "missing")
    assert stamp(5).machine_boot_id == ""
