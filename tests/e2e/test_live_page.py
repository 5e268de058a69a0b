"""The page in Debian's Chromium, served by the real ui process, fed by a line that only publishes."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from sorter.model.condition import Fault, Health, HealthStatus, Mode, ModeState, OperatorRequest
from sorter.model.ejection import Assessment, Decision, DecisionReason, Intent
from sorter.model.materials import CLASS_NAMES
from sorter.model.settings import Settings, UiSettings
from sorter.model.statistics import Estimate, Figures, LineStatistics, StationFigures
from sorter.model.tracks import BeltState, Preview, PreviewBox
from sorter.runtime.bus import Publisher, Subscriber
from sorter.runtime.clock import SystemClock
from sorter.runtime.run_folder import RunPlan, create_run_folder
from sorter.runtime.topics import REQUEST

CHROMIUM = Path("/usr/bin/chromium")
OUTPUT = Path(__file__).parents[2] / "test-output"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDTH_PX = HEIGHT_PX = 640
ASPECT_RATIO = 1400.0 / 787.5

playwright_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"Debian's Chromium is not installed at {CHROMIUM}")

# class, station, decided, (left, top) on the picture, (width, height), all in its pixels
ITEMS = (
    ("pet_clear", "pet", True, (70, 60), (60, 220)),
    ("can", "can", False, (240, 330), (70, 110)),
    ("residue", None, False, (470, 110), (110, 120)),
    ("hdpe", "hdpe", True, (370, 420), (90, 170)),
    ("paper_cardboard", None, False, (140, 450), (130, 150)),
)


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
            self._say("vision", self._preview(now_ns))
            self._say("sorter", self._assessment())
            self._say("actuators", BeltState(now_ns, 2_000 * self._frame_id, self.speed_um_s))
            if self._frame_id % 4 == 0:
                self._say("sorter", self._decision(now_ns))
            if self._frame_id % 5 == 0:
                self._slowly(now_ns)

    def _slowly(self, now_ns: int) -> None:
        for name in self._publishers:
            detail = "20.1 frames/s" if name == "vision" else ""
            self._say(name, Health(name, HealthStatus.OK, self._started_ns, detail, int(name == "actuators")))
        self._say("sorter", ModeState(self.mode, self._started_ns, "started by itself", "recipe"))
        self._say("sorter", line_statistics(now_ns, has_truth=self.has_truth))
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

    def _decision(self, now_ns: int) -> Decision:
        name, station, _, _, _ = ITEMS[self._frame_id // 4 % len(ITEMS)]
        reason = DecisionReason.EJECT if station else DecisionReason.NO_STATION
        return Decision(
            self._frame_id, 1000 + self._frame_id, station, CLASS_NAMES.index(name), 0.91, reason, 5, 0, 0, now_ns,
            self._frame_id, now_ns,
        )  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_ui(plan: RunPlan) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ui", "--run-folder", str(plan.run_folder)]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def wait_for_page(url: str, limit_s: float = 15.0) -> None:
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
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        yield create_run_folder(Settings(ui=UiSettings(port=free_port())))


@pytest.fixture(scope="module")
def line(plan: RunPlan) -> Iterator[FakeLine]:
    fake = FakeLine(plan)
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def url(line: FakeLine) -> Iterator[str]:
    plan = line.plan
    address = f"http://127.0.0.1:{plan.settings.ui.port}"
    process = start_ui(plan)
    wait_for_page(address)
    yield address
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=5)
    assert process.returncode == 0
    assert b"Traceback" not in errors, errors.decode()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, url) -> Iterator[object]:
    """A page of the line, live; afterwards: nothing on the console, and nothing asked of anyone but the line."""
    complaints: list[str] = []
    addresses: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    tab.on("console", lambda entry: complaints.append(entry.text) if entry.type in {"error", "warning"} else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: addresses.append(request.url))
    tab.goto(url)
    wait_live(tab)
    yield tab
    context.close()
    assert complaints == []
    assert [address for address in addresses if not address.startswith(url)] == []


def wait_live(tab) -> None:
    tab.wait_for_selector("body[data-picture=live]", timeout=8000)
    tab.wait_for_selector("#overlay .item.ejected .label", state="attached")


def wait_text(tab, selector: str, words: str, timeout_ms: int = 4000) -> None:
    tab.wait_for_function(
        "([selector, words]) => document.querySelector(selector)?.textContent.includes(words)",
        arg=[selector, words],
        timeout=timeout_ms,
    )


def keep_screenshot(tab, name: str) -> None:
    OUTPUT.mkdir(exist_ok=True)
    tab.screenshot(path=OUTPUT / f"{name}.png", full_page=True)


def overlay_boxes(tab) -> dict[str, dict[str, float]]:
    """Every box of one moment by its track; asked for at once, since the overlay is drawn anew ten times a second."""
    return tab.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("#overlay [data-track]")].map((item) => {
            const { x, y, width, height } = item.querySelector("rect.outline").getBoundingClientRect();
            return [item.dataset.track, { x, y, width, height }];
        }))"""
    )


