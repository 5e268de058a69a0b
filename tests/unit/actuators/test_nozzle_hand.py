"""A nozzle opened by hand: a dead man's switch, whatever becomes of the hand, the screen, or the line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actuators.errors import DriverError
from actuators.nozzle_hand import HOLD_NS, NozzleHand
from sorter.model.condition import Mode
from sorter.model.maintenance import NozzleHold
from sorter.model.settings import SafetySettings, Settings
from sorter.model.units import NS_PER_MS

TICK_NS = 10 * NS_PER_MS
LIMIT_NS = 600 * NS_PER_MS


class Valves:
    """Notes what is open."""

    def __init__(self) -> None:
        self.open_at: tuple[str, int] | None = None
        self.limits_ns: list[int] = []
        self.is_broken = False

    def open(self, station_id: str, first: int, last: int, _now_ns: int, limit_ns: int) -> None:
        if self.is_broken:
            raise DriverError("no answer")
        assert first == last
        assert self.open_at is None
        self.open_at = (station_id, first)
        self.limits_ns.append(limit_ns)

    def close(self, station_id: str, first: int, _last: int, _now_ns: int) -> None:
        assert self.open_at == (station_id, first)
        self.open_at = None


@pytest.fixture
def valves() -> Valves:
    return Valves()


@pytest.fixture
def hand(valves: Valves) -> NozzleHand:
    return NozzleHand(Settings(), valves)


def ask(hand: NozzleHand, now_ns: int, mode: Mode = Mode.STOPPED, nozzle: int = 3, station: str = "pet") -> None:
    hand.take(NozzleHold(station, nozzle, now_ns, "Ada"), mode, now_ns)


def test_it_is_open_while_held_and_closes_when_let_go(hand: NozzleHand, valves: Valves) -> None:
    for now_ns in range(0, 300 * NS_PER_MS, 100 * NS_PER_MS):
        ask(hand, now_ns)
        hand.step(Mode.STOPPED, now_ns)
        assert valves.open_at == ("pet", 3)
    hand.step(Mode.STOPPED, 200 * NS_PER_MS + HOLD_NS)
    assert valves.open_at == ("pet", 3)
    hand.step(Mode.STOPPED, 200 * NS_PER_MS + HOLD_NS + 1)
    assert valves.open_at is None
    assert valves.limits_ns == [LIMIT_NS]


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.STOPPED])
def test_only_a_stopped_line_lets_it(hand: NozzleHand, valves: Valves, mode: Mode) -> None:
    ask(hand, 0, mode)
    assert valves.open_at is None
    assert mode.value in hand.refusal
    ask(hand, TICK_NS)
    assert valves.open_at is not None
    hand.step(mode, 2 * TICK_NS)
    assert valves.open_at is None


@pytest.mark.parametrize(("station", "nozzle"), [("gold", 0), ("pet", -1), ("pet", 4711)])
def test_what_is_no_nozzle_is_refused(hand: NozzleHand, valves: Valves, station: str, nozzle: int) -> None:
    ask(hand, 0, nozzle=nozzle, station=station)
    assert valves.open_at is None
    assert "no nozzle" in hand.refusal


def test_an_old_question_opens_nothing(hand: NozzleHand, valves: Valves) -> None:
    hand.take(NozzleHold("pet", 3, 0, "Ada"), Mode.STOPPED, HOLD_NS + 1)
    assert valves.open_at is None


def test_whoever_never_lets_go_gets_one_shot_of_the_longest_time(hand: NozzleHand, valves: Valves) -> None:
    for now_ns in range(0, 5_000 * NS_PER_MS, TICK_NS):
        ask(hand, now_ns)
        hand.step(Mode.STOPPED, now_ns)
        assert (valves.open_at is not None) == (now_ns < LIMIT_NS)


def test_another_nozzle_closes_the_first(hand: NozzleHand, valves: Valves) -> None:
    ask(hand, 0, nozzle=3)
    ask(hand, TICK_NS, nozzle=4)
    assert valves.open_at != ("pet", 3)


def test_hardware_that_does_not_obey_is_said(hand: NozzleHand, valves: Valves) -> None:
    valves.is_broken = True
    ask(hand, 0)
    assert hand.open_at is None
    assert hand.refusal == "no answer"


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40), st.sampled_from([Mode.STOPPED, Mode.STOPPED, Mode.IDLE]))))
def test_it_is_never_open_longer_than_the_limit_nor_after_the_last_question(
    history: list[tuple[bool, int, Mode]],
) -> None:
    valves = Valves()
    hand = NozzleHand(Settings(safety=SafetySettings()), valves)
    now_ns, asked_ns, opened_ns = 0, -HOLD_NS, None
    for is_held, ticks, mode in history:
        for _ in range(ticks):
            now_ns += TICK_NS
            if is_held:
                ask(hand, now_ns, mode)
                asked_ns = now_ns
            hand.step(mode, now_ns)
            opened_ns = (opened_ns or now_ns) if valves.open_at else None
            if valves.open_at:
                assert mode is Mode.STOPPED
                assert now_ns - asked_ns <= HOLD_NS
                assert now_ns - opened_ns < LIMIT_NS
