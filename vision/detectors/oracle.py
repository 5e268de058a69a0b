"""A detector that asks the simulated world instead of looking, so that the line's own losses show without a model's.

It errs as much as it is told to; every error follows from seed, frame and item, whatever is asked in which order.
"""

from collections.abc import Sequence

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from sorter.model.belt import CameraView
from sorter.model.drive import BeltDrive
from sorter.model.settings import Settings
from sorter.model.units import UM_PER_MM
from sorter.model.world import World, WorldItem
from vision.detectors.detector import PatientSeat
from vision.frame import Detections, Frame

_ERROR_STREAM = 0x0AC1E
_CERTAINTY = 0.97
_LEAST_VISIBLE_RATIO = 0.25
_LARGEST_ITEM_UM = 1_000_000


class OracleDetector:
    """The truth of the simulated world at a frame's exposure, spoiled as `detector.oracle` says."""

    model_id = bundle_id = "oracle"
    runtime = "oracle"
    precision = "exact"
    choice_reason = "it looks at the truth"
    copied_count = 0
    second_look = None

    def __init__(self, settings: Settings, world: World, epoch_ns: int) -> None:
        self.class_names = settings.recipe.classes
        self._errors = settings.detector.oracle
        self._seed = settings.simulation.seed
        self._world = world
        self._epoch_ns = epoch_ns
        self._drive = BeltDrive(settings.belt)
        self._view = CameraView(settings.camera)

    def detect(self, frame: Frame) -> Detections:
        """Items in view by at least a quarter of their length, in belt order; see `Detector`.

        The frame's own travel is not used: it may be measured, and the oracle knows the true one.
        """
        travel_um = self._drive.travel_um_at(frame.exposed_at_ns - self._epoch_ns)
        draws = [(item, self._draw(frame.frame_id, item)) for item in self._items(travel_um)]
        seen = [(item, rng) for item, rng in draws if rng.random() >= self._errors.miss_ratio]
        class_ids = [self._class_id(item, rng) for item, rng in seen]
        boxes_um = np.array([self._box_um(item, rng) for item, rng in seen], np.float64).reshape(-1, 4)
        boxes_px, is_visible = self._in_picture(self._view.belt_to_boxes_px(boxes_um, travel_um))
        return Detections(boxes_px[is_visible], self._class_probs(class_ids)[is_visible])

    def open_seat(self) -> PatientSeat:
        """A seat that is answered at once; see `Detector`."""
        return PatientSeat(self.detect)

    def _items(self, travel_um: int) -> list[WorldItem]:
        return self._world.items_between(
            travel_um + self._view.downstream_edge_um - _LARGEST_ITEM_UM,
            travel_um + self._view.upstream_edge_um + _LARGEST_ITEM_UM,
        )

    def _draw(self, frame_id: int, item: WorldItem) -> Generator:
        return Generator(PCG64([self._seed, _ERROR_STREAM, frame_id, item.item_id]))

    def _class_id(self, item: WorldItem, rng: Generator) -> int:
        other_count = len(self.class_names) - 1
        is_confused, step = rng.random() < self._errors.confusion_ratio, int(rng.integers(max(1, other_count)))
        return (item.class_id + 1 + step) % len(self.class_names) if is_confused and other_count else item.class_id

    def _box_um(self, item: WorldItem, rng: Generator) -> NDArray[np.float64]:
        half_width_um, half_length_um = item.width_um / 2, item.length_um / 2
        box_um = np.array([-half_width_um, -half_length_um, half_width_um, half_length_um])
        box_um += np.tile([item.x_um, item.belt_um], 2)
        noisy = box_um + rng.standard_normal(4) * (self._errors.box_noise_mm * UM_PER_MM)
        return np.concatenate([np.minimum(noisy[:2], noisy[2:]), np.maximum(noisy[:2], noisy[2:])])

    def _in_picture(self, boxes_px: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The boxes cut to the picture, and which of them are still seen."""
        limit = np.tile([self._view.width_px, self._view.height_px], 2)
        cut = np.clip(boxes_px, 0.0, limit)
        size, cut_size = boxes_px[:, 2:] - boxes_px[:, :2], cut[:, 2:] - cut[:, :2]
        is_visible = (cut_size[:, 1] >= _LEAST_VISIBLE_RATIO * size[:, 1]) & (cut_size > 0.5).all(axis=1)
        return cut.astype(np.float32), is_visible

    def _class_probs(self, class_ids: Sequence[int]) -> NDArray[np.float32]:
        other_count = max(1, len(self.class_names) - 1)
        probs = np.full((len(class_ids), len(self.class_names)), (1 - _CERTAINTY) / other_count, np.float32)
        probs[np.arange(len(class_ids)), np.array(class_ids, np.intp)] = _CERTAINTY
        return probs