def pixel(tab, x_ratio: float, y_ratio: float) -> list[int]:
    return tab.evaluate(
        """([x, y]) => {
            const canvas = document.getElementById("picture");
            const context = canvas.getContext("2d");
            return [...context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data].slice(0, 3);
        }""",
        [x_ratio, y_ratio],
    )


def test_picture_and_boxes_lie_where_the_line_says(page) -> None:
    stage = page.locator("#stage").bounding_box()
    assert stage["width"] / stage["height"] == pytest.approx(ASPECT_RATIO, rel=0.01)
    assert pixel(page, 0.005, 0.5)[0] > 200
    boxes = overlay_boxes(page)
    assert len(boxes) == len(ITEMS)
    for index, (_, _, _, (left, top), (width, height)) in enumerate(ITEMS):
        across, along = stage["width"] / WIDTH_PX, stage["height"] / HEIGHT_PX
        expected = {
            "x": stage["x"] + left * across, "y": stage["y"] + top * along,
            "width": width * across, "height": height * along,
        }  # fmt: skip
        # Half a line's width on each side belongs to the box that Chromium measures.
        assert boxes[str(index)] == pytest.approx(expected, abs=4.0)


def test_what_will_be_ejected_is_told_by_text_and_shape(page) -> None:
    for index, (_, station, decided, _, _) in enumerate(ITEMS):
        item = page.locator(f"#overlay [data-track='{index}']")
        fate = "passes" if station is None else "ejected" if decided else "planned"
        assert fate in item.get_attribute("class")
        assert ("→ " + str(station) in item.text_content()) == (station is not None)
        assert item.locator("use").count() == (station is not None)
    words = page.locator("#overlay [data-track='0'] text.words").text_content()
    assert words == "\u2068PET clear\u2069 93%"


def test_figures_are_shown(page) -> None:
    wait_text(page, "#counts-total", "2,402 items")
    assert page.locator("[data-class=pet_clear] b").text_content() == "412"
    purity = page.locator("[data-station=pet] [data-figure=purity]")
    assert "96.1%" in purity.text_content()
    assert "95.2% to 96.9%" in purity.text_content()
    assert "97.3%" in page.locator("[data-station=pet] [data-figure=recovery]").text_content()
    assert "below target" in page.locator("[data-station=can] [data-figure=purity]").text_content()
    assert "0.11%" in page.locator("#missed-windows").text_content()
    assert "2.00" in page.locator("#belt-speed").text_content()
    assert "62" in page.locator("#latency b").text_content()
    assert "34" in page.locator("#latency [data-part=p50]").text_content()
    for key, words in {"model": "farz-nine-1", "detector": "openvino", "precision": "f32"}.items():
        assert page.locator(f"[data-run={key}]").text_content() == words
    for name in ("vision", "sorter", "actuators", "supervisor", "ui"):
        page.wait_for_selector(f"[data-process={name}][data-status=ok]")
    assert "restarts: 1" in page.locator("[data-process=actuators]").text_content()
    keep_screenshot(page, "live-1280x800-en")


def test_without_truth_purity_is_a_dash(page, line) -> None:
    line.has_truth = False
    wait_text(page, "[data-station=pet] [data-figure=purity]", "needs samples")
    assert page.locator("[data-station=pet] [data-figure=purity] b").text_content() == "—"
    line.has_truth = True
    wait_text(page, "[data-station=pet] [data-figure=purity]", "96.1%")


@pytest.mark.parametrize(
    ("process", "selector"),
    [("vision", "body[data-picture=stale]"), ("sorter", "body[data-picture=undecided]"), ("actuators", "body")],
)
def test_a_process_that_falls_silent_is_shown_within_two_seconds(page, line, process: str, selector: str) -> None:
    line.silent.add(process)
    try:
        page.wait_for_selector(f"{selector} [data-process={process}][data-status=silent]", timeout=2000)
        wait_text(page, "#faults", process)
        keep_screenshot(page, f"silent-{process}")
    finally:
        line.silent.clear()
    page.wait_for_selector(f"[data-process={process}][data-status=ok]", timeout=3000)
    wait_live(page)


def test_a_standing_belt_is_no_stale_picture(page, line) -> None:
    line.speed_um_s = 0
    original, line._preview = line._preview, lambda _now_ns: BeltState(0, 0, 0)
    try:
        wait_text(page, "#notice-text", "Belt stands still")
    finally:
        line._preview, line.speed_um_s = original, 2_000_000
    wait_live(page)


