"""Networks on OpenVINO, the default on x86 and Arm; the door to its library."""

from typing import Any

import numpy as np
import openvino as ov

from sorter.errors import BundleError
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Bundle
from vision.detectors.network import NetworkPort
from vision.frame import Detections, Frame

_DEVICE = "CPU"


class OpenVinoDetector:
    """One network, compiled for one picture at a time with the least delay."""

    runtime = "openvino"

    def __init__(self, bundle: Bundle, settings: DetectorSettings) -> None:
        """Read and compile the network.

        Args:
            bundle: whose ONNX file is run.
            settings: precision, threads and limits.

        Raises:
            BundleError: if OpenVINO cannot run the network, or it is not what the bundle says.
        """
        self.model_id = bundle.model_id
        self.class_names = bundle.manifest.classes
        self._port = NetworkPort(bundle, settings)
        compiled = _compile(bundle, settings)
        self._port.check_shapes(_shape(compiled.input(0)), _shape(compiled.output(0)))
        self.precision = str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
        self._request = compiled.create_infer_request()
        # The tensor looks at the port's array, which lives as long as this detector does.
        self._request.set_input_tensor(ov.Tensor(self._port.input, shared_memory=True))
        self._request.infer()  # the first run allocates; the first picture should not wait for that

    def detect(self, frame: Frame) -> Detections:
        """Items in one picture; see `Detector`."""
        self._port.take(frame)
        self._request.infer()
        return self._port.detections(np.asarray(self._request.get_output_tensor(0).data, np.float32))


def _compile(bundle: Bundle, settings: DetectorSettings) -> Any:
    options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": settings.precision}
    if settings.threads > 0:
        options["INFERENCE_NUM_THREADS"] = settings.threads
    core = ov.Core()
    try:
        return core.compile_model(core.read_model(str(bundle.network_path)), _DEVICE, options)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise BundleError(
            f"bundle {bundle.folder}: OpenVINO cannot run {bundle.network_path.name}: {reason}"
        ) from error


def _shape(side: Any) -> tuple[int | None, ...]:
    return tuple(None if size.is_dynamic else size.get_length() for size in side.get_partial_shape())
