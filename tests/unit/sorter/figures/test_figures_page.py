"""FIGURES.md describes every figure that is published, and no other."""

import re
from pathlib import Path

import sorter
from sorter.figures.bulletin import all_figures, station_figures
from sorter.figures.flow import Basis, composition
from sorter.figures.period_record import PeriodRecord
from sorter.model.events import RecipeUsed
from sorter.model.rollups import ItemsKey, ItemsSum, Period, RollUp
from sorter.model.settings import FiguresSettings

PAGE = Path(sorter.__file__).with_name("FIGURES.md")


def test_the_page_lists_what_is_published() -> None:
    recipe = RecipeUsed(
        device_id="n", boot_id="a", seq=1, at_ms=0, recipe_hash="r", name="r", classes=("can",), targets={"s": ("can",)}
    )
    sums = RollUp({ItemsKey(0, "n", "m", "r", "s", "can"): ItemsSum(10, 9_000_000, 100, 100, 1, 0)})
    record = PeriodRecord(Period(0, 60_000), sums, (), {"r": recipe})
    published = {figure.name for figure in all_figures(record, FiguresSettings())}
    assert {figure.name for figure in station_figures(record, FiguresSettings())} < published
    assert {f"composition_{basis.value}" for basis in Basis if composition(record, basis)} < published
    described = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(described) == sorted(published)
