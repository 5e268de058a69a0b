"""`farz doctor`: is this machine fit to run a line? A table of checks, each a function that says what it found."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from sorter.doctor_finding import Finding, Verdict
from sorter.doctor_report import ticket_report
from sorter.errors import FarzError
from sorter.model.settings import Settings
from sorter.runtime.configuration import load_settings

# In the order of showing; a check takes the settings and returns a Finding. Named as text, as commands are.
CHECKS: dict[str, str] = {
    "versions": "sorter.doctor_machine_checks:check_versions",
    "clock": "sorter.doctor_checks:check_clock",
    "clock discipline": "sorter.doctor_machine_checks:check_clock_discipline",
    "processors": "sorter.doctor_checks:check_processors",
    "memory": "sorter.doctor_machine_checks:check_memory",
    "disk": "sorter.doctor_machine_checks:check_disk",
    "store": "sorter.doctor_checks:check_store",
    "api keys": "sorter.doctor_checks:check_api_keys",
    "heat": "sorter.doctor_machine_checks:check_heat",
    "power": "sorter.doctor_machine_checks:check_power",
    "page": "sorter.doctor_checks:check_page_port",
    "model": "sorter.doctor_checks:check_model",
    "model pace": "vision.doctor_model_checks:check_pace",
    "camera": "vision.doctor_camera_checks:check_camera",
    "capture latency": "vision.doctor_camera_checks:check_capture_latency",
    "gpu": "vision.doctor_gpu_checks:check_gpu",
    "gpu libraries": "vision.doctor_gpu_checks:check_libraries",
    "gpu power mode": "vision.doctor_gpu_checks:check_power_mode",
    "gpu clocks": "vision.doctor_gpu_checks:check_clocks",
    "gpu memory": "vision.doctor_gpu_checks:check_memory",
    "gpu parity": "vision.doctor_gpu_checks:check_parity",
    "gpu engine": "vision.doctor_gpu_checks:check_engine",
    "gpu zero copy": "vision.doctor_gpu_checks:check_zero_copy",
    "real time": "actuators.doctor_checks:check_real_time",
    "memory lock": "actuators.doctor_checks:check_memory_lock",
    "valves": "actuators.doctor_checks:check_driver_library",
    "valves dry": "actuators.doctor_checks:check_valves_dry",
    "nozzle watch": "actuators.doctor_checks:check_nozzle_watch",
    "encoder": "actuators.doctor_checks:check_encoder",
    "geometry": "actuators.doctor_checks:check_geometry",
}
_FAILURE_EXIT_CODE = 1


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Line configuration; without one, the defaults.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--report", type=click.Path(path_type=Path), help="Write a file to attach to a ticket; no secret is in it."
)
def doctor(config: Path | None, as_json: bool, report: Path | None) -> None:
    """Check whether this machine is fit to run a line; exit code 1 if something is wrong.

    Every check is good, poor, wrong (with what to do), or not applicable here. Nothing moves: valves are asked, not
    opened. On a machine with an NVIDIA GPU the first time takes minutes, since an engine is built.
    """
    settings = load_settings(config)
    findings = examine(settings)
    if report is not None:
        report.write_text(json.dumps(ticket_report(settings, findings), indent=2))
    if as_json:
        click.echo(json.dumps({each.name: _told(each) for each in findings}, indent=2))
    else:
        click.echo("\n".join(f"{each.name:<18}{each.verdict.value}: {each.text}" for each in findings))
    sys.exit(_FAILURE_EXIT_CODE if any(each.verdict is Verdict.WRONG for each in findings) else 0)


def examine(settings: Settings) -> list[Finding]:
    """Every check's finding, in the table's order; what a check cannot get past is its finding."""
    return [_found(name, path, settings) for name, path in CHECKS.items()]


def _found(name: str, path: str, settings: Settings) -> Finding:
    module_name, _, function_name = path.partition(":")
    try:
        found: Finding = getattr(importlib.import_module(module_name), function_name)(settings)
    except FarzError as error:
        return Finding(name, Verdict.WRONG, str(error))
    return found


def _told(finding: Finding) -> Any:
    return msgspec.to_builtins(finding)
