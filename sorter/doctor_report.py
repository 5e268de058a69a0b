"""The file that `farz doctor --report` writes: findings, machine and configuration, with nothing secret in it."""

import platform
import re
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import msgspec

from sorter.doctor_finding import Finding
from sorter.model.recipe import recipe_hash
from sorter.model.settings import Settings
from sorter.runtime.clock import utc_text

_LIBRARIES = (
    "farz", "numpy", "opencv-python-headless", "openvino", "onnxruntime", "pyzmq", "msgspec", "pycuda", "tensorrt",
    "cuda-bindings", "gpiod", "pymodbus", "pyserial", "asyncua",
)  # fmt: skip
# the part of a stream's URL that says who asks
_CREDENTIALS = re.compile(r"://[^@/\s]*@")


def ticket_report(settings: Settings, findings: Sequence[Finding]) -> dict[str, Any]:
    """Everything that whoever helps would ask first, as plain values for JSON."""
    return {
        "written_at": utc_text(),
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        "libraries": library_versions(),
        "findings": [msgspec.to_builtins(finding) for finding in findings],
        "recipe_hash": recipe_hash(settings.recipe),
        "settings": _without_credentials(msgspec.to_builtins(settings)),
    }


def library_versions() -> dict[str, str]:
    """Versions of what a line uses, "not installed" for what is missing."""
    installed = {one.name.lower(): one.version for one in metadata.distributions() if one.name}
    return {name: installed.get(name, "not installed") for name in _LIBRARIES}


def _without_credentials(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_credentials(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_credentials(one) for one in value]
    return _CREDENTIALS.sub("://", value) if isinstance(value, str) else value
