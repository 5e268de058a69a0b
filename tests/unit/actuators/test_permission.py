"""Permission to fire after the link was lost."""

from actuators.permission import Permission
from sorter.model.condition import Mode


def test_what_the_sorter_says_counts() -> None:
    permission = Permission()
    assert permission.mode("life", None) is Mode.HELD
    assert permission.mode("life", Mode.EXECUTE) is Mode.EXECUTE
    assert permission.mode("life", Mode.STOPPED) is Mode.STOPPED


def test_after_a_loss_the_same_life_must_pause_before_it_may_fire() -> None:
    permission = Permission()
    permission.mode("life", Mode.EXECUTE)
    permission.withdraw()
    assert permission.mode("life", Mode.EXECUTE) is Mode.HELD
    assert permission.mode("life", Mode.EXECUTE) is Mode.HELD
    assert permission.mode("life", Mode.HELD) is Mode.HELD
    assert permission.mode("life", Mode.EXECUTE) is Mode.EXECUTE


def test_a_new_life_has_nothing_to_make_up_for() -> None:
    permission = Permission()
    permission.mode("life", Mode.EXECUTE)
    permission.withdraw()
    assert permission.mode("next", Mode.EXECUTE) is Mode.EXECUTE
