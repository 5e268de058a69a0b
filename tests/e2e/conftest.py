"""A browser, and a line that only publishes: what tests of screens share; one line and one server a module."""

import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from free_ports import free_port

from sorter.model.condition import Fault, Health, HealthStatus, Mode, ModeState, NozzleReport, ValveReport
from sorter.model.ejection import AckStatus, Assessment, Decision, DecisionReason, Intent
from sorter.model.explanation import Explanation, RecipeState, ShotReport, ShotWorth, ViewVote
from sorter.model.materials import CLASS_NAMES
from sorter.model.settings import HarvestSettings, Settings, StoreSettings, UiSettings
from sorter.model.statistics import Estimate, Figures, LineStatistics, StationFigures
from sorter.model.tracks import BeltState, Preview, PreviewBox
from sorter.runtime.bus import Publisher
from sorter.runtime.clock import SystemClock
from sorter.runtime.live_recipe import stations_of
from sorter.runtime.run_folder import RunPlan, create_run_folder

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-precise-memory-info", "--js-flags=--expose-gc",
]  # fmt: skip
WIDTH_PX = HEIGHT_PX = 640
ASPECT_RATIO = 1400.0 / 787.5

# class, station, decided, (left, top) on the picture, (width, height), all in its pixels
ITEMS = (
    ("pet_clear", "pet", True, (70, 60), (60, 220)),
    ("can", "can", False, (240, 330), (70, 110)),
    ("residue", None, False, (470, 110), (110, 120)),
    ("hdpe", "hdpe", True, (370, 420), (90, 170)),
    ("paper_cardboard", None, False, (140, 450), (130, 150)),
)
DECIDED = (0, 2, 3, 4)


