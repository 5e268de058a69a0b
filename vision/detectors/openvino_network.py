"""Networks read and compiled by OpenVINO, whatever they are for."""

from pathlib import Path
from typing import Any

from sorter.errors import BundleError
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Bundle
from vision.detectors.openvino_core import openvino_core

_DEVICE = "CPU"
_CAPABILITIES = {"BF16": "bf16", "FP16": "f16", "INT8": "int8"}


def known_precisions() -> tuple[str, ...]:
    """What the processor calculates with faster than by way of float32, and float32."""
    capabilities = openvino_core().get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")
    return ("f32", *(ours for theirs, ours in _CAPABILITIES.items() if theirs in capabilities))


def read_network(bundle: Bundle, path: Path) -> Any:
    """The `ov.Model` in a file of a bundle.

    Raises:
        BundleError: if OpenVINO cannot read it.
    """
    try:
        return openvino_core().read_model(str(path))
    except RuntimeError as error:
        raise _refusal(bundle, path, error) from error


def compile_network(bundle: Bundle, path: Path, model: Any, settings: DetectorSettings) -> Any:
    """A model, read from that file of a bundle, compiled for the precision and threads that the settings ask for.

    Raises:
        BundleError: if OpenVINO cannot run it.
    """
    options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": _floats(settings.precision)}
    # All threads work at one picture, or are shared out to several.
    options |= {"PERFORMANCE_HINT": "LATENCY"} if settings.streams == 1 else {"NUM_STREAMS": settings.streams}
    if settings.threads > 0:
        options["INFERENCE_NUM_THREADS"] = settings.threads
    try:
        return openvino_core().compile_model(model, _DEVICE, options)
    except RuntimeError as error:
        raise _refusal(bundle, path, error) from error


def _floats(precision: str) -> str:
    """Numbers for what is not whole numbers; without a hint OpenVINO silently computes in bf16 where it can."""
    if precision != "int8":
        return precision
    return "bf16" if "bf16" in known_precisions() else "f32"


def _refusal(bundle: Bundle, path: Path, error: RuntimeError) -> BundleError:
    reason = str(error).strip().splitlines()[-1]
    return BundleError(f"bundle {bundle.folder}: OpenVINO cannot run {path.name}: {reason}")


def shape_of(side: Any) -> tuple[int | None, ...]:
    """Shape of a model's input or output; None: free."""
    return tuple(None if size.is_dynamic else size.get_length() for size in side.get_partial_shape())
