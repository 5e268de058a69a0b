"""A detector that answers from a known course after a set service time: for benches of what is around the network."""

from sorter.model.materials import CLASS_NAMES
from sorter.model.units import ms_to_ns
from sorter.runtime.clock import Clock
from training.benchmarks.course import Course
from vision.frame import Detections, Frame


class CourseDetector:
    """Sees what the course holds, one entry a frame, over and over.

    Waiting for the service time leaves the processor free but for the last fifth of a millisecond, as waiting for an
    accelerator does.
    """

    model_id = "stand-in"
    runtime = "stand-in"
    precision = "none"
    class_names = CLASS_NAMES

    def __init__(self, course: Course, clock: Clock, service_ms: float = 0.0) -> None:
        self._course = course
        self._clock = clock
        self._service_ns = ms_to_ns(service_ms)
        self._seen_count = 0

    def detect(self, frame: Frame) -> Detections:  # noqa: ARG002 - the course knows already
        """The course's next entry; see `Detector`."""
        if self._service_ns:
            self._clock.wait_until_ns(self._clock.now_ns() + self._service_ns)
        self._seen_count += 1
        return self._course.detections[self._seen_count % len(self._course.detections)]
