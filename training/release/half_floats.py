"""A network in 16-bit floats, written into the graph: what TensorRT takes from version 11 on, and gladly before.

Conversion is ONNX Runtime's; input and output keep their types, and what decodes boxes keeps its floats, since a box
side beyond 512 pixels has steps of half a pixel in 16 bits.
"""

from pathlib import Path

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from training.release.quantise_layers import Rung, kept_in_floats


def write_f16(source: Path, target: Path, rung: Rung) -> None:
    """Write a network in 16-bit floats.

    Args:
        source: the ONNX file in 32-bit floats.
        target: the file to write.
        rung: which layers keep their floats.
    """
    model = onnx.load(source)
    kept = kept_in_floats([node.name for node in model.graph.node], rung)
    halved = convert_float_to_float16(model, keep_io_types=True, node_block_list=kept)
    # casts are put at the end of the list of nodes, where a reader in order does not look for them
    OnnxModel(halved).topological_sort()
    onnx.checker.check_model(halved, full_check=True)
    onnx.save(halved, target)
