"""`farz bench fire`: how exactly the controller fires, on a simulated belt, under load, in turn with cyclictest.

The opening error is |when the simulated valve opened − when the belt was where the command wants it|. cyclictest, from
the Debian package rt-tests, tells how late the same machine wakes a C program of the same priority that does nothing
else. Load comes from stress-ng; where that is missing, from busy Python processes.
"""

import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.model.condition import Mode
from sorter.model.ejection import AckStatus, EjectionCommand
from sorter.model.recipe import recipe_hash
from sorter.model.settings import BeltSettings, Settings, ValveSettings
from sorter.model.units import NS_PER_MS, NS_PER_S, UM_PER_MM
from sorter.runtime.bus import new_boot_id, wait_for_any
from sorter.runtime.clock import SystemClock
from sorter.runtime.link import CommandLink
from sorter.runtime.run_folder import RunPlan
from training.benchmarks.figure import Report

_SPEED_M_S = 3.0
_SETTINGS = Settings(belt=BeltSettings(speed_m_s=_SPEED_M_S), valves=ValveSettings(response_ms=8.0, jitter_ms=0.0))
_SPEED_UM_S = round(_SPEED_M_S * 1_000_000)
_SHOT_PERIOD_NS = 10 * NS_PER_MS
_LEAD_UM = _SPEED_UM_S // 2
_START_TIMEOUT_NS = 20 * NS_PER_S
_CYCLE_US = 1000
_LONGEST_US = 100_000
_BUSY_LOOP = "while True:\n    pass\n"
_BUSY_BESIDE_QUIET = (
    "import threading\nthreading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()\n"
    "while True:\n    pass\n"
)


def bench_fire(*, is_quick: bool) -> Report:
    """Measure opening errors under load, and their 99th percentile beside cyclictest's in the same rounds.

    Load is stress-ng, then in its place Python processes with threads that hold their interpreter's lock.
    """
    rounds, block_s = (1, 2.0) if is_quick else (5, 12.0)
    with _controller() as sorter:
        with _load():
            blocks = [(sorter.shoot(block_s), _cyclictest_us(block_s, sorter)) for _ in range(rounds)]
        with _processes([[sys.executable, "-c", _BUSY_BESIDE_QUIET]] * 2):
            gil_busy_ns = sorter.shoot(block_s)
    errors_ns = np.concatenate([errors for errors, _ in blocks])
    figures: dict[str, float | None] = {**_figures(errors_ns, gil_busy_ns)}
    figures["fire.refused_count"] = float(sorter.refused_count)
    cycles_ms = np.concatenate([cycles for _, cycles in blocks]) / 1000
    cyclictest_p99_ms = float(np.percentile(cycles_ms, 99)) if cycles_ms.size else None
    figures["fire.cyclictest_p99_ms"] = cyclictest_p99_ms
    figures["fire.ratio_to_cyclictest"] = _ratio(figures["fire.p99_ms"], cyclictest_p99_ms)
    conditions: dict[str, str | float] = {
        "fire.belt_m_s": _SPEED_M_S,
        "fire.load": "stress-ng" if shutil.which("stress-ng") else "busy Python processes; stress-ng is not installed",
        "fire.valves": "simulated, response 8 ms, no jitter; the controller is the line's own process",
        "fire.rounds": float(rounds),
    }
    is_there = shutil.which("cyclictest") is not None
    return Report(figures, conditions, {"cyclictest": "of rt-tests" if is_there else "not installed: package rt-tests"})


def _ratio(p99_ms: float | None, cyclictest_p99_ms: float | None) -> float | None:
    if p99_ms is None or cyclictest_p99_ms is None:
        return None
    return p99_ms / max(cyclictest_p99_ms, 0.001)


def _figures(errors_ns: NDArray[np.int64], gil_busy_ns: NDArray[np.int64]) -> dict[str, float]:
    p50_ms, p99_ms = (float(np.percentile(errors_ns, percent)) / NS_PER_MS for percent in (50, 99))
    return {
        "fire.p50_ms": p50_ms,
        "fire.p99_ms": p99_ms,
        "fire.max_ms": float(errors_ns.max()) / NS_PER_MS,
        "fire.placement_p99_mm": p99_ms / 1000 * _SPEED_UM_S / UM_PER_MM,
        "fire.shot_count": float(errors_ns.size),
        "fire.gil_busy_p50_ms": float(np.percentile(gil_busy_ns, 50)) / NS_PER_MS,
        "fire.gil_busy_p99_ms": float(np.percentile(gil_busy_ns, 99)) / NS_PER_MS,
    }


