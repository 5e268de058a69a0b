"""What both networks say about an item, as one; a pure function of arrays."""

import numpy as np
from numpy.typing import NDArray


def fused(
    class_probs: NDArray[np.float32], names: NDArray[np.float32], own_name_ratio: float, certainty_ratio: float = 1.0
) -> NDArray[np.float32]:
    """Class scores of the first network, named anew by the second.

    How sure the first network is that an item is there is its best score m; which item it is, is told by the second
    one's probabilities q, and by the first one's own scores s as far as the ratio r says: (m^(1-r) · s^r)^w · q, a
    geometric mean weighed by r. Probabilities of the second that do not add up to 1 make an item less sure; both
    networks saw the same pixels, so the first one's certainty may count for less than once, w.

    Args:
        class_probs: (N, C) in 0..1.
        names: (N, C) in 0..1.
        own_name_ratio: r in 0..1.
        certainty_ratio: w in 0..1.

    Returns:
        (N, C) float32 in 0..1.
    """
    best = class_probs.max(axis=1, keepdims=True, initial=0.0)
    own = np.power(best, (1.0 - own_name_ratio) * certainty_ratio)
    own = own * np.power(class_probs, own_name_ratio * certainty_ratio)
    return np.asarray(np.clip(own * names, 0.0, 1.0), np.float32)
