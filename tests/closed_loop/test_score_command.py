"""`farz score`: one object or one table, the same each time, and a sentence for what cannot be scored."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sorter.errors import ConfigurationError
from training.evaluation.score_command import score

ORACLE = ("--detector", "oracle", "--items", "40")


def scored(*words: str) -> Result:
    return CliRunner().invoke(score, [*ORACLE, *words], catch_exceptions=False, standalone_mode=False)


def report(*words: str) -> dict[str, Any]:
    result = scored("--json", *words)
    assert result.exit_code == 0
    loaded: dict[str, Any] = json.loads(result.stdout)
    assert result.stderr == ""
    return loaded


def test_json_is_one_object_with_the_figures_and_what_they_were_made_with() -> None:
    found = report("--speed", "3.0", "--seed", "4")
    assert found["item_count"] == 40
    assert found["overall"]["recovery"]["value"] == 1.0
    assert set(found["stations"]) == {"pet", "hdpe", "can"}
    assert (found["seed"], found["speed_m_s"], found["source"]) == (4, 3.0, "sprites")
    assert (found["detector"], found["precision"], found["model_id"]) == ("oracle", "exact", "oracle")
    assert found["frame_to_command_basis"] == "modelled"
    assert found["belt_m"] > 1.0


def test_the_same_words_give_the_same_text_and_another_seed_another() -> None:
    first, again, other = (scored("--json", "--seed", seed).stdout for seed in ("2", "2", "3"))
    assert first == again
    assert first != other


def test_options_reach_the_run() -> None:
    found = report("--speed", "1:2", "--drop", "0.3", "--stop")
    assert (found["speed_m_s"], found["speed_high_m_s"], found["drop_ratio"]) == (1.0, 2.0, 0.3)
    assert found["dropped_frame_count"] > 0
    assert 0.3 < found["stop_at_m"] / found["belt_m"] < 0.7


def test_without_json_there_is_a_table_for_people() -> None:
    text = scored().stdout
    for word in ("recovery", "purity", "overall", "counted 40 of 40 items", "virtual time", "oracle", "seed 1"):
        assert word in text


@pytest.mark.parametrize("count", ["0", "-5", "many"])
def test_a_number_of_items_that_is_none_is_refused(count: str) -> None:
    result = CliRunner().invoke(score, ["--detector", "oracle", "--items", count])
    assert result.exit_code == 2
    assert "--items" in result.stderr


@pytest.mark.parametrize(
    ("words", "needle"),
    [
        (("--speed", "fast"), "--speed"),
        (("--drop", "1.5"), "source.drop_ratio"),
        (("--source", "folder:somewhere"), "source.kind"),
    ],
)
def test_what_cannot_be_scored_is_said_in_a_sentence(words: tuple[str, ...], needle: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        scored(*words)
    assert needle in str(caught.value)
