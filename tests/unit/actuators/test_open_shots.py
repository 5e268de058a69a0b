"""The book of open nozzles: shared ones stay open for whoever still needs them, but never beyond their deadline."""

from actuators.open_shots import OpenShots
from sorter.model.ejection import EjectionCommand


def command(first: int, last: int, station_id: str = "pet") -> EjectionCommand:
    return EjectionCommand("life", 1, (1,), station_id, first, last, 0, 1, 1, "recipe")


def test_a_lone_shot_frees_its_range() -> None:
    shots = OpenShots(max_open_ns=600)
    shot = shots.add(command(3, 5), 0, 0, now_ns=100)
    assert shots.nozzles == {("pet", 3), ("pet", 4), ("pet", 5)}
    assert shot.close_by_ns == 700
    assert shots.remove(shot) == [(3, 5)]
    assert not shots.nozzles


def test_shared_nozzles_stay_open() -> None:
    shots = OpenShots(max_open_ns=600)
    wide = shots.add(command(0, 9), 0, 0, now_ns=0)
    narrow = shots.add(command(4, 5), 0, 0, now_ns=0)
    assert shots.remove(wide) == [(0, 3), (6, 9)]
    assert shots.nozzles == {("pet", 4), ("pet", 5)}
    assert shots.remove(narrow) == [(4, 5)]


def test_bars_do_not_share() -> None:
    shots = OpenShots(max_open_ns=600)
    shot = shots.add(command(0, 1), 0, 0, now_ns=0)
    shots.add(command(0, 1, "hdpe"), 0, 0, now_ns=0)
    assert shots.remove(shot) == [(0, 1)]


def test_shots_in_a_row_cannot_hold_a_nozzle_open_for_longer() -> None:
    shots = OpenShots(max_open_ns=600)
    shots.add(command(0, 3), 0, 0, now_ns=0)
    second = shots.add(command(3, 6), 0, 0, now_ns=300)
    third = shots.add(command(6, 8), 0, 0, now_ns=500)
    assert second.close_by_ns == 600
    assert third.close_by_ns == 900
    shots.remove(second)
    fresh = shots.add(command(4, 5), 0, 0, now_ns=700)
    assert fresh.close_by_ns == 1300


def test_remove_all() -> None:
    shots = OpenShots(max_open_ns=600)
    both = [shots.add(command(0, 1), 0, 0, now_ns=0), shots.add(command(1, 2), 0, 0, now_ns=0)]
    assert shots.remove_all() == both
    assert not shots.nozzles
    assert list(shots) == []
