"""What a store does, whichever database it is: one writer, and readers that can do no harm.

A writer's `record` returns once its events would survive a power cut: that is what "acknowledged" means. Events are
idempotent on (device_id, boot_id, seq): what is known already is neither stored nor counted again.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from sorter.model.events import AnyEvent, AuditTaken, Event, RecipeUsed
from sorter.model.rollups import Period, Resolution, RollUp


class Recorded(msgspec.Struct, frozen=True):
    """What became of a batch: how many events were stored, and how many were known before."""

    stored_count: int
    known_count: int


class Position(msgspec.Struct, frozen=True, order=True):
    """Place in the order of writing: the how manieth life of a line in this store, and the event's number in it."""

    boot_ordinal: int = 0
    seq: int = 0


class Written(msgspec.Struct, frozen=True):
    """An event and its place in the order of writing."""

    position: Position
    event: AnyEvent


class EventCursor(msgspec.Struct, frozen=True, order=True):
    """The event that a page ended with; the next page begins behind it."""

    at_ms: int
    device_id: str
    boot_id: str
    seq: int


class StoreSpan(msgspec.Struct, frozen=True):
    """What there is: devices, the first and last minute with data (None while there is none), the schema's version."""

    devices: tuple[str, ...]
    first_ms: int | None
    last_ms: int | None
    schema_version: int


class StoreWriter(Protocol):
    """The one writer of a store."""

    def record(self, events: Sequence[AnyEvent]) -> Recorded:
        """Store events and add them to the sums, all in one transaction; durable when this returns.

        Raises:
            StoreError: if nothing was stored, the disk being full for instance; the store is as it was.
        """
        ...

    def add_sums(self, sums: RollUp) -> None:
        """Add sums by the minute of events that are not kept singly; durable when this returns.

        Raises:
            StoreError: as for `record`.
        """
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...


class StoreReader(Protocol):
    """Reads a store; any number of readers, each used by one thread at a time."""

    def span(self) -> StoreSpan:
        """What there is."""
        ...

    def totals(self, period: Period, device_id: str | None = None) -> RollUp:
        """Sums over a period, its ends moved outwards to whole minutes; every key's `start_ms` is the period's."""
        ...

    def series(self, period: Period, resolution: Resolution, device_id: str | None = None) -> RollUp:
        """Sums for each minute, hour or day that begins within a period."""
        ...

    def events(
        self,
        kind: type[Event],
        period: Period,
        *,
        device_id: str | None = None,
        after: EventCursor | None = None,
        limit: int = 1000,
    ) -> list[AnyEvent]:
        """Events of one kind whose `at_ms` lies within a period, in the order of `EventCursor`."""
        ...

    def written_after(self, position: Position, limit: int = 1000) -> list[Written]:
        """Events of all kinds in the order of writing, for an outbox."""
        ...

    def audits(self, period: Period, device_id: str | None = None) -> list[AuditTaken]:
        """All revisions of the audits whose sample was taken within a period, or overlaps it; oldest first."""
        ...

    def recipes(self) -> Mapping[str, RecipeUsed]:
        """What each recipe hash stands for."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...
