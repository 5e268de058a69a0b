"""Networks opened by ONNX Runtime, whatever they are for; the door to its library."""

from pathlib import Path
from typing import Any

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as refusals

from sorter.errors import BundleError
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Bundle

_REFUSALS = (
    refusals.Fail, refusals.InvalidArgument, refusals.InvalidGraph, refusals.InvalidProtobuf, refusals.NoSuchFile,
    refusals.NotImplemented, refusals.RuntimeException,
)  # fmt: skip


def open_session(bundle: Bundle, path: Path, settings: DetectorSettings) -> ort.InferenceSession:
    """A session on the CPU for a file of a bundle, with the threads that the settings ask for.

    Raises:
        BundleError: if ONNX Runtime cannot run the network.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except _REFUSALS as error:
        reason = str(error).strip().splitlines()[-1]
        raise BundleError(f"bundle {bundle.folder}: ONNX Runtime cannot run {path.name}: {reason}") from error


def shape_of(side: Any) -> tuple[int | None, ...]:
    """Shape of a session's input or output; None: free."""
    return tuple(size if isinstance(size, int) else None for size in side.shape)
