"""What all runtimes of a network share: the way from a frame to its input and from its output to detections."""

import numpy as np
from numpy.typing import NDArray

from sorter.errors import BundleError
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Bundle
from vision.detectors.fitting import FittedInput, Placement
from vision.detectors.forms import Form
from vision.detectors.heads import Candidates, decode_end_to_end, decode_raw
from vision.frame import Detections, Frame

Shape = tuple[int | None, ...]


class NetworkPort:
    """Input and output side of one network for one frame at a time; the runtime in between is the detectors' own."""

    def __init__(self, bundle: Bundle, settings: DetectorSettings, form: Form) -> None:
        self._bundle = bundle
        self._settings = settings
        network = bundle.manifest.network
        self._fitted = FittedInput(form.input_height_px, form.input_width_px, network.fit)
        self._scaled = None if network.takes_uint8_bgr else np.empty(_planar(self._fitted.shape), np.float32)

    @property
    def copied_count(self) -> int:
        """Pictures copied or resized so far."""
        return self._fitted.copied_count

    def picture_of(self, frame: Frame) -> NDArray[np.uint8]:
        """A frame's picture in the size of the input, (1, H, W, 3) uint8 BGR: the slot of the ring itself if it fits.

        It stays as it is until the next call or until the slot is filled anew.
        """
        return self._fitted.take(frame.image)

    def input_of(self, frame: Frame) -> NDArray[np.uint8] | NDArray[np.float32]:
        """The same as the network itself takes it: uint8 as above, or float32 (1, 3, H, W) RGB in 0..1."""
        picture = self.picture_of(frame)
        if self._scaled is None:
            return picture
        np.multiply(picture[0, :, :, ::-1].transpose(2, 0, 1), np.float32(1 / 255), out=self._scaled[0])
        return self._scaled

    def detections(self, output: NDArray[np.float32]) -> Detections:
        """Read the network's output, shaped as `check_shapes` saw it; it may be overwritten afterwards."""
        return placed(self._decode(output), self._fitted.placement)

    def check_shapes(self, input_shape: Shape, output_shape: Shape) -> None:
        """Compare the shapes of the network's input and output (None: free) with what the bundle says.

        Raises:
            BundleError: if they differ.
        """
        wanted = self._fitted.shape if self._scaled is None else self._scaled.shape
        check_sides(self._bundle, input_shape, wanted, output_shape)

    def _decode(self, output: NDArray[np.float32]) -> Candidates:
        if self._bundle.manifest.network.head == "raw":
            return decode_raw(output, self._settings)
        return decode_end_to_end(output, len(self._bundle.manifest.classes), self._settings)


def placed(candidates: Candidates, placement: Placement) -> Detections:
    """Candidates as detections in the picture that was laid last; those beside it are left out."""
    boxes_px = placement.boxes_to_picture(candidates.boxes)
    is_in_picture = (boxes_px[:, 2:] > boxes_px[:, :2]).all(axis=1)
    return Detections(boxes_px[is_in_picture], candidates.class_probs[is_in_picture])


def check_sides(bundle: Bundle, input_shape: Shape, wanted: Shape, output_shape: Shape) -> None:
    """Compare the shapes of a network's input and output (None: free) with what the bundle says.

    Raises:
        BundleError: if they differ.
    """
    class_count = len(bundle.manifest.classes)
    expected = (1, None, 6) if bundle.manifest.network.head == "end_to_end" else (1, 4 + class_count, None)
    _check(bundle, "input", input_shape, wanted)
    _check(bundle, "output", output_shape, expected)


def _check(bundle: Bundle, side: str, shape: Shape, expected: Shape) -> None:
    fits = len(shape) == len(expected) and all(
        None in pair or pair[0] == pair[1] for pair in zip(shape, expected, strict=True)
    )
    if not fits:
        raise BundleError(
            f"bundle {bundle.folder}: the network's {side} is {_shown(shape)}, but the manifest "
            f"(head {bundle.manifest.network.head!r}, {len(bundle.manifest.classes)} classes) means {_shown(expected)}"
        )


def _planar(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[0], shape[3], shape[1], shape[2]


def _shown(shape: Shape) -> str:
    return "×".join("n" if size is None else str(size) for size in shape)
