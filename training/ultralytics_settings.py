"""Keeps Ultralytics to itself: no settings file in the home folder, nothing installed, nothing printed.

It reads these on import, so they are set before; nothing here imports it.
"""

import os
import tempfile


def keep_to_itself() -> None:
    """Set what Ultralytics reads when it is imported; what the user has set stays."""
    if "YOLO_CONFIG_DIR" not in os.environ:
        os.environ["YOLO_CONFIG_DIR"] = tempfile.mkdtemp(prefix="farz-ultralytics-")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_VERBOSE", "false")
