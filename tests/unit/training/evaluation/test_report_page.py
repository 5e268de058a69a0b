"""The evaluation's page in a real browser: nothing asked of anyone, nothing on the console, the JSON's own figures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from training.evaluation.eval_command import evaluate

playwright_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu"]
needs_browser = pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium at /usr/bin/chromium")
Written = tuple[Path, dict[str, Any]]


def written(place: Path, *words: object) -> Written:
    path = place / "report.html"
    arguments = [*words, "--report", path, "--strip", "--json"]
    answer = CliRunner().invoke(evaluate, [str(one) for one in arguments], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return path, json.loads(answer.stdout)


@pytest.fixture(scope="module")
def report(square_bundle: Path, square_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Written:
    words = ("--model", square_bundle, "--data", square_folder, "--compare-model", square_bundle)
    return written(tmp_path_factory.mktemp("page"), *words)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["desk", "phone"])
def tab(request: pytest.FixtureRequest, browser: Any, report: Written) -> Iterator[Any]:
    """The page opened; afterwards: nothing on the console, and no request but for the file itself."""
    width_px, scheme = request.param
    context = browser.new_context(viewport={"width": width_px, "height": 900}, color_scheme=scheme)
    opened = context.new_page()
    complaints: list[str] = []
    addresses: list[str] = []
    opened.on("console", lambda entry: complaints.append(entry.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda asked: addresses.append(asked.url))
    opened.goto(report[0].as_uri())
    yield opened
    context.close()
    assert complaints == []
    assert addresses == [report[0].as_uri()]


@needs_browser
def test_headline_figures_are_those_of_the_json(tab: Any, report: Written) -> None:
    found = report[1]
    (strip,) = found["strips"].values()
    expected = {
        **{key: found[key] for key in ("map50", "map50_95", "ece")},
        **{key: strip["overall"][key] for key in ("recovery", "purity")},
    }
    for key, one in expected.items():
        assert float(tab.get_attribute(f"#{key}", "value")) == one["value"]
        assert tab.inner_text(f"#{key}") == f"{one['value']:.2f}"
        assert tab.inner_text(f"#{key} + .range") == f"{one['low']:.2f} – {one['high']:.2f}"


@needs_browser
def test_every_class_has_its_bar_its_curve_and_its_row(tab: Any, report: Written) -> None:
    values = {float(one) for one in tab.eval_on_selector_all(".rows data", "all => all.map(one => one.value)")}
    captions = tab.inner_text("main")
    for name, one in report[1]["per_class"].items():
        assert one["ap50"] in values
        assert name in captions
    assert tab.locator("figure svg polyline").count() == 2 * len(report[1]["per_class"])
    cells = tab.locator("table.confusion tbody td").count()
    assert cells == sum(len(row) for row in report[1]["confusion"]["counts"])


@needs_browser
def test_nothing_is_wider_than_the_screen_and_text_is_readable(tab: Any) -> None:
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    smallest_px = tab.evaluate(
        "Math.min(...[...document.querySelectorAll('main *')].filter(one => one.childNodes[0]?.nodeType === 3)"
        ".map(one => parseFloat(getComputedStyle(one).fontSize) * (one.ownerSVGElement?.getScreenCTM().a ?? 1)))"
    )
    assert smallest_px >= 9


@needs_browser
def test_ink_stands_out_from_paper_in_either_light(tab: Any) -> None:
    ink, paper = tab.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    light = [sum(int(part) for part in one[4:-1].split(",")) / 3 for one in (ink, paper)]
    assert abs(light[0] - light[1]) > 150


@needs_browser
def test_the_comparison_is_on_the_page(tab: Any) -> None:
    assert "Against other models" in tab.inner_text("main")
    assert "No clear difference in mAP50" in tab.inner_text("main")


def test_intervals_from_few_pictures_come_with_a_warning(report: Written) -> None:
    assert "With fewer than 30 pictures" in report[0].read_text()


def test_no_picture_is_shown_unless_asked_for(report: Written) -> None:
    assert "<img" not in report[0].read_text()


def test_pictures_are_embedded_when_asked_for(square_bundle: Path, square_folder: Path, tmp_path: Path) -> None:
    path, _ = written(tmp_path, "--model", square_bundle, "--data", square_folder, "--pictures")
    text = path.read_text()
    assert text.count('<img alt="" src="data:image/jpeg;base64,') > 4
    assert "suspected" in text
    assert "called can at" in text


def test_names_cannot_smuggle_markup_onto_the_page(square_bundle: Path, square_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "<script>alert(1)</script>"
    folder.mkdir(parents=True)
    for part in ("images", "labels", "data.yaml", "class_map.toml"):
        (folder / part).symlink_to(square_folder / part)
    path, _ = written(tmp_path, "--model", square_bundle, "--data", folder)
    assert "<script" not in path.read_text()


def test_no_part_of_a_page_stays_behind(report: Written) -> None:
    assert [one.name for one in report[0].parent.iterdir()] == ["report.html"]
