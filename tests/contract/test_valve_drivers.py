"""What every valve driver owes the controller; new drivers join the list."""

from collections.abc import Callable

import pytest

from actuators.drivers.driver import Actuation, ValveDriver
from actuators.drivers.simulated import SimulatedBar
from sorter.model.drive import BeltDrive
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.model.world import ScatteredWorld

EPOCH_NS = 1_000_000_000
LIMIT_NS = 600 * NS_PER_MS
NOW_NS = EPOCH_NS + 2 * NS_PER_S
SETTINGS = Settings()
LAST_NOZZLE = SETTINGS.recipe.stations[0].nozzle_count - 1


def simulated_with_world() -> ValveDriver:
    return SimulatedBar(SETTINGS, BeltDrive(SETTINGS.belt), EPOCH_NS, ScatteredWorld(SETTINGS))


def simulated_without_world() -> ValveDriver:
    return SimulatedBar(SETTINGS, BeltDrive(SETTINGS.belt), EPOCH_NS, None)


@pytest.fixture(params=[simulated_with_world, simulated_without_world])
def driver(request: pytest.FixtureRequest) -> ValveDriver:
    make: Callable[[], ValveDriver] = request.param
    return make()


def assert_plausible(actuation: Actuation | None, told_at_ns: int) -> None:
    """None, or an instant not before the order and within a tenth of a second of it."""
    if actuation is not None:
        assert told_at_ns <= actuation.at_ns <= told_at_ns + 100 * NS_PER_MS


@pytest.mark.parametrize("station", SETTINGS.recipe.stations, ids=lambda station: station.id)
@pytest.mark.parametrize(("first", "last"), [(0, 0), (LAST_NOZZLE, LAST_NOZZLE), (0, LAST_NOZZLE), (5, 14)])
def test_opens_and_closes_any_range_of_any_bar(driver: ValveDriver, station: object, first: int, last: int) -> None:
    station_id = getattr(station, "id", "")
    assert_plausible(driver.open(station_id, first, last, NOW_NS, LIMIT_NS), NOW_NS)
    assert_plausible(driver.close(station_id, first, last, NOW_NS + 50 * NS_PER_MS), NOW_NS + 50 * NS_PER_MS)


def test_never_closes_before_it_opened(driver: ValveDriver) -> None:
    for shot in range(200):
        now_ns = NOW_NS + shot * 20 * NS_PER_MS
        opening = driver.open("pet", 0, 9, now_ns, LIMIT_NS)
        closing = driver.close("pet", 0, 9, now_ns)
        if opening is not None and closing is not None:
            assert closing.at_ns >= opening.at_ns


def test_closing_what_is_closed_is_harmless(driver: ValveDriver) -> None:
    assert_plausible(driver.close("pet", 0, LAST_NOZZLE, NOW_NS), NOW_NS)
    assert_plausible(driver.close_all(NOW_NS), NOW_NS)
    assert_plausible(driver.close_all(NOW_NS), NOW_NS)


def test_opening_what_is_open_is_harmless(driver: ValveDriver) -> None:
    driver.open("pet", 0, 9, NOW_NS, LIMIT_NS)
    assert_plausible(driver.open("pet", 5, 14, NOW_NS + NS_PER_MS, LIMIT_NS), NOW_NS + NS_PER_MS)
    assert_plausible(driver.close("pet", 0, 4, NOW_NS + 20 * NS_PER_MS), NOW_NS + 20 * NS_PER_MS)
    assert_plausible(driver.close("pet", 5, 14, NOW_NS + 30 * NS_PER_MS), NOW_NS + 30 * NS_PER_MS)


def test_close_all_closes_every_bar(driver: ValveDriver) -> None:
    for station in SETTINGS.recipe.stations:
        driver.open(station.id, 3, 8, NOW_NS, LIMIT_NS)
    assert_plausible(driver.close_all(NOW_NS + 50 * NS_PER_MS), NOW_NS + 50 * NS_PER_MS)


def test_speaks_of_the_travel_it_knows(driver: ValveDriver) -> None:
    opening = driver.open("pet", 3, 8, NOW_NS, LIMIT_NS)
    if opening is not None and opening.travel_um is not None:
        belt_speed_um_s = round(SETTINGS.belt.speed_m_s * 1_000_000)
        assert opening.travel_um == pytest.approx(belt_speed_um_s * (opening.at_ns - EPOCH_NS) / NS_PER_S, abs=2)
