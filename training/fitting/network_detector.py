"""A network as it is being trained, used as a detector: the figure that is watched while it learns."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from sorter.model.settings import DetectorSettings
from training.fitting.network import as_input
from training.synthesis.pixels import Picture
from vision.detectors.heads import decode_raw
from vision.frame import Detections

_SETTINGS = DetectorSettings(score_threshold=0.01)


def detect_with(network: Any, device: str) -> Callable[[Picture], Detections]:
    """A function of pictures that already have the size of the network's input.

    Args:
        network: in evaluation mode.
        device: where it is.
    """

    def detect(picture: Picture) -> Detections:
        with torch.no_grad(), torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
            output = network(as_input(picture[None]).to(device))[0]
        candidates = decode_raw(output.float().cpu().numpy().astype(np.float32), _SETTINGS)
        return Detections(candidates.boxes, candidates.class_probs)

    return detect
