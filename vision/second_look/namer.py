"""Items named by a bundle's second network, square by square; the runtime that runs it is `vision.detectors`' own."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sorter.errors import BundleError
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Bundle, Network, SecondLook
from vision.frame import Detections
from vision.second_look.cutting import aspect_scale_of, cut_squares, framing_of
from vision.second_look.fusion import fused

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
# kind of numbers and shape, where None is free
Side = tuple[str, tuple[int | None, ...]]

_MOST_AT_A_TIME = 64


class ItemNamer:
    """The second look of one bundle; used by one thread at a time."""

    def __init__(self, network: Network, second_look: SecondLook, class_count: int, run: Run) -> None:
        """Join geometry and runtime.

        Args:
            network: the first one, in whose aspect squares are cut.
            second_look: what the second one is.
            class_count: C.
            run: squares (N, S, S, 3) uint8 BGR, which stay as they are meanwhile, to probabilities (N, C) float32,
                which are the caller's; N is 1 or more.
        """
        self._network = network
        self._second_look = second_look
        self._framing = framing_of(second_look)
        self._class_count = class_count
        self._run = run
        side_px = second_look.side_px
        self._squares = np.empty((_MOST_AT_A_TIME, side_px, side_px, 3), np.uint8)

    def warm_up(self, most_at_a_time: int) -> None:
        """Let the runtime allocate what it needs for any number of items up to that one."""
        self._squares[:most_at_a_time] = 0
        for count in range(1, min(most_at_a_time, _MOST_AT_A_TIME) + 1):
            self._run(self._squares[:count])

    def names(self, picture: NDArray[np.uint8], boxes_px: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the items in boxes are.

        Args:
            picture: (H, W, 3) uint8 BGR.
            boxes_px: (N, 4) left, top, right, bottom in its pixels.

        Returns:
            (N, C) float32, a probability for each class; what is missing to 1 says that none of them is there.
        """
        names = np.empty((len(boxes_px), self._class_count), np.float32)
        aspect_scale = aspect_scale_of(self._network, picture.shape)
        for first in range(0, len(boxes_px), _MOST_AT_A_TIME):
            boxes = boxes_px[first : first + _MOST_AT_A_TIME]
            squares = self._squares[: len(boxes)]
            cut_squares(picture, boxes, aspect_scale, self._framing, squares)
            names[first : first + len(boxes)] = self._run(squares)
        return names

    def fused(self, class_probs: NDArray[np.float32], names: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (N, C) of the first network with what `names` gave, (N, C); see `vision.second_look.fusion`."""
        look = self._second_look
        return fused(class_probs, names, look.own_name_ratio, look.certainty_ratio)

    def renamed(self, picture: NDArray[np.uint8], found: Detections) -> Detections:
        """What was found in a picture, every item named by both networks; best first again."""
        class_probs = self.fused(found.class_probs, self.names(picture, found.boxes_px))
        order = np.argsort(-class_probs.max(axis=1, initial=0.0), kind="stable")
        return Detections(found.boxes_px[order], class_probs[order])


def wanted_second_look(bundle: Bundle, settings: DetectorSettings) -> SecondLook | None:
    """The second look that a detector opens: the bundle's, if it has one and the settings do not leave it out."""
    return bundle.manifest.second_look if settings.second_look else None


def check_names_sides(bundle: Bundle, second_look: SecondLook, network_input: Side, network_output: Side) -> None:
    """Compare numbers and shapes of the second network's input and output with what the bundle says.

    Raises:
        BundleError: if they differ.
    """
    side_px = second_look.side_px
    expected = (
        ("input", network_input, ("uint8", (None, side_px, side_px, 3))),
        ("output", network_output, ("float32", (None, len(bundle.manifest.classes)))),
    )
    for name, found, wanted in expected:
        if found != wanted:
            raise BundleError(
                f"bundle {bundle.folder}: the {name} of its second look is {_shown(found)}, but the manifest (side "
                f"{side_px} px, {len(bundle.manifest.classes)} classes) means {_shown(wanted)}"
            )


def _shown(side: Side) -> str:
    number, shape = side
    return f"{number} {'×'.join('n' if size is None else str(size) for size in shape)}"
