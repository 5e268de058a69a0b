"""The network that is trained, YOLOv5n in its anchor-free form, and a loss that forgives what is not labelled.

One of the few modules that import torch and ultralytics.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sorter.errors import BadInputError

# Ultralytics writes a settings file into the home folder on import; nothing of ours reads it.
os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.mkdtemp(prefix="farz-ultralytics-"))
os.environ.setdefault("YOLO_VERBOSE", "false")

from ultralytics.cfg import get_cfg
from ultralytics.nn.tasks import DetectionModel
from ultralytics.utils.loss import v8DetectionLoss

ARCHITECTURE = "yolov5n.yaml"
STRIDE_PX = 32


class PartialLabelEntropy:
    """Binary cross entropy that is silent where the labels are.

    A folder names only some classes exhaustively. On its background, a score for any other class is neither right nor
    wrong and costs nothing. At an anchor that lies on a labelled item all classes count, since the item is one thing.

    Attributes:
        known: (B, C) bool of the current batch, set before each step.
    """

    def __init__(self) -> None:
        self.known: Tensor = torch.ones(1, 1, dtype=torch.bool)

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Element-wise loss (B, A, C) of logits (B, A, C) against soft targets of the same shape."""
        loss = nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        on_item = targets.amax(dim=2, keepdim=True) > 0
        return loss * (self.known[:, None, :] | on_item)


class PartialLabelLoss:
    """The detection loss of YOLOv8 (task-aligned assignment, CIoU, DFL) with `PartialLabelEntropy` for the classes."""

    def __init__(self, network: Any) -> None:
        self._entropy = PartialLabelEntropy()
        self._loss = v8DetectionLoss(network)
        self._loss.bce = self._entropy

    def __call__(self, predictions: Mapping[str, Any], labels: dict[str, Tensor], known: Tensor) -> Tensor:
        """Loss of a batch, one number.

        Args:
            predictions: what the network gives in training.
            labels: `batch_idx` (N,), `cls` (N, 1), `bboxes` (N, 4) centre and size as shares of the picture.
            known: (B, C) bool, classes that are labelled exhaustively.
        """
        self._entropy.known = known
        exact = {
            name: [level.float() for level in value] if name == "feats" else value.float()
            for name, value in predictions.items()
        }
        parts, _ = self._loss(exact, labels)
        return parts.sum()


def build_network(class_count: int) -> Any:
    """The network with random weights, in the memory layout that CPUs convolve fastest."""
    network = DetectionModel(ARCHITECTURE, nc=class_count, verbose=False)
    network.args = get_cfg()
    return network.to(memory_format=torch.channels_last)


def load_first_weights(network: Any, path: Path) -> int:
    """Load every tensor of a state dictionary whose name and shape fit; return how many did.

    Raises:
        BadInputError: if the file cannot be read or nothing in it fits.
    """
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise BadInputError(f"--weights {path}: cannot be read as a dictionary of tensors: {error}") from error
    own = network.state_dict()
    fitting = {name: value for name, value in stored.items() if name in own and own[name].shape == value.shape}
    if not fitting:
        raise BadInputError(f"--weights {path}: none of its {len(stored)} tensors fits {ARCHITECTURE}")
    network.load_state_dict({**own, **fitting})
    return len(fitting)


def as_input(pictures: NDArray[np.uint8]) -> Tensor:
    """Pictures (B, H, W, 3) BGR as the network wants them: float32 (B, 3, H, W) RGB in 0..1."""
    planes = torch.from_numpy(pictures).permute(0, 3, 1, 2).flip(1)
    return planes.float().div(255.0).contiguous(memory_format=torch.channels_last)
