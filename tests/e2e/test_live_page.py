"""The screens in Debian's Chromium, served by the real ui and video processes, fed by a line that only publishes."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from free_ports import free_port

from sorter.model.condition import Fault, Mode, OperatorRequest
from sorter.model.settings import Settings, UiSettings
from sorter.model.tracks import BeltState
from sorter.runtime.bus import Subscriber
from sorter.runtime.run_folder import create_run_folder
from sorter.runtime.topics import REQUEST

WIDTH_PX = HEIGHT_PX = 640
ASPECT_RATIO = 1400.0 / 787.5


@pytest.fixture
def page(browser, url) -> Iterator[object]:
    """The Live screen, live; afterwards: nothing on the console, and nothing asked of anyone but the line."""
    complaints: list[str] = []
    addresses: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True)
    tab = context.new_page()
    tab.on("console", lambda entry: complaints.append(entry.text) if entry.type in {"error", "warning"} else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: addresses.append(request.url))
    tab.goto(f"{url}/live")
    wait_live(tab)
    yield tab
    context.close()
    assert complaints == []
    host = url.rpartition(":")[0]
    assert [address for address in addresses if not address.startswith(host)] == []


def wait_live(tab) -> None:
    tab.wait_for_selector("body[data-picture=live]", timeout=8000)
    tab.wait_for_selector("#overlay .item.ejected .label", state="attached")


def wait_text(tab, selector: str, words: str, timeout_ms: int = 5000) -> None:
    eventually(
        tab,
        "([selector, words]) => document.querySelector(selector)?.textContent.includes(words)",
        arg=[selector, words],
        timeout_ms=timeout_ms,
    )


def hold(tab, selector: str, seconds: float = 1.3) -> None:
    """Keep a finger on something for a while."""
    box = tab.locator(selector).bounding_box()
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    finger = tab.context.new_cdp_session(tab)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    tab.wait_for_timeout(1000 * seconds)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    finger.detach()
    # what a finger does while it leaves is not a touch of its own
    tab.wait_for_timeout(150)


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


def test_picture_and_boxes_lie_where_the_line_says(page, line) -> None:
    stage = page.locator("#stage").bounding_box()
    assert stage["width"] / stage["height"] == pytest.approx(ASPECT_RATIO, rel=0.01)
    assert pixel(page, 0.005, 0.5)[0] > 200
    boxes = overlay_boxes(page)
    told = line.preview(0).boxes
    assert len(boxes) == len(told)
    for box in told:
        across, along = stage["width"] / WIDTH_PX, stage["height"] / HEIGHT_PX
        expected = {
            "x": stage["x"] + box.left_px * across, "y": stage["y"] + box.top_px * along,
            "width": (box.right_px - box.left_px) * across, "height": (box.bottom_px - box.top_px) * along,
        }  # fmt: skip
        # Half a line's width on each side belongs to the box that Chromium measures.
        assert boxes[str(box.track_id)] == pytest.approx(expected, abs=4.0)


def test_what_will_be_ejected_is_told_by_text_and_shape(page) -> None:
    for track_id, station, fate in ((0, "pet", "ejected"), (1, "can", "planned"), (2, None, "passes")):
        item = page.locator(f"#overlay [data-track='{track_id}']")
        assert fate in item.get_attribute("class")
        assert ("→ " + str(station) in item.text_content()) == (station is not None)
        assert item.locator("use").count() == (station is not None)
    # what was only intended before has another probability than what was decided, and a decision may be yet to come
    eventually(
        page,
        "(words) => document.querySelector(\"#overlay [data-track='0'] text.words\")?.textContent === words",
        arg="\u2068PET clear\u2069 91%",
    )


def test_a_touch_on_an_item_tells_why(page) -> None:
    stage = page.locator("#stage").bounding_box()
    page.touchscreen.tap(stage["x"] + 100 / WIDTH_PX * stage["width"], stage["y"] + 170 / HEIGHT_PX * stage["height"])
    page.wait_for_selector("#why .votes", timeout=8000)
    assert page.locator("#why .votes tr").count() == 6
    eventually(page, "[...document.querySelectorAll('#why canvas')].some((canvas) => canvas.width !== 96)")
    words = page.locator("#why").text_content()
    for said in ("PET clear 91%", "What each view said", "0.79", "60%", "valve open", "360.0", "fired", "0.4 mm"):
        assert said in words, said


def test_figures_are_shown(page, url) -> None:
    page.goto(url)
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
    for name in ("vision", "sorter", "actuators", "supervisor", "ui", "video"):
        page.wait_for_selector(f"[data-process={name}][data-status=ok]")
    assert "restarts: 1" in page.locator("[data-process=actuators]").text_content()
    page.wait_for_selector("#trend canvas")


def test_without_truth_purity_is_a_dash(page, line, url) -> None:
    page.goto(url)
    line.has_truth = False
    wait_text(page, "[data-station=pet] [data-figure=purity]", "needs samples")
    assert page.locator("[data-station=pet] [data-figure=purity] b").text_content() == "—"
    line.has_truth = True
    wait_text(page, "[data-station=pet] [data-figure=purity]", "96.1%")


@pytest.mark.parametrize(
    ("process", "selector"),
    [("vision", "body[data-picture=stale]"), ("sorter", "body[data-link=silent]"), ("actuators", "body")],
)
def test_a_process_that_falls_silent_is_shown_within_two_seconds(page, line, process: str, selector: str) -> None:
    line.silent.add(process)
    try:
        page.wait_for_selector(selector, timeout=2000)
        page.wait_for_selector("#alarms-tile[data-level=high]", timeout=2500)
        if process == "sorter":
            wait_text(page, "#stale-words", "OLD", 100)
            assert page.locator("#heartbeat").get_attribute("data-beat") == "silent"
    finally:
        line.silent.clear()
    wait_live(page)


def test_a_standing_belt_is_no_stale_picture(page, line) -> None:
    line.speed_um_s = 0
    original, line.preview = line.preview, lambda _now_ns: BeltState(0, 0, 0)
    try:
        wait_text(page, "#notice-text", "Belt stands still")
    finally:
        line.preview, line.speed_um_s = original, 2_000_000
    wait_live(page)


def test_start_is_asked_by_holding_and_not_by_a_brush(page, line, plan) -> None:
    subscriber = Subscriber(plan.run_folder, (REQUEST,))
    line.mode = Mode.IDLE
    page.wait_for_selector("[data-request=start]:enabled")
    subscriber.receive(200)
    page.locator("[data-request=start]").tap()
    hold(page, "[data-request=start]", 0.5)
    assert subscriber.receive(300) == []
    hold(page, "[data-request=start]")
    received = subscriber.receive(2000)
    subscriber.close()
    line.mode = Mode.EXECUTE
    assert [(message.message.kind.value, message.message.who) for message in received] == [("start", "local")]
    assert isinstance(received[0].message, OperatorRequest)
    wait_text(page, "#request-answer", "asked")


def test_a_fault_becomes_an_alarm_and_stays_until_it_was_seen(page, line) -> None:
    fault = Fault("vision", "no_pictures", "camera rtsp://belt gives no pictures", line.clock.now_ns())
    line.faults.append(fault)
    page.wait_for_selector("#alarms-tile[data-level=high]")
    page.locator("#alarms-tile").tap()
    alarm = "[data-alarm='no_pictures:vision']"
    page.wait_for_selector(alarm)
    wait_text(page, alarm, "Camera gives no pictures")
    wait_text(page, alarm, "Check power and cable")
    line.faults.append(Fault(fault.process, fault.code, fault.detail, fault.raised_at_ns, is_cleared=True))
    page.wait_for_selector(f"{alarm}[data-state=returned]")
    page.locator(f"{alarm} button", has_text="Seen").tap()
    page.wait_for_selector(alarm, state="detached")


def test_arabic_runs_right_to_left_and_belt_nozzles_and_time_do_not(page, url, line) -> None:
    page.goto(f"{url}/live?lang=ar")
    wait_live(page)
    assert page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    assert page.evaluate("getComputedStyle(document.getElementById('stage')).direction") == "ltr"
    assert page.evaluate("getComputedStyle(document.getElementById('picture')).transform") == "none"
    assert pixel(page, 0.005, 0.5)[0] > 200
    stage = page.locator("#stage").bounding_box()
    box = overlay_boxes(page)["0"]
    assert box["x"] - stage["x"] == pytest.approx(line.preview(0).boxes[0].left_px / WIDTH_PX * stage["width"], abs=4.0)
    wait_text(page, "#mode-name", "يفرز")
    page.goto(f"{url}/stations")
    first, last = (page.locator("[data-station=pet] .nozzles i").nth(index).bounding_box()["x"] for index in (0, -1))
    assert first < last
    page.goto(url)
    assert page.evaluate("getComputedStyle(document.getElementById('trend')).direction") == "ltr"


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


@pytest.mark.usefixtures("url")
def test_thirty_two_viewers_see_the_newest_picture_and_the_next_is_told_so(plan) -> None:
    address = f"http://127.0.0.1:{plan.settings.ui.port + 1}/video"
    viewers = [urllib.request.urlopen(address, timeout=5) for _ in range(32)]
    try:
        assert viewers[0].headers["Content-Type"] == "multipart/x-mixed-replace; boundary=picture"
        assert viewers[31].read(9) == b"--picture"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address, timeout=5)
        assert refused.value.code == 503
        assert "32" in refused.value.read().decode()
        # a viewer that takes nothing for a while gets the newest, not what has waited for it
        time.sleep(1.5)
        seen = [frame_id_of(viewers[0]) for _ in range(40)]
        assert seen == sorted(seen)
    finally:
        for viewer in viewers:
            viewer.close()
    until(lambda: is_served(address), 5.0)


def frame_id_of(viewer) -> int:
    """Read one part; the number of its frame."""
    length, frame_id = 0, -1
    while line := viewer.readline().strip() or length == 0:
        text = line.decode("latin1") if isinstance(line, bytes) else ""
        if text.startswith("Content-Length"):
            length = int(text.partition(":")[2])
        if text.startswith("X-Farz-Picture"):
            frame_id = int(text.partition('"frame_id":')[2].partition(",")[0])
    viewer.read(length)
    return frame_id


@pytest.mark.usefixtures("plan")
def test_stops_within_three_seconds_with_streams_open_and_the_page_waits_for_it_to_return(browser, tmp_path) -> None:
    port = free_port()
    other = create_run_folder(Settings(ui=UiSettings(port=port, folder=str(tmp_path))))
    process = start_ui(other)
    address = f"http://127.0.0.1:{port}"
    wait_for_page(address)
    tab = browser.new_page()
    tab.goto(address)
    with socket.create_connection(("127.0.0.1", port)) as deaf:
        deaf.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        tab.wait_for_selector("[data-process=ui][data-status=ok]")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=3)
    tab.wait_for_selector("body[data-link=lost]", timeout=2000)
    again = start_ui(other)
    tab.wait_for_selector("body:not([data-link=lost])", timeout=10_000)
    tab.context.close()
    again.terminate()
    again.communicate(timeout=5)
    assert process.returncode == 0, errors.decode()


@pytest.mark.usefixtures("plan")
def test_dies_with_a_parent_that_is_killed(tmp_path) -> None:
    port = free_port()
    other = create_run_folder(Settings(ui=UiSettings(port=port, folder=str(tmp_path))))
    script = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-m', 'ui', '--run-folder', {str(other.run_folder)!r}])\n"
        "print(child.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        child_pid = int(parent.stdout.readline())
        wait_for_page(f"http://127.0.0.1:{port}")
        parent.kill()
    until(lambda: not _is_running(child_pid), 3.0)


def start_ui(plan) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "ui", "--run-folder", str(plan.run_folder)]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def wait_for_page(url: str) -> None:
    until(lambda: is_served(f"{url}/healthz"), 20.0)


def is_served(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=2).close()
    except OSError:
        return False
    return True


def until(condition: Callable[[], bool], limit_s: float) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {limit_s} s"
        time.sleep(0.05)


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


def eventually(tab, expression: str, arg: object = None, timeout_ms: int = 8000) -> None:
    """Wait for something to be true on a page; asked from here, since its policy forbids the browser's own polling."""
    deadline_s = time.monotonic() + timeout_ms / 1000
    while not tab.evaluate(expression, arg):
        assert time.monotonic() < deadline_s, expression
        tab.wait_for_timeout(50)
