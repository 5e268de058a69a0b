"""Every screen in every language and theme: accessible, large enough to touch, nothing cut off; small, quick, and ours.

Screenshots are left in test-output/.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import ui
from ui.screens.page import SCREENS

AXE = Path(ui.__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
OUTPUT = Path(__file__).parents[2] / "test-output"
PATHS = {
    "line": "/",
    "help_page": "/help",
    "log_in": "/log-in",
    "card": "/models/farz-n-736x416",
    "about": "/settings/about",
}
ALL = (*SCREENS, "log_in", "card", "about")
LANGUAGES = ("en", "fr", "ar")
TARGET_MM = 20
MAX_TRANSFER_BYTES = 400_000

_FINDINGS = """async (rules) => {
    const options = rules ? { runOnly: { type: "rule", values: rules } } : {};
    const found = await axe.run(document, { ...options, resultTypes: ["violations"] });
    return found.violations.filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
}"""
# what acts and can be seen, with what a finger hits: a choice is hit by the label around it
_SMALL = """(least_px) => [...document.querySelectorAll("button, a, summary, label.choice, input:not([type=hidden])")]
    .filter((each) => !(each.matches("label.choice input")) && each.checkVisibility())
    .map((each) => [each.outerHTML.slice(0, 120), each.getBoundingClientRect()])
    .filter(([, area]) => area.width > 0 && (area.width < least_px - 0.5 || area.height < least_px - 0.5))
    .map(([html, area]) => `${Math.round(area.width)}x${Math.round(area.height)} ${html}`)"""
_CUT = """() => [...document.querySelectorAll("button, a, .tile, .choice, h1, h2, .figure b")]
    .filter((each) => each.checkVisibility() && !each.matches(".unseen"))
    .filter((each) => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== "inline")
    .map((each) => each.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def tab(browser, url) -> Iterator[object]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#heartbeat[data-beat=alive]", timeout=10_000)
    yield page
    context.close()


def open_screen(tab, url: str, screen: str, language: str, theme: str = "light") -> None:
    tab.context.add_cookies([{"name": "farz_theme", "value": theme, "url": url}])
    tab.goto(f"{url}{PATHS.get(screen, f'/{screen}')}?lang={language}")
    tab.wait_for_selector("#heartbeat[data-beat=alive]", timeout=10_000)


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: make front-end")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("screen", ALL)
def test_a_screen_is_accessible_large_enough_and_whole(tab, url, screen: str, language: str) -> None:
    open_screen(tab, url, screen, language)
    tab.evaluate(AXE.read_text())
    assert tab.evaluate(_FINDINGS, None) == []
    px_per_mm = tab.evaluate("parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--mm'))")
    assert tab.evaluate(_SMALL, TARGET_MM * px_per_mm) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1280
    assert tab.evaluate(_CUT) == []
    OUTPUT.mkdir(exist_ok=True)
    tab.screenshot(path=OUTPUT / f"{screen}-{language}-light.png")
    # the same page with other colours: contrast alone can differ
    tab.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert tab.evaluate(_FINDINGS, ["color-contrast"]) == []
    tab.screenshot(path=OUTPUT / f"{screen}-{language}-dark.png")


@pytest.mark.parametrize(("width_px", "height_px", "mm"), [(1920, 1080, 5.55), (1280, 800, 5.87), (390, 844, 3.78)])
def test_panels_and_a_phone_show_the_screens_of_operators(tab, url, width_px: int, height_px: int, mm: float) -> None:
    tab.set_viewport_size({"width": width_px, "height": height_px})
    tab.context.add_cookies([{"name": "farz_mm", "value": str(mm), "url": url}])
    try:
        for screen, language in (("line", "fr"), ("live", "ar"), ("alarms", "fr"), ("line", "arz")):
            open_screen(tab, url, screen, language)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width_px, screen
            assert tab.evaluate(_SMALL, TARGET_MM * mm) == []
            tab.screenshot(path=OUTPUT / f"{screen}-{language}-{width_px}x{height_px}.png", full_page=True)
    finally:
        tab.context.clear_cookies(name="farz_mm")
        tab.set_viewport_size({"width": 1280, "height": 800})


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_first_screen_is_small_and_asks_nobody_else(browser, url, language: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    meter = context.new_cdp_session(page)
    meter.send("Network.enable")
    received: list[float] = []
    asked: list[str] = []
    meter.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.on("request", lambda request: asked.append(request.url))
    started_s = time.monotonic()
    page.goto(f"{url}/?lang={language}", wait_until="domcontentloaded")
    page.wait_for_selector("#heartbeat[data-beat=alive]")
    usable_ms = 1000 * (time.monotonic() - started_s)
    page.wait_for_timeout(300)
    context.close()
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / f"first-screen-{language}.json").write_text(
        f'{{"transfer_bytes": {sum(received):.0f}, "usable_ms": {usable_ms:.0f}}}\n'
    )
    assert sum(received) <= MAX_TRANSFER_BYTES
    assert [address for address in asked if not address.startswith(url.rpartition(":")[0])] == []
