"""The table of texts: complete, and in step with who uses it."""

import re
from pathlib import Path

import pytest

import ui
from sorter.model.condition import HealthStatus, Mode
from sorter.model.ejection import DecisionReason
from sorter.model.materials import CLASS_NAMES
from ui.page_messages import ProcessStatus
from ui.texts import LANGUAGES, TEXTS, Text, texts_in

STATIC = Path(ui.__file__).parent / "static"
TEMPLATES = Path(ui.__file__).parent / "templates"


def test_every_language_has_a_field() -> None:
    assert set(Text._fields) == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_and_placeholders_agree(language: str) -> None:
    for key, words in texts_in(language).items():
        assert words.strip(), key
        assert sorted(re.findall(r"\{\w+\}", words)) == sorted(re.findall(r"\{\w+\}", TEXTS[key].en)), key


def test_arabic_is_arabic_where_it_is_not_a_trade_name() -> None:
    latin = {key for key, text in TEXTS.items() if not re.search(r"[\u0600-\u06ff]", text.ar)}
    assert latin == {"class.hdpe"}


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("mode.", [mode.value for mode in Mode]),
        ("status.", [status.value for status in ProcessStatus]),
        ("reason.", [reason.value for reason in DecisionReason]),
        ("class.", list(CLASS_NAMES)),
    ],
)
def test_whatever_the_line_can_say_has_words(prefix: str, names: list[str]) -> None:
    assert [name for name in names if f"{prefix}{name}" not in TEXTS] == []


def test_what_a_process_says_of_itself_can_be_reported() -> None:
    assert {status.value for status in HealthStatus} <= {status.value for status in ProcessStatus}


def test_every_text_that_is_asked_for_exists_and_every_other_key_is_of_a_family() -> None:
    scripts = "".join(path.read_text() for path in STATIC.glob("*.js"))
    template = (TEMPLATES / "line.html").read_text()
    asked = set(re.findall(r'\btext\("([\w.]+)"', scripts)) | set(re.findall(r"text\[[\"']([\w.]+)[\"']\]", template))
    assert asked <= set(TEXTS)
    quoted = set(re.findall(r'"([\w.]+)"', scripts + template))
    families = ("mode.", "status.", "reason.", "class.", "picture.")
    assert {key for key in TEXTS if key not in asked | quoted and not key.startswith(families)} == set()