class _PlayedSorter:
    """What the controller must hear to fire: heartbeats, a mode, commands."""

    def __init__(self, plan: RunPlan) -> None:
        self._plan = plan
        self._clock = SystemClock()
        self._boot_id = new_boot_id()
        self._recipe_hash = recipe_hash(plan.settings.recipe)
        self._link = CommandLink(plan.run_folder, self._boot_id, plan.settings, self._clock)
        self._link.mode = Mode.EXECUTE
        self._shot_due_ns = 0
        self._seq = 0
        self._opening_um: dict[int, int] = {}
        self._errors_ns: list[int] = []
        self.refused_count = 0
        self.has_fired = False

    def shoot(self, duration_s: float) -> NDArray[np.int64]:
        """Command a shot every 10 ms for so long; opening errors in ns, (N,) int64."""
        self._errors_ns = []
        end_ns = self._clock.now_ns() + round(duration_s * NS_PER_S)
        while self._clock.now_ns() < end_ns or self._opening_um:
            self.turn(is_shooting=self._clock.now_ns() < end_ns)
        return np.array(self._errors_ns, np.int64)

    def wait_until_firing(self) -> None:
        """Shoot until the first shot is fired: by then link, mode and belt are known.

        Raises:
            TimeoutError: after 20 s without.
        """
        end_ns = self._clock.now_ns() + _START_TIMEOUT_NS
        while not self.has_fired:
            self.turn(is_shooting=True)
            if self._clock.now_ns() > end_ns:
                raise TimeoutError("the controller fired nothing for 20 s")
        self.refused_count = 0

    def turn(self, *, is_shooting: bool) -> None:
        """Send what is due and read what has arrived."""
        now_ns = self._clock.now_ns()
        if self._link.peer_loss is not None:
            self._link.known_loss_count = self._link.peer_loss[1]
        self._link.tick(now_ns)
        if is_shooting and now_ns >= self._shot_due_ns:
            self._shot_due_ns = now_ns + _SHOT_PERIOD_NS
            self._command(now_ns)
        wait_for_any([self._link.socket], 2)
        self._settle()

    def close(self) -> None:
        """Let go of the sockets."""
        self._link.close()

    def _command(self, now_ns: int) -> None:
        """One nozzle, in turn, so that no two shots share any."""
        self._seq += 1
        nozzle = self._seq % 100
        travel_um = (now_ns - self._plan.epoch_ns) * _SPEED_UM_S // NS_PER_S
        open_um = travel_um + _LEAD_UM + self._seq % 7 * 1_234
        command = EjectionCommand(
            self._boot_id, self._seq, (self._seq,), "pet", nozzle, nozzle, open_um, open_um + 60_000,
            now_ns + 5 * NS_PER_S, self._recipe_hash,
        )  # fmt: skip
        if self._link.send(command):
            self._opening_um[self._seq] = open_um

    def _settle(self) -> None:
        for ack in self._link.receive():
            open_um = self._opening_um.pop(ack.seq, None)
            if ack.status is not AckStatus.FIRED or ack.opened_at_ns is None:
                self.refused_count += 1
            elif open_um is not None:
                self.has_fired = True
                wanted_ns = self._plan.epoch_ns + open_um * NS_PER_S // _SPEED_UM_S
                self._errors_ns.append(abs(ack.opened_at_ns - wanted_ns))


@contextlib.contextmanager
def _controller() -> Iterator[_PlayedSorter]:
    """The actuators process as `farz run` starts it, and a sorter that it obeys."""
    with tempfile.TemporaryDirectory(prefix="farz-") as name:
        plan = RunPlan(_SETTINGS, SystemClock().now_ns(), Path(name))
        (plan.run_folder / "run.json").write_bytes(msgspec.json.encode(plan, enc_hook=str))
        with _processes([[sys.executable, "-m", "actuators", "--run-folder", name]]):
            sorter = _PlayedSorter(plan)
            try:
                sorter.wait_until_firing()
                yield sorter
            finally:
                sorter.close()


@contextlib.contextmanager
def _load() -> Iterator[None]:
    """Every processor busy, and the kernel too."""
    stress = shutil.which("stress-ng")
    command = [stress, "--quiet", "--cpu", "0", "--hdd", "1", "--timer", "1"] if stress else None
    with _processes([command] if command else [[sys.executable, "-c", _BUSY_LOOP]] * 4):
        yield


@contextlib.contextmanager
def _processes(commands: list[list[str]]) -> Iterator[None]:
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]  # noqa: S603 - our own
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def _cyclictest_us(duration_s: float, sorter: _PlayedSorter) -> NDArray[np.int64]:
    """Wake-up latencies in µs, (N,) int64, while the line idles; empty where cyclictest is not installed."""
    cyclictest = shutil.which("cyclictest")
    if cyclictest is None:
        return np.empty(0, np.int64)
    priority = _SETTINGS.controller.real_time_priority
    command = [
        cyclictest, "--quiet", "--mlockall", f"--priority={priority}", f"--interval={_CYCLE_US}",
        f"--loops={round(duration_s * 1_000_000 / _CYCLE_US)}", f"--histogram={_LONGEST_US}",
    ]  # fmt: skip
    with tempfile.TemporaryFile("w+") as said, subprocess.Popen(command, stdout=said) as running:  # noqa: S603 - above
        while running.poll() is None:
            sorter.turn(is_shooting=False)
        said.seek(0)
        return histogram_values(said.read())


def histogram_values(said: str) -> NDArray[np.int64]:
    """Latencies in µs, (N,) int64, from cyclictest's histogram: lines of a latency and how often it came."""
    rows = [(int(match[1]), int(match[2])) for match in re.finditer(r"^(\d{6})\s+(\d+)$", said, re.MULTILINE)]
    values, counts = np.array(rows, np.int64).reshape(-1, 2).T
    return np.repeat(values, counts)
