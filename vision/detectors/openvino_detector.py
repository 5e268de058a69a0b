"""Networks on OpenVINO, the default on x86 and Arm; the door to its library."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from sorter.errors import BundleError
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Bundle
from vision.detectors.forms import Form, chosen_form
from vision.detectors.network import NetworkPort
from vision.frame import Detections, Frame

_DEVICE = "CPU"
_WHOLE_NUMBERS = {"i8", "u8"}


class OpenVinoDetector:
    """One network, compiled for one picture at a time with the least delay.

    Attributes:
        compiled: the network as OpenVINO runs it, so that a bench can run it alone.
    """

    runtime = "openvino"

    def __init__(self, bundle: Bundle, settings: DetectorSettings, form: Form | None = None) -> None:
        """Read and compile the network.

        Args:
            bundle: whose network is run.
            settings: precision, threads and limits.
            form: of the network; if left out, what the precision asks for.

        Raises:
            BundleError: if OpenVINO cannot run the network, or it is not what the bundle says.
        """
        self.model_id = bundle.model_id
        self.class_names = bundle.manifest.classes
        form = form or chosen_form(bundle, settings)
        self._port = NetworkPort(bundle, settings, form)
        self.compiled = _compile(bundle, form.path, settings)
        self._port.check_shapes(_shape(self.compiled.input(0)), _shape(self.compiled.output(0)))
        self.precision = _real_precision(self.compiled)
        self._request = self.compiled.create_infer_request()
        # The tensor looks at the port's array, which lives as long as this detector does.
        self._request.set_input_tensor(ov.Tensor(self._port.input, shared_memory=True))
        self._request.infer()  # the first run allocates; the first picture should not wait for that

    def detect(self, frame: Frame) -> Detections:
        """Items in one picture; see `Detector`."""
        self._port.take(frame)
        self._request.infer()
        return self._port.detections(np.asarray(self._request.get_output_tensor(0).data, np.float32))


def _compile(bundle: Bundle, path: Path, settings: DetectorSettings) -> Any:
    # Without the hint OpenVINO silently computes in bf16 where the processor can, also what INT8 leaves in floats.
    floats = "f32" if settings.precision == "int8" else settings.precision
    options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": floats}
    if settings.threads > 0:
        options["INFERENCE_NUM_THREADS"] = settings.threads
    core = ov.Core()
    try:
        return core.compile_model(core.read_model(str(path)), _DEVICE, options)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise BundleError(f"bundle {bundle.folder}: OpenVINO cannot run {path.name}: {reason}") from error


def _real_precision(compiled: Any) -> str:
    """What most convolutions are executed in, as the compiled network says; the float type where it has none."""
    executed = [node.get_rt_info() for node in compiled.get_runtime_model().get_ops()]
    kinds = Counter(info["runtimePrecision"].astype(str) for info in executed if _is_convolution(info))
    if not kinds:
        return str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
    commonest = kinds.most_common(1)[0][0]
    return "int8" if commonest in _WHOLE_NUMBERS else commonest


def _is_convolution(info: Any) -> bool:
    return bool(info["layerType"].astype(str) == "Convolution")


def _shape(side: Any) -> tuple[int | None, ...]:
    return tuple(None if size.is_dynamic else size.get_length() for size in side.get_partial_shape())
