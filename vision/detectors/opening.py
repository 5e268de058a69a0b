"""Choosing the detector that the settings name, and refusing a model that was made for other classes."""

import logging
from collections.abc import Callable

import msgspec

from sorter.errors import ConfigurationError
from sorter.model.settings import DetectorSettings, Settings
from sorter.runtime.bundle import Bundle, bundle_for
from sorter.runtime.clock import SystemClock
from sorter.runtime.simulated_world import open_world
from vision.detectors.detector import Detector
from vision.detectors.oracle import OracleDetector
from vision.detectors.precision import candidates, fastest

_LOG = logging.getLogger(__name__)


def open_detector(settings: Settings, epoch_ns: int = 0) -> Detector:
    """Open what `settings.detector` names.

    Args:
        settings: the line's configuration.
        epoch_ns: when the simulated world began; matters to the oracle alone.

    Raises:
        BundleError: if the bundle cannot be used, or its classes are not the recipe's.
        ConfigurationError: if the settings ask for what the runtime cannot do.
    """
    if settings.detector.runtime == "oracle":
        return _open_oracle(settings, epoch_ns)
    return _open_network(bundle_for(settings), settings)


def _open_oracle(settings: Settings, epoch_ns: int) -> Detector:
    world = open_world(settings)
    if world is None:
        raise ConfigurationError(
            "configuration: detector.runtime = 'oracle': needs the truth, so source.kind must be 'sprites' or 'strip', "
            f"not {settings.source.kind!r}"
        )
    return OracleDetector(settings, world, epoch_ns)


def _open_network(bundle: Bundle, settings: Settings) -> Detector:
    detector = _opened(bundle, settings)
    _LOG.info("%s calculates in %s (%s)", detector.model_id, detector.precision, detector.precision_reason)
    return detector


def _opened(bundle: Bundle, settings: Settings) -> Detector:
    runtime, camera = settings.detector.runtime, settings.camera
    open_network, choice = _runtime(runtime)
    if settings.detector.precision != "auto":
        return open_network(bundle, settings.detector)

    def open_in(precision: str) -> Detector:
        return open_network(bundle, msgspec.structs.replace(settings.detector, precision=precision))

    return fastest(candidates(bundle, runtime, choice), open_in, (camera.height_px, camera.width_px), SystemClock())


def _runtime(name: str) -> tuple[Callable[[Bundle, DetectorSettings], Detector], tuple[str, ...]]:
    """How a network is opened on a runtime, and among which precisions "auto" may choose there."""
    # Either runtime takes a second to load; a line needs one of them.
    if name == "onnxruntime":
        from vision.detectors.onnxruntime_detector import OnnxRuntimeDetector

        # its 8-bit form is emulated and slower, see there
        return OnnxRuntimeDetector, ("f32",)
    if name == "tensorrt":
        from vision.detectors.tensorrt_opening import known_precisions as known_on_tensorrt
        from vision.detectors.tensorrt_opening import open_tensorrt

        return open_tensorrt, known_on_tensorrt()
    from vision.detectors.openvino_detector import OpenVinoDetector
    from vision.detectors.openvino_network import known_precisions

    return OpenVinoDetector, known_precisions()
