"""Ultralytics' `track` as its users run it: a model's OpenVINO export, its own ByteTrack, frames as arrays."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import SystemClock
from training.benchmarks.footage import Footage
from training.benchmarks.peers import quieten_ultralytics


class UltralyticsTrack:
    """One opened model with its tracker."""

    def __init__(self, form: Path, footage: Footage) -> None:
        """Open the form; the first frame loads and allocates.

        Args:
            form: folder of an OpenVINO export.
            footage: what it looks at, over and over.
        """
        quieten_ultralytics()
        from ultralytics import YOLO

        self._model: Any = YOLO(str(form), task="detect", verbose=False)
        self._footage = footage
        self._shown_count = 0
        self._track()

    @property
    def compiled(self) -> Any:
        """The network as Ultralytics has compiled it."""
        return self._model.predictor.model.backend.ov_compiled_model

    @property
    def precision(self) -> str:
        """The float type that OpenVINO chose for it."""
        return str(self.compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())

    def period_ms(self, frame_count: int) -> float:
        """Milliseconds a frame over so many frames."""
        clock = SystemClock()
        started_ns = clock.now_ns()
        for _ in range(frame_count):
            self._track()
        return (clock.now_ns() - started_ns) / NS_PER_MS / frame_count

    def input_picture(self) -> NDArray[np.float32]:
        """Something of the network's input's shape to feed the bare network with."""
        shape = [size.get_length() for size in self.compiled.input(0).get_partial_shape()]
        return np.full(shape, 0.4, np.float32)

    def _track(self) -> Any:
        self._shown_count += 1
        picture = self._footage.pictures[self._shown_count % len(self._footage.pictures)]
        return self._model.track(picture, persist=True, verbose=False, tracker="bytetrack.yaml", conf=0.1)
