"""Which peers are installed here; a missing one is said to be missing, never guessed at."""

import importlib.util
import os
import tempfile
from importlib.metadata import version

# what Ultralytics needs to track; without lap it would try to install that by itself
ULTRALYTICS = ("ultralytics", "lap")


def peer_state(packages: tuple[str, ...]) -> str:
    """The version of a peer's first package, or which of its packages is missing and what would install it."""
    missing = [package for package in packages if not _is_there(package)]
    return f"not installed: {', '.join(missing)}; pip install 'farz[bench]'" if missing else version(packages[0])


def is_installed(packages: tuple[str, ...]) -> bool:
    """Whether all packages of a peer can be imported; they are not."""
    return all(map(_is_there, packages))


def quieten_ultralytics() -> None:
    """Keep Ultralytics from writing into the home folder, from installing packages by itself, and from talking."""
    os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.mkdtemp(prefix="farz-ultralytics-"))
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_VERBOSE", "false")


def _is_there(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
