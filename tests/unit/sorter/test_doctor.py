"""`farz doctor`: every check of the table says something, and what is wrong shows in the exit code."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from gpu_fakes import pretended_gpu

from actuators.doctor_checks import check_nozzle_watch
from sorter.doctor_checks import check_api_keys
from sorter.doctor_command import CHECKS, doctor, examine
from sorter.doctor_finding import Finding, Verdict
from sorter.doctor_report import ticket_report
from sorter.errors import BundleError
from sorter.model.settings import ApiSettings, ControllerSettings, DetectorSettings, Settings, StoreSettings
from sorter.runtime.configuration import load_settings, settings_from
from vision import doctor_gpu_checks

NO_BOARD = {
    "start_by_itself": False,
    "valves": {
        "driver": "serial",
        "serial": {"device": "/dev/no-such", "first_outputs": {"pet": 0, "hdpe": 112, "can": 224}},
    },
}


@pytest.fixture
def free_port_config(tmp_path: Path) -> str:
    """Another line may run on this machine while it is tested."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    path = tmp_path / "line.toml"
    path.write_text(f"[ui]\nport = {port}\n")
    return str(path)


def test_every_check_of_the_table_finds_something_of_its_own() -> None:
    findings = examine(Settings(detector=DetectorSettings(runtime="oracle")))
    assert len(findings) == len(CHECKS)
    assert all(isinstance(finding, Finding) and finding.text for finding in findings)
    assert [finding.name for finding in findings] == list(CHECKS)


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


def test_without_a_gpu_every_line_about_one_says_so_and_the_exit_code_is_0(
    monkeypatch: pytest.MonkeyPatch, free_port_config: str
) -> None:
    monkeypatch.setattr(doctor_gpu_checks, "gpu_absence", lambda: "no NVIDIA device")
    with pretended_gpu(has_gpu=False):  # nothing may even be asked of it
        said = CliRunner().invoke(doctor, ["--config", free_port_config])
    assert said.exit_code == 0, said.output
    about_gpu = [line for line in said.output.splitlines() if line.startswith("gpu")]
    assert len(about_gpu) == 8
    assert {line[18:] for line in about_gpu} == {"not applicable: no NVIDIA device"}


def test_what_a_check_cannot_get_past_is_its_finding_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_settings: Settings) -> Finding:
        raise BundleError("the file is missing")

    monkeypatch.setattr("sorter.doctor_checks.check_model", refuses)
    findings = {one.name: one for one in examine(Settings())}
    assert findings["model"] == Finding("model", Verdict.WRONG, "the file is missing")


def test_the_report_has_all_that_helps_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "line.toml"
    path.write_text('[source]\nkind = "camera"\nlocation = "rtsp://user:secret@10.0.0.9/belt"\n')
    settings = load_settings(path)
    text = json.dumps(ticket_report(settings, [Finding("clock", Verdict.GOOD, "quick")]))
    assert "secret" not in text
    assert "rtsp://10.0.0.9/belt" in text
    report = json.loads(text)
    assert report["findings"][0] == {"name": "clock", "verdict": "good", "text": "quick", "figures": {}}
    assert report["libraries"]["numpy"] != "not installed"
    assert {"machine", "written_at", "recipe_hash", "settings"} <= set(report)


def test_a_report_is_written_beside_what_is_printed(tmp_path: Path, free_port_config: str) -> None:
    said = CliRunner().invoke(
        doctor, ["--config", free_port_config, "--json", "--report", str(tmp_path / "report.json")]
    )
    assert said.exit_code == 0, said.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert {one["name"] for one in report["findings"]} == set(json.loads(said.output)) == set(CHECKS)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (NO_BOARD, "valves dry"),
        (NO_BOARD | {"belt": {"travel_from": "valves"}}, "encoder"),
        ({"source": {"kind": "camera", "location": "/dev/video77"}}, "capture latency"),
    ],
)
def test_hardware_that_is_not_there_is_wrong_and_has_a_remedy(settings: dict[str, Any], name: str) -> None:
    found = next(one for one in examine(settings_from(settings)) if one.name == name)
    assert found.verdict is Verdict.WRONG
    assert any(word in found.text for word in ("look at", "needs"))


@pytest.mark.parametrize(("settings", "verdict"), [({}, Verdict.GOOD), (NO_BOARD, Verdict.NOT_APPLICABLE)])
def test_whether_stuck_nozzles_can_be_told_is_said(settings: dict[str, Any], verdict: Verdict) -> None:
    found = check_nozzle_watch(settings_from(settings))
    assert found.verdict is verdict
    assert ("needs a sensor after the bar" in found.text) == (verdict is Verdict.NOT_APPLICABLE)


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
