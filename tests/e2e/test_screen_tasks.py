"""Whole tasks by touch alone, in English and in Arabic, on a line that really runs: `farz run` and a browser."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from sorter.model.materials import CLASS_NAMES
from sorter.runtime.bundle import MANIFEST_NAME, default_bundle_folder
from sorter.runtime.labelled_folder import read_labelled_folder
from sorter.runtime.model_shelf import Champion, ModelShelf
from sorter.runtime.secret_key import new_secret_key
from training.release.sealing import seal
from training.release.site_set import site_set_sha256

FARZ = [sys.executable, "-c", "from sorter.cli import main; main()"]
LANGUAGES = ("en", "ar")
WORDS = {
    "seen": {"en": "Seen", "ar": "اطّلعت"},
    "set_aside": {"en": "Set aside", "ar": "تأجيل"},
    "maintenance": {"en": "maintenance", "ar": "صيانة"},
    "minutes_15": {"en": "15 min", "ar": "15 د"},
    "take_back": {"en": "Take back", "ar": "إرجاع"},
    "wrong": {"en": "This is wrong", "ar": "هذا خطأ"},
    "marked": {"en": "Marked as wrong", "ar": "وُسم خطأً"},
    "try": {"en": "Try on the last hour", "ar": "جرّب على آخر ساعة"},
    "use": {"en": "Use it", "ar": "اعتمد"},
    "in_use": {"en": "In use now", "ar": "قيد الاستعمال الآن"},
    "undo": {"en": "Undo the last change", "ar": "تراجع عن آخر تغيير"},
    "enter_audit": {"en": "Enter the audit", "ar": "أدخل التدقيق"},
    "entered": {"en": "Entered", "ar": "أُدخل"},
    "measure": {"en": "Measure, and use", "ar": "قِس واعتمد"},
    "go_back": {"en": "Go back to", "ar": "العودة إلى"},
}
KEY = new_secret_key()
CONFIGURATION = """
[ui]
folder = "{folder}/state"
challengers_folder = "{folder}/challengers"
site_set = "{folder}/site"
[store]
folder = "{folder}/store"
[harvest]
folder = "{folder}/kept"
[detector]
runtime = "oracle"
model = "{folder}/shelf"
shadow = "{folder}/challengers/challenger-2"
trusted_keys = ["{key}"]
[belt]
speed_m_s = 0.5
[simulation]
seed = 3
[[recipe.stations]]
id = "pet"
offset_mm = 700
targets = ["pet_clear", "pet_coloured"]
# a target that no stream can meet, so that there is an alarm to look at
purity_target = 0.6
[[recipe.stations]]
id = "hdpe"
offset_mm = 1100
targets = ["hdpe"]
"""


class Line(NamedTuple):
    """A running line: where its page is, its folder, and the process that supervises it."""

    url: str
    folder: Path
    process_id: int


def make_models(folder: Path) -> None:
    """A shelf with one model in use, and a challenger: the shipped network under two versions, signed by the site."""
    shelf = ModelShelf(folder / "shelf")
    for version in ("1", "2"):
        source = folder / "challengers" / f"challenger-{version}"
        shutil.copytree(default_bundle_folder(), source)
        manifest = json.loads((source / MANIFEST_NAME).read_text()) | {"version": version}
        (source / MANIFEST_NAME).write_text(json.dumps(manifest))
        sealed = seal(source, KEY)
        if version == "1":
            with shelf.changing(), shelf.taking_in(source) as part:
                shelf.shelve(part, sealed.model_id)
            site = read_labelled_folder(folder / "site", CLASS_NAMES)
            shelf.point_to(Champion(sealed.model_id, (), site_set_sha256(site), "now"))
            shutil.rmtree(source)


def make_site_set(folder: Path) -> None:
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    rng = np.random.default_rng(5)
    for number in range(3):
        cv2.imwrite(str(folder / "images" / f"{number}.png"), rng.integers(0, 255, (416, 736, 3), np.uint8))
        (folder / "labels" / f"{number}.txt").write_text("0 0.5 0.5 0.2 0.3\n")
    (folder / "data.yaml").write_text(f"names: [{', '.join(CLASS_NAMES)}]\n")
    mapped = "".join(f'{name} = "{name}"\n' for name in CLASS_NAMES)
    (folder / "class_map.toml").write_text(f"complete_for = {json.dumps(list(CLASS_NAMES))}\n[map]\n{mapped}")


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp("line")
    make_site_set(folder / "site")
    make_models(folder)
    config = folder / "line.toml"
    config.write_text(CONFIGURATION.format(folder=folder, key=KEY.public.text))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path_factory.mktemp("run"))}
    command = [*FARZ, "run", "--config", str(config), "--port", str(port)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, env=environment)
    yield Line(f"http://127.0.0.1:{port}", folder, process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0, (folder / "log").read_text()


@pytest.fixture(scope="module", params=LANGUAGES)
def tab(request, browser, line: Line) -> Iterator[object]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True)
    page = context.new_page()
    page.language = request.param
    open_page(page, f"{line.url}/?lang={request.param}")
    page.wait_for_selector("#mode[data-mode=execute]", timeout=60_000)
    yield page
    context.close()


def open_page(tab, url: str) -> None:
    deadline_s = time.monotonic() + 60
    while True:
        try:
            tab.goto(url)
            break
        except Exception:  # noqa: BLE001 - not served yet
            assert time.monotonic() < deadline_s
            time.sleep(0.2)


def says(tab, key: str) -> re.Pattern[str]:
    return re.compile(re.escape(WORDS[key][tab.language]))


def touch(tab, name: str) -> None:
    """Go to a screen by its place in the row at the bottom."""
    tab.locator(f"nav.screens a[href='{name}']").tap()
    tab.wait_for_selector("#heartbeat[data-beat=alive]")


def touch_words(tab, key: str, inside: str = "#screen") -> None:
    tab.locator(f"{inside} button, {inside} summary, {inside} label", has_text=says(tab, key)).first.tap()


def hold(tab, selector: str, seconds: float | None = None) -> None:
    """Keep a finger on a button until it has acted, or for so long."""
    tab.wait_for_selector(f"{selector}:enabled")
    tab.locator(selector).scroll_into_view_if_needed()
    box = tab.locator(selector).bounding_box()
    finger = tab.context.new_cdp_session(tab)
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    if seconds is None:
        is_held = f"document.querySelector('{selector}').classList.contains('is-held')"
        eventually(tab, is_held)
        eventually(tab, f"!{is_held}")
    else:
        tab.wait_for_timeout(1000 * seconds)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    finger.detach()
    # what a finger does while it leaves is not a touch of its own
    tab.wait_for_timeout(150)


def wait_mode(tab, mode: str) -> None:
    eventually(tab, f"document.getElementById('mode').dataset.mode === '{mode}'", timeout_ms=20_000)


def test_find_out_why_an_item_was_ejected_and_mark_it_wrong(tab, line: Line) -> None:
    touch(tab, "/live")
    tab.wait_for_selector("#decisions button.ejected", timeout=20_000)
    tab.locator("#decisions button.ejected").first.tap()
    tab.wait_for_selector("#why .worth")
    assert tab.locator("#why .votes tr").count() >= 3
    assert tab.locator("#why .strip canvas").count() >= 2
    kept_before = len(list((line.folder / "kept").rglob("*.jpg")))
    touch_words(tab, "wrong", "#why")
    eventually(
        tab,
        "(words) => document.querySelector('.wrong-answer').textContent.includes(words)",
        arg=WORDS["marked"][tab.language],
    )
    deadline_s = time.monotonic() + 10
    while len(list((line.folder / "kept").rglob("*.jpg"))) <= kept_before:
        assert time.monotonic() < deadline_s, "the picture waits for labelling"
        time.sleep(0.1)


def test_start_again_after_an_emergency_stop(tab) -> None:
    touch(tab, "/")
    # what an emergency stop does to the line; it has no button on the screen, since it is a button of its own
    tab.evaluate("fetch('/requests/abort', {method: 'POST', headers: {'X-Csrf-Token': document.body.dataset.csrf}})")
    wait_mode(tab, "aborted")
    hold(tab, "[data-request=reset]")
    wait_mode(tab, "stopped")
    hold(tab, "[data-request=reset]")
    wait_mode(tab, "idle")
    hold(tab, "[data-request=start]")
    wait_mode(tab, "execute")


def test_acknowledge_and_shelve_an_alarm(tab) -> None:
    tab.locator("[data-request=hold]").tap()
    wait_mode(tab, "held")
    tab.locator("#alarms-tile").tap()
    alarm = "[data-alarm='line_held:line']"
    tab.wait_for_selector(f"{alarm}[data-state=unacknowledged]")
    touch_words(tab, "seen", alarm)
    tab.wait_for_selector(f"{alarm}[data-state=acknowledged]")
    touch_words(tab, "set_aside", alarm)
    touch_words(tab, "maintenance", alarm)
    touch_words(tab, "minutes_15", alarm)
    tab.wait_for_selector(f"{alarm}[data-state=shelved][data-active]")
    touch_words(tab, "take_back", alarm)
    tab.wait_for_selector(f"{alarm}[data-state=unacknowledged]")
    hold(tab, "[data-request=unhold]")
    wait_mode(tab, "execute")
    tab.wait_for_selector(f"{alarm}[data-state=returned]")
    touch_words(tab, "seen", alarm)
    tab.wait_for_selector(alarm, state="detached")


def test_a_list_that_comes_late_closes_nothing_that_is_being_chosen(tab) -> None:
    tab.locator("[data-request=hold]").tap()
    wait_mode(tab, "held")
    touch(tab, "/alarms")
    alarm = "[data-alarm='line_held:line']"
    tab.wait_for_selector(f"{alarm}[data-state=unacknowledged]")
    late = []

    def keep_back(route) -> None:
        late.append((route, route.fetch()))

    def wait_late() -> None:
        deadline_s = time.monotonic() + 20
        while not late:
            assert time.monotonic() < deadline_s, "no answer was kept back"
            tab.wait_for_timeout(20)

    def let_through() -> None:
        wait_late()
        route, response = late.pop()
        with tab.expect_event("requestfinished", lambda request: request == route.request):
            route.fulfill(response=response)
        # a turn of the page's loop, so that the answer is taken in
        tab.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    tab.route("**/alarms/acknowledge", keep_back)
    touch_words(tab, "seen", alarm)
    tab.wait_for_selector(f"{alarm}[data-state=acknowledged]")
    touch_words(tab, "set_aside", alarm)
    tab.locator(f"{alarm} input[value=maintenance]").check()
    let_through()
    assert tab.locator(f"{alarm} input[value=maintenance]").is_checked(), "the answer left the choice alone"
    touch_words(tab, "minutes_15", alarm)
    tab.wait_for_selector(f"{alarm}[data-state=shelved]")

    tab.route("**/alarms/list", keep_back)
    touch_words(tab, "take_back", alarm)
    tab.wait_for_selector(f"{alarm}[data-state=unacknowledged]")
    wait_late()
    touch_words(tab, "set_aside", alarm)
    let_through()
    assert tab.locator(f"{alarm} details[open]").count() == 1, "the list left what was opened alone"
    tab.unroute("**/alarms/list")
    touch_words(tab, "set_aside", alarm)
    hold(tab, "[data-request=unhold]")
    wait_mode(tab, "execute")
    tab.wait_for_selector(f"{alarm}[data-state=returned]")
    tab.unroute("**/alarms/acknowledge")
    touch_words(tab, "seen", alarm)
    tab.wait_for_selector(alarm, state="detached")


def test_change_the_recipe_see_its_effect_and_undo_it(tab, line: Line) -> None:
    touch(tab, "/recipe")
    clear = "[data-station=pet] label:has([value=pet_clear])"
    tab.locator(clear).tap()
    touch_words(tab, "try")
    tab.wait_for_selector("#recipe-preview table", timeout=10_000)
    row = tab.locator("#recipe-preview tr", has_text="pet").text_content()
    now, then = (int(number) for number in re.findall(r"(\d+)\s*→\s*(\d+)", row)[0])
    assert then < now, "what is not taken is not ejected"
    touch_words(tab, "use")
    eventually(tab, "(words) => document.body.textContent.includes(words)", arg=WORDS["in_use"][tab.language])
    assert 'targets = ["pet_coloured"]' in (line.folder / "line.toml").read_text()
    touch(tab, "/recipe")
    assert not tab.locator(f"{clear} input").is_checked(), "the line itself says what is in force"
    touch_words(tab, "undo")
    tab.wait_for_selector(f"{clear} input:checked", state="attached")
    assert '["pet_clear", "pet_coloured"]' in (line.folder / "line.toml").read_text()


def test_enter_an_audit_and_see_the_purity_corrected(tab) -> None:
    touch(tab, "/audit")
    row = tab.locator(".count-row", has=tab.locator("[name='count.pet_clear']"))
    for _ in range(6):
        row.locator("[data-count='1']").tap()
    tab.locator(".count-row", has=tab.locator("[name='count.residue']")).locator("[data-count='1']").tap()
    assert row.locator("output").text_content() == "6"
    touch_words(tab, "enter_audit")
    tab.wait_for_selector("#audit-after", timeout=10_000)
    assert says(tab, "entered").search(tab.locator("#audit-told").text_content())
    assert re.search(r"\d", tab.locator("#audit-after").text_content())


def test_print_a_shift_report(tab, line: Line) -> None:
    touch(tab, "/report")
    assert tab.locator(".report table tr").count() > 10
    assert "figure." not in tab.locator(".report").text_content()
    tab.evaluate("window.print = () => { window.printed = true; }")
    tab.locator("#print").tap()
    assert tab.evaluate("window.printed")
    pdf = tab.context.request.get(f"{line.url}/report.pdf?lang={tab.language}").body()
    assert pdf.startswith(b"%PDF")
    assert len(pdf) > 10_000


def test_promote_a_model_and_roll_it_back(tab, line: Line) -> None:
    touch(tab, "/models")
    assert "-2-" in tab.locator("#shadow h2").text_content()
    assert int(tab.locator("#shadow dd").first.text_content()) > 0, "the challenger looks along on the running line"
    before = tab.locator("#champion").text_content()
    assert tab.locator("#seeing").text_content() == "oracle"
    touch_words(tab, "measure")
    tab.wait_for_selector("#trial[data-state=running]")
    tab.wait_for_selector("#trial:not([data-state=running])", timeout=90_000)
    assert tab.locator("#trial").get_attribute("data-state") == "promoted", tab.locator("#trial").text_content()
    assert "-2-" in tab.locator("#champion").text_content()
    assert tab.locator("#trial table tr").count() == 3
    touch_words(tab, "go_back")
    eventually(tab, "(id) => document.querySelector('#champion').textContent === id", arg=before)
    assert ModelShelf(line.folder / "shelf").champion().model_id == before


def test_a_nozzle_blows_as_long_as_a_finger_holds_it_and_the_line_is_stopped(tab) -> None:
    touch(tab, "/stations")
    assert tab.locator("#hand-fire").is_disabled()
    tab.locator("[data-request=stop]").tap()
    wait_mode(tab, "stopped")
    tab.wait_for_selector("#hand-fire:enabled")
    tab.locator("[data-step='10']").tap()
    hold(tab, "#hand-fire", 1.3)
    assert tab.locator("#hand-nozzle").text_content() == "10"
    answer = {"en": "asked", "ar": "أُرسل الطلب"}[tab.language]
    assert tab.locator("#hand-answer").text_content() == answer
    hold(tab, "[data-request=reset]")
    wait_mode(tab, "idle")
    hold(tab, "[data-request=start]")
    wait_mode(tab, "execute")


def test_every_action_is_in_the_trail(tab) -> None:
    touch(tab, "/settings")
    tab.locator("a[href='/settings/trail']").tap()
    words = tab.locator("table").text_content()
    for asked in ("POST /recipe/save", "POST /alarms/shelve", "POST /requests/start", "POST /audit/enter"):
        assert asked in words


def test_killing_the_deciding_process_is_shown_within_two_seconds_and_passes(tab, line: Line) -> None:
    touch(tab, "/")
    os.kill(child_of(line.process_id, "sorter"), signal.SIGKILL)
    tab.wait_for_selector("#stale-banner:not([hidden])", timeout=2000)
    assert tab.locator("#heartbeat").get_attribute("data-beat") == "silent"
    tab.wait_for_selector("#stale-banner", state="hidden", timeout=20_000)
    tab.wait_for_selector("#heartbeat[data-beat=alive]")


def test_killing_the_pages_process_changes_nothing_on_the_alarm_list(tab, line: Line) -> None:
    held, silent, blind = (
        f"[data-alarm='{key}']" for key in ("line_held:line", "process_silent:video", "process_silent:vision")
    )
    vision_id, video_id, ui_id = (child_of(line.process_id, name) for name in ("vision", "ui.video", "ui"))
    touch(tab, "/")
    tab.locator("[data-request=hold]").tap()
    wait_mode(tab, "held")
    os.kill(video_id, signal.SIGSTOP)
    touch(tab, "/alarms")
    tab.wait_for_selector(f"{silent}[data-state=unacknowledged]")
    touch_words(tab, "seen", silent)
    tab.wait_for_selector(f"{silent}[data-state=acknowledged]")
    touch_words(tab, "set_aside", held)
    touch_words(tab, "maintenance", held)
    touch_words(tab, "minutes_15", held)
    tab.wait_for_selector(f"{held}[data-state=shelved]")
    os.kill(vision_id, signal.SIGSTOP)
    tab.wait_for_selector(f"{blind}[data-state=unacknowledged]")
    os.kill(vision_id, signal.SIGCONT)
    tab.wait_for_selector(f"{blind}[data-state=returned]")

    os.kill(ui_id, signal.SIGKILL)
    open_page(tab, f"{line.url}/")
    assert child_of(line.process_id, "ui") != ui_id
    wait_mode(tab, "held")
    touch(tab, "/alarms")
    # long enough for everything that speaks to have been heard
    tab.wait_for_timeout(2000)
    tab.reload()
    assert tab.locator(f"{silent}[data-state=acknowledged][data-active]").count() == 1
    assert tab.locator(f"{held}[data-state=shelved][data-active]").count() == 1
    assert tab.locator(f"{blind}[data-state=returned]").count() == 1, "it is over, and nobody has seen it"
    assert "local" in tab.locator(held).text_content(), "who has set it aside is known"
    assert says(tab, "maintenance").search(tab.locator(held).text_content()), "and why"

    touch_words(tab, "seen", blind)
    tab.wait_for_selector(blind, state="detached")
    os.kill(video_id, signal.SIGCONT)
    tab.wait_for_selector(silent, state="detached", timeout=10_000)
    touch_words(tab, "take_back", held)
    tab.wait_for_selector(f"{held}[data-state=unacknowledged]")
    touch_words(tab, "seen", held)
    tab.wait_for_selector(f"{held}[data-state=acknowledged]")
    touch(tab, "/")
    hold(tab, "[data-request=unhold]")
    wait_mode(tab, "execute")
    touch(tab, "/alarms")
    tab.wait_for_selector(held, state="detached")


def child_of(parent_id: int, module: str) -> int:
    """The process of a supervisor that runs a module."""
    for child_id in Path(f"/proc/{parent_id}/task/{parent_id}/children").read_text().split():
        words = Path(f"/proc/{child_id}/cmdline").read_bytes().split(b"\0")
        if words[1:3] == [b"-m", module.encode()]:
            return int(child_id)
    raise AssertionError(f"{module} does not run")


def eventually(tab, expression: str, arg: object = None, timeout_ms: int = 8000) -> None:
    """Wait for something to be true on a page; asked from here, since its policy forbids the browser's own polling."""
    deadline_s = time.monotonic() + timeout_ms / 1000
    while not tab.evaluate(expression, arg):
        assert time.monotonic() < deadline_s, expression
        tab.wait_for_timeout(50)
