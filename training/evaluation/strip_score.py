"""The closed-loop score of a model on the belt that a labelled folder becomes: what its errors cost on the line."""

from pathlib import Path
from typing import Any

import msgspec

from sorter.line_options import settings_from_options
from training.evaluation.closed_loop import ClosedLoop, open_scored_world, scored_stretch
from training.evaluation.score_command import score_report, with_progress


def strip_score(model: Path, folder: Path, runtime: str, precision: str) -> dict[str, Any]:
    """Lay the pictures of a folder end to end and let the default line sort one lap of them.

    Returns:
        What `farz score --json` prints.

    Raises:
        ConfigurationError: if the settings do not allow it, or nothing lies on the belt.
        BundleError: if the model's classes are not the default recipe's.
        DataFolderError: if the folder cannot be read.
    """
    settings = settings_from_options(
        {"source": f"strip:{folder}", "model": str(model), "detector": runtime, "precision": precision}
    )
    # the lab measures what nobody has signed yet
    settings = msgspec.structs.replace(
        settings, detector=msgspec.structs.replace(settings.detector, allow_unsigned=True)
    )
    world = open_scored_world(settings)
    loop = ClosedLoop(settings, scored_stretch(settings, world, None), world)
    return score_report(settings, with_progress(loop))
