"""Choosing the detector that the settings name, and refusing a model that was made for other classes."""

import logging
from collections.abc import Callable

import msgspec

from sorter.errors import ConfigurationError
from sorter.model.settings import DetectorSettings, Settings
from sorter.runtime.bundle import Bundle, bundle_for, lighter_of
from sorter.runtime.clock import SystemClock
from sorter.runtime.simulated_world import open_world
from vision.detectors.detector import Detector
from vision.detectors.oracle import OracleDetector
from vision.detectors.pace import pace_of
from vision.detectors.precision import candidates, fastest

_LOG = logging.getLogger(__name__)


def open_detector(settings: Settings, epoch_ns: int = 0, *, is_timed: bool = False) -> Detector:
    """Open what `settings.detector` names.

    Args:
        settings: the line's configuration.
        epoch_ns: when the simulated world began; matters to the oracle alone.
        is_timed: whether `detector.lighter` "auto" takes the lighter model where the full one does not keep up with the
            belt; else the full one, so that scores do not depend on the machine.

    Raises:
        BundleError: if the bundle cannot be used, or its classes are not the recipe's.
        ConfigurationError: if the settings ask for what the runtime cannot do.
    """
    if settings.detector.runtime == "oracle":
        return _open_oracle(settings, epoch_ns)
    return _open_network(bundle_for(settings), settings, is_timed=is_timed)


def in_same_weight(settings: Settings, detector: Detector) -> Settings:
    """The settings for models that take a detector's place while the line runs, when no time could be trusted.

    Where `detector.lighter` was "auto", it is as it turned out for this one.
    """
    if settings.detector.lighter != "auto":
        return settings
    lighter = "never" if detector.model_id == detector.bundle_id else "always"
    return msgspec.structs.replace(settings, detector=msgspec.structs.replace(settings.detector, lighter=lighter))


def _open_oracle(settings: Settings, epoch_ns: int) -> Detector:
    world = open_world(settings)
    if world is None:
        raise ConfigurationError(
            "configuration: detector.runtime = 'oracle': needs the truth, so source.kind must be 'sprites' or 'strip', "
            f"not {settings.source.kind!r}"
        )
    return OracleDetector(settings, world, epoch_ns)


def _open_network(bundle: Bundle, settings: Settings, *, is_timed: bool) -> Detector:
    lighter, choice = lighter_of(bundle), settings.detector.lighter
    detector = _opened(lighter if lighter is not None and choice == "always" else bundle, settings)
    if is_timed and choice == "auto":
        detector = _keeping_up(detector, lighter, settings)
    detector.bundle_id = bundle.model_id
    _LOG.info("%s calculates in %s (%s)", detector.model_id, detector.precision, detector.choice_reason)
    return detector


def _keeping_up(detector: Detector, lighter: Bundle | None, settings: Settings) -> Detector:
    """The detector, or its lighter model where it does not keep up, with what was measured told."""
    pace = pace_of(detector, settings, SystemClock())
    times = f"a view takes {pace.needed_ms:.0f} ms, the belt gives it {pace.given_ms:.0f} ms"
    if pace.keeps_up or lighter is None:
        detector.choice_reason += f"; {times}"
        return detector
    lighter_detector = _opened(lighter, settings)
    lighter_detector.choice_reason += f"; the lighter model: with {detector.model_id} {times}"
    return lighter_detector


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
