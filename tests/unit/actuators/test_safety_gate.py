"""The last gate before hardware: every reason to refuse, and that nothing passes that must not."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actuators.nozzle_use import NozzleUse
from actuators.safety_gate import MAX_PENDING_COUNT, STATUS_OF_REASON, GateView, refusal
from sorter.model.condition import Mode
from sorter.model.ejection import AckStatus, EjectionCommand, RefusalReason
from sorter.model.settings import SafetySettings, StationSettings
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_MS

STATION = StationSettings(id="pet", offset_mm=700.0, targets=("pet_clear",), nozzle_count=40)
SAFETY = SafetySettings(
    max_open_ms=400.0, max_duty_ratio=0.5, duty_window_ms=800.0, max_blast_mm=600.0, max_open_nozzles=20
)
WINDOW_NS = 800 * NS_PER_MS
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
    controller_id="",
    recipe_hash="recipe",
    seen=frozenset(),
    belt=BeltState(1_000_000_000, 960_000, 3_000_000),
    now_ns=1_000_000_000,
    response_ns=8 * NS_PER_MS,
    late_tolerance_um=0,
    stations={"pet": STATION},
    safety=SAFETY,
    use=NozzleUse(WINDOW_NS),
    is_in_trouble=False,
    pending_count=0,
    is_firing=True,
)
NOW_NS = VIEW.now_ns
# the command's 100 mm take 33.3 ms at 3 m/s
PLANNED_NS = 33_333_333
replace = msgspec.structs.replace


def open_since(since_ns: int, *nozzles: tuple[str, int], window_ns: int = WINDOW_NS) -> NozzleUse:
    use = NozzleUse(window_ns)
    for nozzle in nozzles:
        use.energise(nozzle, since_ns)
    return use


def pulsed(nozzle: tuple[str, int], *pulses_ns: tuple[int, int]) -> NozzleUse:
    use = NozzleUse(WINDOW_NS)
    for begin_ns, end_ns in pulses_ns:
        use.energise(nozzle, begin_ns)
        use.release(nozzle, end_ns)
    return use


def others_open(count: int) -> list[tuple[str, int]]:
    return [("hdpe", number) for number in range(count)]


def test_a_sound_command_passes() -> None:
    assert refusal(COMMAND, VIEW) is None
    assert refusal(COMMAND, replace(VIEW, is_firing=False)) is None


def test_every_reason_has_a_status() -> None:
    assert set(STATUS_OF_REASON) == set(RefusalReason)
    assert AckStatus.FIRED not in STATUS_OF_REASON.values()
    assert STATUS_OF_REASON[RefusalReason.MODE] is AckStatus.REFUSED_MODE
    assert STATUS_OF_REASON[RefusalReason.LATE] is AckStatus.REFUSED_LATE
    assert STATUS_OF_REASON[RefusalReason.DUPLICATE] is AckStatus.REFUSED_DUPLICATE
    stale = {reason for reason, status in STATUS_OF_REASON.items() if status is AckStatus.REFUSED_STALE}
    assert {reason.value for reason in stale} == {"wrong_boot", "wrong_recipe", "expired", "link_lost"}
    failed = {reason for reason, status in STATUS_OF_REASON.items() if status is AckStatus.FAILED}
    assert {reason.value for reason in failed} == {"driver", "unanswered"}


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.EXECUTE])
def test_only_execute_fires(mode: Mode) -> None:
    assert refusal(COMMAND, replace(VIEW, mode=mode)) is RefusalReason.MODE


@pytest.mark.parametrize(
    ("command", "view", "reason"),
    [
        (COMMAND, replace(VIEW, is_in_trouble=True), RefusalReason.DRIVER),
        (replace(COMMAND, boot_id="earlier"), VIEW, RefusalReason.WRONG_BOOT),
        (COMMAND, replace(VIEW, boot_id=None), RefusalReason.WRONG_BOOT),
        (replace(COMMAND, controller_id="earlier"), VIEW, RefusalReason.WRONG_BOOT),
        (COMMAND, replace(VIEW, controller_id="next"), RefusalReason.WRONG_BOOT),
        (replace(COMMAND, recipe_hash="other"), VIEW, RefusalReason.WRONG_RECIPE),
        (COMMAND, replace(VIEW, now_ns=COMMAND.valid_until_ns + 1), RefusalReason.EXPIRED),
        (COMMAND, replace(VIEW, seen={7}), RefusalReason.DUPLICATE),
        (replace(COMMAND, station_id="nowhere"), VIEW, RefusalReason.UNKNOWN_STATION),
        (replace(COMMAND, first_nozzle=-1), VIEW, RefusalReason.NOZZLE_RANGE),
        (replace(COMMAND, last_nozzle=40), VIEW, RefusalReason.NOZZLE_RANGE),
        (replace(COMMAND, first_nozzle=13), VIEW, RefusalReason.NOZZLE_RANGE),
        (replace(COMMAND, close_at_travel_um=1_000_000), VIEW, RefusalReason.BLAST_LENGTH),
        (replace(COMMAND, close_at_travel_um=999_999), VIEW, RefusalReason.BLAST_LENGTH),
        (replace(COMMAND, close_at_travel_um=1_600_001), VIEW, RefusalReason.BLAST_LENGTH),
        (COMMAND, replace(VIEW, pending_count=MAX_PENDING_COUNT), RefusalReason.QUEUE_FULL),
        (replace(COMMAND, first_nozzle=0, last_nozzle=20), VIEW, RefusalReason.AIR_SUPPLY),
        (COMMAND, replace(VIEW, use=open_since(NOW_NS, *others_open(11))), RefusalReason.AIR_SUPPLY),
    ],
)
def test_each_reason(command: EjectionCommand, view: GateView, reason: RefusalReason) -> None:
    assert refusal(command, view) is reason
    assert refusal(command, replace(view, is_firing=False)) is reason


@pytest.mark.parametrize(
    ("command", "view"),
    [
        (COMMAND, replace(VIEW, now_ns=COMMAND.valid_until_ns, belt=None)),
        (COMMAND, replace(VIEW, seen={6, 8})),
        (replace(COMMAND, first_nozzle=0, last_nozzle=0), VIEW),
        (replace(COMMAND, first_nozzle=39, last_nozzle=39), VIEW),
        (replace(COMMAND, close_at_travel_um=1_000_001), VIEW),
        (replace(COMMAND, close_at_travel_um=1_600_000), VIEW),
        (replace(COMMAND, first_nozzle=0, last_nozzle=19), VIEW),
        (COMMAND, replace(VIEW, pending_count=MAX_PENDING_COUNT - 1)),
        (COMMAND, replace(VIEW, use=open_since(NOW_NS, *others_open(10)))),
        (COMMAND, replace(VIEW, use=open_since(NOW_NS, *others_open(10), ("pet", 12)))),
    ],
)
def test_just_within_a_limit(command: EjectionCommand, view: GateView) -> None:
    assert refusal(command, view) is None


@pytest.mark.parametrize("nozzle", [3, 7, 12])
@pytest.mark.parametrize(("over_ns", "reason"), [(0, None), (1, RefusalReason.ON_TIME)])
def test_a_nozzle_is_open_no_longer_than_allowed_shots_in_a_row_included(
    nozzle: int, over_ns: int, reason: RefusalReason | None
) -> None:
    since_ns = NOW_NS - (400 * NS_PER_MS - PLANNED_NS) - over_ns
    view = replace(VIEW, use=open_since(since_ns, ("pet", nozzle)))
    assert refusal(COMMAND, view) is reason
    assert refusal(COMMAND, replace(view, is_firing=False)) is None


def test_a_belt_so_slow_that_the_blast_would_take_too_long() -> None:
    slow = replace(VIEW, belt=BeltState(NOW_NS, 960_000, 250_000))
    assert refusal(COMMAND, slow) is None
    assert refusal(COMMAND, replace(slow, belt=BeltState(NOW_NS, 960_000, 249_000))) is RefusalReason.ON_TIME
    assert refusal(COMMAND, replace(slow, belt=BeltState(NOW_NS, 960_000, 1))) is RefusalReason.ON_TIME
    assert refusal(COMMAND, replace(slow, belt=BeltState(NOW_NS, 960_000, 0))) is None
    assert refusal(COMMAND, replace(slow, belt=BeltState(NOW_NS, 960_000, -5))) is None
    assert refusal(COMMAND, replace(slow, belt=None)) is None


@pytest.mark.parametrize("nozzle", [3, 12])
@pytest.mark.parametrize(("over_ns", "reason"), [(0, None), (1, RefusalReason.DUTY)])
def test_a_nozzle_s_share_of_the_window(nozzle: int, over_ns: int, reason: RefusalReason | None) -> None:
    """Half of a window of 800 ms, less the shot itself."""
    used_ns = 400 * NS_PER_MS - PLANNED_NS + over_ns
    begin_ns = NOW_NS - 700 * NS_PER_MS
    view = replace(VIEW, use=pulsed(("pet", nozzle), (begin_ns, begin_ns + used_ns)))
    assert refusal(COMMAND, view) is reason
    assert refusal(COMMAND, replace(view, is_firing=False)) is None


def test_what_a_neighbour_has_used_does_not_count() -> None:
    begin_ns = NOW_NS - 700 * NS_PER_MS
    for nozzle in (("pet", 2), ("pet", 13), ("hdpe", 5)):
        assert refusal(COMMAND, replace(VIEW, use=pulsed(nozzle, (begin_ns, NOW_NS)))) is None


@pytest.mark.parametrize(("ago_ns", "reason"), [(100 * NS_PER_MS, None), (100 * NS_PER_MS - 1, RefusalReason.REST)])
def test_a_paddle_is_left_alone_on_its_way_back(ago_ns: int, reason: RefusalReason | None) -> None:
    resting = replace(STATION, min_rest_ms=100.0)
    closed_ns = NOW_NS - ago_ns
    view = replace(VIEW, stations={"pet": resting}, use=pulsed(("pet", 12), (closed_ns - NS_PER_MS, closed_ns)))
    assert refusal(COMMAND, view) is reason
    assert refusal(COMMAND, replace(view, is_firing=False)) is None
    assert refusal(COMMAND, replace(view, stations={"pet": STATION})) is None


def test_a_paddle_that_is_still_out_may_stay_out() -> None:
    resting = replace(STATION, min_rest_ms=100.0)
    use = pulsed(("pet", 12), (NOW_NS - 20 * NS_PER_MS, NOW_NS - 10 * NS_PER_MS))
    use.energise(("pet", 12), NOW_NS - 5 * NS_PER_MS)
    assert refusal(COMMAND, replace(VIEW, stations={"pet": resting}, use=use)) is None


def test_late_is_when_the_valve_could_only_open_behind() -> None:
    on_time = replace(VIEW, belt=BeltState(1_000_000_000, 976_000, 3_000_000))
    late = replace(VIEW, belt=BeltState(1_000_000_000, 976_001, 3_000_000))
    assert refusal(COMMAND, on_time) is None
    assert refusal(COMMAND, late) is RefusalReason.LATE
    assert refusal(COMMAND, replace(late, late_tolerance_um=1)) is None
    older = replace(on_time, belt=BeltState(999_999_000, 976_000, 3_000_000))
    assert refusal(COMMAND, older) is RefusalReason.LATE


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
    controller_id=st.sampled_from(["", "", "", "next"]),
    recipe_hash=st.just("recipe"),
    seen=st.frozensets(st.integers(0, 9), max_size=3),
    belt=st.none() | st.builds(BeltState, instants_ns, st.integers(800_000, 1_100_000), st.integers(0, 4_000_000)),
    now_ns=instants_ns,
    response_ns=st.integers(0, 20 * NS_PER_MS),
    late_tolerance_um=st.integers(0, 10_000),
    stations=st.just({"pet": STATION}),
    safety=st.just(SAFETY),
    use=st.builds(
        lambda count, since_ns, used: open_since(since_ns, *others_open(count), *(("pet", each) for each in used)),
        st.integers(0, 20),
        st.integers(0, 4_000_000_000),
        st.frozensets(st.integers(0, 39), max_size=3),
    ),
    is_in_trouble=st.sampled_from([False, False, False, True]),
    is_firing=st.booleans(),
    pending_count=st.sampled_from([0, 1, MAX_PENDING_COUNT]),
)


@given(commands, views)
def test_what_passes_breaks_no_rule(command: EjectionCommand, view: GateView) -> None:
    """Each rule written down anew, so that no slip in the gate is repeated here."""
    if refusal(command, view) is not None:
        return
    assert view.mode is Mode.EXECUTE
    assert (command.boot_id, command.recipe_hash) == (view.boot_id, view.recipe_hash)
    assert command.controller_id == view.controller_id
    assert view.now_ns <= command.valid_until_ns
    assert command.seq not in view.seen
    assert command.station_id == "pet"
    opened = range(command.first_nozzle, command.last_nozzle + 1)
    assert len(opened) > 0
    assert all(0 <= nozzle < 40 for nozzle in opened)
    assert len({("pet", nozzle) for nozzle in opened} | set(view.use.open_nozzles)) <= 20
    assert not view.is_in_trouble
    assert view.pending_count < MAX_PENDING_COUNT
    assert command.open_at_travel_um < command.close_at_travel_um <= command.open_at_travel_um + 600_000
    if view.belt is not None:
        moving_s = (view.now_ns + view.response_ns - view.belt.measured_at_ns) / 1e9
        opens_at_um = view.belt.travel_um + view.belt.speed_um_s * moving_s
        if view.is_firing and view.belt.speed_um_s > 0:
            lasts_s = (command.close_at_travel_um - command.open_at_travel_um) / view.belt.speed_um_s
            assert lasts_s <= 0.4 + 1e-6
        assert opens_at_um <= command.open_at_travel_um + view.late_tolerance_um + 1


@given(commands, views, st.integers(0, 2_000_000_000))
def test_a_refusal_on_arrival_never_lapses_by_waiting(command: EjectionCommand, view: GateView, wait_ns: int) -> None:
    """With all else unchanged, what is refused now is refused later, so a queue needs no second thoughts."""
    view = replace(view, is_firing=False)
    if refusal(command, view) is not None:
        assert refusal(command, replace(view, now_ns=view.now_ns + wait_ns)) is not None


@given(commands, views)
def test_what_is_refused_on_arrival_is_refused_at_firing(command: EjectionCommand, view: GateView) -> None:
    if refusal(command, replace(view, is_firing=False)) is not None:
        assert refusal(command, replace(view, is_firing=True)) is not None


@given(commands, views, st.integers(0, 9), st.integers(0, 20))
def test_more_seen_and_more_open_never_helps(
    command: EjectionCommand, view: GateView, seq: int, open_count: int
) -> None:
    if refusal(command, view) is not None:
        stricter_use = open_since(0, *view.use.open_nozzles, *others_open(open_count))
        seen = {number for number in range(10) if number in view.seen} | {seq}
        assert refusal(command, replace(view, seen=seen, use=stricter_use)) is not None
