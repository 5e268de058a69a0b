"""Permission to fire: fresh, from the present life, and forgotten when the link is lost."""

from actuators.permission import Permission
from sorter.model.condition import Mode
from sorter.model.units import NS_PER_S


def test_held_until_told() -> None:
    assert Permission().mode("life", 0) is Mode.HELD


def test_the_newest_mode_of_the_present_life_counts() -> None:
    permission = Permission()
    permission.hear(Mode.EXECUTE, "life", 100)
    assert permission.mode("life", 100) is Mode.EXECUTE
    assert permission.mode("other", 100) is Mode.HELD
    assert permission.mode(None, 100) is Mode.HELD
    permission.hear(Mode.IDLE, "life", 50)  # overtaken on the way
    assert permission.mode("life", 100) is Mode.EXECUTE
    permission.hear(Mode.ABORTED, "life", 150)
    assert permission.mode("life", 150) is Mode.ABORTED


def test_it_goes_stale_after_three_seconds() -> None:
    permission = Permission()
    permission.hear(Mode.EXECUTE, "life", 0)
    assert permission.mode("life", 3 * NS_PER_S) is Mode.EXECUTE
    assert permission.mode("life", 3 * NS_PER_S + 1) is Mode.HELD


def test_withdrawn_it_must_be_given_anew() -> None:
    permission = Permission()
    permission.hear(Mode.EXECUTE, "life", 0)
    permission.withdraw()
    assert permission.mode("life", 1) is Mode.HELD
    permission.hear(Mode.EXECUTE, "life", 2)
    assert permission.mode("life", 2) is Mode.EXECUTE
