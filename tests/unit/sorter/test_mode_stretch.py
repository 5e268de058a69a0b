"""Stretches of time: every millisecond belongs to one minute and is told once, whatever the wall clock does."""

from hypothesis import given
from hypothesis import strategies as st

from sorter.mode_stretch import ModeStretch
from sorter.model.condition import Mode

MINUTE_MS = 60_000


@given(st.integers(0, 10**12), st.integers(0, 10**13), st.integers(0, 10**12))
def test_pieces_add_up_and_none_reaches_over_the_end_of_a_minute(
    began_wall_ms: int, began_ns: int, lasts_ns: int
) -> None:
    pieces = list(ModeStretch(Mode.EXECUTE, began_ns, began_wall_ms).pieces(began_ns + lasts_ns))
    assert sum(duration_ms for _, duration_ms in pieces) == lasts_ns // 1_000_000
    for at_ms, duration_ms in pieces:
        assert duration_ms > 0
        assert (at_ms - 1) // MINUTE_MS == (at_ms - duration_ms) // MINUTE_MS


@given(st.lists(st.integers(1, 15_000_000_000), min_size=1, max_size=20))
def test_stretches_that_follow_each_other_lose_no_time_to_rounding(lengths_ns: list[int]) -> None:
    now_ns, told_ms = 0, 0
    stretch = ModeStretch(Mode.EXECUTE, 0, 0)
    for length_ns in lengths_ns:
        now_ns += length_ns
        told_ms += sum(duration_ms for _, duration_ms in stretch.pieces(now_ns))
        stretch = stretch.next_one(now_ns, now_ns // 1_000_000)
    assert told_ms == now_ns // 1_000_000


def test_a_wall_clock_that_jumps_dates_the_next_stretch_and_changes_no_length() -> None:
    stretch = ModeStretch(Mode.EXECUTE, 0, 1_000_000)
    after = stretch.next_one(10_000_000_000, 400_000)
    assert list(after.pieces(15_000_000_000)) == [(405_000, 5_000)]


def test_a_small_correction_of_the_clock_leaves_no_seam() -> None:
    after = ModeStretch(Mode.IDLE, 0, 1_000_000).next_one(10_000_000_000, 1_010_050)
    assert list(after.pieces(11_000_000_000)) == [(1_011_000, 1_000)]
