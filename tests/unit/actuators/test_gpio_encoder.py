"""The encoder on GPIO lines: whatever its edges do, the travel is right, or said to be unknown."""

import tempfile
from itertools import count
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actuators.belt_position import is_followed, travel_at_um
from actuators.doctor_checks import check_encoder
from actuators.edge_counter import EdgeCounter
from actuators.edge_order import Edge, EdgeOrder
from actuators.edge_steps import QuadratureSteps, SingleSteps
from actuators.gpio_encoder import GpioEncoder
from actuators.process import ValveControl
from sorter.doctor_finding import Verdict
from sorter.model.belt import seen_length_um
from sorter.model.condition import Fault
from sorter.model.drive import BeltDrive
from sorter.model.recipe import last_station_um
from sorter.model.settings import BeltSettings, GpioEncoderSettings, Settings
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.runtime.bus import Subscriber
from sorter.runtime.clock import SystemClock
from sorter.runtime.process import ProcessContext
from sorter.runtime.run_folder import RunPlan
from sorter.runtime.topics import BELT, FAULT

PULSE_UM = 1000
START_NS = 5 * NS_PER_S
QUADRATURE = Settings(
    belt=BeltSettings(travel_from="gpio", encoder_pulse_um=PULSE_UM, gpio=GpioEncoderSettings(a="PQ.05", b="PQ.06"))
)
# levels of A and B, a step forward each; A is ahead
CYCLE = [(False, False), (True, False), (True, True), (False, True)]


class PlayedEncoder:
    """A turning wheel: says the edges that the kernel would have counted, and may be told to err."""

    def __init__(self) -> None:
        self.waiting: list[Edge] = []
        self.position = 0
        self.is_gone = self.is_released = False
        self._numbers = count(1)

    def move(self, step: int, at_ns: int) -> None:
        """One step forward or back: the line that changes, changes."""
        before = CYCLE[self.position % 4]
        self.position += step
        after = CYCLE[self.position % 4]
        channel = 0 if before[0] != after[0] else 1
        self.say(channel, after[channel], at_ns)

    def bounce(self, channel: int, at_ns: int, *, is_merged: bool) -> None:
        """A line goes there and back; the kernel may be too late to see that it was there."""
        level = CYCLE[self.position % 4][channel]
        if not is_merged:
            self.say(channel, not level, at_ns)
        self.say(channel, level, at_ns + 1)

    def say(self, channel: int, is_rising: bool, at_ns: int) -> None:
        self.waiting.append(Edge(at_ns, channel, is_rising, next(self._numbers)))

    def lose(self, edge_count: int) -> None:
        """The kernel's buffer was full: the oldest are gone, their numbers are not used again."""
        self.waiting = self.waiting[edge_count:]

    def read(self) -> list[Edge]:
        if self.is_gone:
            raise OSError(19, "No such device")
        said, self.waiting = self.waiting, []
        return said

    def release(self) -> None:
        self.is_released = True


