"""When to stop learning: no better for so many epochs."""

import msgspec


class EarlyStop(msgspec.Struct):
    """Keeps the best figure and the epoch it was reached in.

    Attributes:
        patience_epochs: how many epochs may pass without a better figure; None for any number.
        best_ratio: best figure so far.
        best_epoch: epoch of that figure, from 1; 0 before the first.
    """

    patience_epochs: int | None = None
    best_ratio: float = 0.0
    best_epoch: int = 0

    def note(self, epoch: int, ratio: float) -> bool:
        """Take the figure of an epoch; True if it is the best so far."""
        if self.best_epoch and ratio <= self.best_ratio:
            return False
        self.best_ratio, self.best_epoch = ratio, epoch
        return True

    def is_over(self, epoch: int) -> bool:
        """Whether learning should end after this epoch."""
        return self.patience_epochs is not None and epoch - self.best_epoch >= self.patience_epochs
