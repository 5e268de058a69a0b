"""A detector as a function of pictures: every box gets the second look that the line gives an item."""

import numpy as np
from numpy.typing import NDArray

from sorter.runtime.bundle import Network, SecondLook
from training.evaluation.evaluate import detect_by, picture_result
from vision.detectors.detector import PatientSeat
from vision.frame import Detections, Frame
from vision.second_look.namer import ItemNamer

BOX_COUNT = 150


class Finder:
    """Finds boxes everywhere and calls each of them the first class."""

    model_id, runtime, precision, choice_reason, bundle_id = "finder", "test", "exact", "a test", "finder"
    class_names, copied_count = ("can", "glass"), 0

    def __init__(self, second_look: ItemNamer | None = None) -> None:
        self.second_look = second_look
        left = np.linspace(0, 50, BOX_COUNT)
        self.boxes_px = np.stack([left, left * 0, left + 10, left * 0 + 10], axis=1).astype(np.float32)

    def detect(self, _frame: Frame) -> Detections:
        scores = np.linspace(0.9, 0.1, BOX_COUNT)
        return Detections(self.boxes_px, np.stack([scores, scores / 2], axis=1).astype(np.float32))

    def open_seat(self) -> PatientSeat:
        return PatientSeat(self.detect)


def test_without_a_second_look_it_is_what_the_detector_says() -> None:
    finder, picture = Finder(), np.zeros((32, 64, 3), np.uint8)
    expected, found = finder.detect(Frame(0, 0, 0, picture)), detect_by(finder)(picture)
    assert np.array_equal(found.boxes_px, expected.boxes_px)
    assert np.array_equal(found.class_probs, expected.class_probs)


def test_every_box_of_a_picture_gets_a_second_look() -> None:
    counts: list[int] = []

    def call_it_glass(squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        counts.append(len(squares))
        return np.tile(np.array([[0.0, 1.0]], np.float32), (len(squares), 1))

    network = Network("a.onnx", "0" * 64, 64, 32, "raw")
    namer = ItemNamer(network, SecondLook("b.onnx", "0" * 64, 8, 1.25, 0.0), 2, call_it_glass)
    found = detect_by(Finder(namer))(np.zeros((32, 64, 3), np.uint8))
    assert sum(counts) == BOX_COUNT
    assert max(counts) <= 64
    result = picture_result(np.zeros((0, 4)), np.zeros(0, np.int64), found)
    assert set(result.class_ids.tolist()) == {1}
    assert np.allclose(result.scores, np.linspace(0.9, 0.1, BOX_COUNT))
