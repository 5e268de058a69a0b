"""Choosing the detector that the settings name, and refusing a model that was made for other classes."""

from sorter.errors import ConfigurationError
from sorter.model.settings import Settings
from sorter.runtime.bundle import Bundle, bundle_for
from sorter.runtime.simulated_world import open_world
from vision.detectors.detector import Detector
from vision.detectors.oracle import OracleDetector


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
    # Either runtime takes a second to load; a line needs one of them.
    if settings.detector.runtime == "onnxruntime":
        from vision.detectors.onnxruntime_detector import OnnxRuntimeDetector

        return OnnxRuntimeDetector(bundle, settings.detector)
    from vision.detectors.openvino_detector import OpenVinoDetector

    return OpenVinoDetector(bundle, settings.detector)
