"""What every detector looks like to the pipeline; each runtime has a module of its own."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from vision.frame import Detections, Frame
from vision.second_look.namer import ItemNamer


class Seat(Protocol):
    """A place before a network that one frame takes at a time; with two, the next lies ready while one is looked at."""

    def lay(self, frame: Frame) -> None:
        """Lay a frame before the network; its picture must stay as it is until the answer was read."""
        ...

    def start(self, tell: Callable[[], None]) -> None:
        """Begin to look at it, without waiting; `tell` is called on any thread as soon as the answer is there."""
        ...

    def answer(self) -> Detections:
        """What was seen, best first; waits for it."""
        ...


class Detector(Protocol):
    """Finds and names the items in a picture.

    Attributes:
        choice_reason: why it is this network, in the numbers that it calculates in, in a few words.
        bundle_id: model of the bundle that was opened; another than `model_id` where the lighter one in it was taken.
    """

    choice_reason: str
    bundle_id: str

    @property
    def second_look(self) -> ItemNamer | None:
        """What names the items that were found once more; None: nothing does. `detect` and seats do without it."""
        ...

    @property
    def model_id(self) -> str:
        """Which model answers, for the record of every figure."""
        ...

    @property
    def runtime(self) -> str:
        """What runs it, as in `detector.runtime`."""
        ...

    @property
    def precision(self) -> str:
        """The numbers it really calculates with, such as "f32", read back from the runtime."""
        ...

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the columns of `Detections.class_probs`."""
        ...

    @property
    def copied_count(self) -> int:
        """Pictures copied or resized so far on their way from the ring into the network."""
        ...

    def detect(self, frame: Frame) -> Detections:
        """Items in one picture, best first; a picture without any gives empty arrays."""
        ...

    def open_seat(self) -> Seat:
        """One more place for a frame, with buffers of its own."""
        ...


def detect_and_rename(detector: Detector, frame: Frame) -> Detections:
    """Items in one picture, best first, each of them named by the second look as well if the detector has one."""
    found = detector.detect(frame)
    return found if detector.second_look is None else detector.second_look.renamed(frame.image, found)


def warm_up(detector: Detector, frame: Frame, looks_per_view: int) -> None:
    """Let a detector allocate what it needs for frames of that size, and for so many second looks at a time."""
    detector.detect(frame)
    if detector.second_look is not None:
        detector.second_look.warm_up(looks_per_view)


@runtime_checkable
class CountsBytes(Protocol):
    """A detector that counts what it moves between processor and accelerator."""

    def moved_bytes(self) -> dict[str, float]:
        """Bytes moved per frame so far, on average, by what they are."""
        ...


class PatientSeat:
    """A seat of a detector that answers at once: `start` does all the work."""

    def __init__(self, detect: Callable[[Frame], Detections]) -> None:
        self._detect = detect
        self._frame: Frame | None = None
        self._detections: Detections | None = None

    def lay(self, frame: Frame) -> None:
        """See `Seat`."""
        self._frame, self._detections = frame, None

    def start(self, tell: Callable[[], None]) -> None:
        """See `Seat`."""
        assert self._frame is not None, "nothing was laid before the detector"
        self._detections = self._detect(self._frame)
        tell()

    def answer(self) -> Detections:
        """See `Seat`."""
        assert self._detections is not None, "nothing was started"
        return self._detections
