"""Where a line's store lies, for whoever writes or reads it."""

import os
import re
from pathlib import Path

from sorter.model.settings import Settings
from sorter.store.sqlite_connection import STORE_FILE


def store_path(settings: Settings) -> Path:
    """The file of a line's store: in `store.folder`, else in the user's data folder under the line's name."""
    if settings.store.folder:
        return Path(settings.store.folder) / STORE_FILE
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "farz" / re.sub(r"[^\w-]+", "_", settings.line_name) / STORE_FILE
