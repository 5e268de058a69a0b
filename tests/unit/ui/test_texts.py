"""The catalogues: complete in every language, in step with who uses them, and no word of a page outside them."""

import re
from pathlib import Path

import pytest

import ui
from sorter.figures.bulletin import all_figures
from sorter.figures.period_record import PeriodRecord
from sorter.model.condition import HealthStatus, Mode, RequestKind
from sorter.model.ejection import AckStatus, DecisionReason
from sorter.model.materials import CLASS_NAMES
from sorter.model.rollups import Period, RollUp
from sorter.model.settings import FiguresSettings
from sorter.policy.alarms import AlarmState, Priority, ShelfReason
from ui.access.roles import ROLE_NAMES
from ui.alarm_conditions import PRIORITIES
from ui.page_messages import ProcessStatus
from ui.screens.page import SCREENS
from ui.texts import LANGUAGES, compile_catalogues, language_of, read_catalogue

HERE = Path(ui.__file__).parent
SCRIPTS = sorted((HERE / "static").glob("*.js"))
TEMPLATES = sorted((HERE / "templates").glob("*.html"))
ENGLISH = {str(message.id): str(message.string) for message in read_catalogue("en") if message.id}
# whole words of their own for the screens that operators use; what is an engineer's is said in standard Arabic
DIALECTS = ("ary", "arz")
OPERATOR_FAMILIES = (
    "mode.",
    "request.s",
    "alarms.",
    "alarm_state.",
    "shelf.",
    "picture.",
    "legend.",
    "reason.",
    "status.",
    "nav.",
)
FAMILIES = (
    "mode.", "status.", "reason.", "class.", "picture.", "alarm.", "priority.", "alarm_state.", "shelf.", "role.",
    "ack.", "timing.", "trial.", "help.", "nav.", "unit.", "request.", "user.",
    "setting.theme.", "figure.", "mode_reason.", "link.", "recipe.", "log_in.",
)  # fmt: skip


def words(language: str) -> dict[str, str]:
    return {str(message.id): str(message.string) for message in read_catalogue(language) if message.id}


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_no_string_is_untranslated(language: str) -> None:
    translated = words(language)
    assert set(translated) == set(ENGLISH)
    assert [key for key, said in translated.items() if not said.strip()] == []


@pytest.mark.parametrize("language", DIALECTS)
def test_dialects_have_words_for_the_screens_of_operators(language: str) -> None:
    translated = words(language)
    assert set(translated) <= set(ENGLISH)
    assert [key for key in ENGLISH if key.startswith(OPERATOR_FAMILIES) and not translated.get(key)] == []
    arabic = words("ar")
    assert sum(said != arabic[key] for key, said in translated.items()) > 80, "a dialect has words of its own"


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_agree(language: str) -> None:
    for key, said in words(language).items():
        assert sorted(re.findall(r"\{\w+\}", said)) == sorted(re.findall(r"\{\w+\}", ENGLISH[key])), key


def test_arabic_is_arabic_where_it_is_not_a_trade_name() -> None:
    latin = {key for key, said in words("ar").items() if not re.search(r"[\u0600-\u06ff]", said)}
    assert latin == {"class.hdpe"}


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("mode.", [mode.value for mode in Mode]),
        ("status.", [status.value for status in ProcessStatus]),
        ("reason.", [reason.value for reason in DecisionReason]),
        ("class.", list(CLASS_NAMES)),
        ("ack.", [status.value for status in AckStatus]),
        ("alarm_state.", [state.value for state in AlarmState if state is not AlarmState.NORMAL]),
        ("priority.", [priority.name.lower() for priority in Priority]),
        ("shelf.", [reason.value for reason in ShelfReason]),
        ("role.", list(ROLE_NAMES)),
        ("nav.", list(SCREENS)),
        ("help.", [screen for screen in SCREENS if screen != "help_page"]),
        ("alarm.", [f"{code}{part}" for code in PRIORITIES for part in ("", ".cause", ".remedy")]),
        ("request.", [kind.value for kind in RequestKind if kind is not RequestKind.ABORT]),
    ],
)
def test_whatever_the_line_can_say_has_words(prefix: str, names: list[str]) -> None:
    assert [name for name in names if f"{prefix}{name}" not in ENGLISH] == []


