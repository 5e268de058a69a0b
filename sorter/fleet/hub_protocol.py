"""What the outbox needs of a hub, however it is reached; what may go wrong on the way is a value, not an exception."""

import enum
from collections.abc import Sequence
from typing import Protocol

import msgspec

from sorter.store.batch import Batch, HeldLife


class Trouble(enum.Enum):
    """Why the hub did not take a batch.

    UNREACHABLE: no connection, it broke, or what answered was no hub; whether the batch arrived is not known.
    BUSY: the hub asks to wait. REFUSED_KEY: the key is wrong, or not this line's. BEHIND: the hub holds less than it is
    thought to. TOO_LARGE: the hub, or something before it, takes smaller ones only. REFUSED_BATCH: the hub cannot hold
    something in it, and never will.
    """

    UNREACHABLE = "unreachable"
    BUSY = "busy"
    REFUSED_KEY = "refused_key"
    BEHIND = "behind"
    TOO_LARGE = "too_large"
    REFUSED_BATCH = "refused_batch"


class Failure(msgspec.Struct, frozen=True):
    """What went wrong, in a sentence too; `wished_ms` is how long the hub asked to be left alone."""

    trouble: Trouble
    detail: str
    wished_ms: float | None = None


class Hub(Protocol):
    """Takes batches; each call ends within a bounded time."""

    def held_lives(self) -> Sequence[HeldLife] | Failure:
        """How much of each life of this line the hub holds."""
        ...

    def send(self, batch: Batch) -> int | Failure:
        """Number of the newest event of the batch's life that the hub now holds for good."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...
