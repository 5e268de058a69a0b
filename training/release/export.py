"""From a trained network to one ONNX file that takes the camera's own pixels; it is checked before it leaves here.

One of the few modules that import torch.
"""

import copy
import pickle
import re
import struct
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxslim  # type: ignore[import-untyped]
import torch
from torch import Tensor, nn

from sorter.errors import BadInputError, FarzError
from training.fitting.network import DEFAULT_ARCHITECTURE, as_input, build_network
from training.input_size import InputSize
from training.release.mirrored_view import MirroredView
from training.run_settings import CHECKPOINT_NAME

OPSET = 17
INPUT_NAME = "image"
OUTPUT_NAME = "predictions"
# what the names of the network's tensors begin with in the file
EXPORTED_PREFIX = "fused."
# Largest difference allowed between torch and the runtimes: pixels for boxes, probability for scores.
BOX_TOLERANCE_PX = 0.1
SCORE_TOLERANCE = 1e-3


# The class scores of the highest resolution come out of this convolution: its rows are the classes.
_CLASS_WEIGHT = re.compile(r"^model\.\d+\.cv3\.0\.2\.weight$")
_FIRST_WEIGHT = "model.0.conv.weight"
# What reading a file that somebody else wrote may end with.
_NOT_A_CHECKPOINT = (
    OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, StopIteration, struct.error,
    pickle.UnpicklingError,
)  # fmt: skip


class ExportError(FarzError):
    """The exported file does not compute what the trained network computes."""


class CameraNetwork(nn.Module):  # type: ignore[misc]  # torch is not followed by the type checker
    """The network with scaling and colour order folded into its first convolution.

    Takes uint8 (1, H, W, 3) BGR, gives float32 (1, 4 + C, A): centre and size in input pixels, class scores 0..1.
    """

    def __init__(self, network: Any, views: MirroredView | None) -> None:
        """Fold a network, which stays as it is.

        Args:
            network: trained.
            views: how to see each picture mirrored too; None: only as it is.
        """
        super().__init__()
        fused = copy.deepcopy(network).float().eval().fuse(verbose=False)
        detect = fused.model[-1]
        detect.export, detect.format = True, "onnx"
        first = fused.model[0].conv
        first.weight = nn.Parameter(first.weight.detach().flip(1) / 255.0, requires_grad=False)
        self.fused = fused
        self.views = views

    def forward(self, image: Tensor) -> Tensor:
        """Raw predictions of one picture."""
        planes = image.permute(0, 3, 1, 2).float()
        return _predictions(self.fused, self.views, planes)


def without_camera(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a `CameraNetwork`'s network with scaling and colour order taken out of the first convolution."""
    first = {name: value.flip(1) * 255.0 for name, value in tensors.items() if name == _FIRST_WEIGHT}
    return {**tensors, **first}


def trained_network(path: Path) -> Any:
    """The averaged network of a checkpoint, or of the checkpoint in a run's folder.

    Raises:
        BadInputError: if there is none, or it is no checkpoint of this network.
    """
    file = path / CHECKPOINT_NAME if path.is_dir() else path
    if not file.is_file():
        raise BadInputError(f"{path}: no {CHECKPOINT_NAME} there; give the folder of a run or a checkpoint")
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
        weights = state["average"]
        class_count = next(len(value) for name, value in weights.items() if _CLASS_WEIGHT.match(name))
        network = build_network(class_count, state.get("architecture", DEFAULT_ARCHITECTURE))
        network.load_state_dict(weights)
    except _NOT_A_CHECKPOINT as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise BadInputError(f"{file}: not a checkpoint of a training run: {reason}") from error
    return network


def class_count_of(network: Any) -> int:
    """How many classes a network tells apart."""
    return int(network.model[-1].nc)


def export_onnx(
    network: Any, path: Path, size_px: int | tuple[int, int] | InputSize, *, mirrored_view: bool = False
) -> dict[str, float]:
    """Write the network as ONNX for pictures of one size, slimmed, metadata free of local paths.

    The file appears under its name only when it has been checked.

    Args:
        network: trained.
        path: the file to write.
        size_px: side of a square, or width and height.
        mirrored_view: whether the network sees each picture mirrored too; see `MirroredView`. Twice the work.

    Returns:
        What `check_parity` found.

    Raises:
        BadInputError: if the size does not fit the network's stride.
        ExportError: if ONNX Runtime or OpenVINO, in true float32, differ from torch.
    """
    size = InputSize.of(size_px)
    path.parent.mkdir(parents=True, exist_ok=True)
    # OpenVINO knows an ONNX file by the end of its name.
    unfinished = path.with_name(f"{path.stem}.part.onnx")
    try:
        views = MirroredView(_strides_px(network), size) if mirrored_view else None
        onnx.save(_traced(CameraNetwork(network, views), unfinished, size), str(unfinished))
        differences = check_parity(network, unfinished, size, views)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return differences


def check_parity(
    network: Any, path: Path, size_px: int | tuple[int, int] | InputSize, views: MirroredView | None = None
) -> dict[str, float]:
    """Compare torch, ONNX Runtime and OpenVINO (float32) on a picture of noise.

    Returns:
        Largest difference of `box_px` and `score` for either runtime.

    Raises:
        ExportError: if a difference is above the tolerance.
    """
    picture = np.random.default_rng(0).integers(0, 256, InputSize.of(size_px).shape, dtype=np.uint8)
    with torch.no_grad():
        plain = network.float().eval()
        expected = _predictions(lambda planes: plain(planes)[0], views, as_input(picture)).numpy()
    differences = {"box_px": 0.0, "score": 0.0}
    for name, found in (("ONNX Runtime", _by_onnxruntime(path, picture)), ("OpenVINO", _by_openvino(path, picture))):
        box_px = float(np.abs(found[:, :4] - expected[:, :4]).max())
        score = float(np.abs(found[:, 4:] - expected[:, 4:]).max())
        if box_px > BOX_TOLERANCE_PX or score > SCORE_TOLERANCE:
            raise ExportError(f"{path}: {name} differs from torch by {box_px:.3f} px and {score:.5f} in score")
        differences = {"box_px": max(differences["box_px"], box_px), "score": max(differences["score"], score)}
    return differences


def _predictions(network: Callable[[Tensor], Tensor], views: MirroredView | None, planes: Tensor) -> Tensor:
    """Raw predictions of pictures (B, 3, H, W), seen once or in both views."""
    answer: Tensor = network(planes) if views is None else views(network(views.both(planes)))
    return answer


def _strides_px(network: Any) -> list[int]:
    return [int(stride_px) for stride_px in network.model[-1].stride]


def _traced(network: CameraNetwork, scratch: Path, size: InputSize) -> Any:
    example = torch.zeros(size.shape, dtype=torch.uint8)
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, but the newer one cannot write opset 17.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (example,), str(scratch), opset_version=OPSET, dynamo=False,
            input_names=[INPUT_NAME], output_names=[OUTPUT_NAME],
        )  # fmt: skip
        slim = onnxslim.slim(str(scratch))
    slim.doc_string = ""
    for node in slim.graph.node:
        node.doc_string = ""
    return slim


def _by_onnxruntime(path: Path, picture: np.ndarray[Any, Any]) -> Any:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {INPUT_NAME: picture})[0]


def _by_openvino(path: Path, picture: np.ndarray[Any, Any]) -> Any:
    from vision.detectors.openvino_core import openvino_core

    # Without the hint OpenVINO silently computes in bf16 where the processor can.
    compiled = openvino_core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(picture)[0]
