"""A detector that answers from a known course after a set service time: for benches of what is around the network."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from sorter.model.materials import CLASS_NAMES
from sorter.model.units import ms_to_ns
from sorter.runtime.clock import Clock
from training.benchmarks.course import Course
from vision.frame import Detections, Frame


class CourseDetector:
    """Sees what the course holds, one entry a frame, over and over.

    The service time counts from when it was begun, as an accelerator's does; waiting for it leaves the processor free
    but for the last fifth of a millisecond.
    """

    model_id = bundle_id = "stand-in"
    runtime = "stand-in"
    precision = "none"
    choice_reason = "a stand-in computes nothing"
    class_names = CLASS_NAMES
    copied_count = 0
    second_look = None

    def __init__(self, course: Course, clock: Clock, service_ms: float = 0.0) -> None:
        self._course = course
        self._clock = clock
        self._service_ns = ms_to_ns(service_ms)
        self._seen_count = 0

    def detect(self, frame: Frame) -> Detections:  # noqa: ARG002 - the course knows already
        """The course's next entry; see `Detector`."""
        return self.answer_at(self.due_at_ns())

    def due_at_ns(self) -> int:
        """When what is begun now will have been looked at."""
        return self._clock.now_ns() + self._service_ns

    def answer_at(self, instant_ns: int) -> Detections:
        """The course's next entry, at that instant."""
        if self._service_ns:
            self._clock.wait_until_ns(instant_ns)
        self._seen_count += 1
        return self._course.detections[self._seen_count % len(self._course.detections)]

    def open_seat(self) -> "CourseSeat":
        """A place before the detector that does not make who lays a frame there wait."""
        return CourseSeat(self, has_service=self._service_ns > 0)


class CourseSeat:
    """One frame before the stand-in; with a service time it is looked at on a thread, as an accelerator would."""

    def __init__(self, detector: CourseDetector, *, has_service: bool) -> None:
        self._detector = detector
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stand-in") if has_service else None
        self._frame: Frame | None = None
        self._answer: Future[Detections] = Future()

    def lay(self, frame: Frame) -> None:
        """Lay a frame before the detector."""
        self._frame = frame

    def start(self, tell: Callable[[], None]) -> None:
        """Begin to look at it; `tell` is called when the answer is there."""
        assert self._frame is not None, "nothing was laid before the stand-in"
        if self._thread is None:
            self._answer = Future()
            self._answer.set_result(self._detector.detect(self._frame))
        else:
            self._answer = self._thread.submit(self._detector.answer_at, self._detector.due_at_ns())
        self._answer.add_done_callback(lambda _answer: tell())

    def answer(self) -> Detections:
        """What was seen; waits for it."""
        return self._answer.result()

    def close(self) -> None:
        """Let the thread go, once it has told of its last answer."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)
