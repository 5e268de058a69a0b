"""docker/: every file is looked at by a linter, the linters notice, and what units and images name exists."""

import configparser
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from sorter.cli import farz
from sorter.model.settings import UiSettings

ROOT = Path(__file__).resolve().parents[3]
DOCKER = ROOT / "docker"
PROGRAMS = Path(sys.executable).parent
UNITS = sorted((DOCKER / "systemd").glob("*.service"))
LINTED = ("*.Dockerfile", "*.yaml", "*.sh", "*.service")
READ_BY_PEOPLE = {"UPDATE.md", "PLATFORMS.md", "system.conf"}


def check(root: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = ["bash", str(root / "docker/check.sh"), str(PROGRAMS)]
    environment = {**os.environ, **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(DOCKER, tmp_path / "docker")
    for name in ("tests/install_system_packages.sh", ".ci/run"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_every_file_has_a_linter() -> None:
    files = [path for path in DOCKER.rglob("*") if path.is_file()]
    strangers = [
        path.name
        for path in files
        if path.name not in READ_BY_PEOPLE and not any(path.match(pattern) for pattern in LINTED)
    ]
    assert strangers == []


def test_all_is_well(copy: Path) -> None:
    checked = check(copy)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("tool", "name", "fault"),
    [
        ("hadolint", "cpu.Dockerfile", "RUN cd /tmp && sudo ls"),
        ("shellcheck", "update/confirm_boot.sh", "rm -rf $undefined/*"),
        ("docker-compose", "compose.fleet.yaml", "version: {}"),
        ("yamllint", "compose.line.yaml", "services: {}"),
        ("systemd-analyze", "systemd/farz-line.service", "WatchdgSec=3"),
    ],
)
def test_the_linters_notice(copy: Path, tool: str, name: str, fault: str) -> None:
    if shutil.which(tool, path=f"{PROGRAMS}:{os.environ['PATH']}") is None:
        pytest.skip(f"{tool} is not installed")
    with (copy / "docker" / name).open("a") as file:
        file.write(f"{fault}\n")
    checked = check(copy, ONLY=tool)
    assert checked.returncode != 0, checked.stdout + checked.stderr


def unit(path: Path) -> Any:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(path)
    return parser


@pytest.mark.parametrize("name", ["farz-line", "farz-controller"])
def test_units_that_run_the_line_are_watched(name: str) -> None:
    service = unit(DOCKER / "systemd" / f"{name}.service")["Service"]
    assert service["Type"] == "notify"
    assert service["NotifyAccess"] == "main"
    assert int(service["WatchdogSec"]) >= 2
    assert service["Restart"] == "always"


def test_what_the_units_run_is_there() -> None:
    started = {path.stem: unit(path)["Service"]["ExecStart"].split() for path in UNITS}
    assert started["farz-line"][1] in farz.list_commands(None)  # type: ignore[arg-type]
    assert CliRunner().invoke(farz, ["run", "--help"]).output.count(started["farz-line"][2]) > 0
    assert importlib.util.find_spec(started["farz-controller"][2]) is not None
    assert started["farz-kiosk"][-1] == f"--app=http://{UiSettings().host}:{UiSettings().port}/"


@pytest.mark.parametrize("path", sorted(DOCKER.glob("*.Dockerfile")), ids=lambda path: path.name)
def test_images_are_made_in_stages_and_run_as_nobody_of_the_host(path: Path) -> None:
    text = path.read_text()
    assert len(re.findall(r"^FROM .* AS (?:build|screens)$", text, re.M)) >= 1
    assert re.findall(r"^USER (.*)$", text, re.M) == ["10001:10001"]
    assert "HEALTHCHECK" in text
    assert "bill_of_materials.sh /opt/farz" in text
    extras = set(re.search(r"pip install '\.\[(.*)\]'", text)[1].split(","))  # type: ignore[index]
    known = re.search(r"\[project.optional-dependencies\](.*?)\n\[", (ROOT / "pyproject.toml").read_text(), re.S)
    assert known is not None
    assert extras <= set(re.findall(r"^(\w+) = \[", known[1], re.M))


@pytest.mark.parametrize("name", ["line", "split"])
def test_lines_are_run_without_rights_they_do_not_need(name: str) -> None:
    for service in yaml.safe_load((DOCKER / f"compose.{name}.yaml").read_text())["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert set(service["cap_add"]) == {"SYS_NICE", "IPC_LOCK"}


def test_a_jetson_gets_the_groups_of_its_devices() -> None:
    line = yaml.safe_load((DOCKER / "compose.jetson.yaml").read_text())["services"]["line"]
    assert len(line["group_add"]) == 4
    assert line["runtime"] == "nvidia"
