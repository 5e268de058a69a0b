"""The controller: fires once, in place, only while it may, and answers everything exactly once."""

from collections import Counter

import msgspec
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actuators.controller import Controller
from actuators.drivers.driver import Actuation
from actuators.errors import DriverError
from sorter.model.condition import Mode
from sorter.model.ejection import Ack, AckStatus, EjectionCommand, RefusalReason
from sorter.model.settings import SafetySettings, Settings, ValveSettings
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_MS, NS_PER_S

RESPONSE_NS = 8 * NS_PER_MS
SETTINGS = Settings(
    valves=ValveSettings(response_ms=8.0), safety=SafetySettings(max_open_ms=200.0, max_open_nozzles=30)
)
SPEED_UM_S = 3_000_000
T0_NS = 10**9


class RecordingValves:
    """Valves that note what they were told, and fail when asked to; they cannot tell when they opened."""

    lead_ns = 0

    def __init__(self) -> None:
        self.open_since_ns: dict[tuple[str, int], int] = {}
        self.calls: list[tuple[str, int, int, int]] = []
        self.is_broken = False
        self.is_stuck = False
        self.limits_ns: list[int] = []

    def open(
        self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int, limit_ns: int
    ) -> Actuation | None:
        self.limits_ns.append(limit_ns)
        self.calls.append(("open", first_nozzle, last_nozzle, now_ns))
        for nozzle in range(first_nozzle, last_nozzle + 1):
            self.open_since_ns.setdefault((station_id, nozzle), now_ns)
        if self.is_broken:
            raise DriverError("no answer from the valve terminal")
        return None

    def close(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int) -> Actuation | None:
        self.calls.append(("close", first_nozzle, last_nozzle, now_ns))
        if self.is_stuck:
            raise DriverError("no answer from the valve terminal")
        for nozzle in range(first_nozzle, last_nozzle + 1):
            self.open_since_ns.pop((station_id, nozzle), None)
        return None

    def close_all(self, now_ns: int) -> Actuation | None:  # noqa: ARG002 - the protocol's signature
        if self.is_stuck:
            raise DriverError("no answer from the valve terminal")
        self.open_since_ns.clear()
        return None


def command(seq: int = 1, open_um: int = 300_000, **changes: object) -> EjectionCommand:
    sound = EjectionCommand(
        "life", seq, (seq,), "pet", 10, 19, open_um, open_um + 100_000, T0_NS + 20 * NS_PER_S, "recipe"
    )
    return msgspec.structs.replace(sound, **changes)


