"""Plots of a run: loss and the watched figure over the epochs."""

from collections.abc import Sequence
from pathlib import Path

from training.run_record import EpochRecord


def draw_curves(epochs: Sequence[EpochRecord], path: Path) -> None:
    """Draw loss, and the figure on pictures kept out where there is one, over the epochs, as SVG.

    Args:
        epochs: at least one.
        path: file to write.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    numbers = [one.number for one in epochs]
    with mpl.rc_context({"svg.hashsalt": "farz"}):
        figure = Figure(figsize=(8, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot(numbers, [one.loss for one in epochs], color="#0072B2")
        left.set(title="Loss", xlabel="epoch")
        watched = [(one.number, one.held_out_ratio) for one in epochs if one.held_out_ratio is not None]
        right.plot([number for number, _ in watched], [ratio for _, ratio in watched], color="#D55E00")
        right.set(title="mAP50 on pictures kept out", xlabel="epoch", ylim=(0, None))
        for axes in (left, right):
            axes.grid(alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None})
