"""Networks on ONNX Runtime, a second opinion on every CPU; the door to its library."""

from typing import Any

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as refusals

from sorter.errors import BundleError, ConfigurationError
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Bundle
from vision.detectors.network import NetworkPort
from vision.frame import Detections, Frame

_REFUSALS = (
    refusals.Fail, refusals.InvalidArgument, refusals.InvalidGraph, refusals.InvalidProtobuf, refusals.NoSuchFile,
    refusals.NotImplemented, refusals.RuntimeException,
)  # fmt: skip


class OnnxRuntimeDetector:
    """One network on the CPU in 32-bit numbers."""

    runtime = "onnxruntime"
    precision = "f32"

    def __init__(self, bundle: Bundle, settings: DetectorSettings) -> None:
        """Read the network.

        Args:
            bundle: whose ONNX file is run.
            settings: threads and limits.

        Raises:
            ConfigurationError: if another precision than f32 is asked for.
            BundleError: if ONNX Runtime cannot run the network, or it is not what the bundle says.
        """
        if settings.precision != "f32":
            raise ConfigurationError(
                f"configuration: detector.precision = {settings.precision!r}: "
                "detector.runtime 'onnxruntime' calculates in 'f32' only; 'openvino' knows both"
            )
        self.model_id = bundle.model_id
        self.class_names = bundle.manifest.classes
        self._port = NetworkPort(bundle, settings)
        self._session = _open_session(bundle, settings)
        network_input, network_output = self._session.get_inputs()[0], self._session.get_outputs()[0]
        self._port.check_shapes(_shape(network_input), _shape(network_output))
        self._input_name, self._output_names = network_input.name, [network_output.name]

    def detect(self, frame: Frame) -> Detections:
        """Items in one picture; see `Detector`."""
        self._port.take(frame)
        (output,) = self._session.run(self._output_names, {self._input_name: self._port.input})
        return self._port.detections(np.asarray(output, np.float32))


def _open_session(bundle: Bundle, settings: DetectorSettings) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(bundle.network_path), options, providers=["CPUExecutionProvider"])
    except _REFUSALS as error:
        reason = str(error).strip().splitlines()[-1]
        raise BundleError(
            f"bundle {bundle.folder}: ONNX Runtime cannot run {bundle.network_path.name}: {reason}"
        ) from error


def _shape(side: Any) -> tuple[int | None, ...]:
    return tuple(size if isinstance(size, int) else None for size in side.shape)
