"""The run folder: the plan all processes agree on, in a place that is its owner's alone."""

import stat
from pathlib import Path

import pytest

from sorter.errors import ConfigurationError
from sorter.model.settings import Settings
from sorter.runtime.configuration import settings_from
from sorter.runtime.run_folder import create_run_folder, read_run_plan


@pytest.fixture(autouse=True)
def _folders_in_the_test_s_own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_a_plan_is_read_as_it_was_made() -> None:
    settings = settings_from(
        {
            "line_name": "قاعة ٢",
            "belt": {"speed_m_s": 0.1, "speed_high_m_s": 3.3},
            "simulation": {"mix": {"can": 2.0}},
            "camera": {"homography": [1.0, 0.0, 0.1, 0.0, -1.0, 800.0, 0.0, 1e-5, 1.0]},
        }
    )
    plan = create_run_folder(settings)
    assert plan.settings == settings
    assert plan.epoch_ns > 0
    assert read_run_plan(plan.run_folder, None) == plan


def test_the_folder_is_open_to_its_owner_alone() -> None:
    folder = create_run_folder(Settings()).run_folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_each_run_has_a_folder_of_its_own_below_the_user_s_runtime_folder(tmp_path: Path) -> None:
    folders = {create_run_folder(Settings()).run_folder for _ in range(3)}
    assert len(folders) == 3
    assert {folder.parent for folder in folders} == {tmp_path}


def test_without_a_runtime_folder_another_place_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert create_run_folder(Settings()).run_folder.parent == tmp_path


def test_a_process_alone_makes_a_run_from_a_configuration(tmp_path: Path) -> None:
    config = tmp_path / "line.toml"
    config.write_text('line_name = "alone"\n')
    plan = read_run_plan(None, config)
    assert plan.settings.line_name == "alone"
    assert read_run_plan(plan.run_folder, None) == plan
    assert read_run_plan(None, None).settings == Settings()


@pytest.mark.parametrize(
    "content", [None, b"{", b"{}", b'{"settings": {"colour_of_belt": 1}}', b'{"run_folder": "\xff"}']
)
def test_a_plan_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_run_plan(tmp_path, None)
    assert str(tmp_path) in str(caught.value)