def belt_at(now_ns: int, speed_um_s: int = SPEED_UM_S) -> BeltState:
    """A belt that was at travel 0 at T0."""
    return BeltState(now_ns, (now_ns - T0_NS) * speed_um_s // NS_PER_S, speed_um_s)


def executing() -> tuple[Controller, RecordingValves]:
    valves = RecordingValves()
    controller = Controller(SETTINGS, "recipe", valves)
    assert controller.set_boot_id("life", T0_NS) == []
    assert controller.set_mode(Mode.EXECUTE, T0_NS) == []
    return controller, valves


def run(controller: Controller, until_ns: int, start_ns: int = T0_NS) -> list[Ack]:
    """Step whenever something is due, at constant speed."""
    acks: list[Ack] = []
    now_ns: int | None = start_ns
    while now_ns is not None and now_ns <= until_ns:
        acks += controller.step(belt_at(now_ns), now_ns)
        now_ns = controller.next_due_ns(belt_at(now_ns), now_ns)
    return acks


def test_energises_one_response_before_the_place_and_de_energises_one_before_the_end() -> None:
    controller, valves = executing()
    assert controller.receive(command(), belt_at(T0_NS), T0_NS) == []
    acks = run(controller, T0_NS + NS_PER_S)
    opened_ns, closed_ns = T0_NS + 100 * NS_PER_MS, T0_NS + 133_333_334
    assert valves.calls == [("open", 10, 19, opened_ns - RESPONSE_NS), ("close", 10, 19, closed_ns - RESPONSE_NS)]
    assert acks == [Ack("life", 1, AckStatus.FIRED, opened_ns, 300_000, closed_ns)]


def test_nothing_pending_nothing_due() -> None:
    controller, _ = executing()
    assert controller.next_due_ns(belt_at(T0_NS), T0_NS) is None


def test_starts_idle() -> None:
    controller = Controller(SETTINGS, "recipe", RecordingValves())
    controller.set_boot_id("life", T0_NS)
    assert controller.mode is Mode.IDLE
    assert controller.receive(command(), belt_at(T0_NS), T0_NS) == [
        Ack("life", 1, AckStatus.REFUSED_MODE, reason=RefusalReason.MODE)
    ]


def test_late_at_arrival_is_refused() -> None:
    controller, valves = executing()
    acks = controller.receive(command(open_um=23_000), belt_at(T0_NS), T0_NS)
    assert acks == [Ack("life", 1, AckStatus.REFUSED_LATE, reason=RefusalReason.LATE)]
    assert valves.calls == []


def test_late_at_firing_is_refused_beyond_ten_millimetres() -> None:
    for lateness_um, expected in ((10_000, 1), (10_010, 0)):
        controller, valves = executing()
        controller.receive(command(), belt_at(T0_NS), T0_NS)
        now_ns = T0_NS + (300_000 + lateness_um) * NS_PER_S // SPEED_UM_S - RESPONSE_NS
        acks = controller.step(belt_at(now_ns), now_ns)
        assert len(valves.calls) == expected
        assert [ack.status for ack in acks] == [AckStatus.REFUSED_LATE] * (1 - expected)


def test_a_standing_belt_holds_the_queue_until_validity_ends() -> None:
    controller, valves = executing()
    controller.receive(command(), belt_at(T0_NS), T0_NS)
    standing = BeltState(T0_NS, 290_000, 0)
    for wait_s in range(21):
        now_ns = T0_NS + wait_s * NS_PER_S
        still = msgspec.structs.replace(standing, measured_at_ns=now_ns)
        assert controller.next_due_ns(still, now_ns) is None
        assert controller.step(still, now_ns) == []
    now_ns = T0_NS + 20 * NS_PER_S + 1
    assert controller.step(standing, now_ns) == [Ack("life", 1, AckStatus.REFUSED_STALE, reason=RefusalReason.EXPIRED)]
    assert valves.calls == []


def test_a_belt_that_starts_again_fires_in_place() -> None:
    controller, valves = executing()
    controller.receive(command(), belt_at(T0_NS), T0_NS)
    later_ns = T0_NS + 5 * NS_PER_S
    assert controller.step(BeltState(later_ns, 200_000, 0), later_ns) == []
    moving = BeltState(later_ns, 200_000, 1_000_000)
    assert controller.next_due_ns(moving, later_ns) == later_ns + 92 * NS_PER_MS
    controller.step(moving, later_ns + 92 * NS_PER_MS)
    assert valves.calls == [("open", 10, 19, later_ns + 92 * NS_PER_MS)]


def test_a_stop_in_the_middle_of_a_shot_closes_by_time() -> None:
    controller, valves = executing()
    controller.receive(command(), belt_at(T0_NS), T0_NS)
    opened_ns = T0_NS + 92 * NS_PER_MS
    controller.step(belt_at(opened_ns), opened_ns)
    standing = BeltState(opened_ns, 290_000, 0)
    deadline_ns = opened_ns + 200 * NS_PER_MS
    assert controller.next_due_ns(standing, opened_ns) == deadline_ns
    assert controller.step(standing, deadline_ns - NS_PER_MS) == []
    acks = controller.step(standing, deadline_ns)
    assert [ack.status for ack in acks] == [AckStatus.FIRED]
    assert not valves.open_since_ns


def test_an_encoder_that_falls_silent_holds_the_queue_and_closes_by_time() -> None:
    controller, valves = executing()
    controller.receive(command(1), belt_at(T0_NS), T0_NS)
    controller.receive(command(2, open_um=500_000), belt_at(T0_NS), T0_NS)
    opened_ns = T0_NS + 92 * NS_PER_MS
    controller.step(belt_at(opened_ns), opened_ns)
    last_reading = BeltState(opened_ns, 276_000, 500_000)
    controller.step(last_reading, opened_ns + 200 * NS_PER_MS)
    assert not valves.open_since_ns
    assert controller.step(last_reading, opened_ns + 900 * NS_PER_MS) == []
    assert controller.pending_count == 1


def test_without_a_first_reading_commands_wait() -> None:
    controller, valves = executing()
    assert controller.receive(command(), None, T0_NS) == []
    assert controller.step(None, T0_NS + NS_PER_S) == []
    assert controller.next_due_ns(None, T0_NS + NS_PER_S) is None
    assert valves.calls == []


def test_overlapping_shots_keep_shared_nozzles_open_until_the_last() -> None:
    controller, valves = executing()
    controller.receive(command(1), belt_at(T0_NS), T0_NS)
    controller.receive(command(2, open_um=360_000, first_nozzle=15, last_nozzle=24), belt_at(T0_NS), T0_NS)
    acks = run(controller, T0_NS + NS_PER_S)
    assert [call[:3] for call in valves.calls] == [
        ("open", 10, 19),
        ("open", 15, 24),
        ("close", 10, 14),
        ("close", 15, 24),
    ]
    assert [(ack.seq, ack.status) for ack in acks] == [(1, AckStatus.FIRED), (2, AckStatus.FIRED)]


def test_a_shot_inside_another_closes_nothing_itself() -> None:
    controller, valves = executing()
    inner = command(2, open_um=330_000, close_at_travel_um=350_000, first_nozzle=12, last_nozzle=13)
    controller.receive(command(1), belt_at(T0_NS), T0_NS)
    controller.receive(inner, belt_at(T0_NS), T0_NS)
    acks = run(controller, T0_NS + NS_PER_S)
    assert [call[:3] for call in valves.calls] == [("open", 10, 19), ("open", 12, 13), ("close", 10, 19)]
    assert {ack.seq for ack in acks} == {1, 2}


def test_too_many_nozzles_at_once_are_refused_when_it_comes_to_firing() -> None:
    controller, valves = executing()
    for seq, station_id in ((1, "pet"), (2, "hdpe"), (3, "can")):
        refused = controller.receive(command(seq, station_id=station_id, last_nozzle=20), belt_at(T0_NS), T0_NS)
        assert refused == []
    acks = run(controller, T0_NS + NS_PER_S)
    assert Counter(ack.status for ack in acks) == {AckStatus.FIRED: 2, AckStatus.REFUSED_LIMIT: 1}
    assert not valves.open_since_ns


def test_leaving_execute_closes_at_once_and_answers_all() -> None:
    controller, valves = executing()
    controller.receive(command(1), belt_at(T0_NS), T0_NS)
    controller.receive(command(2, open_um=2_000_000), belt_at(T0_NS), T0_NS)
    now_ns = T0_NS + 92 * NS_PER_MS
    controller.step(belt_at(now_ns), now_ns)
    assert valves.open_since_ns
    acks = controller.set_mode(Mode.HELD, now_ns)
    assert not valves.open_since_ns
    assert [(ack.seq, ack.status) for ack in acks] == [(1, AckStatus.FIRED), (2, AckStatus.REFUSED_MODE)]
    assert controller.set_mode(Mode.HELD, now_ns) == []
    assert controller.set_mode(Mode.EXECUTE, now_ns) == []
    assert run(controller, T0_NS + NS_PER_S, now_ns) == []


def test_a_new_life_of_the_sorter_voids_commands_and_mode() -> None:
    controller, valves = executing()
    controller.receive(command(1), belt_at(T0_NS), T0_NS)
    assert controller.set_boot_id("life", T0_NS) == []
    assert controller.set_boot_id("next", T0_NS) == [
        Ack("life", 1, AckStatus.REFUSED_STALE, reason=RefusalReason.WRONG_BOOT)
    ]
    assert controller.mode is Mode.IDLE
    controller.set_mode(Mode.EXECUTE, T0_NS)
    assert controller.receive(command(2), belt_at(T0_NS), T0_NS) == [
        Ack("life", 2, AckStatus.REFUSED_STALE, reason=RefusalReason.WRONG_BOOT)
    ]
    assert controller.receive(command(1, boot_id="next"), belt_at(T0_NS), T0_NS) == []
    assert len(run(controller, T0_NS + NS_PER_S)) == 1
    assert len(valves.calls) == 2


def test_duplicates_are_answered_and_do_not_fire() -> None:
    controller, valves = executing()
    controller.receive(command(), belt_at(T0_NS), T0_NS)
    assert controller.receive(command(), belt_at(T0_NS), T0_NS) == [
        Ack("life", 1, AckStatus.REFUSED_DUPLICATE, reason=RefusalReason.DUPLICATE)
    ]
    run(controller, T0_NS + NS_PER_S)
    assert controller.receive(command(open_um=9_000_000), belt_at(T0_NS), T0_NS) == [
        Ack("life", 1, AckStatus.REFUSED_DUPLICATE, reason=RefusalReason.DUPLICATE)
    ]
    assert len(valves.calls) == 2


def test_a_valve_that_fails_is_told_to_close_and_the_command_has_failed() -> None:
    controller, valves = executing()
    controller.receive(command(), belt_at(T0_NS), T0_NS)
    valves.is_broken = True
    acks = run(controller, T0_NS + NS_PER_S)
    assert acks == [Ack("life", 1, AckStatus.FAILED, reason=RefusalReason.DRIVER)]
    assert not valves.open_since_ns


def with_responses(**own_response_ms: float) -> tuple[Controller, RecordingValves]:
    valves = RecordingValves()
    names = {name.replace("_", ":"): response_ms for name, response_ms in own_response_ms.items()}
    settings = msgspec.structs.replace(SETTINGS, valves=ValveSettings(response_ms=8.0, own_response_ms=names))
    controller = Controller(settings, "recipe", valves)
    controller.set_boot_id("life", T0_NS)
    controller.set_mode(Mode.EXECUTE, T0_NS)
    return controller, valves


def test_a_slower_valve_is_told_earlier_and_the_shot_is_one() -> None:
    controller, valves = with_responses(pet_12=20.0, pet_13=20.0)
    controller.receive(command(last_nozzle=14), belt_at(T0_NS), T0_NS)
    acks = run(controller, T0_NS + NS_PER_S)
    opened_ns, closed_ns = T0_NS + 100 * NS_PER_MS, T0_NS + 133_333_334
    slow_ns = 20 * NS_PER_MS
    assert valves.calls == [
        ("open", 12, 13, opened_ns - slow_ns),
        ("open", 10, 11, opened_ns - RESPONSE_NS),
        ("open", 14, 14, opened_ns - RESPONSE_NS),
        ("close", 12, 13, closed_ns - slow_ns),
        ("close", 10, 11, closed_ns - RESPONSE_NS),
        ("close", 14, 14, closed_ns - RESPONSE_NS),
    ]
    assert acks == [Ack("life", 1, AckStatus.FIRED, opened_ns, 300_000, closed_ns)]


def test_the_order_of_firing_is_that_of_instants_not_of_travel() -> None:
    controller, valves = with_responses(can=30.0)
    controller.receive(command(1, open_um=300_000), belt_at(T0_NS), T0_NS)
    controller.receive(command(2, open_um=330_000, station_id="can"), belt_at(T0_NS), T0_NS)
    run(controller, T0_NS + NS_PER_S)
    assert [call[3] - T0_NS for call in valves.calls if call[0] == "open"] == [80 * NS_PER_MS, 92 * NS_PER_MS]


def test_a_blast_shorter_than_the_difference_of_two_responses_opens_both() -> None:
    controller, valves = with_responses(pet_12=20.0)
    short = command(close_at_travel_um=315_000, first_nozzle=11, last_nozzle=12)
    controller.receive(short, belt_at(T0_NS), T0_NS)
    acks = run(controller, T0_NS + NS_PER_S)
    assert [call[:2] for call in valves.calls] == [("open", 12), ("close", 12), ("open", 11), ("close", 11)]
    assert [ack.status for ack in acks] == [AckStatus.FIRED]


def test_a_pulse_carries_what_is_left_of_the_longest_time_open() -> None:
    controller, valves = executing()
    controller.receive(command(1), belt_at(T0_NS), T0_NS)
    controller.receive(command(2, open_um=360_000, first_nozzle=15, last_nozzle=24), belt_at(T0_NS), T0_NS)
    run(controller, T0_NS + NS_PER_S)
    assert valves.limits_ns == [200 * NS_PER_MS, 180 * NS_PER_MS]


def test_valves_that_do_not_close_are_told_again_and_nothing_fires_meanwhile() -> None:
    controller, valves = executing()
    controller.receive(command(1), belt_at(T0_NS), T0_NS)
    controller.receive(command(2, open_um=600_000), belt_at(T0_NS), T0_NS)
    opened_ns = T0_NS + 92 * NS_PER_MS
    controller.step(belt_at(opened_ns), opened_ns)
    valves.is_stuck = True
    acks = run(controller, T0_NS + 180 * NS_PER_MS, opened_ns)
    assert [(ack.seq, ack.status) for ack in acks] == [(1, AckStatus.FIRED)]
    assert controller.trouble == "no answer from the valve terminal"
    assert valves.open_since_ns
    now_ns = T0_NS + 195 * NS_PER_MS
    refused = controller.step(belt_at(now_ns), now_ns)
    assert refused == [Ack("life", 2, AckStatus.FAILED, reason=RefusalReason.DRIVER)]
    third = controller.receive(command(3, open_um=900_000), belt_at(now_ns), now_ns)
    assert third == [Ack("life", 3, AckStatus.FAILED, reason=RefusalReason.DRIVER)]
    valves.is_stuck = False
    controller.step(belt_at(now_ns + 60 * NS_PER_MS), now_ns + 60 * NS_PER_MS)
    assert not valves.open_since_ns
    assert controller.trouble is None


class ControllerMachine(RuleBasedStateMachine):
    """Whatever order things come in: nothing fires twice or out of turn, everything is answered exactly once."""

    @initialize()
    def start(self) -> None:
        self.valves = RecordingValves()
        self.controller = Controller(SETTINGS, "recipe", self.valves)
        self.now_ns = T0_NS
        self.travel_um = 0
        self.speed_um_s = 2_000_000
        self.boot_id = "life-0"
        self.life_count = 1
        self.seq = 0
        self.sent: list[EjectionCommand] = []
        self.message_counts: Counter[tuple[str, int]] = Counter()
        self.answers: list[Ack] = []
        self.answers += self.controller.set_boot_id(self.boot_id, self.now_ns)

    @property
    def belt(self) -> BeltState:
        return BeltState(self.now_ns, self.travel_um, self.speed_um_s)

    def give(self, command: EjectionCommand) -> None:
        self.message_counts[command.boot_id, command.seq] += 1
        self.answers += self.controller.receive(command, self.belt, self.now_ns)

    @rule(
        ahead_mm=st.integers(-50, 800),
        length_mm=st.integers(0, 650),
        first=st.integers(-1, 40),
        width=st.integers(0, 32),
        valid_ms=st.integers(0, 3000),
        skipped=st.integers(0, 3),
    )
    def send(self, ahead_mm: int, length_mm: int, first: int, width: int, valid_ms: int, skipped: int) -> None:
        self.seq += 1 + skipped
        open_um = self.travel_um + ahead_mm * 1000
        command = EjectionCommand(
            self.boot_id, self.seq, (1,), "pet", first, first + width, open_um, open_um + length_mm * 1000,
            self.now_ns + valid_ms * NS_PER_MS, "recipe",
        )  # fmt: skip
        self.sent.append(command)
        self.give(command)

    @rule(ahead_mm=st.integers(30, 500), first=st.integers(0, 30))
    def send_a_sound_one(self, ahead_mm: int, first: int) -> None:
        self.send(ahead_mm, 100, first, 8, 3000, 0)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        self.give(data.draw(st.sampled_from(self.sent)))

    @precondition(lambda self: self.seq)
    @rule(back=st.integers(0, 3), ahead_mm=st.integers(30, 500))
    def reorder(self, back: int, ahead_mm: int) -> None:
        """A number out of order: seen before, or skipped before."""
        open_um = self.travel_um + ahead_mm * 1000
        seq = max(1, self.seq - back)
        until_ns = self.now_ns + NS_PER_S
        self.give(EjectionCommand(self.boot_id, seq, (1,), "pet", 0, 3, open_um, open_um + 50_000, until_ns, "recipe"))

    @rule(mode=st.sampled_from([Mode.EXECUTE, Mode.EXECUTE, Mode.EXECUTE, Mode.HELD, Mode.ABORTED]))
    def change_mode(self, mode: Mode) -> None:
        self.answers += self.controller.set_mode(mode, self.now_ns)
        assert mode is Mode.EXECUTE or not self.valves.open_since_ns

    @rule()
    def restart_sorter(self) -> None:
        self.boot_id, self.seq = f"life-{self.life_count}", 0
        self.life_count += 1
        self.answers += self.controller.set_boot_id(self.boot_id, self.now_ns)
        assert not self.valves.open_since_ns

    @rule()
    def lose_link(self) -> None:
        self.answers += self.controller.close_all(self.now_ns)
        assert not self.valves.open_since_ns
        assert self.controller.pending_count == 0

    @rule(speed_mm_s=st.sampled_from([0, 0, 5, 100, 1000, 2000, 4000]))
    def change_speed(self, speed_mm_s: int) -> None:
        self.speed_um_s = speed_mm_s * 1000

    @rule(duration_ms=st.integers(1, 400))
    def let_time_pass(self, duration_ms: int) -> None:
        end_ns = self.now_ns + duration_ms * NS_PER_MS
        while self.now_ns < end_ns:
            self.step()
            due_ns = self.controller.next_due_ns(self.belt, self.now_ns)
            wake_ns = min(end_ns, self.now_ns + 5 * NS_PER_MS, end_ns if due_ns is None else due_ns)
            self.move_to(max(wake_ns, self.now_ns + 1000))
        self.step()

    @rule(pause_ms=st.integers(1, 600))
    def stall(self, pause_ms: int) -> None:
        """The process is not scheduled for a while: the belt moves on, and the first step comes late."""
        self.move_to(self.now_ns + pause_ms * NS_PER_MS)
        self.step()

    def step(self) -> None:
        opened_before = len(self.valves.calls)
        self.answers += self.controller.step(self.belt, self.now_ns)
        fired = [call for call in self.valves.calls[opened_before:] if call[0] == "open"]
        assert not fired or self.controller.mode is Mode.EXECUTE
        limit_ns = 200 * NS_PER_MS
        assert all(self.now_ns - since_ns < limit_ns for since_ns in self.valves.open_since_ns.values())

    def move_to(self, instant_ns: int) -> None:
        self.travel_um += (instant_ns - self.now_ns) * self.speed_um_s // NS_PER_S
        self.now_ns = instant_ns

    @invariant()
    def each_fires_at_most_once(self) -> None:
        fired = Counter((ack.boot_id, ack.seq) for ack in self.answers if ack.status is AckStatus.FIRED)
        assert all(count == 1 for count in fired.values())

    @invariant()
    def nobody_is_answered_twice(self) -> None:
        answered = Counter((ack.boot_id, ack.seq) for ack in self.answers)
        assert all(count <= self.message_counts[key] for key, count in answered.items())

    @invariant()
    def no_more_shots_than_answers_will_tell(self) -> None:
        shot_count = sum(1 for call in self.valves.calls if call[0] == "open")
        told_count = sum(1 for ack in self.answers if ack.status is AckStatus.FIRED)
        assert told_count <= shot_count

    def teardown(self) -> None:
        if not hasattr(self, "controller"):
            return
        self.answers += self.controller.close_all(self.now_ns)
        assert Counter((ack.boot_id, ack.seq) for ack in self.answers) == self.message_counts
        shot_count = sum(1 for call in self.valves.calls if call[0] == "open")
        assert shot_count == sum(1 for ack in self.answers if ack.status is AckStatus.FIRED)
        assert not self.valves.open_since_ns


TestControllerMachine = ControllerMachine.TestCase
TestControllerMachine.settings = hypothesis_settings(max_examples=300, stateful_step_count=40, deadline=None)
