"""systemd hears of a loop that turns, and nothing of one that is stuck; the clock is an argument."""

import os
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sorter.model.condition import Health, HealthStatus
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_S, ms_to_ns
from sorter.runtime.clock import ManualClock
from sorter.runtime.process import ProcessContext
from sorter.runtime.run_folder import create_run_folder
from sorter.runtime.watchdog import LineWatch, Watchdog

PROCESSES = ("actuators", "sorter", "vision", "ui")


class Manager:
    """A pretended systemd that listens to one unit."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": str(path)}

    def heard(self) -> list[str]:
        messages = []
        while select.select([self.socket], [], [], 0)[0]:
            messages.append(self.socket.recv(100).decode())
        return messages


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    one = Manager(tmp_path / "notify")
    yield one
    one.socket.close()


def test_the_first_turn_of_the_loop_says_that_start_up_is_over(manager: Manager) -> None:
    watchdog = Watchdog(manager.environment)
    watchdog.ping(0)
    watchdog.ping(NS_PER_S)
    assert manager.heard() == ["READY=1\nWATCHDOG=1", "WATCHDOG=1"]


def test_a_quick_loop_pings_twice_a_second(manager: Manager) -> None:
    watchdog = Watchdog(manager.environment)
    heard = []
    for turn in range(10_000):
        watchdog.ping(ms_to_ns(turn))
        heard += manager.heard()
    assert 18 <= len(heard) <= 21


def test_a_stuck_work_loop_stops_the_pings_within_two_seconds(
    manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop of a real process: what pings is the call that each turn of it makes."""
    monkeypatch.setenv("NOTIFY_SOCKET", manager.environment["NOTIFY_SOCKET"])
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    context = ProcessContext("vision", create_run_folder(Settings()))
    clock = ManualClock(NS_PER_S)
    context.clock = clock  # type: ignore[assignment]
    context.publish_health()
    assert manager.heard() == []  # start-up, which may build an engine, is no turn of the loop
    pinged_at_ns = []
    for turn in range(200):
        is_stuck = turn >= 100
        if not is_stuck:
            context.publish_health({"view_count": float(turn)})
        if manager.heard():
            pinged_at_ns.append(clock.now_ns())
        clock.wait_until_ns(clock.now_ns() + ms_to_ns(100))
    stuck_at_ns = NS_PER_S + 100 * ms_to_ns(100)
    context.publisher.close()
    assert len(pinged_at_ns) >= 18
    assert pinged_at_ns[-1] <= stuck_at_ns + 2 * NS_PER_S


@pytest.mark.parametrize("stuck", PROCESSES)
def test_one_stuck_process_stops_the_pings_of_the_whole_line_within_two_seconds(manager: Manager, stuck: str) -> None:
    watch = LineWatch(Watchdog(manager.environment), PROCESSES)
    stuck_at_ns, last_ping_ns = 10 * NS_PER_S, 0
    for now_ns in range(0, 20 * NS_PER_S, ms_to_ns(100)):
        for name in PROCESSES:
            if now_ns % ms_to_ns(500) == 0 and not (name == stuck and now_ns >= stuck_at_ns):
                watch.take(Health(name, HealthStatus.OK, 0, "", 0), now_ns)
        watch.step(now_ns)
        if manager.heard():
            last_ping_ns = now_ns
    assert stuck_at_ns <= last_ping_ns <= stuck_at_ns + 2 * NS_PER_S
    assert watch.stuck(20 * NS_PER_S - ms_to_ns(500)) == [stuck]


def test_a_process_that_starts_for_minutes_is_not_stuck(manager: Manager) -> None:
    watch = LineWatch(Watchdog(manager.environment), PROCESSES)
    watch.take(Health("vision", HealthStatus.STARTING, 0, "", 0), 0)
    watch.step(300 * NS_PER_S)
    assert manager.heard()


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}])
def test_without_a_manager_nothing_is_sent(environment: dict[str, str]) -> None:
    Watchdog(environment).ping(0)


def test_another_process_s_watchdog_is_left_alone(manager: Manager) -> None:
    Watchdog(manager.environment | {"WATCHDOG_PID": "1"}, process_id=os.getpid()).ping(0)
    assert manager.heard() == []


def test_a_manager_that_is_gone_does_not_stop_the_line(tmp_path: Path) -> None:
    watchdog = Watchdog({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    watchdog.ping(0)


def test_an_abstract_name_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        name = f"farz-test-{os.getpid()}"
        listener.bind(f"\0{name}")
        watchdog = Watchdog({"NOTIFY_SOCKET": f"@{name}"})
        watchdog.ping(0)
        assert listener.recv(100).startswith(b"READY=1")
