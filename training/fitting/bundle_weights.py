"""Training on from a bundle: its ONNX file holds what the network has learned, with normalisation folded away.

A line's network has no normalisation layers left: each is folded into its convolution. Training wants them back, since
they are what keeps it steady. They are unfolded so that the network computes exactly what the bundle computes, with
the statistics that its convolutions have on the pictures it is about to learn from.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from ultralytics.nn.modules.conv import Conv

from sorter.errors import BadInputError
from sorter.runtime.bundle import Bundle
from training.fitting.network import build_network
from training.release.export import EXPORTED_PREFIX, without_camera

_PICTURES_AT_A_TIME = 16
# Statistics change nothing of what a network computes: for one that is not trained on, any picture will do.
_ANY_PICTURE = (1, 3, 64, 64)


def network_of(bundle: Bundle, architecture: str) -> Any:
    """What a bundle has learned, as a network to be exported anew.

    Raises:
        BadInputError: if the bundle's network is of another architecture.
    """
    network = build_network(len(bundle.manifest.classes), architecture)
    load_bundle_weights(network, bundle, torch.zeros(_ANY_PICTURE))
    return network


def load_bundle_weights(network: Any, bundle: Bundle, inputs: Tensor) -> int:
    """Give a network what a bundle's network has learned; return how many tensors that were.

    Args:
        network: to train on, built for as many classes.
        bundle: exported from a network of this architecture.
        inputs: (B, 3, H, W), pictures of the kind that it will learn from; some dozens will do.

    Raises:
        BadInputError: if the bundle's tensors have other names or shapes than the network's.
    """
    folded = _folded_tensors(bundle)
    own = network.state_dict()
    layers = [(name, layer) for name, layer in _normalised(network) if f"{name}.conv.bias" in folded]
    shifts = {f"{name}.conv.bias" for name, _ in layers}
    kernels = {name: value for name, value in folded.items() if name not in shifts}
    strange = [name for name, value in kernels.items() if name not in own or own[name].shape != value.shape]
    if strange or not folded:
        raise BadInputError(
            f"bundle {bundle.folder}: its network is no {network.yaml_file} ({len(strange)} of {len(folded)} tensors "
            "do not fit); give the --architecture that it was trained with"
        )
    network.load_state_dict({**own, **kernels})
    for name, layer in layers:
        _set_normalisation(layer.bn, folded[f"{name}.conv.bias"], torch.zeros(()), torch.ones(()))
    for (name, layer), (mean, variance) in zip(layers, _statistics(network, layers, inputs), strict=True):
        _set_normalisation(layer.bn, folded[f"{name}.conv.bias"], mean, variance)
    return len(folded)


def _folded_tensors(bundle: Bundle) -> dict[str, Tensor]:
    """Tensors of the bundle's ONNX file by the names that training knows them by."""
    graph = onnx.load(str(bundle.network_path)).graph
    named = {
        one.name.removeprefix(EXPORTED_PREFIX): one for one in graph.initializer if one.name.startswith(EXPORTED_PREFIX)
    }
    tensors = {name: torch.from_numpy(numpy_helper.to_array(one).copy()) for name, one in named.items()}
    return without_camera(tensors)


def _normalised(network: Any) -> Iterator[tuple[str, Conv]]:
    for name, layer in network.named_modules():
        if isinstance(layer, Conv) and isinstance(getattr(layer, "bn", None), nn.BatchNorm2d):
            yield name, layer


def _set_normalisation(norm: nn.BatchNorm2d, bias: Tensor, mean: Tensor, variance: Tensor) -> None:
    """Statistics that change nothing: what they take away, scale and shift give back, and `bias` is left."""
    with torch.no_grad():
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.copy_(bias + mean)


def _statistics(network: Any, layers: Sequence[tuple[str, Conv]], inputs: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Mean and variance of each layer's convolution over the pictures, channel by channel."""
    sums = {name: torch.zeros(2, layer.bn.num_features, dtype=torch.float64) for name, layer in layers}
    counts = dict.fromkeys(sums, 0)

    def watch(name: str) -> Any:
        def add(_layer: nn.Module, _inputs: Any, values: Tensor) -> None:
            exact = values.double()
            sums[name] += torch.stack([exact.sum((0, 2, 3)), exact.square().sum((0, 2, 3))])
            counts[name] += values.numel() // values.shape[1]

        return add

    hooks = [layer.conv.register_forward_hook(watch(name)) for name, layer in layers]
    try:
        with torch.no_grad():
            for batch in inputs.split(_PICTURES_AT_A_TIME):
                network.eval()(batch)
    finally:
        for hook in hooks:
            hook.remove()
    means = {name: sums[name][0] / max(1, counts[name]) for name in sums}
    return [
        (means[name].float(), (sums[name][1] / max(1, counts[name]) - means[name].square()).clamp(min=0).float())
        for name in sums
    ]
