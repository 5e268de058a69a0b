"""In which memory pictures lie: shared by processes, or page-locked so that a GPU reads them without a copy."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sorter.model.settings import DetectorSettings

Allocate = Callable[[tuple[int, ...]], NDArray[np.uint8]]


def slot_memory(settings: DetectorSettings) -> Allocate | None:
    """How the ring's slots are allocated for a detector; None: as shared memory.

    Raises:
        ConfigurationError: if the detector wants a GPU and there is none.
    """
    if settings.runtime != "tensorrt":
        return None
    from vision.cuda.device import open_device

    return open_device().mapped_empty
