"""The actuators process, started as the supervisor starts it, with a sorter played by the test."""

import itertools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from sorter.model.condition import Fault, Health, HealthStatus, Mode
from sorter.model.ejection import Ack, AckStatus, EjectionCommand, Outcomes
from sorter.model.recipe import recipe_hash
from sorter.model.settings import BeltSettings, Settings
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.runtime.bus import Subscriber, wait_for_any
from sorter.runtime.clock import SystemClock
from sorter.runtime.link import CommandLink
from sorter.runtime.run_folder import RunPlan
from sorter.runtime.topics import BELT, FAULT, HEALTH, OUTCOMES

SETTINGS = Settings(belt=BeltSettings(speed_m_s=2.0))
RECIPE_HASH = recipe_hash(SETTINGS.recipe)


class PlayedSorter:
    """Heartbeats, a mode, and everything that the process says, newest by type."""

    def __init__(self, folder: Path, boot_id: str, mode: Mode) -> None:
        self.clock = SystemClock()
        self.boot_id = boot_id
        self.mode = mode
        self.link = CommandLink(folder, boot_id, SETTINGS, self.clock)
        self.reader = Subscriber(folder, [BELT, HEALTH, OUTCOMES])
        self.heard: dict[type[msgspec.Struct], list[msgspec.Struct]] = {}
        self.acks: list[Ack] = []

    def run_until(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
        end_ns = self.clock.now_ns() + round(timeout_s * NS_PER_S)
        while not condition():
            assert self.clock.now_ns() < end_ns, "the process did not do what was waited for"
            self.turn()

    def turn(self) -> None:
        now_ns = self.clock.now_ns()
        self.link.mode = self.mode
        if self.link.peer_loss is not None:
            self.link.known_loss_count = self.link.peer_loss[1]
        self.link.tick(now_ns)
        wait_for_any([self.link.socket, self.reader.socket], 20)
        self.acks += self.link.receive()
        for received in self.reader.waiting():
            self.heard.setdefault(type(received.message), []).append(received.message)

    def newest(self, kind: type[msgspec.Struct]) -> msgspec.Struct | None:
        return self.heard.get(kind, [None])[-1]

    def belt(self) -> BeltState:
        state = self.newest(BeltState)
        assert isinstance(state, BeltState)
        return state

    def is_ok(self) -> bool:
        health = self.newest(Health)
        return isinstance(health, Health) and health.status is HealthStatus.OK

    def figure(self, name: str) -> float | None:
        health = self.newest(Health)
        return health.figures.get(name) if isinstance(health, Health) else None

    def command(self, seq: int, ahead_um: int) -> EjectionCommand:
        open_um = self.belt().travel_um + ahead_um
        until_ns = self.clock.now_ns() + 10 * NS_PER_S
        return EjectionCommand(
            self.boot_id, seq, (seq,), "pet", 10, 20, open_um, open_um + 100_000, until_ns, RECIPE_HASH
        )

    def answered(self, seq: int) -> AckStatus | None:
        return next((ack.status for ack in self.acks if ack.seq == seq), None)

    def close(self) -> None:
        self.link.close()
        self.reader.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="farz-") as name:
        plan = RunPlan(SETTINGS, SystemClock().now_ns(), Path(name))
        (Path(name) / "run.json").write_bytes(msgspec.json.encode(plan, enc_hook=str))
        yield Path(name)


@pytest.fixture
def process(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "actuators", "--run-folder", str(folder)])
    yield process
    process.kill()
    process.wait()


def wait_until_firing(sorter: PlayedSorter, first_seq: int) -> int:
    """Send shots until the process, which hears the mode by and by, fires one; returns the next free number."""
    end_ns = sorter.clock.now_ns() + 10 * NS_PER_S
    for seq in itertools.count(first_seq):
        sorter.link.send(sorter.command(seq, 300_000))
        sorter.run_until(lambda seq=seq: sorter.answered(seq) is not None)  # type: ignore[misc]
        if sorter.answered(seq) is AckStatus.FIRED:
            return seq + 1
        assert sorter.clock.now_ns() < end_ns, "ten seconds in Execute, and nothing fired"
    raise AssertionError


def test_a_line_from_start_to_end(folder: Path, process: subprocess.Popen[bytes]) -> None:
    observer = Subscriber(folder, [FAULT])
    sorter = PlayedSorter(folder, "life-1", Mode.EXECUTE)
    sorter.run_until(lambda: sorter.is_ok() and sorter.newest(BeltState) is not None)
    seq = wait_until_firing(sorter, 1)

    for offset in range(10):
        sorter.link.send(sorter.command(seq + offset, 400_000 + offset * 200_000))
    sorter.run_until(lambda: all(sorter.answered(seq + offset) is not None for offset in range(10)))
    assert {sorter.answered(seq + offset) for offset in range(10)} == {AckStatus.FIRED}
    sorter.run_until(lambda: sorter.newest(Outcomes) is not None and len(sorter.heard[BeltState]) > 50)

    # the sorter pauses the line: pending shots are answered, nothing fires
    sorter.link.send(sorter.command(seq + 10, 5_000_000))
    sorter.turn()
    sorter.mode = Mode.HELD
    sorter.run_until(lambda: sorter.answered(seq + 10) is not None)
    assert sorter.answered(seq + 10) is AckStatus.REFUSED_MODE

    # the sorter dies and comes back as another: a fault is shown meanwhile, and its old command is void
    sorter.close()
    wait = SystemClock()
    wait.wait_until_ns(wait.now_ns() + 500 * NS_PER_MS)
    reborn = PlayedSorter(folder, "life-2", Mode.EXECUTE)
    reborn.run_until(lambda: reborn.is_ok() and reborn.newest(BeltState) is not None)
    wait_until_firing(reborn, 1)
    old = msgspec.structs.replace(reborn.command(4_000_000, 500_000), boot_id="life-1")
    reborn.link.send(old)
    reborn.run_until(lambda: reborn.link.foreign_ack_count > 0)
    said = [fault for fault in (received.message for received in observer.waiting()) if isinstance(fault, Fault)]
    assert [(fault.code, fault.is_cleared) for fault in said] == [("link_lost", False), ("link_lost", True)]
    observer.close()

    # SIGTERM closes what is open and answers what is pending
    reborn.link.send(reborn.command(5_000_000, 8_000_000))
    reborn.run_until(lambda: reborn.figure("pending_command_count") == 1.0)
    os.kill(process.pid, signal.SIGTERM)
    reborn.run_until(lambda: reborn.answered(5_000_000) is not None, timeout_s=3.0)
    assert reborn.answered(5_000_000) is AckStatus.REFUSED_STALE
    assert process.wait(timeout=3.0) == 0
    reborn.close()
