"""Has a challenger tried against the champion, by the command that the lab has for it, in a process of its own.

One trial at a time, with what the machine has left: the line goes on sorting meanwhile.
"""

import logging
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import msgspec
import tomlkit

from sorter.model.settings import Settings

_NICENESS = 15
_PROMOTED, _REFUSED = 0, 1


class Trial(msgspec.Struct, frozen=True):
    """A trial that runs or has ended.

    Attributes:
        state: "running", "promoted", "refused" or "failed".
        report: what the command found, as it printed it; empty until it has ended well.
        error: its one sentence, where it could not be held.
    """

    challenger: str
    state: str
    report: dict[str, Any] = {}
    error: str = ""


class Promotion:
    """Holds trials, one after the other."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._trial: Trial | None = None

    @property
    def trial(self) -> Trial | None:
        """The newest trial, None before the first."""
        return self._trial

    def begin(self, challenger: Path) -> bool:
        """Begin a trial; False while another one runs."""
        with self._lock:
            if self._trial is not None and self._trial.state == "running":
                return False
            self._trial = Trial(challenger.name, "running")
        threading.Thread(target=self._hold, args=(challenger,), name="promotion", daemon=True).start()
        return True

    def _hold(self, challenger: Path) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="farz-promote-") as folder:
                config = Path(folder) / "line.toml"
                config.write_text(tomlkit.dumps(_without_nothing(msgspec.to_builtins(self._settings))))
                ended = _run_nicely(self._command(challenger, config))
        except OSError as error:
            self._trial = Trial(challenger.name, "failed", error=str(error))
            return
        self._trial = _outcome(challenger.name, ended)
        logging.getLogger("ui").info("trial of %s: %s", challenger.name, self._trial.state)

    def _command(self, challenger: Path, config: Path) -> list[str]:
        detector, ui = self._settings.detector, self._settings.ui
        return [
            sys.executable, "-c", "from sorter.cli import main; main()", "bundle", "promote", str(challenger),
            "--shelf", detector.model,
            "--data", ui.site_set, "--config", str(config), "--json",
        ]  # fmt: skip


def _run_nicely(command: list[str]) -> "subprocess.CompletedProcess[str]":
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own
    os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
    out, errors = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, out, errors)


def _outcome(challenger: str, ended: "subprocess.CompletedProcess[str]") -> Trial:
    if ended.returncode in {_PROMOTED, _REFUSED}:
        try:
            report = msgspec.json.decode(ended.stdout.strip().rpartition("\n")[2], type=dict[str, Any])
        except msgspec.DecodeError:
            return Trial(challenger, "failed", error=ended.stderr.strip()[-400:])
        return Trial(challenger, "promoted" if ended.returncode == _PROMOTED else "refused", report)
    return Trial(challenger, "failed", error=ended.stderr.strip().rpartition("\n")[2][:400])


def _without_nothing(value: Any) -> Any:
    """TOML has no null: a key that is left out means the same."""
    if isinstance(value, dict):
        return {key: _without_nothing(each) for key, each in value.items() if each is not None}
    return [_without_nothing(each) for each in value] if isinstance(value, list | tuple) else value