class Line:
    """A wheel, the encoder that counts it, and a clock."""

    def __init__(self, of: Settings = QUADRATURE) -> None:
        self.wheel = PlayedEncoder()
        self.encoder = GpioEncoder(of, self.wheel)
        self.now_ns = START_NS
        self.turn(4, 1)
        self.rest(40)

    def turn(self, step_count: int, step: int, interval_ns: int = NS_PER_MS, read_every: int = 3) -> None:
        """So many steps at even intervals, read now and then, as the loop does."""
        for number in range(step_count):
            self.now_ns += interval_ns
            self.wheel.move(step, self.now_ns)
            if number % read_every == 0:
                self.encoder.read(self.now_ns + interval_ns // 10)

    def rest(self, duration_ms: int) -> None:
        for _ in range(duration_ms // 5):
            self.now_ns += 5 * NS_PER_MS
            self.encoder.read(self.now_ns)

    @property
    def travel_um(self) -> int:
        state = self.encoder.read(self.now_ns)
        assert state is not None
        return travel_at_um(state, self.now_ns)


def test_a_belt_that_runs_is_known_to_the_pulse_and_its_speed_from_the_kernel_s_time_stamps() -> None:
    line = Line()
    before_um = line.travel_um
    line.turn(3000, 1, interval_ns=NS_PER_S // 3000)
    state = line.encoder.read(line.now_ns)
    assert state is not None
    assert state.speed_um_s == pytest.approx(3_000_000, rel=1e-3)
    assert line.travel_um - before_um == pytest.approx(3000 * PULSE_UM, abs=2)
    # between two edges the travel goes on, as the belt does
    assert travel_at_um(state, line.now_ns + 100_000) - state.travel_um == pytest.approx(300, abs=2)


def test_a_belt_that_runs_back_counts_back_and_swapped_channels_can_be_put_right() -> None:
    line = Line()
    line.turn(300, 1)
    before_um = line.travel_um
    line.turn(200, -1)
    line.rest(50)
    assert line.travel_um - before_um == pytest.approx(-200 * PULSE_UM, abs=PULSE_UM)
    gpio = GpioEncoderSettings(a="PQ.05", b="PQ.06", is_reversed=True)
    swapped = Line(Settings(belt=BeltSettings(travel_from="gpio", encoder_pulse_um=PULSE_UM, gpio=gpio)))
    swapped.turn(300, -1)
    assert swapped.travel_um >= 295 * PULSE_UM


def test_a_belt_that_stands_has_speed_zero_within_a_few_readings_and_is_not_followed() -> None:
    line = Line()
    line.turn(200, 1)
    assert is_followed(line.encoder.read(line.now_ns), line.now_ns)
    stopped_um = line.travel_um
    line.rest(40)
    state = line.encoder.read(line.now_ns)
    assert state is not None
    assert (state.speed_um_s, state.measured_at_ns) == (0, line.now_ns)
    assert abs(line.travel_um - stopped_um) <= 2 * PULSE_UM
    line.rest(10_000)
    assert line.travel_um - stopped_um <= 2 * PULSE_UM
    line.turn(200, 1)
    assert line.travel_um - stopped_um == pytest.approx(200 * PULSE_UM, abs=2 * PULSE_UM)


@pytest.mark.parametrize("is_merged", [True, False])
def test_a_line_that_bounces_moves_nothing_and_is_counted_where_it_can_be_seen(is_merged: bool) -> None:
    line = Line()
    before_um, glitches = line.travel_um, 0
    for _ in range(100):
        line.turn(1, 1, read_every=1)
        turned = 0 if CYCLE[(line.wheel.position - 1) % 4][0] != CYCLE[line.wheel.position % 4][0] else 1
        line.wheel.bounce(turned, line.now_ns + 1000, is_merged=is_merged)
        glitches += is_merged
    assert line.travel_um - before_um == pytest.approx(100 * PULSE_UM, abs=2)
    assert line.encoder.trouble is None
    assert line.encoder.figures()["encoder_glitch_count"] == glitches


def test_lost_edges_are_a_fault_and_afterwards_all_that_was_seen_has_passed() -> None:
    line = Line()
    line.turn(300, 1)
    before_um = line.travel_um
    for _ in range(90):
        line.now_ns += NS_PER_MS
        line.wheel.move(1, line.now_ns)
    line.wheel.lose(17)
    line.rest(30)
    assert line.encoder.read(line.now_ns) is None
    assert line.encoder.trouble == "edges of the encoder are missing"
    line.turn(900, 1)
    assert line.encoder.read(line.now_ns) is None
    line.turn(300, 1)
    assert line.encoder.trouble is None
    longest_um = seen_length_um(QUADRATURE)[1] + last_station_um(QUADRATURE.recipe)
    assert line.travel_um - before_um > longest_um + (90 + 1200 - 17) * PULSE_UM
    state = line.encoder.read(line.now_ns)
    assert state is not None
    assert state.speed_um_s == pytest.approx(1_000_000, rel=1e-2)
    assert line.encoder.figures()["encoder_lost_count"] >= 17


def test_edges_lost_before_they_had_a_number_show_in_the_levels() -> None:
    line = Line()
    line.turn(100, 1, read_every=1)
    # the interrupt of one line came so late that two of its edges are one, and the other changed between
    channel = 0 if CYCLE[line.wheel.position % 4][0] != CYCLE[(line.wheel.position + 1) % 4][0] else 1
    line.wheel.position += 1
    line.turn(1, 1, read_every=1)
    assert line.encoder.trouble is None
    line.wheel.position += 1
    line.wheel.say(channel, CYCLE[line.wheel.position % 4][channel], line.now_ns + 100)
    assert line.encoder.read(line.now_ns) is None
    assert line.encoder.trouble is not None


def test_lines_that_cannot_be_read_are_a_fault_for_as_long_as_that_lasts() -> None:
    line = Line()
    line.turn(100, 1)
    line.wheel.is_gone = True
    line.rest(5000)
    assert line.encoder.trouble is not None
    assert "No such device" in line.encoder.trouble
    assert line.encoder.read(line.now_ns) is None
    line.wheel.is_gone = False
    line.rest(1100)
    assert line.encoder.trouble is None
    line.encoder.shut_down()
    assert line.wheel.is_released


def test_one_channel_counts_forward_and_drops_what_no_belt_can_do() -> None:
    belt = BeltSettings(travel_from="gpio", encoder_pulse_um=PULSE_UM, gpio=GpioEncoderSettings(a="PQ.05"))
    wheel = PlayedEncoder()
    encoder = GpioEncoder(Settings(belt=belt), wheel)
    for number in range(100):
        at_ns = START_NS + number * NS_PER_MS
        wheel.say(0, True, at_ns)
        # a contact that bounces, faster than 10 m/s
        wheel.say(0, True, at_ns + 40_000)
        wheel.say(0, True, at_ns + 90_000)
        state = encoder.read(at_ns + 100_000)
    assert state is not None
    assert state.travel_um == 100 * PULSE_UM
    assert state.speed_um_s == pytest.approx(1_000_000)
    assert encoder.figures()["encoder_glitch_count"] == 200


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.sampled_from([1, 1, 1, -1]), st.integers(0, 3)), min_size=1, max_size=200))
def test_any_way_to_and_fro_ends_where_the_belt_is(moves: list[tuple[int, int]]) -> None:
    wheel = PlayedEncoder()
    counter = EdgeCounter(wheel, QuadratureSteps(), 10_000)
    # a cycle makes both levels known
    for step in range(8):
        wheel.move(1, START_NS + step)
    reading = counter.encoder_reading(START_NS + 10)
    assert reading is not None
    known, origin, now_ns = reading[1], wheel.position, START_NS + 10
    for step, bounces in moves:
        now_ns += NS_PER_MS
        before = CYCLE[wheel.position % 4]
        wheel.move(step, now_ns)
        channel = 0 if before[0] != CYCLE[wheel.position % 4][0] else 1
        for number in range(bounces):
            wheel.bounce(channel, now_ns + 10 * number + 1, is_merged=number % 2 == 0)
        reading = counter.encoder_reading(now_ns + 1000)
        assert reading is not None
        assert reading[1] - known == wheel.position - origin
        assert reading[0] <= now_ns + 1000


