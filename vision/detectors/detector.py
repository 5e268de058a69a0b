"""What every detector looks like to the pipeline; each runtime has a module of its own."""

from typing import Protocol

from vision.frame import Detections, Frame


class Detector(Protocol):
    """Finds and names the items in a picture."""

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

    def detect(self, frame: Frame) -> Detections:
        """Items in one picture, best first; a picture without any gives empty arrays."""
        ...
