"""The supervisor with real, tiny processes: what dies is started again so often, what hangs is killed, none is left."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from sorter.model.condition import Fault, Health, HealthStatus
from sorter.model.settings import (
    FleetSettings,
    LinkSettings,
    MqttSettings,
    PlantSettings,
    Settings,
    SupervisionSettings,
)
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.runtime.clock import ManualClock
from sorter.runtime.run_folder import RunPlan
from sorter.runtime.supervisor import PROCESSES, ProcessSpec, Supervisor, processes_of

# Each notes its life in the run folder; the ready pipe is opened by the test for reading, so that both meet there.
NOTE = """
import os, signal, sys
from pathlib import Path
folder = Path(sys.argv[sys.argv.index("--run-folder") + 1])
with (folder / (Path(__file__).stem + ".lives")).open("a") as lives:
    lives.write(os.environ["FARZ_RESTART_COUNT"] + "\\n")
"""
READY = """
with (folder / (Path(__file__).stem + ".ready")).open("w") as ready:
    ready.write("ready")
signal.pause()
"""
MODULES = {
    "dies": NOTE + "sys.exit(1)",
    "ends": NOTE + "sys.exit(0)",
    "misfed": NOTE + "sys.exit(2)",
    "stubborn": NOTE + "signal.signal(signal.SIGTERM, signal.SIG_IGN)" + READY,
    "polite": NOTE + READY,
}


class Heard:
    """Stands for the publisher."""

    def __init__(self) -> None:
        self.messages: list[msgspec.Struct] = []

    def publish(self, message: msgspec.Struct) -> None:
        self.messages.append(message)


class Line:
    """A supervisor on a clock of the test's own."""

    def __init__(self, folder: Path, names: tuple[str, ...], **supervision: float) -> None:
        self.folder, self.clock, self.heard = folder, ManualClock(NS_PER_S), Heard()
        for name in names:
            os.mkfifo(folder / f"{name}.ready")
        settings = SupervisionSettings(**({"stop_timeout_ms": 5000.0} | supervision))  # type: ignore[arg-type]
        specs = tuple(ProcessSpec(name, name) for name in names)
        plan = RunPlan(Settings(), 0, folder)
        self.supervisor = Supervisor(plan, settings, self.clock, self.heard, specs)  # type: ignore[arg-type]

    def await_ready(self, name: str) -> None:
        assert (self.folder / f"{name}.ready").read_text() == "ready"

    def await_death(self) -> None:
        for child in self.supervisor._children:
            if child.process is not None:
                child.process.wait(30)

    def step_after(self, duration_ns: int) -> None:
        self.clock.wait_until_ns(self.clock.now_ns() + duration_ns)
        self.supervisor.step()

    def lives(self, name: str) -> list[str]:
        return (self.folder / f"{name}.lives").read_text().split()

    @property
    def running(self) -> set[str]:
        return set(self.supervisor.process_ids())


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Line]]:
    modules, folder = tmp_path / "modules", tmp_path / "run"
    modules.mkdir()
    folder.mkdir()
    for name, source in MODULES.items():
        (modules / f"{name}.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(modules))
    made: list[Line] = []

    def make(*names: str, **supervision: float) -> Line:
        made.append(Line(folder, names, **supervision))
        made[-1].supervisor.start()
        return made[-1]

    yield make
    for each in made:
        each.supervisor._settings = SupervisionSettings(stop_timeout_ms=0.0)
        each.supervisor.stop()


def is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_its_health_names_what_is_dead_until_that_is_started_again(line: Callable[..., Line]) -> None:
    dying = line("dies", max_restarts=1, first_backoff_ms=1500.0, window_s=60.0)

    def named_dead() -> list[str]:
        own = [one for one in dying.heard.messages if isinstance(one, Health) and one.process == "supervisor"]
        return [fault.process for fault in own[-1].faults]

    dying.supervisor.step()
    assert named_dead() == []
    dying.await_death()
    dying.step_after(500 * NS_PER_MS)
    dying.step_after(500 * NS_PER_MS)
    assert named_dead() == ["dies"]
    dying.step_after(1000 * NS_PER_MS)
    assert dying.running == {"dies"}
    dying.step_after(500 * NS_PER_MS)
    dying.await_death()
    dying.step_after(500 * NS_PER_MS)
    dying.step_after(500 * NS_PER_MS)
    assert dying.supervisor.has_given_up
    assert named_dead() == ["dies"]


def test_what_dies_is_started_again_after_a_back_off_that_doubles_until_it_is_given_up(
    line: Callable[..., Line],
) -> None:
    dying = line("dies", max_restarts=3, first_backoff_ms=500.0, window_s=60.0)
    for backoff_ms in (500, 1000, 2000):
        dying.await_death()
        dying.supervisor.step()
        assert not dying.running
        dying.step_after(backoff_ms * NS_PER_MS - 1)
        assert not dying.running
        dying.step_after(1)
        assert dying.running == {"dies"}
    dying.await_death()
    dying.supervisor.step()
    dying.step_after(3600 * NS_PER_S)
    dying.step_after(3600 * NS_PER_S)
    assert not dying.running
    assert dying.lives("dies") == ["0", "1", "2", "3"]
    assert dying.supervisor.has_given_up
    assert dying.supervisor.bad_input_process is None


def test_every_death_is_said_as_a_fault_and_in_the_health(line: Callable[..., Line]) -> None:
    dying = line("dies", max_restarts=1, first_backoff_ms=0.0)
    for _ in range(2):
        dying.await_death()
        dying.supervisor.step()
    faults = [message for message in dying.heard.messages if isinstance(message, Fault)]
    healths = [each for each in dying.heard.messages if isinstance(each, Health) and each.process == "dies"]
    assert [(fault.process, fault.code, fault.is_cleared) for fault in faults] == [("dies", "process_died", False)] * 2
    assert "exit code 1" in faults[0].detail
    assert "not started again" in faults[1].detail
    assert [(health.process, health.status, health.restart_count) for health in healths] == [
        ("dies", HealthStatus.FAULT, 1)
    ] * 2


def test_the_supervisor_says_twice_a_second_how_it_is_and_what_it_gave_up(line: Callable[..., Line]) -> None:
    dying = line("dies", max_restarts=0)
    dying.supervisor.step()
    dying.await_death()
    dying.step_after(500 * NS_PER_MS - 1)
    dying.step_after(1)
    said = [each for each in dying.heard.messages if isinstance(each, Health) and each.process == "supervisor"]
    assert [each.status for each in said] == [HealthStatus.OK, HealthStatus.FAULT]
    assert "dies" in said[1].detail
    assert dying.supervisor.has_given_up


def test_deaths_long_ago_are_forgiven(line: Callable[..., Line]) -> None:
    dying = line("dies", max_restarts=1, first_backoff_ms=500.0, window_s=60.0)
    for _ in range(4):
        dying.await_death()
        dying.supervisor.step()
        dying.step_after(500 * NS_PER_MS)
        assert dying.running == {"dies"}
        dying.clock.wait_until_ns(dying.clock.now_ns() + 61 * NS_PER_S)
    assert dying.lives("dies") == ["0", "1", "2", "3"]


def test_ending_without_being_asked_is_dying_too(line: Callable[..., Line]) -> None:
    ending = line("ends", max_restarts=1, first_backoff_ms=0.0)
    ending.await_death()
    ending.supervisor.step()
    assert ending.running == {"ends"}


def test_bad_input_is_not_tried_again_and_said_to_the_line(line: Callable[..., Line]) -> None:
    misfed = line("misfed", max_restarts=5, first_backoff_ms=0.0)
    misfed.await_death()
    misfed.supervisor.step()
    misfed.step_after(3600 * NS_PER_S)
    assert misfed.supervisor.bad_input_process == "misfed"
    assert not misfed.running
    assert misfed.lives("misfed") == ["0"]


def test_one_death_leaves_the_others_alone(line: Callable[..., Line]) -> None:
    both = line("polite", "dies", max_restarts=0)
    both.await_ready("polite")
    before = both.supervisor.process_ids()["polite"]
    both.supervisor._children[1].process.wait(30)  # type: ignore[union-attr]
    both.supervisor.step()
    assert both.supervisor.process_ids() == {"polite": before}
    assert is_running(before)


def test_what_ignores_the_request_to_stop_is_killed_and_none_is_left_running(line: Callable[..., Line]) -> None:
    hanging = line("stubborn", "polite", stop_timeout_ms=50.0)
    hanging.await_ready("stubborn")
    hanging.await_ready("polite")
    process_ids = hanging.supervisor.process_ids()
    hanging.supervisor.stop()
    codes = {child.spec.name: child.process.returncode for child in hanging.supervisor._children if child.process}
    assert codes == {"stubborn": -signal.SIGKILL, "polite": -signal.SIGTERM}
    assert not any(is_running(process_id) for process_id in process_ids.values())


def test_stopping_a_line_whose_processes_are_dead_already_does_no_harm(line: Callable[..., Line]) -> None:
    dead = line("dies")
    dead.await_death()
    dead.supervisor.stop()
    dead.supervisor.stop()
    assert all(child.process is None or child.process.poll() is not None for child in dead.supervisor._children)


def test_processes_start_in_the_table_s_order_and_are_asked_to_stop_in_reverse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []

    class Recorded:
        pid = 1

        def __init__(self, command: list[str], **_: object) -> None:
            self.module = command[2]
            told.append(("start", self.module))

        def poll(self) -> None:
            return None

        def send_signal(self, number: int) -> None:
            told.append((signal.Signals(number).name, self.module))

        def wait(self, timeout_s: float) -> None:
            assert timeout_s > 0

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    plan = RunPlan(Settings(), 0, tmp_path)
    supervisor = Supervisor(plan, SupervisionSettings(), ManualClock(), Heard())  # type: ignore[arg-type]
    supervisor.start()
    supervisor.stop()
    modules = [spec.module for spec in PROCESSES]
    assert told == [("start", name) for name in modules] + [("SIGTERM", name) for name in reversed(modules)]


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        (Settings(), set()),
        (Settings(plant=PlantSettings(opcua_port=4840)), {"plant"}),
        (Settings(plant=PlantSettings(mqtt=MqttSettings(host="127.0.0.1"))), {"plant"}),
        (Settings(fleet=FleetSettings("https://hub.example", "key")), {"fleet"}),
    ],
)
def test_what_nobody_asked_for_is_not_started(settings: Settings, more: set[str]) -> None:
    assert {spec.name for spec in processes_of(settings)} == {"vision", "actuators", "sorter", "ui", "video"} | more


def test_a_controller_on_another_box_is_not_started_here() -> None:
    settings = Settings(link=LinkSettings("tcp://10.0.0.1:5555", "keys"))
    assert "actuators" not in {spec.name for spec in processes_of(settings)}
