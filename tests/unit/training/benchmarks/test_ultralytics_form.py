"""A bundle in Ultralytics' form computes what the bundle computes."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import yaml

from sorter.errors import BundleError
from sorter.model.settings import Settings
from sorter.runtime.bundle import LIGHTER_FOLDER, Bundle, bundle_for, load_bundle
from training.benchmarks.ultralytics_form import write_ultralytics_form
from vision.detectors.openvino_core import openvino_core


def answers(path: Path, picture: np.ndarray) -> np.ndarray:
    core = openvino_core()
    compiled = core.compile_model(core.read_model(str(path)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.array(compiled(picture)[0])


@pytest.mark.parametrize("inside", ["", LIGHTER_FOLDER])
def test_planes_in_0_to_1_give_the_answers_that_grey_levels_give_the_bundle(inside: str, tmp_path: Path) -> None:
    bundle = load_bundle(bundle_for(Settings()).folder / inside)
    form = write_ultralytics_form(bundle, tmp_path)
    network = bundle.manifest.network
    shape = (1, network.input_height_px, network.input_width_px, 3)
    picture = np.random.default_rng(3).integers(0, 256, shape, np.uint8)
    planes = np.ascontiguousarray(picture[..., ::-1].transpose(0, 3, 1, 2)).astype(np.float32) / 255
    ours, theirs = answers(bundle.network_path, picture), answers(form / "model.xml", planes)
    assert theirs.shape == ours.shape
    assert np.abs(theirs - ours).max() < 0.05
    assert np.abs(theirs[:, 4:] - ours[:, 4:]).max() < 1e-3


def test_the_form_names_classes_and_size_for_ultralytics(tmp_path: Path) -> None:
    bundle = bundle_for(Settings())
    metadata = yaml.safe_load((write_ultralytics_form(bundle, tmp_path) / "metadata.yaml").read_text())
    assert metadata["names"] == dict(enumerate(bundle.manifest.classes))
    network = bundle.manifest.network
    assert metadata["imgsz"] == [network.input_height_px, network.input_width_px]
    assert metadata["task"] == "detect"


def test_a_network_that_does_something_else_to_its_picture_is_refused(tmp_path: Path) -> None:
    shipped = bundle_for(Settings())
    picture = ov.opset13.parameter([1, 64, 64, 3], np.uint8)
    scaled = ov.opset13.relu(ov.opset13.convert(picture, "f32"))
    path = tmp_path / shipped.manifest.network.file.replace(".onnx", ".xml")
    ov.save_model(ov.Model([scaled], [picture]), str(path))
    network = type(shipped.manifest.network)(path.name, "", 64, 64, "raw")
    manifest = {**{name: getattr(shipped.manifest, name) for name in shipped.manifest.__struct_fields__}}
    odd = Bundle(tmp_path, type(shipped.manifest)(**{**manifest, "network": network}))
    with pytest.raises(BundleError, match="raw head that begin with a convolution"):
        write_ultralytics_form(odd, tmp_path)
