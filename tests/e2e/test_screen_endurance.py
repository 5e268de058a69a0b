"""How quick a screen is, how soon it says that it is old, and that it does not grow however long it stays open."""

import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from sorter.runtime.run_folder import create_run_folder

OUTPUT = Path(__file__).parents[2] / "test-output"
EVENT_COUNT = 20
MAX_P95_MS = 500.0
STALE_LIMIT_MS = 2000
MAX_GROWTH_BYTES = 5_000_000
UPDATE_COUNT = 100_000

# states and pictures come as fast as the page takes them, through the page's own streams
_FLOOD = """(() => {
    const sleep = () => new Promise((resolve) => setTimeout(resolve));
    window.updates = 0;
    window.flood = async (count) => {
        for (let index = 0; index < count; index += 1) {
            const state = structuredClone(window.sample);
            state.decided_per_min = index % 997;
            state.trend.minute = Math.floor(index / 240);
            state.processes.forEach((process) => { process.status_s = index; });
            state.decisions.forEach((decision) => { decision.decision_id = index; });
            if (state.statistics) state.statistics.value.figures.command_count = index;
            window.source.onmessage({ data: JSON.stringify(state) });
            window.updates += 1;
            if (index % 200 === 199) await sleep();
        }
        await sleep();
    };
    const Real = window.EventSource;
    window.EventSource = class {
        constructor(url) {
            this.real = new Real(url);
            this.real.onmessage = (event) => {
                if (window.sample) return;
                window.sample = JSON.parse(event.data);
                this.onmessage(event);
            };
            window.source = this;
        }
        get readyState() { return this.real.readyState; }
        close() { this.real.close(); }
    };
    window.EventSource.CLOSED = 2;
})()"""
_HEAP = "() => { for (let n = 0; n < 4; n += 1) gc(); return performance.memory.usedJSHeapSize; }"
_WATCH = """() => {
    window.seen = [];
    let before = null;
    const look = () => {
        const canvas = document.getElementById("picture");
        const pixel = canvas.width > 0 ? canvas.getContext("2d").getImageData(canvas.width / 2, 5, 1, 1).data : null;
        const colour = pixel && pixel[2] > 128;
        if (colour !== before && before !== null) window.seen.push(Date.now());
        before = colour;
        requestAnimationFrame(look);
    };
    look();
}"""


