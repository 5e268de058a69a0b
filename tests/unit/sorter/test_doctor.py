"""`farz doctor`: every check of the table says something, and what is wrong shows in the exit code."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sorter.doctor_checks import check_api_keys
from sorter.doctor_command import CHECKS, doctor, examine
from sorter.doctor_finding import Finding, Verdict
from sorter.model.settings import ApiSettings, ControllerSettings, DetectorSettings, Settings, StoreSettings


def test_every_check_of_the_table_finds_something_of_its_own() -> None:
    findings = examine(Settings(detector=DetectorSettings(runtime="oracle")))
    assert len(findings) == len(CHECKS)
    assert all(isinstance(finding, Finding) and finding.text for finding in findings)
    assert len({finding.name for finding in findings}) == len(CHECKS)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (Settings(controller=ControllerSettings(cpu=1023)), "processors"),
        (Settings(detector=DetectorSettings(model="no-such-bundle")), "model"),
        (Settings(store=StoreSettings(folder="/dev/null/store")), "store"),
        (Settings(store=StoreSettings(min_free_mib=1_000_000)), "store"),
    ],
)
def test_what_is_wrong_is_found(settings: Settings, name: str) -> None:
    wrong = {finding.name for finding in examine(settings) if finding.verdict is Verdict.WRONG}
    assert name in wrong


def test_the_exit_code_tells(tmp_path: Path) -> None:
    path = tmp_path / "line.toml"
    path.write_text('[detector]\nmodel = "no-such-bundle"\n')
    said = CliRunner().invoke(doctor, ["--config", str(path), "--json"])
    assert said.exit_code == 1
    assert json.loads(said.output)["model"]["verdict"] == "wrong"


@pytest.mark.parametrize(
    ("content", "mode", "verdict"),
    [(None, 0, Verdict.POOR), ("[]", 0o600, Verdict.GOOD), ("{", 0o600, Verdict.WRONG), ("[]", 0o666, Verdict.WRONG)],
)
def test_a_file_of_keys_is_looked_at(tmp_path: Path, content: str | None, mode: int, verdict: Verdict) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    assert check_api_keys(Settings(api=ApiSettings(keys_file=str(path)))).verdict is verdict
