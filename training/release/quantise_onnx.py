"""The Q/DQ form: ONNX with every rounding to 8 bits written out, as TensorRT wants it; what it must obey is checked.

It has been run in ONNX Runtime and never yet in TensorRT.
"""

import contextlib
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from sorter.errors import FarzError
from training.release.quantise_layers import Rung, kept_in_floats
from training.release.quantise_tensorrt import tensorrt_faults

_QUANTISED = "Conv"


class QdqError(FarzError):
    """The Q/DQ network breaks a rule of TensorRT."""


class _Calibration:
    """Network inputs as ONNX Runtime's quantiser asks for them."""

    def __init__(self, input_name: str, inputs: Iterable[NDArray[np.generic]]) -> None:
        self._name = input_name
        self._inputs = iter(inputs)

    def get_next(self) -> dict[str, NDArray[np.generic]] | None:
        """The next input, None after the last."""
        following = next(self._inputs, None)
        return None if following is None else {self._name: following}


def write_qdq(onnx_path: Path, path: Path, inputs: Iterable[NDArray[np.generic]], rung: Rung) -> None:
    """Write the Q/DQ form: zero points 0, weights per channel, activations per tensor, biases left in floats.

    Only what goes into a convolution is rounded, so that TensorRT can join convolution, activation and the next
    rounding in one kernel. The first convolution keeps its floats: grey levels need all of their 8 bits.

    Args:
        onnx_path: the float network.
        path: to write.
        inputs: of calibration pictures.
        rung: which layers keep their floats.

    Raises:
        QdqError: if the result breaks a rule of TensorRT; nothing is kept then.
    """
    model = onnx.load(str(onnx_path))
    names = [node.name for node in model.graph.node if node.op_type == _QUANTISED]
    _quantise(
        onnx_path, path, _Calibration(model.graph.input[0].name, inputs), [names[0], *kept_in_floats(names, rung)]
    )
    faults = tensorrt_faults(onnx.load(str(path)))
    if faults:
        path.unlink()
        raise QdqError(f"{path.name}: {len(faults)} faults that TensorRT would refuse, the first: {faults[0]}")


def _quantise(onnx_path: Path, path: Path, calibration: Any, float_nodes: list[str]) -> None:
    with _quiet_quantiser() as quantisation:
        quantisation.quantize_static(
            str(onnx_path),
            str(path),
            calibration,
            quant_format=quantisation.QuantFormat.QDQ,
            op_types_to_quantize=[_QUANTISED],
            per_channel=True,
            activation_type=quantisation.QuantType.QInt8,
            weight_type=quantisation.QuantType.QInt8,
            nodes_to_exclude=float_nodes,
            calibrate_method=quantisation.CalibrationMethod.MinMax,
            extra_options={
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                # TensorRT rounds the weights itself, from floats through a pair of Q and DQ ...
                "AddQDQPairToWeight": True,
                # ... and takes no rounded bias at all.
                "QuantizeBias": False,
                "OpTypesToExcludeOutputQuantization": [_QUANTISED],
            },
        )


@contextlib.contextmanager
def _quiet_quantiser() -> Iterator[Any]:
    """ONNX Runtime's quantiser without its advice to pre-process: the network has been slimmed at export."""
    from onnxruntime import quantization

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield quantization
    finally:
        logging.disable(before)
