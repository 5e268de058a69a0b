"""The page's words: one catalogue a language (translations/*.po), read through Flask-Babel; keys stand for texts.

Darija and Egyptian Arabic have words of their own for the screens that operators use; what they lack is said in Modern
Standard Arabic. Ids of stations, processes and models are names, not words: they are shown as they are.
"""

import atexit
import functools
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import flask
import flask_babel
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

SOURCE_FOLDER = Path(__file__).with_name("translations")
LANGUAGE_COOKIE = "farz_language"
DIGITS_COOKIE = "farz_digits"
_LEFT_TO_RIGHT = "\u200e"
_ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
# words that no page's scripts say
_PAGE_ONLY = ("help.", "alarm.", "setting.", "report.", "figure.", "models.", "log_in.", "licence.")


class Language(NamedTuple):
    """A language of the page.

    Attributes:
        name: what it calls itself.
        locale: under which Babel and browsers know how it writes numbers.
        direction: of its writing.
        falls_back_to: the language that says what this one has no words for.
    """

    name: str
    locale: str
    direction: str
    falls_back_to: str | None = None


LANGUAGES: dict[str, Language] = {
    "en": Language("English", "en", "ltr"),
    "fr": Language("Français", "fr", "ltr"),
    "ar": Language("العربية", "ar", "rtl"),
    "ary": Language("الدارجة", "ar_MA", "rtl", "ar"),
    "arz": Language("مصري", "ar_EG", "rtl", "ar"),
}


def init_texts(app: flask.Flask) -> None:
    """Let an application speak the languages."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(_compiled_folder())
    flask_babel.Babel(app, locale_selector=lambda: LANGUAGES[language()].locale)
    app.context_processor(lambda: {"text": text, "number": number, "percent": percent})


@functools.cache
def _compiled_folder() -> Path:
    """The compiled catalogues, made at the first call of a process; they go when it does."""
    folder = Path(tempfile.mkdtemp(prefix="farz-texts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    compile_catalogues(folder)
    return folder


def compile_catalogues(folder: Path) -> None:
    """Write each language's catalogue where gettext looks for it, holes filled from the language it falls back to."""
    for language_id, spoken in LANGUAGES.items():
        catalogue = read_catalogue(language_id)
        for message in read_catalogue(spoken.falls_back_to) if spoken.falls_back_to else ():
            if message.id and not (message.id in catalogue and catalogue[message.id].string):
                catalogue.add(message.id, message.string)
        place = folder / spoken.locale / "LC_MESSAGES"
        place.mkdir(parents=True)
        with (place / "messages.mo").open("wb") as file:
            write_mo(file, catalogue)


def read_catalogue(language_id: str) -> Catalog:
    """A language's catalogue as it is written down."""
    with (SOURCE_FOLDER / f"{language_id}.po").open("rb") as file:
        return read_po(file)


def text(key: str, **values: object) -> str:
    """A text in the request's language, each {name} replaced by its value."""
    words = str(flask_babel.gettext(key))
    for name, value in values.items():
        words = words.replace(f"{{{name}}}", str(value))
    return words


def knows(key: str) -> bool:
    """Whether there is a text of that key."""
    return text(key) != key


def texts_for_scripts() -> dict[str, str]:
    """The texts that a page's scripts say, in the request's language."""
    return {key: text(key) for key in _keys() if not key.startswith(_PAGE_ONLY)}


@functools.cache
def _keys() -> tuple[str, ...]:
    """Every key there is: English has them all."""
    return tuple(str(message.id) for message in read_catalogue("en") if message.id)


def language() -> str:
    """The language of the request: asked for, chosen on this screen before, or accepted by the browser."""
    request = flask.request
    accepted = list(request.accept_languages.values())
    return language_of((request.args.get("lang", ""), request.cookies.get(LANGUAGE_COOKIE, ""), *accepted))


def language_of(wishes: Sequence[str]) -> str:
    """The first wish that is a language of the page, else English."""
    for wish in wishes:
        language_id = wish.lower().replace("_", "-").partition("-")[0]
        if language_id in LANGUAGES:
            return language_id
    return "en"


def digits() -> str:
    """In which digits numbers are shown on this screen: "latn", or "arab" where the language is written so."""
    is_arabic = LANGUAGES[language()].direction == "rtl"
    return "arab" if is_arabic and flask.request.cookies.get(DIGITS_COOKIE) == "arab" else "latn"


def browser_locale() -> str:
    """How a browser is to write numbers."""
    return f"{LANGUAGES[language()].locale.replace('_', '-')}-u-nu-{digits()}"


def number(value: float | None, decimals: int = 0) -> str:
    """A number with a fixed count of decimals; a dash for none."""
    if value is None:
        return "—"
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    locale = LANGUAGES[language()].locale
    written = format_decimal(value, pattern, locale=locale, numbering_system=digits())
    if value < 0 and LANGUAGES[language()].direction == "rtl":
        # a minus stays on the left of its number
        written = f"{_LEFT_TO_RIGHT}{written}"
    # Babel knows the other digits' separators, and writes ours all the same
    return written.translate(_ARABIC_DIGITS) if digits() == "arab" else written


def percent(ratio: float | None, decimals: int = 1) -> str:
    """A share as per cent; a dash for none."""
    if ratio is None:
        return "—"
    return number(100.0 * ratio, decimals) + _PERCENT_SIGNS.get(language(), _ARABIC_PERCENT)


_PERCENT_SIGNS = {"en": "%", "fr": "\u00a0%"}
# set as browsers set it, so that the sign stays behind its number
_ARABIC_PERCENT = f"{_LEFT_TO_RIGHT}%{_LEFT_TO_RIGHT}"