def picture_jpeg(shift_px: int) -> bytes:
    """A belt with coloured items: dark rubber, a left edge in orange so that a mirror image would show."""
    noise = np.random.default_rng(7).normal(0, 5, (HEIGHT_PX, WIDTH_PX, 1))
    image = np.clip(52 + noise, 0, 255).astype(np.uint8).repeat(3, axis=2)
    image[(np.arange(HEIGHT_PX) + shift_px) % 160 < 3] += 12
    colours = ((205, 190, 170), (60, 70, 190), (90, 120, 90), (240, 240, 235), (110, 150, 185))
    for (_, _, _, (left, top), (width, height)), colour in zip(ITEMS, colours, strict=True):
        centre = (left + width // 2, top + height // 2)
        cv2.ellipse(image, centre, (width // 2, height // 2), 0, 0, 360, colour, -1, cv2.LINE_AA)
    image[:, :12] = (0, 128, 255)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def station_figures(recovery: float, purity: Estimate) -> StationFigures:
    return StationFigures(
        Estimate(recovery, recovery - 0.012, recovery + 0.008), purity, 812, 790, 771, 3, 0.97, 0.96, 0.95
    )


def line_statistics(now_ns: int, *, has_truth: bool) -> LineStatistics:
    stations = {
        "pet": station_figures(0.973, Estimate(0.961, 0.952, 0.969)),
        "hdpe": station_figures(0.942, Estimate(0.918, 0.897, 0.936)),
        "can": station_figures(0.955, Estimate(0.528, 0.497, 0.559)),
    }
    overall = station_figures(0.957, Estimate(0.902, 0.89, 0.913))
    figures = Figures(
        stations, overall, 2410, 2402, 0.0033, 1894, 0.0011, 1.2, 34.2, 61.7, {"fired": 1892}, {"eject": 1892}
    )
    counts = dict(zip(CLASS_NAMES, (412, 268, 61, 240, 377, 190, 132, 505, 217), strict=True))
    return LineStatistics(now_ns, has_truth, counts, figures, 4.7, "farz-nine-1", "openvino", "f32")


class FakeLine:
    """Says what vision, sorter, actuators and supervisor would say; each can be silenced."""

    def __init__(self, plan: RunPlan) -> None:
        self.plan = plan
        self.clock = SystemClock()
        self.silent: set[str] = set()
        self.mode = Mode.EXECUTE
        self.has_truth = True
        self.speed_um_s = 2_000_000
        self.faults: list[Fault] = []
        self.preview: Callable[[int], object] = self._preview
        self._started_ns = self.clock.now_ns()
        self._frame_id = 0
        self._publishers = {
            name: Publisher(plan.run_folder, name, f"boot-{name}", self.clock)
            for name in ("vision", "sorter", "actuators", "supervisor")
        }
        self._jpegs = [picture_jpeg(shift) for shift in range(0, 160, 20)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake line")
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        for publisher in self._publishers.values():
            publisher.close()

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            self._frame_id += 1
            now_ns = self.clock.now_ns()
            self._say("vision", self.preview(now_ns))
            self._say("sorter", self._assessment())
            self._say("actuators", BeltState(now_ns, 2_000 * self._frame_id, self.speed_um_s))
            if self._frame_id % 4 == 0:
                self._decide(now_ns)
            if self._frame_id % 5 == 0:
                self._slowly(now_ns)

    def _slowly(self, now_ns: int) -> None:
        for name in self._publishers:
            detail = "20.1 frames/s" if name == "vision" else ""
            self._say(name, Health(name, HealthStatus.OK, self._started_ns, detail, int(name == "actuators")))
        self._say("sorter", ModeState(self.mode, self._started_ns, "all processes are ready", "recipe"))
        self._say("sorter", line_statistics(now_ns, has_truth=self.has_truth))
        self._say("sorter", RecipeState("recipe", stations_of(self.plan.settings.recipe), ""))
        nozzles = tuple(NozzleReport("pet", n, 40 + n, 300.0, 0.01, 0.2, "dead" if n == 7 else None) for n in range(99))
        self._say("actuators", ValveReport(now_ns, nozzles, 812.0, 0))
        while self.faults:
            self._say("vision", self.faults.pop())

    def _say(self, process: str, message: object) -> None:
        if process not in self.silent:
            self._publishers[process].publish(message)

    def _preview(self, now_ns: int) -> Preview:
        boxes = tuple(
            PreviewBox(index, left, top, left + width, top + height)
            for index, (_, _, _, (left, top), (width, height)) in enumerate(ITEMS)
        )
        jpeg = self._jpegs[self._frame_id % len(self._jpegs)]
        return Preview(
            self._frame_id, now_ns - 40_000_000, self._frame_id, WIDTH_PX, HEIGHT_PX, ASPECT_RATIO, jpeg, boxes
        )

    def _assessment(self) -> Assessment:
        intents = tuple(
            Intent(
                index,
                CLASS_NAMES.index(name),
                0.93 - 0.07 * index,
                station,
                DecisionReason.EJECT if station else DecisionReason.NO_STATION,
                decided,
            )
            for index, (name, station, decided, _, _) in enumerate(ITEMS)
        )
        return Assessment(self._frame_id, intents)

    def _decide(self, now_ns: int) -> None:
        index = DECIDED[self._frame_id // 4 % len(DECIDED)]
        name, station, _, _, _ = ITEMS[index]
        reason = DecisionReason.EJECT if station else DecisionReason.NO_STATION
        decision = Decision(
            self._frame_id, index, station, CLASS_NAMES.index(name), 0.91, reason, 5, 0, 0, now_ns,
            self._frame_id, now_ns - 60_000_000,
        )  # fmt: skip
        self._say("sorter", decision)
        probabilities = tuple(0.91 if each == name else 0.01 for each in CLASS_NAMES)
        votes = tuple(
            ViewVote(self._frame_id - back, now_ns - back * 100_000_000, probabilities, 0.3 if back == 4 else 1.0)
            for back in (4, 3, 2, 1, 0)
        )
        worth = ShotWorth("pet", 0.91, 0.08, 0.6, 1.5, 0.79, 0.79, (), reaches=True)
        self._say("sorter", Explanation(decision, 60_000, 220_000, probabilities, votes, (worth,), now_ns + 1_000_000))
        if station:
            opened_ns, fired = now_ns + 300_000_000, AckStatus.FIRED
            shot = (opened_ns, 700_400, opened_ns + 40_000_000)
            self._say("sorter", ShotReport((decision.decision_id,), station, 3, 7, 700_000, fired, None, *shot))


def start_process(module: str, plan: RunPlan) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", module, "--run-folder", str(plan.run_folder)]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def wait_for_page(url: str, limit_s: float = 20.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not answers(url):
        assert time.monotonic() < deadline_s, f"no page at {url} within {limit_s} s"
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=1) as response:
            return response.status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunPlan]:
    folder = tmp_path_factory.mktemp("line")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        yield create_run_folder(
            Settings(
                ui=UiSettings(port=free_port(), folder=str(folder)),
                store=StoreSettings(folder=str(folder)),
                harvest=HarvestSettings(folder=str(folder / "kept")),
            )
        )


@pytest.fixture(scope="module")
def line(plan: RunPlan) -> Iterator[FakeLine]:
    fake = FakeLine(plan)
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def url(line: FakeLine) -> Iterator[str]:
    plan = line.plan
    address = f"http://127.0.0.1:{plan.settings.ui.port}"
    processes = [start_process(module, plan) for module in ("ui", "ui.video")]
    wait_for_page(address)
    yield address
    for process in processes:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=5)
        assert process.returncode == 0
        assert b"Traceback" not in errors, errors.decode()


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    playwright_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"Debian's Chromium is not installed at {CHROMIUM}")
    with playwright_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=FLAGS)
        yield chromium
        chromium.close()
