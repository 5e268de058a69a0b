"""A known belt for trackers and the policy: which item each box of each frame is of."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.model.belt import CameraView
from sorter.model.settings import Settings
from sorter.model.units import UM_PER_MM, mm_to_um
from vision.frame import Detections

# shares of its cell of the belt that an item covers, across and along
_SIZES = (0.35, 0.8)
_CERTAINTY = 0.9


class Course(msgspec.Struct, frozen=True):
    """What a good but slightly unsteady detector sees on a stretch of belt, frame by frame.

    Attributes:
        detections: of each frame.
        item_ids: which item each detection is of, (N,) a frame.
        travels_um: true belt travel at each frame.
    """

    detections: list[Detections]
    item_ids: list[NDArray[np.int64]]
    travels_um: list[int]


def lay_course(
    settings: Settings, item_count: int, frame_count: int, *, step_mm: float, noise_px: float = 1.0, seed: int = 1
) -> Course:
    """Lay items of drawn sizes, one into each cell of a grid, and move the camera over them.

    An item is seen while its centre is in the picture; boxes are cut at the picture's edge.

    Args:
        settings: whose camera sees them.
        item_count: items in view on the average.
        frame_count: how many frames.
        step_mm: belt travel from frame to frame.
        noise_px: how unsteady each side of a box is (standard deviation).
        seed: of sizes, places and noise.
    """
    view = CameraView(settings.camera)
    rng = np.random.Generator(np.random.PCG64(seed))
    step_um = mm_to_um(step_mm)
    travels_um = [index * step_um for index in range(frame_count)]
    boxes_um = _scattered(settings, item_count, travels_um[-1] + view.upstream_edge_um, rng)
    class_ids = rng.integers(len(settings.recipe.classes), size=len(boxes_um))
    probs = np.full((len(boxes_um), len(settings.recipe.classes)), 0.01, np.float32)
    probs[np.arange(len(boxes_um)), class_ids] = _CERTAINTY
    item_ids = [_in_view(boxes_um, view, travel_um) for travel_um in travels_um]
    boxes_px = [
        _boxes_px(boxes_um[ids], view, travel_um, noise_px, rng)
        for ids, travel_um in zip(item_ids, travels_um, strict=True)
    ]
    detections = [Detections(boxes, probs[ids]) for boxes, ids in zip(boxes_px, item_ids, strict=True)]
    return Course(detections, item_ids, travels_um)


def _scattered(settings: Settings, item_count: int, length_um: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Boxes (N, 4) x low, belt low, x high, belt high in µm on a belt of that length, none touching another."""
    width_um = settings.camera.view_width_mm * UM_PER_MM
    area_um2 = width_um * settings.camera.view_length_mm * UM_PER_MM / item_count
    column_count = max(1, round(width_um / np.sqrt(area_um2)))
    cell_um = np.array([width_um / column_count, area_um2 / (width_um / column_count)])
    rows, columns = np.divmod(np.arange(column_count * int(length_um // cell_um[1])), column_count)
    size = rng.uniform(*_SIZES, (len(rows), 2))
    corner = rng.uniform(0.0, 1.0, (len(rows), 2)) * (1.0 - size)
    low = (np.stack([columns, rows], axis=1) + corner) * cell_um
    return np.concatenate([low, low + size * cell_um], axis=1)


def _in_view(boxes_um: NDArray[np.float64], view: CameraView, travel_um: int) -> NDArray[np.int64]:
    centres_um = (boxes_um[:, 1] + boxes_um[:, 3]) / 2 - travel_um
    return np.flatnonzero((centres_um > view.downstream_edge_um) & (centres_um < view.upstream_edge_um))


def _boxes_px(
    boxes_um: NDArray[np.float64], view: CameraView, travel_um: int, noise_px: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    boxes_px = view.belt_to_boxes_px(boxes_um, travel_um)
    boxes_px += rng.normal(0.0, noise_px, boxes_px.shape)
    limits_px = np.array([view.width_px, view.height_px, view.width_px, view.height_px])
    return boxes_px.clip(0, limits_px).astype(np.float32)
