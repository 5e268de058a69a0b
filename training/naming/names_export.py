"""From a taught second look to an ONNX file that takes squares of the camera's own pixels, checked before it leaves.

Weights lie in the file as 16-bit floats and are widened when it is read: half the size, and nothing is calculated in
them. One of the few modules that import torch.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from training.naming.names_network import normalised
from training.release.export import OPSET, ExportError

INPUT_NAME = "squares"
OUTPUT_NAME = "names"
# half floats move a probability by about a thousandth
TOLERANCE_RATIO = 0.01
_LEAST_HALVED = 256


class _SquareNetwork(nn.Module):  # type: ignore[misc]  # torch is not followed by the type checker
    """uint8 (N, S, S, 3) BGR in, float32 (N, C) out: probability of each class, that of nothing left out.

    Seen from above an item may lie any way round, so it is shown twice, the second time a quarter turn further, and the
    answers are averaged: they err differently. Four turns cost twice as much and gain no more than chance does.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        # a number, so that the file says how many classes there are
        self.answer_count = int(network.classifier.out_features)

    def forward(self, squares: Tensor) -> Tensor:
        """Names of the squares."""
        both = torch.cat([squares, squares.transpose(1, 2).flip(1)])
        answers = self.network(normalised(both)).softmax(dim=1)
        names: Tensor = answers.reshape(2, -1, self.answer_count).mean(dim=0)[:, :-1]
        return names


def export_names(network: Any, path: Path, side_px: int) -> float:
    """Write the network as ONNX for any number of squares; return the largest difference from torch.

    Raises:
        ExportError: if ONNX Runtime's answer differs from torch's by more than `TOLERANCE_RATIO`.
    """
    wrapped = _SquareNetwork(network.float()).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.stem}.part.onnx")
    try:
        _trace(wrapped, unfinished, side_px)
        onnx.save(_halved(onnx.load(str(unfinished))), str(unfinished))
        difference = _difference(wrapped, unfinished, side_px)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return difference


def _trace(wrapped: Any, path: Path, side_px: int) -> None:
    # one square more than one: a batch of one would be written down as such
    example = torch.zeros((2, side_px, side_px, 3), dtype=torch.uint8)
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, but the newer one cannot write opset 17.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            wrapped, (example,), str(path), opset_version=OPSET, dynamo=False, input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME], dynamic_axes={INPUT_NAME: {0: "n"}, OUTPUT_NAME: {0: "n"}},
        )  # fmt: skip


def _halved(model: Any) -> Any:
    """The same network with its large tensors in 16-bit floats, each widened by a cast that the runtimes do once."""
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _LEAST_HALVED:
            continue
        half_name = f"{tensor.name}.half"
        casts.append(helper.make_node("Cast", [half_name], [tensor.name], to=TensorProto.FLOAT))
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half_name))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
    model.doc_string = ""
    for node in graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    return model


def _difference(wrapped: Any, path: Path, side_px: int) -> float:
    squares = np.random.default_rng(0).integers(0, 256, (3, side_px, side_px, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = wrapped(torch.from_numpy(squares)).numpy()
    difference = float(np.abs(_by_onnxruntime(path, squares) - expected).max())
    if difference > TOLERANCE_RATIO:
        raise ExportError(f"{path}: ONNX Runtime differs from torch by {difference:.4f} in probability")
    return difference


def _by_onnxruntime(path: Path, squares: NDArray[np.uint8]) -> Any:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {INPUT_NAME: squares})[0]
