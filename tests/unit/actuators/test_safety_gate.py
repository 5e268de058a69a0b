"""The last gate before hardware: every reason to refuse, and that nothing passes that must not."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actuators.safety_gate import MAX_PENDING_COUNT, GateView, refusal
from sorter.model.condition import Mode
from sorter.model.ejection import AckStatus, EjectionCommand
from sorter.model.settings import SafetySettings, StationSettings
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_MS

STATION = StationSettings(id="pet", offset_mm=700.0, targets=("pet_clear",), nozzle_count=40)
COMMAND = EjectionCommand(
    boot_id="life",
    seq=7,
    decision_ids=(1,),
    station_id="pet",
    first_nozzle=3,
    last_nozzle=12,
    open_at_travel_um=1_000_000,
    close_at_travel_um=1_100_000,
    valid_until_ns=2_000_000_000,
    recipe_hash="recipe",
)
# 3 m/s, 40 mm before opening: the response of 8 ms takes 24 mm of it
VIEW = GateView(
    mode=Mode.EXECUTE,
    boot_id="life",
    recipe_hash="recipe",
    seen=frozenset(),
    belt=BeltState(1_000_000_000, 960_000, 3_000_000),
    now_ns=1_000_000_000,
    response_ns=8 * NS_PER_MS,
    late_tolerance_um=0,
    stations={"pet": STATION},
    safety=SafetySettings(max_blast_mm=600.0, max_open_nozzles=20),
    open_nozzles=frozenset(),
    pending_count=0,
)
replace = msgspec.structs.replace


def other_open_nozzles(count: int) -> frozenset[tuple[str, int]]:
    return frozenset(("hdpe", number) for number in range(count))


def test_a_sound_command_passes() -> None:
    assert refusal(COMMAND, VIEW) is None


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.EXECUTE])
def test_only_execute_fires(mode: Mode) -> None:
    assert refusal(COMMAND, replace(VIEW, mode=mode)) is AckStatus.REFUSED_MODE


@pytest.mark.parametrize(
    ("command", "view"),
    [
        (replace(COMMAND, boot_id="earlier"), VIEW),
        (COMMAND, replace(VIEW, boot_id=None)),
        (replace(COMMAND, recipe_hash="other"), VIEW),
        (COMMAND, replace(VIEW, now_ns=COMMAND.valid_until_ns + 1)),
    ],
)
def test_stale(command: EjectionCommand, view: GateView) -> None:
    assert refusal(command, view) is AckStatus.REFUSED_STALE


def test_the_last_valid_instant_is_valid() -> None:
    assert refusal(COMMAND, replace(VIEW, now_ns=COMMAND.valid_until_ns, belt=None)) is None


def test_duplicate() -> None:
    assert refusal(COMMAND, replace(VIEW, seen={7})) is AckStatus.REFUSED_DUPLICATE
    assert refusal(COMMAND, replace(VIEW, seen={6, 8})) is None


@pytest.mark.parametrize(
    "command",
    [
        replace(COMMAND, station_id="nowhere"),
        replace(COMMAND, first_nozzle=-1),
        replace(COMMAND, last_nozzle=40),
        replace(COMMAND, first_nozzle=13),
        replace(COMMAND, close_at_travel_um=1_000_000),
        replace(COMMAND, close_at_travel_um=999_999),
        replace(COMMAND, close_at_travel_um=1_600_001),
        replace(COMMAND, first_nozzle=0, last_nozzle=20),
    ],
)
def test_beyond_a_limit(command: EjectionCommand) -> None:
    assert refusal(command, VIEW) is AckStatus.REFUSED_LIMIT


@pytest.mark.parametrize(
    "command",
    [
        replace(COMMAND, first_nozzle=0, last_nozzle=0),
        replace(COMMAND, first_nozzle=39, last_nozzle=39),
        replace(COMMAND, close_at_travel_um=1_000_001),
        replace(COMMAND, close_at_travel_um=1_600_000),
        replace(COMMAND, first_nozzle=0, last_nozzle=19),
    ],
)
def test_at_a_limit(command: EjectionCommand) -> None:
    assert refusal(command, VIEW) is None


def test_the_air_supply_counts_open_nozzles_of_all_bars_once() -> None:
    assert refusal(COMMAND, replace(VIEW, open_nozzles=other_open_nozzles(10))) is None
    assert refusal(COMMAND, replace(VIEW, open_nozzles=other_open_nozzles(11))) is AckStatus.REFUSED_LIMIT
    shared = other_open_nozzles(10) | {("pet", 12)}
    assert refusal(COMMAND, replace(VIEW, open_nozzles=shared)) is None


def test_the_queue_is_bounded() -> None:
    assert refusal(COMMAND, replace(VIEW, pending_count=MAX_PENDING_COUNT - 1)) is None
    assert refusal(COMMAND, replace(VIEW, pending_count=MAX_PENDING_COUNT)) is AckStatus.REFUSED_LIMIT


def test_late_is_when_the_valve_could_only_open_behind() -> None:
    on_time = replace(VIEW, belt=BeltState(1_000_000_000, 976_000, 3_000_000))
    late = replace(VIEW, belt=BeltState(1_000_000_000, 976_001, 3_000_000))
    assert refusal(COMMAND, on_time) is None
    assert refusal(COMMAND, late) is AckStatus.REFUSED_LATE
    assert refusal(COMMAND, replace(late, late_tolerance_um=1)) is None
    older = replace(on_time, belt=BeltState(999_999_000, 976_000, 3_000_000))
    assert refusal(COMMAND, older) is AckStatus.REFUSED_LATE


def test_a_belt_nobody_has_read_is_not_late() -> None:
    assert refusal(COMMAND, replace(VIEW, belt=None)) is None


numbers = st.integers(-3, 45)
instants_ns = st.integers(0, 4_000_000_000)
commands = st.builds(
    EjectionCommand,
    boot_id=st.sampled_from(["life", "life", "life", "earlier"]),
    seq=st.integers(0, 9),
    decision_ids=st.just((1,)),
    station_id=st.sampled_from(["pet", "pet", "pet", "nowhere"]),
    first_nozzle=numbers,
    last_nozzle=numbers,
    open_at_travel_um=st.integers(900_000, 1_100_000),
    close_at_travel_um=st.integers(900_000, 1_800_000),
    valid_until_ns=instants_ns,
    recipe_hash=st.sampled_from(["recipe", "recipe", "recipe", "other"]),
)
views = st.builds(
    GateView,
    mode=st.sampled_from([Mode.EXECUTE, Mode.EXECUTE, Mode.EXECUTE, *Mode]),
    boot_id=st.sampled_from(["life", "life", "life", None]),
    recipe_hash=st.just("recipe"),
    seen=st.frozensets(st.integers(0, 9), max_size=3),
    belt=st.none() | st.builds(BeltState, instants_ns, st.integers(800_000, 1_100_000), st.integers(0, 4_000_000)),
    now_ns=instants_ns,
    response_ns=st.integers(0, 20 * NS_PER_MS),
    late_tolerance_um=st.integers(0, 10_000),
    stations=st.just({"pet": STATION}),
    safety=st.just(SafetySettings(max_blast_mm=600.0, max_open_nozzles=20)),
    open_nozzles=st.integers(0, 20).map(other_open_nozzles),
    pending_count=st.sampled_from([0, 1, MAX_PENDING_COUNT]),
)


@given(commands, views)
def test_what_passes_breaks_no_rule(command: EjectionCommand, view: GateView) -> None:
    """Each rule written down anew, so that no slip in the gate is repeated here."""
    if refusal(command, view) is not None:
        return
    assert view.mode is Mode.EXECUTE
    assert (command.boot_id, command.recipe_hash) == (view.boot_id, view.recipe_hash)
    assert view.now_ns <= command.valid_until_ns
    assert command.seq not in view.seen
    assert command.station_id == "pet"
    opened = range(command.first_nozzle, command.last_nozzle + 1)
    assert len(opened) > 0
    assert all(0 <= nozzle < 40 for nozzle in opened)
    assert len(opened) + len(view.open_nozzles) <= 20
    assert command.open_at_travel_um < command.close_at_travel_um <= command.open_at_travel_um + 600_000
    if view.belt is not None:
        moving_s = (view.now_ns + view.response_ns - view.belt.measured_at_ns) / 1e9
        opens_at_um = view.belt.travel_um + view.belt.speed_um_s * moving_s
        assert opens_at_um <= command.open_at_travel_um + view.late_tolerance_um + 1


@given(commands, views, st.integers(0, 2_000_000_000))
def test_a_refusal_never_lapses_by_waiting(command: EjectionCommand, view: GateView, waiting_ns: int) -> None:
    """With all else unchanged, what is refused now is refused later, so a queue needs no second thoughts."""
    if refusal(command, view) is not None:
        assert refusal(command, replace(view, now_ns=view.now_ns + waiting_ns)) is not None


@given(commands, views, st.integers(0, 9), st.integers(0, 20))
def test_more_seen_and_more_open_never_helps(
    command: EjectionCommand, view: GateView, seq: int, open_count: int
) -> None:
    if refusal(command, view) is not None:
        stricter = replace(
            view,
            seen={number for number in range(10) if number in view.seen} | {seq},
            open_nozzles=frozenset(view.open_nozzles) | other_open_nozzles(open_count),
        )
        assert refusal(command, stricter) is not None
