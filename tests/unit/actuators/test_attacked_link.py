"""Whatever the network does between a sorter and its controller: nothing stale, doubled or of another life fires.

Messages are lost, doubled, late, out of order and replayed, also to a controller they were not sent to; either end is
born anew; clocks run apart; the belt changes its speed. `make test` sends a hundred thousand commands this way, `make
soak` a million.
"""

import random
from collections import Counter

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from actuators.controller import Controller
from actuators.drivers.driver import Actuation
from actuators.obedience import Obedience, SorterHeard
from sorter.model.condition import Mode
from sorter.model.ejection import Ack, AckStatus, EjectionCommand
from sorter.model.settings import SafetySettings, Settings, ValveSettings
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_MS, NS_PER_S, ms_to_ns
from sorter.runtime.envelope import Received
from sorter.runtime.link_peer import Peer
from sorter.runtime.topics import Heartbeat

SETTINGS = Settings(
    valves=ValveSettings(response_ms=5.0),
    safety=SafetySettings(max_open_ms=200.0, max_open_nozzles=64, max_duty_ratio=1.0),
)
LIVENESS_NS = ms_to_ns(SETTINGS.safety.liveness_ms)
STEP_NS = 5 * NS_PER_MS
LATE_TOLERANCE_UM = 10_000


class SilentValves:
    """Valves that tell nothing; what fired is known from the answers."""

    lead_ns = 0

    def open(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int, limit_ns: int) -> None:
        pass

    def close(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int) -> None:
        pass

    def close_all(self, now_ns: int) -> Actuation | None:
        pass


class Sent(msgspec.Struct, frozen=True):
    """A message under way to a life of the controller; instants are the controller's clock."""

    received: Received
    meant_for: str


class ControllerLife:
    """One life of the controller, as its process composes it, but for sockets."""

    def __init__(self, boot_id: str) -> None:
        self.boot_id = boot_id
        self.peer = Peer(LIVENESS_NS)
        self.controller = Controller(SETTINGS, "recipe", SilentValves(), boot_id)
        self.obedience = Obedience(self.controller)

    def step(self, arrived: list[Received], belt: BeltState, now_ns: int) -> list[Ack]:
        for received in arrived:
            self.peer.hear(received, now_ns)
        heartbeat = self.peer.heartbeat
        mode, known = (heartbeat.mode, heartbeat.loss_count) if heartbeat is not None else (None, None)
        heard = SorterHeard(self.peer.is_alive(now_ns), self.peer.boot_id, mode, known)
        acks = self.obedience.follow(heard, now_ns)
        for received in arrived:
            if isinstance(received.message, EjectionCommand):
                acks += self.controller.receive(received.message, belt, now_ns)
        return acks + self.controller.step(belt, now_ns)


