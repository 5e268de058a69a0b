"""A challenger in shadow: it looks at a view now and then beside the model in use, and nothing acts on what it says.

It runs on a thread of its own, on one processor; a view that comes while it looks is left out, so the line never waits.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import BadInputError
from sorter.model.settings import Settings
from sorter.model.shadow import ShadowReport
from sorter.model.tracks import Track
from sorter.model.units import ms_to_ns
from vision.boxes import overlap_ratios
from vision.detectors import Detector, open_detector
from vision.detectors.detector import detect_and_rename
from vision.frame import Frame
from vision.pipeline import View

OpenModel = Callable[[Settings], Detector]
BoxesOf = Callable[[tuple[Track, ...], int], NDArray[np.float64]]
Seen = tuple[NDArray[np.float64], NDArray[np.int64]]

# a score below is hardly an item; both models are asked alike
_LEAST_SCORE = 0.25
_LEAST_OVERLAP_RATIO = 0.5


class Shadow:
    """Keeps count of how the challenger agrees; without effect where the settings name none."""

    def __init__(
        self, settings: Settings, open_model: OpenModel = open_detector, executor: Executor | None = None
    ) -> None:
        self._period_ns = ms_to_ns(settings.detector.shadow_period_ms)
        self._due_ns = 0
        self._looking: Future[Seen] | None = None
        self._champion: Seen | None = None
        self._counts = np.zeros(5, np.int64)
        self._challenger_id, self._fault = "", ""
        self._opening: Future[Detector] | None = None
        self._detector: Detector | None = None
        if settings.detector.shadow:
            self._executor = executor or ThreadPoolExecutor(max_workers=1, thread_name_prefix="shadow")
            self._opening = self._executor.submit(open_model, _as_challenger(settings))

    @property
    def is_wanted(self) -> bool:
        """Whether there is a challenger."""
        return self._opening is not None

    def see(self, view: View, boxes_px_of: BoxesOf, now_ns: int) -> None:
        """Have the challenger look at a view if it is time; take in what it saw at the one before."""
        self._take_in()
        if self._detector is None or self._looking is not None or now_ns < self._due_ns:
            return
        self._due_ns = now_ns + self._period_ns
        self._champion = _of_tracks(view.batch.tracks, boxes_px_of(view.batch.tracks, view.batch.travel_um))
        frame = msgspec.structs.replace(view.frame, image=view.frame.image.copy())
        self._looking = self._executor.submit(_look, self._detector, frame)

    def report(self) -> ShadowReport:
        """The counts so far."""
        views, same, other, ours, theirs = (int(count) for count in self._counts)
        return ShadowReport(self._challenger_id, views, same, other, ours, theirs, self._fault)

    def close(self) -> None:
        """Let the thread end."""
        if self._opening is not None and isinstance(self._executor, ThreadPoolExecutor):
            self._executor.shutdown(wait=True, cancel_futures=True)

    def _take_in(self) -> None:
        if self._opening is not None and self._detector is None and self._opening.done() and not self._fault:
            try:
                self._detector = self._opening.result()
                self._challenger_id = self._detector.model_id
            except BadInputError as error:
                self._fault = str(error)
        if self._looking is not None and self._looking.done() and self._champion is not None:
            self._counts += np.array([1, *agreement(self._champion, self._looking.result())])
            self._looking = None


def agreement(champion: Seen, challenger: Seen) -> tuple[int, int, int, int]:
    """How two models agree on one picture: same, other class, champion only, challenger only.

    Boxes are paired one to one, the greatest overlap first, from an overlap over union of a half.

    Args:
        champion: boxes (N, 4), left, top, right, bottom in pixels, and classes (N,).
        challenger: the same of the other model.
    """
    overlaps = overlap_ratios(champion[0], challenger[0])
    same = other = 0
    while overlaps.size and overlaps.max() >= _LEAST_OVERLAP_RATIO:
        ours, theirs = np.unravel_index(int(overlaps.argmax()), overlaps.shape)
        is_same = champion[1][ours] == challenger[1][theirs]
        same, other = same + int(is_same), other + int(not is_same)
        overlaps[ours, :] = overlaps[:, theirs] = 0.0
    paired = same + other
    return same, other, len(champion[1]) - paired, len(challenger[1]) - paired


def _of_tracks(tracks: tuple[Track, ...], boxes_px: NDArray[np.float64]) -> Seen:
    scores = np.array([track.class_probs for track in tracks], np.float64).reshape(len(tracks), -1)
    return _certain(np.asarray(boxes_px, np.float64).reshape(-1, 4), scores)


def _look(detector: Detector, frame: Frame) -> Seen:
    found = detect_and_rename(detector, frame)
    return _certain(found.boxes_px.astype(np.float64).reshape(-1, 4), found.class_probs.astype(np.float64))


def _certain(boxes_px: NDArray[np.float64], scores: NDArray[np.float64]) -> Seen:
    if not len(boxes_px):
        return np.zeros((0, 4)), np.zeros(0, np.int64)
    is_item = scores.max(axis=1) >= _LEAST_SCORE
    return boxes_px[is_item], scores[is_item].argmax(axis=1)


def _as_challenger(settings: Settings) -> Settings:
    """The line's settings with the challenger in the place of the model, on one thread."""
    runtime = "openvino" if settings.detector.runtime == "oracle" else settings.detector.runtime
    detector = msgspec.structs.replace(
        settings.detector, model=settings.detector.shadow, runtime=runtime, threads=1, precision="f32"
    )
    return msgspec.structs.replace(settings, detector=detector)
