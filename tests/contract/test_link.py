"""The command link: two real sockets in one process, time as an argument; on one box, and between two with keys."""

import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import zmq
from click.testing import CliRunner

from sorter.errors import ConfigurationError
from sorter.keys_command import keys
from sorter.model.condition import Fault, Health, HealthStatus, Mode
from sorter.model.ejection import Ack, AckStatus, EjectionCommand
from sorter.model.settings import LinkSettings, SafetySettings, Settings
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import settings_from
from sorter.runtime.link import CommandLink, ControllerLink
from sorter.runtime.link_address import controller_keys, join_with_keys, link_endpoint

SETTINGS = Settings(safety=SafetySettings(liveness_ms=300.0))
ROUND_MS = 20
replace = msgspec.structs.replace
SKEW_NS = 3600 * NS_PER_S


def command(seq: int = 1, boot_id: str = "sorter-1") -> EjectionCommand:
    return EjectionCommand(boot_id, seq, (seq,), "pet", 3, 8, 1_000_000, 1_100_000, 10**12, "recipe")


def meant_for(controller_id: str, command: EjectionCommand) -> EjectionCommand:
    return replace(command, controller_id=controller_id)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class SkewedClock(ManualClock):
    """Another box's clock, an hour ahead of the one it is made for."""

    def __init__(self, ours: ManualClock) -> None:
        super().__init__()
        self.ours = ours

    def now_ns(self) -> int:
        return self.ours.now_ns() + SKEW_NS


class Rig:
    """A folder, a clock, and both ends, which come and go."""

    def __init__(self, folder: Path, *, between_boxes: bool) -> None:
        self.folder = folder
        self.here = self.there = SETTINGS
        if between_boxes:
            CliRunner().invoke(keys, [str(folder / "keys"), "north"], catch_exceptions=False)
            address = f"tcp://127.0.0.1:{free_port()}"
            self.here = self.settings(address, "sorter")
            self.there = self.settings(address, "north")
        self.skew_ns = SKEW_NS if between_boxes else 0
        self.clock = ManualClock(10**9)
        self.clock_there: ManualClock = SkewedClock(self.clock) if between_boxes else self.clock
        self.names: dict[CommandLink | ControllerLink, str] = {}

    def settings(self, address: str, name: str) -> Settings:
        link = LinkSettings(address=address, keys_folder=str(self.folder / "keys" / name))
        return Settings(safety=SETTINGS.safety, link=link)

    def sorter(self, boot_id: str = "sorter-1") -> CommandLink:
        link = CommandLink(self.folder, boot_id, self.here, self.clock)
        self.names[link] = boot_id
        return link

    def controller(self, boot_id: str = "controller-1") -> ControllerLink:
        link = ControllerLink(self.folder, boot_id, self.there, self.clock_there)
        self.names[link] = boot_id
        return link

    def advance(self, duration_ms: int) -> int:
        self.clock.wait_until_ns(self.clock.now_ns() + duration_ms * NS_PER_MS)
        return self.clock.now_ns()

    def exchange(self, sorter: CommandLink, controller: ControllerLink, until: Callable[[], bool]) -> None:
        """Let both ends tick and read, in small steps of virtual time, until something holds."""
        for _ in range(50):
            now_ns = self.advance(100)
            sorter.tick(now_ns)
            controller.tick(now_ns + self.skew_ns)
            controller.socket.poll(ROUND_MS)
            assert controller.receive() == []
            sorter.socket.poll(ROUND_MS)
            assert sorter.receive() == []
            if until():
                return
        pytest.fail("the two ends did not find each other within 50 rounds")

    def join(self, sorter: CommandLink, controller: ControllerLink) -> None:
        """Until each end has heard the other's present life."""
        self.exchange(
            sorter,
            controller,
            lambda: (
                sorter.is_alive(self.clock.now_ns())
                and controller.is_alive(self.clock_there.now_ns())
                and (sorter.peer_boot_id, controller.peer_boot_id) == (self.names[controller], self.names[sorter])
            ),
        )


