"""A bundle's network in the form that Ultralytics exports for OpenVINO: the same weights, its own kind of input."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import yaml
from openvino import opset13

from sorter.errors import BundleError
from sorter.runtime.bundle import Bundle
from vision.detectors.openvino_core import openvino_core

FOLDER_SUFFIX = "_openvino_model"
_STRIDE_PX = 32
_GREY_LEVELS = 255.0
# what a bundle's graph may do to the picture before its first convolution: change its layout, then mirror it
_LAYOUT_STEPS = {"Parameter", "Transpose", "Convert"}
_VIEW_STEPS = {"StridedSlice", "Slice", "Concat"}


def write_ultralytics_form(bundle: Bundle, folder: Path) -> Path:
    """Write the network as Ultralytics' own export would, and return its folder.

    A bundle's network takes uint8 BGR rows, colour order and scale being part of its first weights; Ultralytics feeds
    float32 RGB planes in 0..1. Nothing else is changed, so both compute the same.

    Args:
        bundle: whose network it is.
        folder: where the form's folder is made.

    Raises:
        BundleError: if the network does not begin as those of Farz do.
    """
    form = folder / f"{bundle.manifest.name}{FOLDER_SUFFIX}"
    form.mkdir()
    model = openvino_core().read_model(str(bundle.network_path))
    ov.save_model(_with_planar_input(model, bundle), str(form / "model.xml"), compress_to_fp16=False)
    network = bundle.manifest.network
    metadata = {
        "task": "detect",
        "stride": _STRIDE_PX,
        "batch": 1,
        "imgsz": [network.input_height_px, network.input_width_px],
        "names": dict(enumerate(bundle.manifest.classes)),
        "args": {"batch": 1, "dynamic": False},
        "channels": 3,
        "end2end": False,
    }
    (form / "metadata.yaml").write_text(yaml.safe_dump(metadata))
    return form


def _with_planar_input(model: Any, bundle: Bundle) -> Any:
    network = bundle.manifest.network
    steps = [node for node in model.get_ordered_ops() if node.get_type_name() != "Constant"]
    layout = list(itertools.takewhile(lambda node: node.get_type_name() in _LAYOUT_STEPS, steps))
    views = itertools.takewhile(lambda node: node.get_type_name() in _VIEW_STEPS, steps[len(layout) :])
    first = steps[len(layout) + len(list(views))]
    if first.get_type_name() != "Convolution" or network.head != "raw":
        raise BundleError(
            f"bundle {bundle.folder}: Ultralytics' form can be made of networks with a raw head that begin with a "
            "convolution after transposing and mirroring alone, as farz train export writes them"
        )
    if not network.takes_uint8_bgr:
        return model
    planes = opset13.parameter([1, 3, network.input_height_px, network.input_width_px], np.float32, name="images")
    for reader in layout[-1].output(0).get_target_inputs():
        reader.replace_source_output(planes.output(0))
    weights = first.input_value(1).get_node().get_data()
    unfolded = opset13.constant(np.ascontiguousarray(weights[:, ::-1] * np.float32(_GREY_LEVELS)))
    first.input(1).replace_source_output(unfolded.output(0))
    return ov.Model(model.get_results(), [planes], "ultralytics")
