"""The lab opens unsigned models, and says so."""

from pathlib import Path

import pytest

from sorter.model.settings import DetectorSettings, Settings
from sorter.runtime.bundle import default_bundle_folder
from training.evaluation.unsigned_models import say_if_unsigned, unsigned_allowed


def test_an_unsigned_model_is_allowed_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    settings = unsigned_allowed(Settings(detector=DetectorSettings(model=str(tmp_path))))
    assert settings.detector.allow_unsigned
    said = capsys.readouterr().err
    assert str(tmp_path) in said
    assert "not signed" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "detector",
    [
        DetectorSettings(),
        DetectorSettings(runtime="oracle", model="gone"),
        DetectorSettings(model=str(default_bundle_folder())),
    ],
)
def test_nothing_is_said_of_what_a_line_would_open(
    detector: DetectorSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert unsigned_allowed(Settings(detector=detector)).detector.allow_unsigned
    assert capsys.readouterr().err == ""


def test_nor_of_a_folder_that_holds_no_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    say_if_unsigned(tmp_path)
    assert capsys.readouterr().err == ""
