"""Finding the engine that fits bundle, library and board: one proven before, else a new one, proven first."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import BundleError
from sorter.model.settings import DetectorSettings, Settings
from sorter.runtime.bundle import ONNX_F16_FORM, Bundle, file_sha256
from sorter.runtime.clock import ManualClock
from vision.cuda.device import CudaDevice, open_device
from vision.cuda.jetson import power_mode
from vision.detectors.engine_cache import EngineCache, EngineFacts, default_engine_folder
from vision.detectors.forms import MAIN_FORM, Form, chosen_form, form_named
from vision.detectors.onnxruntime_detector import OnnxRuntimeDetector
from vision.detectors.precision import check_is_known
from vision.detectors.runtime_parity import Parity, compared
from vision.detectors.tensorrt_detector import TensorRtDetector
from vision.detectors.tensorrt_library import Recipe, TensorRt
from vision.frame import Frame
from vision.sources.opening import open_source

_LOG = logging.getLogger(__name__)
Allocate = Callable[[tuple[int, ...], type[np.uint8]], NDArray[np.uint8]]
_VECTOR_COUNT = 16
_FRAMES_BETWEEN_VECTORS = 25


def known_precisions() -> tuple[str, ...]:
    """What may be asked for."""
    return ("f32", "f16", "int8")


def open_tensorrt(bundle: Bundle, settings: DetectorSettings) -> TensorRtDetector:
    """Open the bundle's network on TensorRT; the first time on a machine takes minutes.

    Args:
        bundle: whose network is run.
        settings: precision, limits, and where engines are kept.

    Raises:
        ConfigurationError: if the precision is not known, or GPU or libraries are missing.
        BundleError: if TensorRT cannot run the network, or nothing it makes of it agrees with ONNX Runtime.
    """
    check_is_known(settings, known_precisions())
    return _Opening(bundle, settings).detector()


def vectors(height_px: int, width_px: int, allocate: Allocate = np.empty) -> list[Frame]:
    """The pictures that runtimes are compared on: the program's own sprites, the same ones everywhere.

    Args:
        height_px: of a picture.
        width_px: of a picture.
        allocate: makes the memory that they lie in.
    """
    settings = Settings()
    camera = msgspec.structs.replace(settings.camera, height_px=height_px, width_px=width_px)
    source = open_source(msgspec.structs.replace(settings, camera=camera), ManualClock(), 0)
    frames = []
    for number in range(_VECTOR_COUNT):
        for _ in range(_FRAMES_BETWEEN_VECTORS):
            source.grab()
        picture = allocate((height_px, width_px, 3), np.uint8)
        source.retrieve(picture)
        frames.append(Frame(number, 0, 0, picture))
    source.close()
    return frames


class _Opening:
    """One bundle on its way to an engine."""

    def __init__(self, bundle: Bundle, settings: DetectorSettings) -> None:
        self._bundle = bundle
        self._settings = settings
        self._device: CudaDevice = open_device()
        self._library = TensorRt()
        self._recipe = _recipe(bundle, settings)
        self._library.check_can_build(self._recipe)
        self._cache = EngineCache(Path(settings.engine_folder) if settings.engine_folder else default_engine_folder())
        self._facts = EngineFacts(
            file_sha256(self._recipe.onnx_path), self._recipe.precision, self._library.version,
            self._device.cuda_version, self._device.architecture, power_mode() or "",
        )  # fmt: skip

    def detector(self) -> TensorRtDetector:
        """With the proven engine, else with a new one."""
        engine = self._cache.proven(self._facts)
        opened = None if engine is None else self._opened(engine)
        return self._newly_built() if opened is None else opened

    def _newly_built(self) -> TensorRtDetector:
        engine = self._build()
        opened = self._opened(engine)
        if opened is None:
            raise BundleError(f"bundle {self._bundle.folder}: TensorRT does not open the engine that it has just built")
        parity = self._parity(opened)
        if parity.excess:
            return self._older(parity)
        self._cache.keep(self._facts, engine)
        _LOG.info("engine for %s agrees with ONNX Runtime: %s", self._bundle.model_id, parity.text)
        return opened

    def _older(self, parity: Parity) -> TensorRtDetector:
        """What was proven under other facts, where the new engine is not what it should be."""
        fault = f"its new TensorRT engine disagrees with ONNX Runtime: {'; '.join(parity.excess)}"
        for facts, engine in self._cache.older(self._facts):
            opened = self._opened(engine)
            if opened is not None:
                opened.choice_reason += f"; {fault}, so the engine of TensorRT {facts.tensorrt} stays"
                _LOG.warning("bundle %s: %s", self._bundle.folder, fault)
                return opened
        raise BundleError(f"bundle {self._bundle.folder}: {fault}")

    def _build(self) -> bytes:
        _LOG.info("building the TensorRT engine of %s in %s", self._bundle.model_id, self._recipe.precision)
        with self._device.current():
            built = self._library.build(self._recipe, self._cache.timing_cache(), _Progress().tell)
        self._cache.keep_timing_cache(built.timing_cache)
        return built.engine

    def _opened(self, engine: bytes) -> TensorRtDetector | None:
        with self._device.current():
            opened: Any | None = self._library.open(engine)
        if opened is None:
            return None
        return TensorRtDetector(
            self._bundle, self._settings, self._device, self._library, opened, self._recipe.precision
        )

    def _parity(self, seen: TensorRtDetector) -> Parity:
        precision = "int8" if self._recipe.precision == "int8" else "f32"
        settings = msgspec.structs.replace(
            self._settings, runtime="onnxruntime", precision=precision, second_look=False
        )
        network = self._bundle.manifest.network
        frames = vectors(network.input_height_px, network.input_width_px, self._device.mapped_empty)
        reference = OnnxRuntimeDetector(self._bundle, settings)
        parity = compared(seen, reference, frames, self._recipe.precision)
        if parity.sure_count:
            return parity
        # a network for other things than these pictures show: what it faintly sees must do
        return compared(seen, reference, frames, self._recipe.precision, sure=self._settings.score_threshold)


class _Progress:
    """Says how far a build is: on a terminal in one line that is written over, and in the log ten times a phase."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def tell(self, phase: str, done_count: int, step_count: int) -> None:
        """Show a step; called by TensorRT, on any thread."""
        share = done_count / max(1, step_count)
        if sys.stderr.isatty():
            sys.stderr.write(f"\rbuilding the TensorRT engine: {phase} {share:.0%}\033[K")
            sys.stderr.flush()
        tenth = int(10 * share)
        if self._told.get(phase) != tenth:
            self._told[phase] = tenth
            _LOG.info("building the engine: %s, %d %%", phase, 10 * tenth)


def _recipe(bundle: Bundle, settings: DetectorSettings) -> Recipe:
    form: Form = chosen_form(bundle, settings)
    if settings.precision == "f16" and ONNX_F16_FORM in bundle.manifest.forms:
        form = form_named(bundle, ONNX_F16_FORM)
    return Recipe(form.path, settings.precision, has_types=form.name != MAIN_FORM)
