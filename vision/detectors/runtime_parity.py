"""Whether a network on another processor still sees what ONNX Runtime sees: boxes and probabilities, side by side."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from vision.boxes import overlap_ratios
from vision.detectors.detector import Detector
from vision.frame import Detections, Frame

_PARTNER_OVERLAP_RATIO = 0.5
_SURE_PROBABILITY = 0.3
# where boxes of one item are alike, which of them is kept is chance: a few may differ
_PERCENTILE = 95


class Limit(msgspec.Struct, frozen=True):
    """The largest differences allowed for numbers of a kind."""

    box_px: float
    probability: float
    alone_ratio: float


# rounding, and where two boxes of one item compete, which of them wins
LIMITS: Mapping[str, Limit] = {
    "f32": Limit(1.0, 0.01, 0.01),
    "f16": Limit(8.0, 0.10, 0.03),
    "int8": Limit(12.0, 0.25, 0.05),
}


class Parity(msgspec.Struct, frozen=True):
    """How far two detectors are apart.

    Attributes:
        box_px: 95th percentile, over all partners, of the largest difference of a box's sides.
        probability: the same of the largest difference of a class's probability.
        alone_ratio: share of sure detections of either that the other has not found.
        sure_count: how many sure detections there were.
        excess: what is beyond the limit; empty if nothing is.
    """

    box_px: float
    probability: float
    alone_ratio: float
    sure_count: int
    excess: tuple[str, ...]

    @property
    def text(self) -> str:
        """In a line."""
        return (
            f"boxes within {self.box_px:.2g} px, probabilities within {self.probability:.2g}, "
            f"{self.alone_ratio:.1%} of {self.sure_count} detections without a partner"
        )


def compared(
    seen: Detector, reference: Detector, frames: Sequence[Frame], precision: str, sure: float = _SURE_PROBABILITY
) -> Parity:
    """Show both the same pictures.

    Args:
        seen: the detector in question.
        reference: the one that is believed.
        frames: pictures to show.
        precision: a key of `LIMITS`.
        sure: detections below this score are ignored unless they are the partner of a sure one.
    """
    parts = [_differences(seen.detect(frame), reference.detect(frame), sure) for frame in frames]
    box_px = _high(np.concatenate([part[0] for part in parts]))
    probability = _high(np.concatenate([part[1] for part in parts]))
    sure_count = sum(part[3] for part in parts)
    alone_ratio = sum(part[2] for part in parts) / max(1, sure_count)
    excess = _excess((box_px, probability, alone_ratio), LIMITS[precision])
    return Parity(box_px, probability, alone_ratio, sure_count, excess)


def _excess(found: tuple[float, float, float], limit: Limit) -> tuple[str, ...]:
    names = ("box difference in px", "probability difference", "share without a partner")
    allowed = (limit.box_px, limit.probability, limit.alone_ratio)
    rows = zip(names, found, allowed, strict=True)
    return tuple(f"{name} {value:.3g} is above {most:g}" for name, value, most in rows if not value <= most)


def _high(values: NDArray[np.float64]) -> float:
    return float(np.percentile(values, _PERCENTILE)) if len(values) else 0.0


def _differences(
    seen: Detections, reference: Detections, sure: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], int, int]:
    """Box and probability differences of partners, sure detections without one, and sure detections of both."""
    overlaps = overlap_ratios(seen.boxes_px.astype(np.float64), reference.boxes_px.astype(np.float64))
    is_sure, is_sure_reference = _is_sure(seen, sure), _is_sure(reference, sure)
    partner = overlaps.argmax(axis=1) if overlaps.size else np.zeros(len(overlaps), np.intp)
    paired = is_sure & (overlaps.max(axis=1, initial=0.0) >= _PARTNER_OVERLAP_RATIO)
    found = overlaps.max(axis=0, initial=0.0) >= _PARTNER_OVERLAP_RATIO
    alone_count = int((is_sure & ~paired).sum() + (is_sure_reference & ~found).sum())
    boxes = np.abs(seen.boxes_px[paired] - reference.boxes_px[partner[paired]]).max(axis=1, initial=0.0)
    probabilities = np.abs(seen.class_probs[paired] - reference.class_probs[partner[paired]]).max(axis=1, initial=0.0)
    count = int(is_sure.sum() + is_sure_reference.sum())
    return boxes.astype(np.float64), probabilities.astype(np.float64), alone_count, count


def _is_sure(found: Detections, sure: float) -> NDArray[np.bool_]:
    is_sure: NDArray[np.bool_] = found.class_probs.max(axis=1, initial=0.0) >= sure
    return is_sure
