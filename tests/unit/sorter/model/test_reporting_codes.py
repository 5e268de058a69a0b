"""The material table: every class has an entry in each catalogue, in the form that the catalogue writes it."""

import re
from pathlib import Path

import pytest

import sorter
from sorter.model.materials import CLASS_NAMES
from sorter.model.reporting_codes import REPORTING_CODES, ReportingCodes, reporting_codes


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_every_class_of_the_default_recipe_is_in_every_catalogue(name: str) -> None:
    codes = reporting_codes(name)
    assert codes.class_name == name
    assert codes.waste is not None
    assert (codes.sorted_fraction is None) == (name == "can")
    assert codes.waste_wise_cities_category
    assert (codes.packaging_category is None) == (name == "residue")


@pytest.mark.parametrize("codes", REPORTING_CODES, ids=lambda codes: codes.class_name)
def test_codes_are_written_as_the_list_of_waste_writes_them(codes: ReportingCodes) -> None:
    for entry in (codes.waste, codes.sorted_fraction):
        assert entry is None or re.fullmatch(r"\d\d \d\d \d\d\*?", entry.code)
    # what leaves a sorting plant comes from mechanical treatment
    assert codes.sorted_fraction is None or codes.sorted_fraction.code.startswith("19 12 ")


@pytest.mark.parametrize("codes", REPORTING_CODES, ids=lambda codes: codes.class_name)
def test_names_are_in_three_languages_and_promise_no_recycling(codes: ReportingCodes) -> None:
    assert codes.names.en
    assert codes.names.fr
    assert re.search(r"[\u0600-\u06ff]", codes.names.ar)
    everything = f"{codes}".lower()
    assert not re.search(r"recycl|تدوير", everything)


def test_a_class_that_only_a_site_knows_has_its_name_and_no_codes() -> None:
    codes = reporting_codes("brick")
    assert (codes.names.en, codes.names.fr, codes.names.ar) == ("brick", "brick", "brick")
    assert codes.waste is None
    assert codes.packaging_category is None


def test_nothing_of_ours_is_named_recycled() -> None:
    """What is avoided *if* the sorted is recycled may be named so."""
    root = Path(sorter.__file__).parent.parent
    named = re.compile(r"\b(?:\w+_recycled\w*|recycled_\w+)")
    found = [
        f"{path.relative_to(root)}: {name}"
        for folder in ("sorter", "ui")
        for path in (root / folder).rglob("*.py")
        for name in named.findall(path.read_text())
        if not name.endswith("_if_recycled")
    ]
    assert found == []
