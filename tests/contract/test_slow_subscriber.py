"""A subscriber that stopped reading costs nobody anything: no memory to speak of, and no time on the command link."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sorter.model.ejection import Ack, AckStatus, Assessment, EjectionCommand, Intent
from sorter.model.ejection import DecisionReason as Reason
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_S
from sorter.runtime.bus import Publisher
from sorter.runtime.clock import SystemClock
from sorter.runtime.link import CommandLink, ControllerLink

CLOCK = SystemClock()
MIB = 2**20
READER = """
import sys
from pathlib import Path
from sorter.runtime.bus import Subscriber
from sorter.runtime.topics import ASSESSMENT
reader = Subscriber(Path(sys.argv[1]), [ASSESSMENT])
while not reader.receive(1000):
    pass
print("reading", flush=True)
while True:
    reader.receive(1000)
"""
ASSESSMENT = Assessment(1, tuple(Intent(each, 1, 0.5, "pet", Reason.EJECT, is_decided=False) for each in range(60)))


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Line:
    """A sorter's two sockets, a controller's end, and a screen in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.publisher = Publisher(folder, "sorter", "sorter-1", CLOCK)
        self.sorter = CommandLink(folder, "sorter-1", Settings(), CLOCK)
        self.controller = ControllerLink(folder, "controller-1", Settings(), CLOCK)
        self.screen = subprocess.Popen([sys.executable, "-c", READER, str(folder)], stdout=subprocess.PIPE, text=True)
        os.set_blocking(self.screen.stdout.fileno(), False)
        ends_at_ns = CLOCK.now_ns() + 30 * NS_PER_S
        while not (self.sorter.is_alive(CLOCK.now_ns()) and self.screen.stdout.readline()):
            assert CLOCK.now_ns() < ends_at_ns, "link and screen are there"
            self.publisher.publish(ASSESSMENT)
            self.beat()
        self.seq = 0

    def beat(self) -> None:
        self.sorter.tick(CLOCK.now_ns())
        self.controller.tick(CLOCK.now_ns())
        self.controller.socket.poll(5)
        self.controller.receive()
        self.sorter.receive()

    def round_trip_ns(self) -> int:
        """Publish as the sorter does for a view, then a command there and its answer back."""
        self.publisher.publish(ASSESSMENT)
        self.beat_if_due()
        self.seq += 1
        begin_ns = CLOCK.now_ns()
        assert self.sorter.send(EjectionCommand("sorter-1", self.seq, (1,), "pet", 0, 1, 0, 1, 10**18, "recipe"))
        commands: list[tuple[str, EjectionCommand]] = []
        while not commands:
            self.controller.socket.poll(1000)
            commands = self.controller.receive()
        self.controller.send(Ack("sorter-1", self.seq, AckStatus.FIRED))
        acks: list[Ack] = []
        while not acks:
            self.sorter.socket.poll(1000)
            acks = self.sorter.receive()
        return CLOCK.now_ns() - begin_ns

    def beat_if_due(self) -> None:
        self.sorter.tick(CLOCK.now_ns())
        self.controller.tick(CLOCK.now_ns())

    def close(self) -> None:
        self.screen.kill()
        self.screen.wait()
        self.screen.stdout.close()
        self.sorter.close()
        self.controller.close()
        self.publisher.close()


@pytest.fixture
def line() -> Iterator[Line]:
    with tempfile.TemporaryDirectory(prefix="farz-") as folder:
        line = Line(Path(folder))
        yield line
        line.close()


def test_a_stopped_screen_costs_no_memory_to_speak_of(line: Line) -> None:
    for _ in range(500):
        line.round_trip_ns()
    line.screen.send_signal(signal.SIGSTOP)
    before_bytes = resident_bytes()
    for _ in range(20_000):
        line.publisher.publish(ASSESSMENT)
    assert resident_bytes() - before_bytes < 50 * MIB


@pytest.mark.soak
def test_a_stopped_screen_does_not_slow_commands(line: Line) -> None:
    """Interleaved, so that what else the machine does falls on both alike."""
    free_ns: list[int] = []
    stopped_ns: list[int] = []
    for turn in range(40):
        line.screen.send_signal(signal.SIGSTOP if turn % 2 else signal.SIGCONT)
        (stopped_ns if turn % 2 else free_ns).extend(line.round_trip_ns() for _ in range(1000))
    ratio = np.percentile(stopped_ns, 99) / np.percentile(free_ns, 99)
    print(f"p99 with a stopped screen over p99 without: {ratio:.2f}")
    assert ratio <= 1.2
