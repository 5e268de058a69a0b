"""What the program's own belts say of a class that no real picture names."""

import numpy as np

from training.release.calibrate import calibrated
from training.release.held_out import HeldOut, measure_held_out
from training.synthesis.pixels import Picture
from training.synthesis.scene import Scene
from vision.frame import Detections

CLASSES = ("can", "residue")
BOX_PX = np.array([[8.0, 8.0, 40.0, 40.0]])


def scene(class_id: int, number: int) -> Scene:
    """One item; its picture's first pixel says which, so that a detector made for the test can know."""
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[0, 0] = class_id, number, 0
    return Scene(picture, BOX_PX, np.array([class_id]), np.ones(2, np.bool_))


def never_wrong(picture: Picture) -> Detections:
    """Names every item rightly, more or less surely, and says a little of the other class, too."""
    class_id, number = int(picture[0, 0, 0]), int(picture[0, 0, 1])
    scores = np.full((1, 2), 0.08, np.float32)
    scores[0, class_id] = 0.3 + 0.6 * number / 100
    return Detections(BOX_PX.astype(np.float32), scores)


def test_a_little_of_a_class_on_items_of_another_is_worth_little() -> None:
    belts = tuple(scene(number % 2, number) for number in range(100))
    measurement = measure_held_out(HeldOut((scene(0, 50),), belts), never_wrong, CLASSES)
    low, high = calibrated(np.array([0.02, 0.6]), measurement.calibration["residue"])
    assert low < 0.05
    assert high > 0.9