def picture(is_bright: bool) -> bytes:
    image = np.full((640, 640, 3), 230 if is_bright else 20, np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()


def test_what_happens_on_the_belt_is_on_the_screen_within_half_a_second(browser, url, line) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    tab.goto(f"{url}/live")
    tab.wait_for_selector("body[data-picture=live]", timeout=10_000)
    jpegs, is_bright = (picture(False), picture(True)), False
    original = line.preview
    line.preview = lambda now_ns: msgspec.structs.replace(original(now_ns), jpeg=jpegs[is_bright])
    try:
        tab.wait_for_timeout(500)
        tab.evaluate(_WATCH)
        happened_ms = []
        rng = np.random.default_rng(1)
        for _ in range(EVENT_COUNT):
            tab.wait_for_timeout(600 + rng.uniform(0, 150))
            is_bright = not is_bright
            happened_ms.append(1000.0 * time.time())
        tab.wait_for_timeout(1500)
        seen_ms = tab.evaluate("window.seen")
    finally:
        line.preview = original
        context.close()
    assert len(seen_ms) == EVENT_COUNT
    delays_ms = [seen - happened for seen, happened in zip(seen_ms, happened_ms, strict=True)]
    p95_ms = statistics.quantiles(delays_ms, n=20)[-1]
    note("event-to-pixel", {"p50_ms": statistics.median(delays_ms), "p95_ms": p95_ms})
    assert p95_ms <= MAX_P95_MS


@pytest.mark.parametrize("death", ["killed", "stopped", "network cut"])
def test_a_page_says_within_two_seconds_that_nothing_comes_any_more(browser, line, tmp_path, death: str) -> None:
    settings = line.plan.settings
    own = msgspec.structs.replace(settings.ui, port=settings.ui.port + 2, folder=str(tmp_path))
    plan = create_run_folder(msgspec.structs.replace(settings, ui=own))
    server = start_on(line.plan.run_folder, plan.run_folder)
    network = Network(own.port)
    context = browser.new_context()
    tab = context.new_page()
    try:
        deadline_s = time.monotonic() + 20
        while not is_served(f"http://127.0.0.1:{own.port}"):
            assert time.monotonic() < deadline_s
        tab.goto(network.address)
        tab.wait_for_selector("#heartbeat[data-beat=alive]", timeout=20_000)
        if death == "network cut":
            network.cut()
        else:
            os.kill(server.pid, signal.SIGKILL if death == "killed" else signal.SIGSTOP)
        tab.wait_for_selector("body[data-link=lost]", timeout=STALE_LIMIT_MS)
        assert "OLD" in tab.locator("#stale-words").text_content()
        assert tab.evaluate("getComputedStyle(document.querySelector('.screen')).opacity") < "1"
    finally:
        server.kill()
        server.wait()
        network.close()
        context.close()


def start_on(line_folder: Path, own_folder: Path) -> "subprocess.Popen[bytes]":
    """A page's server of its own, on the line that speaks in another run's folder."""
    for name in ("vision", "sorter", "actuators", "supervisor"):
        (own_folder / f"{name}.pub").symlink_to(line_folder / f"{name}.pub")
    command = [sys.executable, "-m", "ui", "--run-folder", str(own_folder)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


class Network:
    """A wire between browser and server that can be cut: what is on it is lost, and nobody is told."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._is_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._begin(self._accept)

    def cut(self) -> None:
        self._is_cut = True

    def close(self) -> None:
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._sockets.append(near)
                far = socket.create_connection(("127.0.0.1", self._port))
                self._sockets.append(far)
                self._begin(self._pass_on, near, far)
                self._begin(self._pass_on, far, near)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if not self._is_cut:
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def _begin(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()


def is_served(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/healthz", timeout=1).close()
    except OSError:
        return False
    return True


def grown_bytes(browser, address: str, update_count: int) -> int:
    """By how much the page's heap has grown over so many updates, after as many again to warm up on as a tenth."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(_FLOOD)
    tab = context.new_page()
    tab.goto(address)
    eventually(tab, "window.sample?.statistics")
    tab.evaluate("(count) => window.flood(count)", update_count // 10)
    before = tab.evaluate(_HEAP)
    tab.evaluate("(count) => window.flood(count)", update_count)
    grown = tab.evaluate(_HEAP) - before
    context.close()
    return grown


@pytest.mark.parametrize("screen", ["", "live"])
def test_a_page_does_not_grow_over_ten_thousand_updates(browser, url, screen: str) -> None:
    grown = grown_bytes(browser, f"{url}/{screen}", UPDATE_COUNT // 10)
    note(f"heap-{screen or 'line'}", {"updates": UPDATE_COUNT // 10, "grown_bytes": grown})
    assert grown <= MAX_GROWTH_BYTES


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("screen", ["", "live"])
def test_a_page_does_not_grow_over_a_hundred_thousand_updates(browser, url, screen: str) -> None:
    grown = grown_bytes(browser, f"{url}/{screen}", UPDATE_COUNT)
    note(f"heap-soak-{screen or 'line'}", {"updates": UPDATE_COUNT, "grown_bytes": grown})
    assert grown <= MAX_GROWTH_BYTES


def note(name: str, figures: dict[str, float]) -> None:
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / f"{name}.json").write_text(json.dumps(figures) + "\n")


def eventually(tab, expression: str, arg: object = None, timeout_ms: int = 8000) -> None:
    """Wait for something to be true on a page; asked from here, since its policy forbids the browser's own polling."""
    deadline_s = time.monotonic() + timeout_ms / 1000
    while not tab.evaluate(expression, arg):
        assert time.monotonic() < deadline_s, expression
        tab.wait_for_timeout(50)