class Attack:
    """A line of which only the network, the clocks and the two lives are played, by a seeded adversary."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now_ns = NS_PER_S
        self.skew_ns = self.rng.randrange(-NS_PER_S // 2, 3600 * NS_PER_S)
        self.skew_error_ns = 0
        self.travel_um, self.speed_um_s = 0, 2_000_000
        self.life_count = 0
        self.controller = self.new_controller()
        self.commands: dict[tuple[str, int], EjectionCommand] = {}
        self.fired: Counter[tuple[str, int]] = Counter()
        self.answers: Counter[AckStatus] = Counter()
        self.ended_at_ns: dict[str, int] = {}
        self.executing_since_ns: dict[str, int] = {}
        self.under_way: list[tuple[int, Sent]] = []
        self.old: list[Sent] = []
        self.cut_until_ns = 0
        self.obeyed: tuple[str | None, int] = (None, 0)
        self.is_sorter_awake_at_ns = 0
        self.heartbeat_due_ns = self.message_count = 0
        self.begin_sorter()

    def new_controller(self) -> ControllerLife:
        self.life_count += 1
        return ControllerLife(f"controller-{self.life_count}")

    def begin_sorter(self) -> None:
        self.life_count += 1
        self.boot_id = f"sorter-{self.life_count}"
        self.seq = 0
        self.mode = Mode.EXECUTE

    def run(self, command_count: int) -> None:
        while len(self.commands) < command_count:
            self.turn()

    def turn(self) -> None:
        """Five milliseconds: the adversary acts, the sorter speaks, messages arrive, the controller steps."""
        self.now_ns += STEP_NS
        self.travel_um += self.speed_um_s * STEP_NS // NS_PER_S
        self.interfere()
        if self.now_ns >= self.is_sorter_awake_at_ns:
            self.speak()
        belt = BeltState(self.now_ns + self.skew_ns, self.travel_um, self.speed_um_s)
        acks = self.controller.step(self.arrived(), belt, self.now_ns + self.skew_ns)
        obeyed = self.controller.peer.boot_id
        if obeyed != self.obeyed[0]:
            self.obeyed = (obeyed, self.now_ns)
        for ack in acks:
            self.check(ack)

    def interfere(self) -> None:
        draw = self.rng.random()
        if draw < 0.001:
            self.restart_sorter(self.rng.randrange(2 * NS_PER_S))
        elif draw < 0.002:
            self.controller = self.new_controller()
        elif draw < 0.004:
            self.cut_until_ns = self.now_ns + self.rng.randrange(NS_PER_S)
        elif draw < 0.006:
            self.is_sorter_awake_at_ns = self.now_ns + self.rng.randrange(NS_PER_S)
        elif draw < 0.01:
            self.speed_um_s = self.rng.choice([0, 50_000, 1_000_000, 2_000_000, 4_000_000])
        elif draw < 0.012:
            self.skew_error_ns = self.rng.randrange(-20 * NS_PER_MS, 20 * NS_PER_MS)
        elif draw < 0.015:
            self.mode = self.rng.choice([Mode.HELD, Mode.EXECUTE, Mode.EXECUTE])
            self.heartbeat_due_ns = self.now_ns

    def restart_sorter(self, silence_ns: int) -> None:
        self.ended_at_ns[self.boot_id] = self.now_ns
        self.begin_sorter()
        self.is_sorter_awake_at_ns = self.now_ns + silence_ns

    def speak(self) -> None:
        self.beat_if_due()
        for _ in range(self.rng.randrange(4) if self.mode is Mode.EXECUTE else 0):
            self.send(self.command())
        if self.old and self.rng.random() < 0.3:
            # replayed: to whom it was sent or to who is there now
            sent = self.rng.choice(self.old)
            meant_for = self.rng.choice([sent.meant_for, self.controller.boot_id])
            self.under_way.append((self.now_ns, Sent(sent.received, meant_for)))

    def beat_if_due(self) -> None:
        if self.now_ns >= self.heartbeat_due_ns:
            self.heartbeat_due_ns = self.now_ns + 100 * NS_PER_MS
            self.known_loss_count = self.controller.obedience.loss_count
            self.send(Heartbeat(self.mode, self.known_loss_count))

    def command(self) -> EjectionCommand:
        self.seq += self.rng.choice([0, 0, 0, 1])
        validity_ms = self.rng.choice([50, 500, 2000])
        nozzle, ahead_um = self.rng.randrange(112), self.rng.randrange(-20_000, 900_000)
        return self.new_command(nozzle, ahead_um, validity_ms, self.rng.choice(["pet", "hdpe", "can"]))

    def new_command(self, nozzle: int, ahead_um: int, validity_ms: int, station_id: str) -> EjectionCommand:
        """The sorter's next command, as the controller is told it; what it was meant to say is kept for the check."""
        self.seq += 1
        open_um = self.travel_um + ahead_um
        until_ns = self.now_ns + validity_ms * NS_PER_MS
        command = EjectionCommand(
            self.boot_id, self.seq, (), station_id, nozzle, nozzle, open_um, open_um + 20_000,
            until_ns + self.skew_ns + self.skew_error_ns, "recipe", self.controller.boot_id,
        )  # fmt: skip
        self.commands[self.boot_id, self.seq] = msgspec.structs.replace(command, valid_until_ns=until_ns)
        return command

    def send(self, message: msgspec.Struct) -> None:
        sent = self.noted(message)
        if self.now_ns < self.cut_until_ns and self.rng.random() < 0.5:
            return
        for _ in range(self.rng.choice([1] * 18 + [0, 2])):
            self.deliver(sent, self.rng.choice([0] * 8 + [self.rng.randrange(400 * NS_PER_MS)]))

    def noted(self, message: msgspec.Struct) -> Sent:
        """A message as it leaves the sorter, kept for replays."""
        self.message_count += 1
        received = Received("", self.boot_id, self.message_count, self.now_ns, message)
        sent = Sent(received, self.controller.boot_id)
        self.old = [*self.old[-300:], sent]
        return sent

    def deliver(self, sent: Sent, late_ns: int) -> None:
        self.under_way.append((max(self.cut_until_ns, self.now_ns) + late_ns, sent))

    def arrived(self) -> list[Received]:
        due = [sent for at_ns, sent in self.under_way if at_ns <= self.now_ns]
        self.under_way = [(at_ns, sent) for at_ns, sent in self.under_way if at_ns > self.now_ns]
        return [sent.received for sent in due if sent.meant_for == self.controller.boot_id]

    def check(self, ack: Ack) -> None:
        """A shot must be of the present life (or of one whose end cannot be known yet), new, in time and in place."""
        self.answers[ack.status] += 1
        if ack.status is not AckStatus.FIRED:
            return
        key = (ack.boot_id, ack.seq)
        command = self.commands[key]
        self.fired[key] += 1
        assert self.fired[key] == 1, "fired twice"
        assert command.controller_id == self.controller.boot_id, "was sent to another life of the controller"
        assert ack.opened_at_ns is not None
        assert ack.opened_at_travel_um is not None
        told_at_ns = ack.opened_at_ns - ms_to_ns(SETTINGS.valves.response_ms) - self.skew_ns
        assert told_at_ns <= command.valid_until_ns + 20 * NS_PER_MS, "stale"
        assert abs(ack.opened_at_travel_um - command.open_at_travel_um) <= LATE_TOLERANCE_UM + 20_000, "out of place"
        ended_at_ns = self.ended_at_ns.get(ack.boot_id)
        # a message of the dead life may be 400 ms late and the cut a second long; then its silence counts
        assert ended_at_ns is None or told_at_ns <= ended_at_ns + 1400 * NS_PER_MS + LIVENESS_NS, "of a dead life"
        if ack.boot_id != self.obeyed[0]:
            assert told_at_ns <= self.obeyed[1], "of a life that the controller had seen the end of"


