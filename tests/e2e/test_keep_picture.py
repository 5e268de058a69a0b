"""The button that keeps a picture: from the page in Debian's Chromium to the message that the line hears."""

import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from sorter.model.condition import KeepRequest
from sorter.model.settings import HarvestSettings, Settings, UiSettings
from sorter.model.tracks import Preview
from sorter.runtime.bus import Publisher, Subscriber
from sorter.runtime.clock import SystemClock
from sorter.runtime.run_folder import RunPlan, create_run_folder
from sorter.runtime.topics import KEEP

CHROMIUM = Path("/usr/bin/chromium")
OUTPUT = Path(__file__).parents[2] / "test-output"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
WORDS = {"en": "Keep this picture", "fr": "Garder cette image", "ar": "احفظ هذه الصورة"}
ANSWERS = {"en": "asked", "fr": "demandé", "ar": "أُرسل الطلب"}

playwright_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"Debian's Chromium is not installed at {CHROMIUM}")


class Camera:
    """Says ten times a second that frame after frame was seen."""

    def __init__(self, plan: RunPlan) -> None:
        self._clock = SystemClock()
        self._publisher = Publisher(plan.run_folder, "vision", "boot", self._clock)
        self._jpeg = cv2.imencode(".jpg", np.full((64, 64, 3), 90, np.uint8))[1].tobytes()
        self.frame_id = 1000
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._publisher.close()

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            self.frame_id += 1
            now_ns = self._clock.now_ns()
            self._publisher.publish(Preview(self.frame_id, now_ns, self.frame_id, 64, 64, 1.778, self._jpeg, ()))


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunPlan]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        yield create_run_folder(Settings(ui=UiSettings(port=port), harvest=HarvestSettings(folder="kept")))


@pytest.fixture(scope="module")
def url(plan: RunPlan) -> Iterator[str]:
    camera = Camera(plan)
    command = [sys.executable, "-m", "ui", "--run-folder", str(plan.run_folder)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{plan.settings.ui.port}"
    for _ in range(150):
        if _answers(address):
            break
        threading.Event().wait(0.1)
    yield address
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    camera.stop()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=1) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.mark.parametrize("language", WORDS)
def test_the_picture_on_the_screen_is_asked_for(browser, url: str, plan: RunPlan, language: str) -> None:
    subscriber = Subscriber(plan.run_folder, (KEEP,))
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{url}/?lang={language}")
    page.wait_for_selector("#stage[data-frame]")
    button = page.locator("#keep")
    assert button.text_content() == WORDS[language]
    assert button.bounding_box()["height"] >= 56
    subscriber.receive(200)
    before = int(page.get_attribute("#stage", "data-frame"))
    button.click()
    received = [one.message for one in subscriber.receive(3000)]
    subscriber.close()
    after = int(page.get_attribute("#stage", "data-frame"))
    page.wait_for_function(f"document.querySelector('#keep').textContent === '{ANSWERS[language]}'")
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"keep-picture-{language}.png")
    band_height = page.locator("header.band").bounding_box()["height"]
    page.context.close()
    assert band_height < 72, "the button takes a second row, and the page has to be scrolled"
    (request,) = received
    assert isinstance(request, KeepRequest)
    assert before <= request.frame_id <= after
    assert request.who == "page"
