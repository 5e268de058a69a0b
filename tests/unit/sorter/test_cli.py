"""The `farz` command: quick to answer, and plain about bad input."""

import json
import subprocess
import sys

import pytest

from sorter.cli import COMMANDS
from sorter.errors import BadInputError, FarzError
from sorter.figures_table import figures_table
from sorter.model.ejection import ItemOutcome, Outcomes
from sorter.model.scorecard import Scorecard
from sorter.model.settings import RecipeSettings
from sorter.run_command import duration_seconds


def farz(*words: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from sorter.cli import main; sys.argv[0] = 'farz'; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )


def test_help_names_every_command_and_imports_none_of_them() -> None:
    code = (
        "import json, sys\n"
        "from sorter.cli import main\n"
        "sys.argv = ['farz', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    *text, modules = ran.stdout.splitlines()
    loaded = set(json.loads(modules))
    assert not loaded & {path.partition(":")[0] for path, _ in COMMANDS.values()}
    assert not {name.partition(".")[0] for name in loaded} & {"vision", "training", "actuators", "ui", "cv2", "torch"}
    for name in COMMANDS:
        assert any(line.split()[:1] == [name] for line in text)


@pytest.mark.parametrize(
    "words",
    [
        ("score", "--source", "film:x"),
        ("score", "--speed", "fast"),
        ("score", "--config", "no-such-file.toml"),
        ("score", "--source", "strip:no-such-folder", "--detector", "oracle"),
        ("score", "--source", "folder:somewhere", "--detector", "oracle"),
        ("check-config", "no-such-file.toml"),
        ("run", "--for", "soon"),
    ],
)
def test_bad_input_ends_with_one_sentence_and_exit_code_2(words: tuple[str, ...]) -> None:
    ran = farz(*words)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr.startswith("farz: ")
    assert len(ran.stderr.strip().splitlines()) == 1


def test_an_unknown_command_is_refused_with_exit_code_2() -> None:
    ran = farz("sort")
    assert ran.returncode == 2
    assert "sort" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("5m", 300), ("5min", 300), ("1h", 3600), ("0.5h", 1800), ("90", 90)]
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "0s", "-5s", "1d", "1h30m", "nan", "1e3s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(FarzError, match="--for") as caught:
        duration_seconds(text)
    assert isinstance(caught.value, BadInputError)


def test_the_table_shows_what_is_unknown_as_a_dash_and_what_is_known_as_a_number() -> None:
    recipe = RecipeSettings()
    scores = Scorecard(recipe, 0)
    pet = recipe.classes.index("pet_clear")
    ejected = [ItemOutcome(number, pet, 10, 28.0, True, "pet", 0) for number in range(3)]
    scores.add_outcomes(Outcomes(0, (*ejected, ItemOutcome(9, pet, 10, 28.0, True, None, 0)), ()))
    rows = {line.split()[0]: line for line in figures_table(scores.figures()).splitlines()}
    assert list(rows)[1:5] == [*(station.id for station in recipe.stations), "overall"]
    assert "0.750 [" in rows["pet"]
    assert "1.000 [" in rows["pet"]
    assert rows["hdpe"].count("–") == 2
    assert "0 of 4 items" in rows["counted"]