@settings(deadline=None, max_examples=200)
@given(st.integers(20, 120), st.data())
def test_a_count_that_is_wrong_is_never_told(edge_count: int, data: st.DataObject) -> None:
    """Whichever numbered edges are missing, readings are right or there are none."""
    wheel = PlayedEncoder()
    counter = EdgeCounter(wheel, QuadratureSteps(), 10**6)
    missing = data.draw(st.sets(st.integers(9, edge_count - 2), min_size=1, max_size=6))
    was_lost = False
    for number in range(edge_count):
        now_ns = START_NS + number * NS_PER_MS
        wheel.move(1, now_ns)
        if number in missing:
            wheel.lose(len(wheel.waiting))
        reading = counter.encoder_reading(now_ns + 1)
        was_lost |= counter.trouble is not None
        # a belt of which no edge comes looks like one that stands
        if reading is not None and number not in missing:
            # the first step shows the level of A alone, so it is not counted; one step may be under way
            told_ns, told_count = reading
            true_count = (told_ns - START_NS) // NS_PER_MS
            assert true_count - 1 <= told_count <= true_count
    assert was_lost or counter.encoder_reading(now_ns + 25 * NS_PER_MS) is None


@given(st.permutations(range(1, 9)))
def test_edges_that_come_the_wrong_way_round_are_put_right(numbers: list[int]) -> None:
    order, handed = EdgeOrder(), []
    for number in numbers:
        handed += order.take([Edge(START_NS + number, 0, True, number)], START_NS + 100)
    assert [edge.number for edge in handed] == list(range(1, 9))
    assert order.lost_count == 0


def test_the_kernel_s_counter_may_turn_over() -> None:
    order = EdgeOrder()
    order._next_number = 2**32 - 2
    numbers = [0, 2**32 - 1, 2**32 - 2, 1]
    handed = order.take([Edge(START_NS, 0, True, number) for number in numbers], START_NS)
    assert [edge.number for edge in handed] == [2**32 - 2, 2**32 - 1, 0, 1]
    assert order.take([Edge(START_NS, 0, True, 5)], START_NS) == []
    assert len(order.take([], START_NS + NS_PER_S)) == 1
    assert order.lost_count == 3


def test_steps_of_one_channel_have_no_direction() -> None:
    steps = SingleSteps(PULSE_UM)
    assert [steps.take(Edge(n * NS_PER_S, 0, True, n)) for n in range(1, 4)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("belt", "error_um"),
    [
        ({"speed_m_s": 3.0}, PULSE_UM),
        # while the belt brakes at once, one interval has to pass before that can be seen
        ({"speed_m_s": 0.5, "speed_high_m_s": 4.0, "ramp_m_s2": 1.0}, PULSE_UM),
        ({"speed_m_s": 2.0, "stop_at_m": 3.0, "stop_s": 1.0}, 20 * PULSE_UM),
    ],
)
def test_travel_is_the_drive_s_at_every_instant(belt: dict[str, float], error_um: int) -> None:
    """Edges at the instants at which the simulated drive really reaches each pulse, polled every five milliseconds."""
    drive = BeltDrive(msgspec.convert(belt, BeltSettings))
    line = Line()
    origin_um, count = line.travel_um, 0
    worst_um = 0
    for elapsed_ns in range(0, 8 * NS_PER_S, 50_000):
        while drive.travel_um_at(elapsed_ns) >= (count + 1) * PULSE_UM:
            count += 1
            line.wheel.move(1, line.now_ns + elapsed_ns)
        if elapsed_ns % (5 * NS_PER_MS) == 0:
            state = line.encoder.read(line.now_ns + elapsed_ns)
            assert state is not None
            told_um = travel_at_um(state, line.now_ns + elapsed_ns) - origin_um
            worst_um = max(worst_um, abs(told_um - drive.travel_um_at(elapsed_ns)))
    assert count > 5000
    assert worst_um <= error_um


