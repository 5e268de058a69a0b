"""A network that training takes up from a bundle computes what the bundle computes, and is ready to learn."""

from pathlib import Path

import numpy as np
import pytest

from sorter.errors import BadInputError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.bundle import Bundle

torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from training.fitting.bundle_weights import load_bundle_weights  # noqa: E402
from training.fitting.network import as_input, build_network, learning  # noqa: E402
from training.release.bundle_writer import Identity, write_bundle  # noqa: E402
from training.release.export import check_parity, export_onnx  # noqa: E402

SIZE_PX = 64


def noise(count: int) -> object:
    return as_input(np.random.default_rng(3).integers(0, 256, (count, SIZE_PX, SIZE_PX, 3), dtype=np.uint8))


def learned(architecture: str) -> object:
    """A network whose normalisation is of real use: scales, shifts and statistics all differ from layer to layer."""
    torch.manual_seed(1)
    network = build_network(len(CLASS_NAMES), architecture)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
            torch.nn.init.uniform_(layer.bias, -0.3, 0.3)
    network.train()(noise(4))
    return network.eval()


def bundle_of(network: object, folder: Path) -> Bundle:
    export_onnx(network, folder / "site.onnx", SIZE_PX)
    return write_bundle(folder, folder / "site.onnx", Identity("site", "1", "own"), CLASS_NAMES, SIZE_PX)


@pytest.mark.parametrize("architecture", ["yolov5n.yaml", "yolo11n.yaml"])
def test_the_network_computes_what_the_bundle_computes(architecture: str, tmp_path: Path) -> None:
    bundle = bundle_of(learned(architecture), tmp_path)
    network = build_network(len(CLASS_NAMES), architecture)
    assert load_bundle_weights(network, bundle, noise(8)) > 100
    check_parity(network, bundle.network_path, SIZE_PX)


def test_normalisation_knows_the_pictures_it_will_see(tmp_path: Path) -> None:
    bundle = bundle_of(learned("yolov5n.yaml"), tmp_path)
    network = build_network(len(CLASS_NAMES))
    inputs = noise(16)
    load_bundle_weights(network, bundle, inputs)
    with torch.no_grad():
        expected = network.eval()(inputs)[0][:, 4:]
        learning(network)
        network(inputs)
        found = network.eval()(inputs)[0][:, 4:]
    assert torch.allclose(found, expected, atol=0.02), "a first step of learning leaves what was learned"


def test_a_bundle_of_another_architecture_is_refused(tmp_path: Path) -> None:
    bundle = bundle_of(learned("yolo11n.yaml"), tmp_path)
    with pytest.raises(BadInputError, match="--architecture"):
        load_bundle_weights(build_network(len(CLASS_NAMES)), bundle, noise(2))
