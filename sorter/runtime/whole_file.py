"""Small files that are there whole or not at all, whatever dies meanwhile, and that their owner alone may read."""

import contextlib
import os
from pathlib import Path

_OWNER_ONLY = 0o600


def write_whole_file(path: Path, data: bytes) -> None:
    """Replace a file in one step, its folder made if need be; it is on the disk when this returns.

    Raises:
        OSError: if it cannot be written; what was there before is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    try:
        _write_durably(draft, data)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def _write_durably(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        # a draft that was left behind keeps the mode that it had
        os.fchmod(file.fileno(), _OWNER_ONLY)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """A rename is on the disk once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
