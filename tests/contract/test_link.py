"""The command link: two real sockets in one process, time as an argument."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from sorter.model.ejection import Ack, AckStatus, EjectionCommand
from sorter.model.settings import SafetySettings
from sorter.model.units import NS_PER_MS
from sorter.runtime.bus import endpoint
from sorter.runtime.clock import ManualClock
from sorter.runtime.link import CommandLink, ControllerLink

SAFETY = SafetySettings(liveness_ms=300.0)
ROUND_MS = 20


def command(seq: int = 1, boot_id: str = "sorter-1") -> EjectionCommand:
    return EjectionCommand(boot_id, seq, (seq,), "pet", 3, 8, 1_000_000, 1_100_000, 10**12, "recipe")


class Rig:
    """A folder, a clock, and both ends, which come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock(10**9)
        self.names: dict[CommandLink | ControllerLink, str] = {}

    def sorter(self, boot_id: str = "sorter-1") -> CommandLink:
        link = CommandLink(self.folder, boot_id, SAFETY, self.clock)
        self.names[link] = boot_id
        return link

    def controller(self, boot_id: str = "controller-1") -> ControllerLink:
        link = ControllerLink(self.folder, boot_id, SAFETY, self.clock)
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
            controller.tick(now_ns)
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
                and controller.is_alive(self.clock.now_ns())
                and (sorter.peer_boot_id, controller.peer_boot_id) == (self.names[controller], self.names[sorter])
            ),
        )


@pytest.fixture
def rig() -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="farz-") as folder:
        rig = Rig(Path(folder))
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
    controller.socket.poll(1000)
    assert controller.receive() == [("sorter-1", command(1)), ("sorter-1", command(2))]
    ack = Ack("sorter-1", 1, AckStatus.FIRED, 5, 6, 7)
    assert controller.send(ack)
    sorter.socket.poll(1000)
    assert sorter.receive() == [ack]


def test_silence_is_noticed_by_both_ends_after_the_liveness_time(rig: Rig) -> None:
    sorter, controller = rig.sorter(), rig.controller()
    rig.join(sorter, controller)
    now_ns = rig.advance(300)
    assert sorter.is_alive(now_ns)
    assert controller.is_alive(now_ns)
    now_ns = rig.advance(1)
    assert not sorter.is_alive(now_ns)
    assert not controller.is_alive(now_ns)
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
        old.tick(rig.advance(100))
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
    stranger.connect(endpoint(rig.folder, "command.link"))
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
