"""The simulated encoder against the drive's true motion, and the encoder that reads the bus."""

import tempfile
from pathlib import Path

import pytest

from actuators.encoder import PULSE_UM, BusEncoder, CountedEncoder, FollowedTravel, SimulatedEncoder
from sorter.model.drive import BeltDrive
from sorter.model.settings import BeltSettings
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_MS
from sorter.runtime.bus import Publisher, Subscriber
from sorter.runtime.clock import ManualClock
from sorter.runtime.topics import BELT

EPOCH_NS = 5_000_000_000


@pytest.mark.parametrize(
    ("belt", "speed_error_um_s"),
    [
        (BeltSettings(speed_m_s=3.0), 5_000),
        # a 1 m/s² ramp: the window's middle lies 10 ms back, where the belt was 10 mm/s slower
        (BeltSettings(speed_m_s=0.5, speed_high_m_s=4.0, ramp_m_s2=1.0, stop_at_m=10.0), 15_000),
    ],
)
def test_counts_whole_pulses_and_follows_the_speed(belt: BeltSettings, speed_error_um_s: int) -> None:
    drive = BeltDrive(belt)
    encoder = SimulatedEncoder(drive, EPOCH_NS)
    for elapsed_ms in range(20, 20_000, 7):
        elapsed_ns = elapsed_ms * NS_PER_MS
        state = encoder.read(EPOCH_NS + elapsed_ns)
        assert state.measured_at_ns == EPOCH_NS + elapsed_ns
        assert state.travel_um % PULSE_UM == 0
        assert 0 <= drive.travel_um_at(elapsed_ns) - state.travel_um < PULSE_UM
        assert abs(state.speed_um_s - drive.speed_um_s_at(elapsed_ns)) <= speed_error_um_s


def test_the_first_readings_are_sane() -> None:
    encoder = SimulatedEncoder(BeltDrive(BeltSettings(speed_m_s=3.0)), EPOCH_NS)
    assert encoder.read(EPOCH_NS - NS_PER_MS) == BeltState(EPOCH_NS - NS_PER_MS, 0, 0)
    assert encoder.read(EPOCH_NS) == BeltState(EPOCH_NS, 0, 0)
    for elapsed_ms in range(1, 25):
        state = encoder.read(EPOCH_NS + elapsed_ms * NS_PER_MS)
        assert abs(state.speed_um_s - 3_000_000) <= 100_000 // elapsed_ms


def test_a_standing_belt_reads_zero() -> None:
    encoder = SimulatedEncoder(BeltDrive(BeltSettings(speed_m_s=1.0, stop_at_m=0.0, stop_s=5.0)), EPOCH_NS)
    assert encoder.read(EPOCH_NS + 3000 * NS_PER_MS).speed_um_s == 0


def test_the_bus_encoder_gives_the_newest_and_valves_can_follow_it() -> None:
    with tempfile.TemporaryDirectory(prefix="farz-") as name:
        publisher = Publisher(Path(name), "vision", "life", ManualClock())
        subscriber = Subscriber(Path(name), [BELT])
        encoder = BusEncoder(subscriber)
        travel = FollowedTravel(lambda: encoder.read(0), EPOCH_NS)
        assert encoder.read(0) is None
        assert travel.travel_um_at(0) == 0
        newest = BeltState(EPOCH_NS + 100, 9_000, 1_000_000)
        for _ in range(50):
            publisher.publish(newest)
            publisher.publish(BeltState(EPOCH_NS + 50, 5_000, 1_000_000))
            subscriber.socket.poll(20)
            if encoder.read(0) is not None:
                break
        assert encoder.read(0) == newest
        assert travel.travel_um_at(100 + NS_PER_MS) == 10_000
        publisher.close()
        subscriber.close()


class PlayedCounter:
    """Counts by the list."""

    def __init__(self) -> None:
        self.reading: tuple[int, int] | None = None

    def encoder_reading(self, now_ns: int) -> tuple[int, int] | None:  # noqa: ARG002 - the protocol's signature
        return self.reading


def test_a_counted_belt_has_travel_in_pulses_and_speed_over_the_last_readings() -> None:
    counter = PlayedCounter()
    encoder = CountedEncoder(counter, pulse_um=100)
    assert encoder.read(0) is None
    for step in range(50):
        # 2 m/s: 200 pulses each 10 ms
        counter.reading = (step * 10 * NS_PER_MS, 1000 + step * 200)
        state = encoder.read(step * 10 * NS_PER_MS + 3)
    assert state == BeltState(490 * NS_PER_MS, 1_080_000, 2_000_000)
    assert encoder.read(10**12) == state
    counter.reading = None
    assert encoder.read(10**12) == state


def test_a_counter_that_begins_anew_is_not_a_belt_that_flies_back() -> None:
    counter = PlayedCounter()
    encoder = CountedEncoder(counter, pulse_um=100)
    for step in range(10):
        counter.reading = (step * 10 * NS_PER_MS, 100_000 + step * 200)
        encoder.read(step)
    counter.reading = (200 * NS_PER_MS, 0)
    assert encoder.read(1) is None
    counter.reading = (220 * NS_PER_MS, 100)
    assert encoder.read(1) == BeltState(220 * NS_PER_MS, 10_000, 500_000)
