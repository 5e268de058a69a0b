"""From a trained network to one ONNX file that takes the camera's own pixels; it is checked before it leaves here.

One of the few modules that import torch.
"""

import copy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxslim  # type: ignore[import-untyped]
import torch
from torch import Tensor, nn

from sorter.errors import FarzError
from training.fitting.network import as_input

OPSET = 17
INPUT_NAME = "image"
OUTPUT_NAME = "predictions"
# Largest difference allowed between torch and the runtimes: pixels for boxes, probability for scores.
BOX_TOLERANCE_PX = 0.1
SCORE_TOLERANCE = 1e-3


class ExportError(FarzError):
    """The exported file does not compute what the trained network computes."""


class CameraNetwork(nn.Module):  # type: ignore[misc]  # torch is not followed by the type checker
    """The network with scaling and colour order folded into its first convolution.

    Takes uint8 (1, H, W, 3) BGR, gives float32 (1, 4 + C, A): centre and size in input pixels, class scores 0..1.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        fused = copy.deepcopy(network).float().eval().fuse(verbose=False)
        detect = fused.model[-1]
        detect.export, detect.format = True, "onnx"
        first = fused.model[0].conv
        first.weight = nn.Parameter(first.weight.detach().flip(1) / 255.0, requires_grad=False)
        self.fused = fused

    def forward(self, image: Tensor) -> Tensor:
        """Raw predictions of one picture."""
        answer: Tensor = self.fused(image.permute(0, 3, 1, 2).float())
        return answer


def export_onnx(network: Any, path: Path, size_px: int) -> None:
    """Write the network as ONNX for size_px × size_px pictures, slimmed, metadata free of local paths.

    Raises:
        ExportError: if ONNX Runtime or OpenVINO, in true float32, differ from torch.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    example = torch.zeros(1, size_px, size_px, 3, dtype=torch.uint8)
    camera_network = CameraNetwork(network)
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, but the newer one cannot write opset 17.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            camera_network, (example,), str(path), opset_version=OPSET, dynamo=False,
            input_names=[INPUT_NAME], output_names=[OUTPUT_NAME],
        )  # fmt: skip
        slim = onnxslim.slim(str(path))
    slim.doc_string = ""
    for node in slim.graph.node:
        node.doc_string = ""
    onnx.save(slim, str(path))
    check_parity(network, path, size_px)


def check_parity(network: Any, path: Path, size_px: int) -> dict[str, float]:
    """Compare torch, ONNX Runtime and OpenVINO (float32) on a picture of noise.

    Returns:
        Largest difference of `box_px` and `score` for either runtime.

    Raises:
        ExportError: if a difference is above the tolerance.
    """
    picture = np.random.default_rng(0).integers(0, 256, (1, size_px, size_px, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = network.float().eval()(as_input(picture))[0].numpy()
    differences = {"box_px": 0.0, "score": 0.0}
    for name, found in (("ONNX Runtime", _by_onnxruntime(path, picture)), ("OpenVINO", _by_openvino(path, picture))):
        box_px = float(np.abs(found[:, :4] - expected[:, :4]).max())
        score = float(np.abs(found[:, 4:] - expected[:, 4:]).max())
        if box_px > BOX_TOLERANCE_PX or score > SCORE_TOLERANCE:
            raise ExportError(f"{path}: {name} differs from torch by {box_px:.3f} px and {score:.5f} in score")
        differences = {"box_px": max(differences["box_px"], box_px), "score": max(differences["score"], score)}
    return differences


def _by_onnxruntime(path: Path, picture: np.ndarray[Any, Any]) -> Any:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {INPUT_NAME: picture})[0]


def _by_openvino(path: Path, picture: np.ndarray[Any, Any]) -> Any:
    import openvino

    # Without the hint OpenVINO silently computes in bf16 where the processor can.
    compiled = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(picture)[0]
