"""How the second look is taught; what needs no torch may ask for it."""

import msgspec

CHECKPOINT_NAME = "second-look.pt"


class Lessons(msgspec.Struct, frozen=True):
    """How long and how fast to teach.

    Attributes:
        epoch_count: number of epochs.
        items_per_epoch: examples in each.
        batch_items: examples a step.
        peak_rate_ratio: highest learning rate of the new head.
        body_rate_ratio: learning rate of the pretrained layers by that of the head.
        weight_decay_ratio: of kernels and head.
        smoothing_ratio: share of each label that is spread over the other classes, since labels are at times wrong.
    """

    epoch_count: int = 20
    items_per_epoch: int = 1200
    batch_items: int = 64
    peak_rate_ratio: float = 0.003
    body_rate_ratio: float = 0.3
    weight_decay_ratio: float = 0.02
    smoothing_ratio: float = 0.1

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in an epoch."""
        return max(1, self.items_per_epoch // self.batch_items)
