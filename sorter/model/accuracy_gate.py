"""How much average precision smaller numbers may cost a network before a line does not choose them by itself."""

from collections.abc import Mapping

# Average precision at an overlap of 0.5 against true float32 on the same pictures; 0.01 is one point.
MAX_MAP50_DROP = 0.01
MAX_CLASS_DROP = 0.03


def gate_refusal(metrics: Mapping[str, float], prefix: str = "") -> str | None:
    """Why smaller numbers must not be chosen, None if they may.

    Args:
        metrics: figures of a bundle or of one of its forms.
        prefix: of the keys `map50_drop` and `worst_class_drop` in them.
    """
    drop = metrics.get(f"{prefix}map50_drop")
    if drop is None:
        return "its loss was not measured"
    class_drop = metrics.get(f"{prefix}worst_class_drop", 0.0)
    if drop > MAX_MAP50_DROP:
        return f"it loses {100 * drop:.1f} points of mAP50, more than {100 * MAX_MAP50_DROP:.0f}"
    if class_drop > MAX_CLASS_DROP:
        return f"it loses {100 * class_drop:.1f} points of AP50 on one class, more than {100 * MAX_CLASS_DROP:.0f}"
    return None
