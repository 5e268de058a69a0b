"""Writing a checkpoint whole or not at all. One of the few modules that import torch."""

from pathlib import Path
from typing import Any

import torch

from sorter.errors import BadInputError


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Replace a run's checkpoint in one step; its folder is made if missing.

    Args:
        path: the file.
        state: tensors and plain values; `epoch` is the number of epochs done.

    Raises:
        BadInputError: if it cannot be written; the one before is then as it was.
    """
    unfinished = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, unfinished)
        unfinished.replace(path)
    except (OSError, RuntimeError) as error:
        unfinished.unlink(missing_ok=True)
        raise BadInputError(
            f"{path.parent}: the checkpoint of epoch {state['epoch']} cannot be written ({error}); make room and take "
            "the run up with --resume"
        ) from error
