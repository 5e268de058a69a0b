"""The folder of one run: its plan (run.json) and the sockets of its processes, readable by its owner alone."""

import os
import tempfile
from pathlib import Path

import msgspec

from sorter.errors import ConfigurationError
from sorter.model.settings import Settings
from sorter.runtime.clock import SystemClock
from sorter.runtime.configuration import load_settings

_PLAN_NAME = "run.json"


class RunPlan(msgspec.Struct, frozen=True):
    """What all processes of one run agree on; `epoch_ns` is when the simulated belt began to move.

    `configuration` is the file that the settings come from, None where they are the defaults.
    """

    settings: Settings
    epoch_ns: int
    run_folder: Path
    configuration: Path | None = None


def create_run_folder(settings: Settings, configuration: Path | None = None) -> RunPlan:
    """Make a fresh folder for the sockets, short enough for a Unix socket's 107 characters, and write the plan."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(tempfile.mkdtemp(prefix="farz-", dir=base if base and Path(base).is_dir() else None))
    folder.chmod(0o700)
    plan = RunPlan(settings, SystemClock().now_ns(), folder, configuration and configuration.resolve())
    (folder / _PLAN_NAME).write_bytes(msgspec.json.encode(plan, enc_hook=str))
    return plan


def read_run_plan(run_folder: Path | None, config: Path | None) -> RunPlan:
    """The plan in a run folder; without one, a new run from a configuration file (or from the defaults).

    Raises:
        ConfigurationError: if the plan or configuration cannot be read.
    """
    if run_folder is None:
        return create_run_folder(load_settings(config), config)
    try:
        data = (run_folder / _PLAN_NAME).read_bytes()
        return msgspec.json.decode(data, type=RunPlan, dec_hook=_decode_path)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"run folder {run_folder}: {error}") from error


def _decode_path(kind: type, value: object) -> object:
    return Path(str(value)) if kind is Path else value
