"""Every rule of TensorRT that a Q/DQ network could break is noticed when it is broken."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from training.release.quantise_tensorrt import rounded_convolution_count, tensorrt_faults


def network() -> onnx.ModelProto:
    """One convolution with rounded picture and weights."""
    constants: dict[str, NDArray[np.generic]] = {
        "picture_scale": np.array(0.02, np.float32),
        "weight": np.ones((4, 3, 1, 1), np.float32),
        "weight_scale": np.full(4, 0.01, np.float32),
        "weight_zero": np.zeros(4, np.int8),
        "zero": np.array(0, np.int8),
        "bias": np.zeros(4, np.float32),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["picture", "picture_scale", "zero"], ["q"], "q"),
        helper.make_node("DequantizeLinear", ["q", "picture_scale", "zero"], ["dq"], "dq"),
        helper.make_node("QuantizeLinear", ["weight", "weight_scale", "weight_zero"], ["wq"], "wq", axis=0),
        helper.make_node("DequantizeLinear", ["wq", "weight_scale", "weight_zero"], ["wdq"], "wdq", axis=0),
        helper.make_node("Conv", ["dq", "wdq", "bias"], ["output"], "conv"),
    ]
    graph = helper.make_graph(
        nodes,
        "one",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 4, 8, 8])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def set_constant(model: onnx.ModelProto, name: str, value: NDArray[np.generic]) -> None:
    next(one for one in model.graph.initializer if one.name == name).CopyFrom(numpy_helper.from_array(value, name))


def node_of(model: onnx.ModelProto, name: str) -> onnx.NodeProto:
    return next(one for one in model.graph.node if one.name == name)


def remove_constant(model: onnx.ModelProto, name: str) -> None:
    model.graph.initializer.remove(next(one for one in model.graph.initializer if one.name == name))


def round_the_bias(model: onnx.ModelProto) -> None:
    remove_constant(model, "bias")
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(4, np.int32), "whole_bias"))
    node = helper.make_node("DequantizeLinear", ["whole_bias", "weight_scale"], ["bias"], "bias_dq", axis=0)
    model.graph.node.insert(0, node)


FAULTS: list[tuple[Callable[[onnx.ModelProto], object], str]] = [
    (lambda model: set_constant(model, "zero", np.array(3, np.int8)), "zero point is not 0"),
    (lambda model: set_constant(model, "zero", np.array(0, np.uint8)), "signed 8-bit"),
    (lambda model: node_of(model, "dq").input.pop(), "signed 8-bit"),
    (lambda model: set_constant(model, "picture_scale", np.array(0.02, np.float64)), "32-bit floats"),
    (lambda model: remove_constant(model, "picture_scale"), "its scale is no constant"),
    (lambda model: set_constant(model, "picture_scale", np.array(0, np.float32)), "not above zero"),
    (lambda model: set_constant(model, "picture_scale", np.ones(3, np.float32)), "per channel"),
    (
        lambda model: node_of(model, "conv").input.__setitem__(0, "picture"),
        "its weights are rounded, its picture is not",
    ),
    (lambda model: node_of(model, "conv").input.__setitem__(0, "q"), "not undone at once"),
    (lambda model: node_of(model, "dq").input.__setitem__(1, "weight_scale"), "undone with another"),
    (lambda model: node_of(model, "wdq").attribute[0].__setattr__("i", 1), "along axis 1"),
    (lambda model: model.opset_import[0].__setattr__("version", 21), "opset 21"),
    (lambda model: node_of(model, "q").__setattr__("domain", "com.microsoft"), "com.microsoft"),
    (lambda model: node_of(model, "conv").__setattr__("op_type", "ConvInteger"), "hides its rounding"),
    (lambda model: model.graph.input[0].type.tensor_type.shape.dim[2].__setattr__("dim_param", "h"), "no fixed shape"),
    (round_the_bias, "such as a bias"),
    (round_the_bias, "its bias is no constant"),
]


def test_a_network_that_keeps_the_rules_has_no_fault() -> None:
    assert tensorrt_faults(network()) == []
    assert rounded_convolution_count(network()) == 1


def test_a_convolution_in_floats_may_read_a_rounded_picture() -> None:
    model = network()
    node_of(model, "conv").input[1] = "weight"
    assert tensorrt_faults(model) == []
    assert rounded_convolution_count(model) == 0


@pytest.mark.parametrize(("break_rule", "fault"), FAULTS)
def test_a_broken_rule_is_noticed(break_rule: Callable[[onnx.ModelProto], object], fault: str) -> None:
    model = network()
    break_rule(model)
    assert any(fault in found for found in tensorrt_faults(model)), tensorrt_faults(model)
