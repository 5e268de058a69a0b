"""Stock ByteTracks behind one face: boxes of a frame in, an identity for each box out; who is missing says so."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.benchmarks.course import Course
from training.benchmarks.footage import HEIGHT_PX, WIDTH_PX
from training.benchmarks.peers import ULTRALYTICS, is_installed, peer_state, quieten_ultralytics
from vision.frame import Detections

Identities = NDArray[np.int64]
NO_IDENTITY = -1


class TrackerUnderTest(Protocol):
    """A tracker on one course. Turning boxes into its own types and back is not part of what is timed."""

    def frame(self, index: int) -> Any:
        """What it is given for a frame of the course, in its own types."""
        ...

    def update(self, frame: Any) -> Any:
        """One update; this is what is timed."""
        ...

    def identities(self, answer: Any, box_count: int) -> Identities:
        """Who each box of the frame is, (N,), −1 where it does not say."""
        ...


class UltralyticsByteTrack:
    """ByteTrack as Ultralytics has it, with its own settings."""

    def __init__(self, course: Course) -> None:
        quieten_ultralytics()
        from ultralytics.engine.results import Boxes
        from ultralytics.trackers import BYTETracker
        from ultralytics.utils import YAML, IterableSimpleNamespace
        from ultralytics.utils.checks import check_yaml

        self._tracker: Any = BYTETracker(IterableSimpleNamespace(**YAML.load(check_yaml("bytetrack.yaml"))))
        self._frames = [Boxes(_rows(one), (HEIGHT_PX, WIDTH_PX)) for one in course.detections]

    def frame(self, index: int) -> Any:
        """See `TrackerUnderTest`."""
        return self._frames[index]

    def update(self, frame: Any) -> Any:
        """See `TrackerUnderTest`."""
        return self._tracker.update(frame)

    def identities(self, answer: Any, box_count: int) -> Identities:
        """See `TrackerUnderTest`; its rows end with identity, score, class and index of the box."""
        found = np.full(box_count, NO_IDENTITY, np.int64)
        rows = np.asarray(answer).reshape(-1, 8)
        found[rows[:, 7].astype(np.intp)] = rows[:, 4]
        return found


class RoboflowByteTrack:
    """ByteTrack of the package `trackers`, with its own settings."""

    def __init__(self, course: Course) -> None:
        import supervision
        from trackers import ByteTrackTracker

        self._tracker: Any = ByteTrackTracker()
        # it gives boxes back in another order and never looks at the class, so the class carries the box's number
        self._frames = [
            supervision.Detections(
                one.boxes_px, confidence=one.class_probs.max(axis=1), class_id=np.arange(len(one.boxes_px))
            )
            for one in course.detections
        ]

    def frame(self, index: int) -> Any:
        """See `TrackerUnderTest`."""
        return self._frames[index]

    def update(self, frame: Any) -> Any:
        """See `TrackerUnderTest`."""
        return self._tracker.update(frame)

    def identities(self, answer: Any, box_count: int) -> Identities:
        """See `TrackerUnderTest`."""
        found = np.full(box_count, NO_IDENTITY, np.int64)
        found[answer.class_id] = answer.tracker_id
        return found


class StockTracker(msgspec.Struct, frozen=True):
    """How a stock tracker is opened, and which packages it needs."""

    packages: tuple[str, ...]
    open: Callable[[Course], TrackerUnderTest]


STOCK_TRACKERS: dict[str, StockTracker] = {
    "ultralytics bytetrack": StockTracker(ULTRALYTICS, UltralyticsByteTrack),
    "trackers bytetrack": StockTracker(("trackers", "supervision"), RoboflowByteTrack),
}


def tracker_states() -> dict[str, str]:
    """Each stock tracker's version, or which package is missing."""
    return {name: peer_state(stock.packages) for name, stock in STOCK_TRACKERS.items()}


def installed_trackers() -> dict[str, StockTracker]:
    """The stock trackers that can be opened here."""
    return {name: stock for name, stock in STOCK_TRACKERS.items() if is_installed(stock.packages)}


def _rows(detections: Detections) -> NDArray[np.float32]:
    scores = detections.class_probs.max(axis=1)
    return np.column_stack([detections.boxes_px, scores, detections.class_probs.argmax(axis=1)]).astype(np.float32)