class PacedEncoder(PlayedEncoder):
    """A wheel that a belt of 1 m/s turns in real time; it loses edges when told to."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = SystemClock()
        self._next_ns = self._clock.now_ns()
        self.lost_count = 0

    def read(self) -> list[Edge]:
        while self._next_ns <= self._clock.now_ns():
            self.move(1, self._next_ns)
            self._next_ns += NS_PER_MS
        lost_count, self.lost_count = self.lost_count, 0
        self.lose(lost_count)
        return super().read()


@pytest.fixture
def wheel(monkeypatch: pytest.MonkeyPatch) -> PacedEncoder:
    made = PacedEncoder()
    monkeypatch.setattr("actuators.gpio_encoder._open", lambda _settings: made)
    return made


def test_a_process_whose_encoder_lost_edges_is_faulty_for_a_second_and_tells_no_travel(wheel: PacedEncoder) -> None:
    with tempfile.TemporaryDirectory(prefix="farz-") as name:
        context = ProcessContext("actuators", RunPlan(QUADRATURE, SystemClock().now_ns(), Path(name)))
        control, reader = ValveControl(context), Subscriber(Path(name), [FAULT, BELT])
        said: list[Fault | BeltState] = []
        ends_at_ns = SystemClock().now_ns() + 20 * NS_PER_S
        while not (said and isinstance(said[-1], BeltState) and any(isinstance(each, Fault) for each in said[:-1])):
            assert SystemClock().now_ns() < ends_at_ns
            control.send(control.step(control.receive()))
            said += [received.message for received in reader.waiting()]  # type: ignore[misc]
            is_new = any(isinstance(each, BeltState) for each in said) and wheel.position > 100
            wheel.lost_count = int(is_new and not any(isinstance(each, Fault) for each in said))
        control.close()
        reader.close()
        context.publisher.close()
    faults = [each for each in said if isinstance(each, Fault)]
    assert [(fault.code, fault.is_cleared) for fault in faults] == [("encoder_lost", False), ("encoder_lost", True)]
    before, after = said[said.index(faults[0]) - 1], said[-1]
    assert isinstance(before, BeltState)
    assert isinstance(after, BeltState)
    assert said[said.index(faults[0]) + 1] is faults[1], "no travel is told between"
    assert after.measured_at_ns - before.measured_at_ns >= NS_PER_S
    assert after.travel_um - before.travel_um > seen_length_um(QUADRATURE)[1] + last_station_um(QUADRATURE.recipe)
    assert wheel.is_released


@pytest.mark.parametrize(
    ("lost_count", "is_gone", "verdict"),
    [(0, False, Verdict.GOOD), (2, False, Verdict.WRONG), (0, True, Verdict.WRONG)],
)
def test_the_doctor_asks_the_encoder(wheel: PacedEncoder, lost_count: int, is_gone: bool, verdict: Verdict) -> None:
    wheel.lost_count, wheel.is_gone = lost_count, is_gone
    found = check_encoder(QUADRATURE)
    assert found.verdict is verdict
    assert ("edges in half a second" in found.text) == (verdict is Verdict.GOOD)
    assert wheel.is_released


def test_the_doctor_tells_a_standing_belt_and_a_noisy_one(wheel: PacedEncoder) -> None:
    wheel._next_ns += 3600 * NS_PER_S
    assert "standing belt" in check_encoder(QUADRATURE).text
    for number in range(50):
        wheel.say(0, True, START_NS + number)
    noisy = check_encoder(QUADRATURE)
    assert noisy.verdict is Verdict.POOR
    assert "49 of 50 edges" in noisy.text


def test_the_doctor_names_lines_that_are_not_there() -> None:
    belt = BeltSettings(travel_from="gpio", gpio=GpioEncoderSettings(chip="/dev/no-such-chip", a="A", b="B"))
    found = check_encoder(Settings(belt=belt))
    assert found.verdict is Verdict.WRONG
    assert "belt.gpio: lines cannot be had" in found.text
    assert "look at its wires" in found.text