@pytest.fixture(params=["on one box", "between boxes"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="farz-") as folder:
        rig = Rig(Path(folder), between_boxes=request.param == "between boxes")
        yield rig
        for link in rig.names:
            link.close()


def test_nobody_there_is_an_answer_not_a_queue(rig: Rig) -> None:
    sorter = rig.sorter()
    assert not sorter.is_alive(rig.clock.now_ns())
    assert not sorter.send(command())
    rig.join(sorter, rig.controller())  # and nothing that was refused arrives later


def test_commands_and_answers_travel(rig: Rig) -> None:
    sorter, controller = rig.sorter(), rig.controller()
    rig.join(sorter, controller)
    assert sorter.send(command(1))
    assert sorter.send(command(2))
    there = [meant_for("controller-1", replace(command(seq), valid_until_ns=10**12 + rig.skew_ns)) for seq in (1, 2)]
    arrived: list[tuple[str, EjectionCommand]] = []
    while len(arrived) < 2:
        assert controller.socket.poll(1000), "a command got lost"
        arrived += controller.receive()
    assert arrived == [("sorter-1", there[0]), ("sorter-1", there[1])]
    assert controller.send(Ack("sorter-1", 1, AckStatus.FIRED, 5 + rig.skew_ns, 6, 7 + rig.skew_ns))
    sorter.socket.poll(1000)
    assert sorter.receive() == [Ack("sorter-1", 1, AckStatus.FIRED, 5, 6, 7)]


def test_silence_is_noticed_by_both_ends_after_the_liveness_time(rig: Rig) -> None:
    sorter, controller = rig.sorter(), rig.controller()
    rig.join(sorter, controller)
    now_ns = rig.advance(300)
    assert sorter.is_alive(now_ns)
    assert controller.is_alive(now_ns + rig.skew_ns)
    now_ns = rig.advance(1)
    assert not sorter.is_alive(now_ns)
    assert not controller.is_alive(now_ns + rig.skew_ns)
    assert not sorter.send(command())


def test_a_controller_that_has_gone_cannot_be_sent_to(rig: Rig) -> None:
    sorter, controller = rig.sorter(), rig.controller()
    rig.join(sorter, controller)
    controller.close()
    for _ in range(50):
        sorter.socket.poll(ROUND_MS)  # lets the socket's thread notice the end of the connection
        if not sorter.send(command()):
            break
    else:
        pytest.fail("the link still takes commands for a controller that has gone")


def test_a_restarted_controller_gets_nothing_from_before(rig: Rig) -> None:
    sorter, old = rig.sorter(), rig.controller("controller-1")
    rig.join(sorter, old)
    assert sorter.send(command(1))
    old.close()
    new = rig.controller("controller-2")
    rig.join(sorter, new)  # asserts that no command arrives on the way
    assert sorter.peer_boot_id == "controller-2"
    assert sorter.send(command(2))
    new.socket.poll(1000)
    assert [received.seq for _, received in new.receive()] == [2]


def test_a_restarted_sorter_is_found_and_gets_no_old_answers(rig: Rig) -> None:
    old, controller = rig.sorter("sorter-1"), rig.controller()
    rig.join(old, controller)
    old.close()
    new = rig.sorter("sorter-2")
    rig.join(new, controller)
    assert controller.peer_boot_id == "sorter-2"
    assert controller.send(Ack("sorter-1", 1, AckStatus.FIRED, 5, 6, 7))
    assert controller.send(Ack("sorter-2", 1, AckStatus.REFUSED_LATE))
    answers: list[Ack] = []
    for _ in range(50):
        new.socket.poll(ROUND_MS)
        answers += new.receive()
        if answers:
            break
    assert answers == [Ack("sorter-2", 1, AckStatus.REFUSED_LATE)]
    assert new.foreign_ack_count == 1


def test_answers_find_nobody_and_are_counted(rig: Rig) -> None:
    controller = rig.controller()
    assert not controller.send(Ack("sorter-1", 1, AckStatus.REFUSED_MODE))
    assert controller.lost_count == 1


def test_what_an_earlier_life_left_behind_does_not_bring_it_back(rig: Rig) -> None:
    sorter, old = rig.sorter(), rig.controller("controller-1")
    rig.join(sorter, old)
    for _ in range(10):
        old.tick(rig.advance(100) + rig.skew_ns)
    new = rig.controller("controller-2")
    rig.join(sorter, new)
    assert sorter.peer_boot_id == "controller-2"
    sorter.socket.poll(ROUND_MS)
    sorter.receive()
    assert sorter.peer_boot_id == "controller-2"


def test_bytes_that_are_no_message_are_counted_and_left_out(rig: Rig) -> None:
    sorter, controller = rig.sorter(), rig.controller()
    rig.join(sorter, controller)
    stranger: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
    stranger_keys = controller_keys(rig.there.link)
    if stranger_keys is not None:
        join_with_keys(stranger, stranger_keys)
    stranger.connect(link_endpoint(rig.folder, rig.here.link))
    stranger.send(b"no message")
    stranger.send_multipart([b"two", b"parts"])
    for _ in range(50):
        sorter.socket.poll(ROUND_MS)
        assert sorter.receive() == []
        if sorter.malformed_count == 2:
            break
    stranger.close(0)
    assert sorter.malformed_count == 2
    assert sorter.peer_boot_id == "controller-1"


def test_the_mode_goes_with_every_heartbeat_and_at_once_when_it_changes(rig: Rig) -> None:
    sorter, controller = rig.sorter(), rig.controller()
    assert controller.peer_mode is None
    rig.join(sorter, controller)
    assert controller.peer_mode is Mode.IDLE
    sorter.mode = Mode.EXECUTE
    sorter.tick(rig.clock.now_ns())
    controller.socket.poll(1000)
    assert controller.receive() == []
    assert controller.peer_mode is Mode.EXECUTE
    controller.loss_count = 3
    controller.tick(rig.clock_there.now_ns())
    sorter.socket.poll(1000)
    assert sorter.receive() == []
    assert sorter.peer_loss == ("controller-1", 3)


def test_two_controllers_at_once_are_not_mixed_up(rig: Rig) -> None:
    sorter, first = rig.sorter(), rig.controller("controller-1")
    rig.join(sorter, first)
    second = rig.controller("controller-2")
    for _ in range(10):
        now_ns = rig.advance(100)
        first.tick(now_ns + rig.skew_ns)
        second.tick(now_ns + rig.skew_ns)
        sorter.tick(now_ns)
        for _ in range(2):  # what both have said
            sorter.socket.poll(1000)
            sorter.receive()
        first.receive()
        assert second.receive() == []
    assert sorter.peer_boot_id == "controller-1"
    assert second.peer_boot_id is None


def test_what_else_a_controller_says_is_kept_for_the_bus(rig: Rig) -> None:
    sorter, controller = rig.sorter(), rig.controller()
    rig.join(sorter, controller)
    theirs = Fault("actuators", "valves_disobey", "", 5 + rig.skew_ns)
    assert controller.send(Health("actuators", HealthStatus.OK, 7 + rig.skew_ns, "", 0, faults=(theirs,)))
    sorter.socket.poll(1000)
    assert sorter.receive() == []
    ours = Fault("actuators", "valves_disobey", "", 5)
    assert sorter.take_telemetry() == [Health("actuators", HealthStatus.OK, 7, "", 0, faults=(ours,))]
    assert sorter.take_telemetry() == []


class Boxes(Rig):
    """A rig between boxes, whoever asks."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, between_boxes=True)


@pytest.fixture
def boxes() -> Iterator[Boxes]:
    with tempfile.TemporaryDirectory(prefix="farz-") as folder:
        rig = Boxes(Path(folder))
        yield rig
        for link in rig.names:
            link.close()


def is_heard(rig: Rig, sorter: CommandLink, controller: ControllerLink) -> bool:
    for _ in range(15):
        now_ns = rig.advance(100)
        sorter.tick(now_ns)
        controller.tick(now_ns + rig.skew_ns)
        sorter.socket.poll(ROUND_MS)
        sorter.receive()
        controller.receive()
    return sorter.peer_boot_id is not None or controller.peer_boot_id is not None


def test_a_controller_with_a_key_that_nobody_admitted_is_not_heard(boxes: Boxes) -> None:
    sorter = boxes.sorter()
    CliRunner().invoke(keys, [str(boxes.folder / "others"), "north"], catch_exceptions=False)
    foreign = boxes.folder / "others" / "north"
    (foreign / "sorter.key").write_bytes((boxes.folder / "keys" / "sorter" / "sorter.key").read_bytes())
    link = LinkSettings(address=boxes.here.link.address, keys_folder=str(foreign))
    boxes.there = Settings(safety=SETTINGS.safety, link=link)
    assert not is_heard(boxes, sorter, boxes.controller())


def test_a_controller_speaks_to_no_other_sorter(boxes: Boxes) -> None:
    CliRunner().invoke(keys, [str(boxes.folder / "others"), "north"], catch_exceptions=False)
    (boxes.folder / "others" / "sorter" / "admitted" / "north.key").write_bytes(
        (boxes.folder / "keys" / "north" / "controller.key").read_bytes()
    )
    link = LinkSettings(address=boxes.here.link.address, keys_folder=str(boxes.folder / "others" / "sorter"))
    boxes.here = Settings(safety=SETTINGS.safety, link=link)
    assert not is_heard(boxes, boxes.sorter(), boxes.controller())


def test_without_a_key_nobody_is_heard(boxes: Boxes) -> None:
    sorter = boxes.sorter()
    stranger: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
    stranger.connect(boxes.here.link.address)
    stranger.send(b"anything")
    for _ in range(5):
        sorter.socket.poll(ROUND_MS)
        sorter.receive()
    stranger.close(0)
    assert sorter.malformed_count == 0


def test_off_the_box_keys_are_a_must() -> None:
    with pytest.raises(ConfigurationError, match="keys_folder"):
        settings_from({"link": {"address": "tcp://10.0.0.5:8421"}})
    with pytest.raises(ConfigurationError, match="link"):
        settings_from({"link": {"address": "10.0.0.5:8421", "keys_folder": "keys"}})


def test_keys_that_are_not_there_are_named(boxes: Boxes) -> None:
    link = LinkSettings(address=boxes.here.link.address, keys_folder=str(boxes.folder / "nowhere"))
    with pytest.raises(ConfigurationError, match="farz keys"):
        CommandLink(boxes.folder, "sorter-1", Settings(link=link), boxes.clock)
    with pytest.raises(ConfigurationError, match="farz keys"):
        ControllerLink(boxes.folder, "controller-1", Settings(link=link), boxes.clock)


def test_secret_keys_are_their_owner_s_and_are_not_made_twice(boxes: Boxes) -> None:
    secrets = sorted((boxes.folder / "keys").rglob("*.key_secret"))
    assert [path.parent.name for path in secrets] == ["north", "sorter"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in secrets)
    again = CliRunner().invoke(keys, [str(boxes.folder / "keys"), "north"])
    assert isinstance(again.exception, ConfigurationError)
    CliRunner().invoke(keys, [str(boxes.folder / "keys"), "south"], catch_exceptions=False)
    assert len(list((boxes.folder / "keys" / "sorter" / "admitted").iterdir())) == 2
