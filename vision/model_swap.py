"""Taking up a shelf's new champion while the line runs: opened beside the old model, swapped in between two frames.

The pointer is looked at once a second. Opening and the first run happen on a thread of their own, while frames go on
with the old model; if opening fails, the old model stays and `fault` says why.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sorter.errors import BadInputError, ShelfError
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_S
from sorter.runtime.model_shelf import ModelShelf, is_shelf
from vision.detectors import Detector, open_detector
from vision.detectors.detector import warm_up
from vision.frame import Frame

_LOOK_PERIOD_NS = NS_PER_S
_Mark = tuple[int, int]
OpenModel = Callable[[Settings], Detector]


class ModelSwap:
    """Watches the pointer and hands out the new detector once it is ready; instants are arguments.

    Attributes:
        fault: why the champion is not in use, None if it is or soon will be.
    """

    def __init__(
        self,
        settings: Settings,
        model_id: str,
        open_model: OpenModel = open_detector,
        executor: Executor | None = None,
    ) -> None:
        """Watch the shelf that the settings name; without effect where they name none.

        Args:
            settings: the line's configuration.
            model_id: the bundle in use; the line may run the lighter model in it.
            open_model: opens what the settings name, on the executor's thread.
            executor: runs the opening; a thread of its own if left out.
        """
        folder = Path(settings.detector.model)
        is_watched = settings.detector.runtime != "oracle" and bool(settings.detector.model) and is_shelf(folder)
        self._shelf = ModelShelf(folder) if is_watched else None
        self._settings = settings
        self._open_model = open_model
        self._executor = executor or ThreadPoolExecutor(max_workers=1, thread_name_prefix="model-swap")
        self._model_id = model_id
        self._wanted_id = model_id
        self._failed_id: str | None = None
        self._mark: _Mark | None = None
        self._opening: Future[Detector] | None = None
        self._due_ns = 0
        self.fault: str | None = None

    @property
    def is_opening(self) -> bool:
        """Whether a new model is on its way."""
        return self._opening is not None

    def step(self, now_ns: int, picture: NDArray[np.uint8] | None) -> Detector | None:
        """The new detector, once, at the frame boundary from which it is to be used; None at all others.

        Args:
            now_ns: the present instant.
            picture: (H, W, 3) BGR of the belt, copied for the new model's first run; None if there was none yet.
        """
        if self._opening is not None:
            return self._opened(self._opening)
        if self._shelf is not None and now_ns >= self._due_ns:
            self._due_ns = now_ns + _LOOK_PERIOD_NS
            self._look(self._shelf, picture)
        return None

    def close(self) -> None:
        """Give up a model that is on its way."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _look(self, shelf: ModelShelf, picture: NDArray[np.uint8] | None) -> None:
        mark = _mark(shelf.pointer_path)
        if mark != self._mark:
            self._mark = mark
            self._read_pointer(shelf)
        if self._wanted_id not in {self._model_id, self._failed_id}:
            first_picture = None if picture is None else picture.copy()
            self._opening = self._executor.submit(self._open, first_picture)

    def _read_pointer(self, shelf: ModelShelf) -> None:
        self._failed_id, self.fault = None, None
        try:
            champion = shelf.champion()
        except ShelfError as error:
            self.fault = str(error)
            return
        if champion is None:
            self.fault = f"shelf {shelf.folder}: its champion is gone; {self._model_id} stays in use"
        self._wanted_id = self._model_id if champion is None else champion.model_id

    def _open(self, picture: NDArray[np.uint8] | None) -> Detector:
        detector = self._open_model(self._settings)
        if picture is not None:
            warm_up(detector, Frame(0, 0, 0, picture), self._settings.detector.looks_per_view)
        return detector

    def _opened(self, opening: "Future[Detector]") -> Detector | None:
        if not opening.done():
            return None
        self._opening = None
        error = opening.exception()
        if error is not None:
            self._failed_id = self._wanted_id
            self.fault = f"{self._model_id} stays in use, {self._wanted_id} cannot be: {_reason(error)}"
            return None
        detector = opening.result()
        self._model_id = detector.bundle_id
        return detector


def _mark(path: Path) -> _Mark | None:
    """What changes when a file is replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, BadInputError) else f"{type(error).__name__}: {error}"