def test_every_fault_that_a_process_can_raise_is_an_alarm_with_words() -> None:
    root = HERE.parent
    sources = [
        path.read_text() for folder in ("vision", "sorter", "actuators") for path in (root / folder).rglob("*.py")
    ]
    raised = {code for source in sources for code in re.findall(r'(?:raise_fault\(|Fault\([\w".]+, )"(\w+)"', source)}
    named = {
        code
        for source in sources
        for code in re.findall(r'^_(?:LINK_LOST|VALVES_DISOBEY|ENCODER_LOST) = "(\w+)"', source, re.M)
    }
    named |= {code for source in sources for code in re.findall(r'"(\w+)": self\._\w+\.fault\b', source)}
    named |= {code for source in sources for code in re.findall(r'Trouble\("(\w+)"', source)}
    assert len(raised | named) >= 8
    assert raised | named <= set(PRIORITIES)


def test_every_reason_of_a_mode_has_words() -> None:
    source = (HERE.parent / "sorter" / "line_mode.py").read_text()
    said = re.findall(r'(?:": |return |, |Mode\.IDLE, now_ns, )"([a-z][\w -]{5,})"', source)
    assert len({reason for reason in said if " " in reason}) >= 10
    assert [reason for reason in said if " " in reason and f"mode_reason.{reason}" not in ENGLISH] == []


def test_every_figure_of_a_report_has_words() -> None:
    record = PeriodRecord(Period(0, 60_000), RollUp(), (), {}, 1)
    names = {figure.name for figure in all_figures(record, FiguresSettings())} | {"contamination", "purity", "recovery"}
    assert [name for name in names if f"figure.{name}" not in ENGLISH and not name.startswith("composition_")] == []


def test_what_a_process_says_of_itself_can_be_reported() -> None:
    assert {status.value for status in HealthStatus} <= {status.value for status in ProcessStatus}


def test_every_text_that_is_asked_for_exists_and_every_other_key_is_of_a_family() -> None:
    sources = "".join(path.read_text() for path in [*SCRIPTS, *TEMPLATES, *HERE.rglob("*.py")])
    asked = set(re.findall(r"""\btext\(\s*["']([\w.]+)["'][,)]""", sources))
    assert asked - set(ENGLISH) == set()
    quoted = set(re.findall(r'"([\w.]+)"', sources))
    assert {key for key in ENGLISH if key not in asked | quoted and not key.startswith(FAMILIES)} == set()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_word_of_a_page_stands_outside_the_catalogues(template: Path) -> None:
    bare = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", "", template.read_text(), flags=re.S)
    shown = re.sub(r"<[^>]*>", " ", bare, flags=re.S)
    # the product's own name, the name of a clock, a unit that is a symbol
    left = re.sub(r"Farz|فرز|UTC|AGPL-3\.0-or-later|&\w+;|https?|mm|\b[A-Z]\d?\b", " ", shown)
    assert re.findall(r"[^\W\d_]{2,}", left) == []
    said_by_attributes = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"{]+)"', bare)
    assert [words for words in said_by_attributes if words.strip()] == []


def test_compiled_dialects_fall_back_to_standard_arabic(tmp_path: Path) -> None:
    compile_catalogues(tmp_path)
    for language, spoken in LANGUAGES.items():
        assert (tmp_path / spoken.locale / "LC_MESSAGES" / "messages.mo").stat().st_size > 10_000, language


@pytest.mark.parametrize(
    ("wishes", "language"),
    [((), "en"), (("xx", "fr-DZ"), "fr"), (("", "arz"), "arz"), (("ar-MA",), "ar"), (("de", "ary"), "ary")],
)
def test_the_first_wish_that_there_is_counts(wishes: tuple[str, ...], language: str) -> None:
    assert language_of(wishes) == language
