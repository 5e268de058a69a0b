"""A resumed run follows the plan that it was begun with."""

from pathlib import Path

import pytest

from sorter.errors import BadInputError
from training.naming.second_look_plan import PLAN_NAME, SecondLookPlan, read_plan, write_plan
from training.naming.teaching_settings import Lessons
from training.run_settings import Inputs


def test_round_trip_with_whole_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = SecondLookPlan(Path("bundle"), Inputs((Path("data"),)), Lessons(epoch_count=3), side_px=96)
    write_plan(tmp_path / "run", plan)
    read = read_plan(tmp_path / "run")
    assert read.bundle == tmp_path / "bundle"
    assert read.inputs.data == (tmp_path / "data",)
    assert (read.lessons, read.side_px, read.framing) == (plan.lessons, 96, plan.framing)


def test_a_run_that_was_never_begun_is_not_taken_up(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="start the run without it"):
        read_plan(tmp_path)


def test_a_damaged_plan_is_told_of(tmp_path: Path) -> None:
    (tmp_path / PLAN_NAME).write_text("{")
    with pytest.raises(BadInputError, match="cannot be read"):
        read_plan(tmp_path)