def test_start_asks_the_line(page, line, plan) -> None:
    subscriber = Subscriber(plan.run_folder, (REQUEST,))
    line.mode = Mode.IDLE
    page.wait_for_selector("[data-request=start]:enabled")
    subscriber.receive(200)
    page.click("[data-request=start]")
    received = subscriber.receive(2000)
    subscriber.close()
    line.mode = Mode.EXECUTE
    assert [(message.message.kind.value, message.message.who) for message in received] == [("start", "page")]
    assert isinstance(received[0].message, OperatorRequest)
    wait_text(page, "#request-answer", "asked")


def test_a_fault_stays_until_it_is_cleared(page, line) -> None:
    fault = Fault("vision", "source_lost", "camera rtsp://belt gives no pictures", line.clock.now_ns())
    line.faults.append(fault)
    wait_text(page, "#faults", "source_lost")
    keep_screenshot(page, "fault")
    line.faults.append(Fault(fault.process, fault.code, fault.detail, fault.raised_at_ns, is_cleared=True))
    page.wait_for_selector("#faults", state="hidden")


def test_arabic_runs_right_to_left_and_the_belt_does_not(page, url) -> None:
    page.goto(f"{url}/?lang=ar")
    wait_live(page)
    assert page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    assert page.evaluate("getComputedStyle(document.getElementById('stage')).direction") == "ltr"
    assert page.evaluate("getComputedStyle(document.getElementById('picture')).transform") == "none"
    assert pixel(page, 0.005, 0.5)[0] > 200
    stage = page.locator("#stage").bounding_box()
    box = overlay_boxes(page)["0"]
    assert box["x"] - stage["x"] == pytest.approx(ITEMS[0][3][0] / WIDTH_PX * stage["width"], abs=4.0)
    wait_text(page, "#mode-name", "يفرز")
    keep_screenshot(page, "live-1280x800-ar")


@pytest.mark.parametrize(
    ("width_px", "height_px", "language", "scheme"),
    [(1920, 1080, "en", "light"), (1280, 800, "fr", "dark"), (390, 844, "en", "light"), (390, 844, "ar", "dark")],
)
def test_nothing_overflows_sideways_and_targets_are_large(page, url, width_px, height_px, language, scheme) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width_px, "height": height_px})
    page.goto(f"{url}/?lang={language}")
    wait_live(page)
    wait_text(page, "[data-run=model]", "farz-nine-1")
    assert page.evaluate("document.documentElement.scrollWidth") <= width_px
    for button in page.locator("[data-request]:visible").all():
        assert button.bounding_box()["height"] >= 56
    keep_screenshot(page, f"live-{width_px}x{height_px}-{language}-{scheme}")


def test_the_policy_forbids_what_is_not_ours(browser, url) -> None:
    policy = urllib.request.urlopen(url).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    tab = browser.new_page()
    tab.goto(url)
    violated = tab.evaluate(
        """() => new Promise((resolve) => {
            document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
            const image = new Image();
            image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
        })"""
    )
    tab.context.close()
    assert violated == "img-src"


@pytest.mark.usefixtures("plan")
def test_stops_within_three_seconds_with_streams_open_and_the_page_waits_for_it_to_return(browser) -> None:
    port = free_port()
    other = create_run_folder(Settings(ui=UiSettings(port=port)))
    process = start_ui(other)
    address = f"http://127.0.0.1:{port}"
    wait_for_page(address)
    tab = browser.new_page()
    tab.goto(address)
    with socket.create_connection(("127.0.0.1", port)) as deaf:
        deaf.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        tab.wait_for_selector("[data-process=ui][data-status=ok]")
        started_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
        took_s = time.monotonic() - started_s
    tab.wait_for_selector("body[data-picture=lost]", timeout=2000)
    again = start_ui(other)
    tab.wait_for_selector("body[data-picture=missing]", timeout=10_000)
    tab.context.close()
    again.terminate()
    again.communicate(timeout=5)
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "ui-stop.json").write_text(json.dumps({"ui_stop_s": round(took_s, 3)}))
    assert process.returncode == 0, errors.decode()
    assert took_s < 3.0


@pytest.mark.usefixtures("plan")
def test_dies_with_a_parent_that_is_killed() -> None:
    port = free_port()
    other = create_run_folder(Settings(ui=UiSettings(port=port)))
    script = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-m', 'ui', '--run-folder', {str(other.run_folder)!r}])\n"
        "print(child.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        child_pid = int(parent.stdout.readline())
        wait_for_page(f"http://127.0.0.1:{port}")
        parent.kill()
    deadline_s = time.monotonic() + 3.0
    while _is_running(child_pid) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not _is_running(child_pid)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.usefixtures("url")
def test_a_port_in_use_is_one_sentence(plan) -> None:
    taken = create_run_folder(plan.settings)
    process = start_ui(taken)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 2
    sentence = errors.decode().strip()
    assert "\n" not in sentence
    assert "ui.port" in sentence
    assert str(plan.settings.ui.port) in sentence
    assert "127.0.0.1" in sentence
