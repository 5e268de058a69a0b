"""Chores wait for shots, but not for ever."""

from actuators.chores import Chores
from sorter.model.units import NS_PER_MS


def chores() -> tuple[Chores, list[str]]:
    done: list[str] = []
    both = [
        (100 * NS_PER_MS, lambda _now: done.append("often")),
        (1000 * NS_PER_MS, lambda _now: done.append("seldom")),
    ]
    return Chores(both), done


def test_one_a_step_and_each_in_its_period() -> None:
    both, done = chores()
    for now_ms in range(0, 2000, 5):
        before_count = len(done)
        both.step(10**9 + now_ms * NS_PER_MS, None)
        assert len(done) <= before_count + 1
    assert done.count("often") == 20
    assert done.count("seldom") == 2


def test_a_shot_that_is_near_comes_first() -> None:
    both, done = chores()
    both.step(10**9, 10**9 + 100 * NS_PER_MS)
    both.step(10**9, 10**9 + 100 * NS_PER_MS)
    done.clear()
    start_ns = 10**9 + 100 * NS_PER_MS
    for now_ms in range(0, 500, 5):
        both.step(start_ns + now_ms * NS_PER_MS, start_ns + (now_ms + 2) * NS_PER_MS)
    assert done == []
    both.step(start_ns + 501 * NS_PER_MS, start_ns + 502 * NS_PER_MS)
    assert done == ["often"]
