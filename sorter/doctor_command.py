"""`farz doctor`: is this machine fit to run a line? A table of checks, each a function that says what it found."""

import importlib
import json
import sys
from pathlib import Path

import click
import msgspec

from sorter.doctor_finding import Finding, Verdict
from sorter.model.settings import Settings
from sorter.runtime.configuration import load_settings

# In the order of showing; a check takes the settings and returns a Finding. Named as text, as commands are.
CHECKS: tuple[str, ...] = (
    "sorter.doctor_checks:check_clock",
    "sorter.doctor_checks:check_processors",
    "sorter.doctor_checks:check_page_port",
    "sorter.doctor_checks:check_model",
    "sorter.doctor_checks:check_store",
    "sorter.doctor_checks:check_api_keys",
    "actuators.doctor_checks:check_real_time",
    "actuators.doctor_checks:check_memory_lock",
    "actuators.doctor_checks:check_driver_library",
    "actuators.doctor_checks:check_geometry",
)
_FAILURE_EXIT_CODE = 1


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Line configuration; without one, the defaults.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(config: Path | None, as_json: bool) -> None:
    """Check whether this machine is fit to run a line; exit code 1 if something is wrong."""
    findings = examine(load_settings(config))
    if as_json:
        click.echo(json.dumps({each.name: msgspec.to_builtins(each) for each in findings}, indent=2))
    else:
        click.echo("\n".join(f"{each.verdict.value:<8}{each.name:<16}{each.text}" for each in findings))
    sys.exit(_FAILURE_EXIT_CODE if any(each.verdict is Verdict.WRONG for each in findings) else 0)


def examine(settings: Settings) -> list[Finding]:
    """Every check's finding, in the table's order."""
    findings: list[Finding] = []
    for path in CHECKS:
        module_name, _, function_name = path.partition(":")
        findings.append(getattr(importlib.import_module(module_name), function_name)(settings))
    return findings
