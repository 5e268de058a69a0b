"""The network that is trained, any detector that Ultralytics configures, and a loss that forgives what is not labelled.

One of the few modules that import torch and ultralytics.
"""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from ultralytics.cfg import get_cfg
from ultralytics.nn.modules.head import Detect
from ultralytics.nn.tasks import DetectionModel

from sorter.errors import BadInputError
from training.input_size import InputSize

DEFAULT_ARCHITECTURE = "yolov5n.yaml"


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
    """The loss that Ultralytics gives the network (task-aligned assignment, CIoU, DFL), classes by the entropy above.

    A network with a second, one-to-one branch (YOLOv10, YOLO26) learns both; their balance moves with the epochs.
    """

    def __init__(self, network: Any, epoch_count: int = 1) -> None:
        network.args.epochs = epoch_count
        self._entropy = PartialLabelEntropy()
        self._loss = network.init_criterion()
        for branch in ("one2many", "one2one"):
            getattr(self._loss, branch, self._loss).bce = self._entropy

    def __call__(self, predictions: Mapping[str, Any], labels: dict[str, Tensor], known: Tensor) -> Tensor:
        """Loss of a batch, one number.

        Args:
            predictions: what the network gives in training.
            labels: `batch_idx` (N,), `cls` (N, 1), `bboxes` (N, 4) centre and size as shares of the picture.
            known: (B, C) bool, classes that are labelled exhaustively.
        """
        self._entropy.known = known
        parts, _ = self._loss(_exact(predictions), labels)
        return parts.sum()

    def end_epoch(self) -> None:
        """Move the balance of the branches, where there are two."""
        if hasattr(self._loss, "update"):
            self._loss.update()


def build_network(class_count: int, architecture: str = DEFAULT_ARCHITECTURE) -> Any:
    """The network with random weights, in the memory layout that CPUs convolve fastest.

    Args:
        class_count: number of classes.
        architecture: one of Ultralytics' detection configurations by name (`yolo26s.yaml`), or a file of that kind.

    Raises:
        BadInputError: if there is no such configuration, or it is not of a detector with an anchor-free head.
    """
    try:
        network = DetectionModel(architecture, nc=class_count, verbose=False)
    except Exception as error:
        # a configuration is code by other means: what it can raise is not known
        raise BadInputError(
            f"--architecture {architecture}: not a detection network that Ultralytics can build ({error})"
        ) from error
    if not isinstance(network.model[-1], Detect):
        raise BadInputError(f"--architecture {architecture}: its head is no anchor-free detection head")
    if type(network.model[-1]).__name__ not in ("Detect", "v10Detect"):
        raise BadInputError(f"--architecture {architecture}: made for another task than detection")
    network.args = get_cfg()
    network.yaml_file = architecture
    # all class scores of every box are wanted, which only the one-to-many branch gives; the line thins its boxes itself
    network.model[-1].end2end = False
    return network.to(memory_format=torch.channels_last)


def load_first_weights(network: Any, path: Path) -> int:
    """Load every tensor of a state dictionary whose name and shape fit; return how many did.

    Raises:
        BadInputError: if the file cannot be read or nothing in it fits.
    """
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BadInputError(
            f"--weights {path}: holds something else than tensors, which could run code of its own; save a network's "
            "state_dict() and give that"
        ) from error
    except (OSError, RuntimeError, ValueError, LookupError, EOFError, AttributeError) as error:
        raise BadInputError(f"--weights {path}: cannot be read as a dictionary of tensors: {error}") from error
    stored = stored.get("average", stored) if isinstance(stored, dict) else {}
    own = network.state_dict()
    fitting = {name: value for name, value in stored.items() if name in own and own[name].shape == value.shape}
    if not fitting:
        raise BadInputError(f"--weights {path}: none of its {len(stored)} tensors fits {network.yaml_file}")
    network.load_state_dict({**own, **fitting})
    return len(fitting)


def as_input(pictures: NDArray[np.uint8]) -> Tensor:
    """Pictures (B, H, W, 3) BGR as the network wants them: float32 (B, 3, H, W) RGB in 0..1."""
    planes = torch.from_numpy(pictures).permute(0, 3, 1, 2).flip(1)
    return planes.float().div(255.0).contiguous(memory_format=torch.channels_last)


def resized(inputs: Tensor, size: InputSize) -> Tensor:
    """Pictures (B, 3, H, W) stretched to a size, bilinear as the line stretches them."""
    if inputs.shape[2:] == (size.height_px, size.width_px):
        return inputs
    other = nn.functional.interpolate(
        inputs, size=(size.height_px, size.width_px), mode="bilinear", align_corners=False
    )
    return other.contiguous(memory_format=torch.channels_last)


def freeze(network: Any, layer_count: int) -> None:
    """Let the first layers keep their weights and statistics; what small data cannot better, it can only spoil.

    Raises:
        BadInputError: if the network has no more layers than that before its head.
    """
    if layer_count >= len(network.model) - 1:
        raise BadInputError(
            f"--frozen-layers {layer_count}: {network.yaml_file} has {len(network.model) - 1} layers before its head, "
            "and some must learn"
        )
    for layer in network.model[:layer_count]:
        for parameter in layer.parameters():
            parameter.requires_grad_(requires_grad=False)


def learning(network: Any) -> None:
    """Set the network to learn, frozen layers left as they are, their normalisation included."""
    network.train()
    for layer in network.model:
        parameters = list(layer.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            layer.eval()


def _exact(predictions: Any) -> Any:
    """The same predictions in float32: the loss is no place for bf16."""
    if isinstance(predictions, Mapping):
        return {name: _exact(value) for name, value in predictions.items()}
    if isinstance(predictions, list):
        return [_exact(value) for value in predictions]
    return predictions.float()
