"""A network as it is being trained, used as a detector: the figure that is watched while it learns."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from sorter.model.settings import DetectorSettings
from training.fitting.devices import learning_arithmetic
from training.fitting.network import as_input, resized
from training.input_size import InputSize
from training.synthesis.pixels import Picture
from vision.detectors.heads import decode_raw
from vision.frame import Detections

_SETTINGS = DetectorSettings(score_threshold=0.01)


def detect_with(network: Any, device: str, size: InputSize) -> Callable[[Picture], Detections]:
    """A function of pictures, each stretched to the network's input.

    Args:
        network: in evaluation mode.
        device: where it is.
        size: of its input.
    """

    def detect(picture: Picture) -> Detections:
        with torch.no_grad(), learning_arithmetic(device):
            output = network(resized(as_input(picture[None]).to(device), size))[0]
        candidates = decode_raw(output.float().cpu().numpy().astype(np.float32), _SETTINGS)
        scale = np.array([picture.shape[1] / size.width_px, picture.shape[0] / size.height_px] * 2, np.float32)
        return Detections(candidates.boxes * scale, candidates.class_probs)

    return detect
