"""What each nozzle has been doing: on-time within the window, and the memory that this takes."""

from hypothesis import given
from hypothesis import strategies as st

from actuators.nozzle_use import NozzleUse

NOZZLE = ("pet", 3)


def test_an_earlier_shot_s_beginning_counts() -> None:
    use = NozzleUse(window_ns=1000)
    assert use.energise(NOZZLE, 100) == 100
    assert use.energise(NOZZLE, 150) == 100
    assert set(use.open_nozzles) == {NOZZLE}
    assert use.held_ns(NOZZLE, 180) == 80
    use.release(NOZZLE, 200)
    assert not use.open_nozzles
    assert use.held_ns(NOZZLE, 250) == 0
    assert use.shot_counts == {NOZZLE: 2}
    assert use.total_on_ns == {NOZZLE: 100}


def test_releasing_what_is_closed_is_harmless() -> None:
    use = NozzleUse(window_ns=1000)
    use.release(NOZZLE, 100)
    assert use.on_time_ns(NOZZLE, 100) == 0
    assert not use.is_resting(NOZZLE, 50, 100)


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), max_size=30), st.integers(0, 500), st.booleans())
def test_on_time_is_what_an_instant_by_instant_count_gives(
    pulses: list[tuple[int, int]], wait_ns: int, is_left_open: bool
) -> None:
    use, now_ns, energised = NozzleUse(window_ns=700), 0, set[int]()
    for index, (gap_ns, length_ns) in enumerate(pulses):
        use.energise(NOZZLE, now_ns := now_ns + gap_ns)
        if is_left_open and index == len(pulses) - 1:
            energised |= set(range(now_ns, now_ns + length_ns + wait_ns))
            now_ns += length_ns
            break
        energised |= set(range(now_ns, now_ns + length_ns))
        use.release(NOZZLE, now_ns := now_ns + length_ns)
    now_ns += wait_ns
    assert use.on_time_ns(NOZZLE, now_ns) == len([instant for instant in energised if instant >= now_ns - 700])


def test_memory_is_bounded_by_the_window() -> None:
    use = NozzleUse(window_ns=1000)
    for start_ns in range(0, 1_000_000, 20):
        use.energise(NOZZLE, start_ns)
        use.release(NOZZLE, start_ns + 10)
    assert len(use._pulses_ns[NOZZLE]) <= 51
    assert use.total_on_ns[NOZZLE] == 500_000
