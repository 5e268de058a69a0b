"""What TensorRT 10 asks of an ONNX network with explicit rounding, checked without TensorRT.

The rules are those of its documentation on explicit quantization and of its ONNX parser: signed 8-bit numbers around
zero, scales that are constant floats, a rounding always undone at once, weights of a rounded layer rounded per output
channel, biases in floats.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

QUANTISE, DEQUANTISE = "QuantizeLinear", "DequantizeLinear"
# Per-channel scales came with opset 13; the parser of TensorRT 10.3 reads up to 20.
OLDEST_OPSET, NEWEST_OPSET = 13, 20
_IMPLICIT = frozenset({"QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "DynamicQuantizeLinear"})

Constants = Mapping[str, NDArray[np.generic]]


def tensorrt_faults(model: onnx.ModelProto) -> list[str]:
    """Sentences on what TensorRT would refuse or compute differently; empty if there is nothing."""
    constants = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    producers = {name: node for node in model.graph.node for name in node.output}
    return [
        *_faults_of_versions(model),
        *_faults_of_shapes(model),
        *(fault for node in model.graph.node for fault in _faults_of_node(node, constants, producers)),
        *_faults_of_pairs(model, constants),
    ]


def rounded_convolution_count(model: onnx.ModelProto) -> int:
    """How many convolutions take rounded pictures and rounded weights."""
    producers = {name: node.op_type for node in model.graph.node for name in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    return sum(all(producers.get(name) == DEQUANTISE for name in node.input[:2]) for node in convolutions)


def _faults_of_versions(model: onnx.ModelProto) -> Iterator[str]:
    for opset in model.opset_import:
        if opset.domain in {"", "ai.onnx"} and not OLDEST_OPSET <= opset.version <= NEWEST_OPSET:
            yield f"opset {opset.version} is outside {OLDEST_OPSET} to {NEWEST_OPSET}"


def _faults_of_shapes(model: onnx.ModelProto) -> Iterator[str]:
    for one in model.graph.input:
        if not all(size.HasField("dim_value") for size in one.type.tensor_type.shape.dim):
            yield f"input {one.name} has no fixed shape"


def _faults_of_node(
    node: onnx.NodeProto, constants: Constants, producers: Mapping[str, onnx.NodeProto]
) -> Iterator[str]:
    if node.domain not in {"", "ai.onnx"}:
        yield f"{node.name}: operator {node.op_type} of {node.domain} is not ONNX's own"
    if node.op_type in _IMPLICIT:
        yield f"{node.name}: {node.op_type} hides its rounding; TensorRT wants Q and DQ written out"
    if node.op_type in {QUANTISE, DEQUANTISE}:
        yield from _faults_of_rounding(node, constants)
    if node.op_type == "Conv":
        yield from _faults_of_convolution(node, constants, producers)


def _faults_of_rounding(node: onnx.NodeProto, constants: Constants) -> Iterator[str]:
    scale = constants.get(node.input[1])
    if scale is None or scale.dtype != np.float32:
        yield f"{node.name}: its scale is no constant of 32-bit floats"
    elif not (np.isfinite(scale) & (np.asarray(scale, np.float32) > 0)).all():
        yield f"{node.name}: its scale is not above zero"
    zero = constants.get(node.input[2]) if len(node.input) > 2 else None
    if zero is None or zero.dtype != np.int8:
        yield f"{node.name}: its zero point is no constant of signed 8-bit numbers"
    elif zero.any():
        yield f"{node.name}: its zero point is not 0"
    rounded = constants.get(node.input[0]) if node.op_type == DEQUANTISE else None
    if rounded is not None and rounded.dtype != np.int8:
        yield f"{node.name}: undoes a rounding to {rounded.dtype}, such as a bias; only 8-bit numbers may be rounded"


def _faults_of_convolution(
    node: onnx.NodeProto, constants: Constants, producers: Mapping[str, onnx.NodeProto]
) -> Iterator[str]:
    sources = [producers.get(name) for name in node.input[:2]]
    is_rounded = [source is not None and source.op_type == DEQUANTISE for source in sources]
    # A convolution in floats may well read a rounded picture, where one in 8 bits reads the same; not the reverse.
    if is_rounded[1] and not is_rounded[0]:
        yield f"{node.name}: its weights are rounded, its picture is not"
    if len(node.input) > 2 and node.input[2] not in constants:
        yield f"{node.name}: its bias is no constant of floats"
    if all(is_rounded) and sources[0] is not None and sources[1] is not None:
        yield from _faults_of_scales(node, sources[0], sources[1], constants)


def _faults_of_scales(
    node: onnx.NodeProto, picture: onnx.NodeProto, weights: onnx.NodeProto, constants: Constants
) -> Iterator[str]:
    if constants.get(picture.input[1], np.ones(1)).size != 1:
        yield f"{node.name}: its picture is rounded per channel, TensorRT rounds pictures as a whole"
    axis = next((one.i for one in weights.attribute if one.name == "axis"), 1)
    if constants.get(weights.input[1], np.ones(1)).size > 1 and axis != 0:
        yield f"{node.name}: its weights are rounded along axis {axis}, not along the output channels"


def _faults_of_pairs(model: onnx.ModelProto, constants: Constants) -> Iterator[str]:
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    for node in model.graph.node:
        if node.op_type == QUANTISE:
            undone = readers.get(node.output[0], [])
            if not undone or any(one.op_type != DEQUANTISE for one in undone):
                yield f"{node.name}: its rounding is not undone at once by {DEQUANTISE}"
            elif any(not _same(constants, one.input[1], node.input[1]) for one in undone):
                yield f"{node.name}: rounded with one scale and undone with another"


def _same(constants: Constants, name: str, other: str) -> bool:
    return name == other or np.array_equal(constants.get(name, np.empty(0)), constants.get(other, np.empty(1)))