class QuietLine(Attack):
    """The same line when the adversary is somebody else: it only beats."""

    def interfere(self) -> None:
        pass

    def speak(self) -> None:
        self.beat_if_due()

    def send(self, message: msgspec.Struct) -> None:
        self.deliver(self.noted(message), 0)


MILLISECONDS = st.integers(0, 1000)


class LinkMachine(RuleBasedStateMachine):
    """Hypothesis as the adversary; `Attack.check` is the invariant, asked at every answer. What fails is shrunk."""

    def __init__(self) -> None:
        super().__init__()
        self.line = QuietLine(0)
        self.pass_time(200)

    @rule(duration_ms=MILLISECONDS)
    def pass_time(self, duration_ms: int) -> None:
        for _ in range(duration_ms // 5):
            self.line.turn()

    @rule(
        nozzle=st.integers(0, 111),
        ahead_um=st.integers(-20_000, 900_000),
        validity_ms=st.sampled_from([50, 500, 2000]),
        lateness_ms=st.lists(st.integers(0, 400), max_size=3),
    )
    def command(self, nozzle: int, ahead_um: int, validity_ms: int, lateness_ms: list[int]) -> None:
        """Lost, late, doubled or in time, by how many copies arrive and when."""
        sent = self.line.noted(self.line.new_command(nozzle, ahead_um, validity_ms, "pet"))
        for late_ms in lateness_ms:
            self.line.deliver(sent, late_ms * NS_PER_MS)

    @rule(count=st.integers(1, 20), lateness_ms=st.lists(st.integers(0, 300), min_size=1, max_size=3))
    def sort_in_peace(self, count: int, lateness_ms: list[int]) -> None:
        """So that there is something to be fired, and to be replayed."""
        self.change_mode(Mode.EXECUTE)
        self.change_speed(1_000_000)
        self.pass_time(600)
        for number in range(count):
            self.command(number, 450_000, 2000 if number else 50, lateness_ms)
            self.pass_time(50)

    @precondition(lambda self: self.line.old)
    @rule(age=st.integers(0, 300), is_readdressed=st.booleans())
    def replay(self, age: int, *, is_readdressed: bool) -> None:
        sent = self.line.old[-1 - age % len(self.line.old)]
        meant_for = self.line.controller.boot_id if is_readdressed else sent.meant_for
        self.line.deliver(Sent(sent.received, meant_for), 0)

    @rule(duration_ms=MILLISECONDS)
    def cut(self, duration_ms: int) -> None:
        self.line.cut_until_ns = self.line.now_ns + duration_ms * NS_PER_MS

    @rule(silence_ms=st.integers(0, 2000))
    def restart_sorter(self, silence_ms: int) -> None:
        self.line.restart_sorter(silence_ms * NS_PER_MS)

    @rule()
    def restart_controller(self) -> None:
        self.line.controller = self.line.new_controller()

    @rule(duration_ms=MILLISECONDS)
    def stop_sorter(self, duration_ms: int) -> None:
        self.line.is_sorter_awake_at_ns = self.line.now_ns + duration_ms * NS_PER_MS

    @rule(speed_um_s=st.sampled_from([0, 50_000, 1_000_000, 4_000_000]))
    def change_speed(self, speed_um_s: int) -> None:
        self.line.speed_um_s = speed_um_s

    @rule(error_ms=st.integers(-20, 20))
    def skew(self, error_ms: int) -> None:
        self.line.skew_error_ns = error_ms * NS_PER_MS

    @rule(mode=st.sampled_from([Mode.HELD, Mode.EXECUTE]))
    def change_mode(self, mode: Mode) -> None:
        self.line.mode, self.line.heartbeat_due_ns = mode, self.line.now_ns


TestLink = LinkMachine.TestCase
TestLink.settings = hypothesis.settings(max_examples=100, stateful_step_count=40, deadline=None)


def attack(command_count: int, seeds: range) -> Counter[AckStatus]:
    answers: Counter[AckStatus] = Counter()
    for seed in seeds:
        line = Attack(seed)
        line.run(command_count // len(seeds))
        answers += line.answers
    return answers


def test_a_hundred_thousand_commands_and_no_shot_amiss() -> None:
    answers = attack(100_000, range(10))
    assert answers[AckStatus.FIRED] > 10_000
    assert all(answers[status] > 100 for status in AckStatus if status is not AckStatus.FAILED)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_million_commands_and_no_shot_amiss() -> None:
    answers = attack(1_000_000, range(100, 140))
    assert answers[AckStatus.FIRED] > 100_000
