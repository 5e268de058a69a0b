"""The operations on single entries, page by page: events and audits; and the one that takes an audit in."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from sorter.model.events import (
    AnyEvent,
    AuditEntry,
    AuditTaken,
    EnergyUsed,
    Event,
    FaultNoted,
    ItemDecided,
    ModeChanged,
)
from sorter.model.reporting_codes import reporting_codes
from sorter.model.units import MJ_PER_J, UL_PER_L, UM_PER_MM
from sorter.store.protocol import EventCursor
from ui.api.answers import AuditReceipt, AuditRow, AuditsAnswer, EventRow, EventsAnswer
from ui.api.cursor import cursor_place, cursor_text
from ui.api.operation import Asking
from ui.api.periods import Asked, asked_period
from ui.api.problem import ProblemError
from ui.api.query import EventsQuery, PageQuery
from ui.api.records import require_line

KINDS: dict[str, type[Event]] = {"item": ItemDecided, "mode": ModeChanged, "fault": FaultNoted, "energy": EnergyUsed}
# what an item of a sample may be that is of no class of the recipe
OTHER = "other"
# a person's clock may be a little ahead of the line's
_AHEAD_MS = 5 * 60_000
_LATEST_MS = 4_102_444_800_000
Instant = Annotated[datetime, Meta(tz=True)]
ClassCount = Annotated[int, Meta(ge=0, le=1_000_000)]
EntryType = TypeVar("EntryType", bound=Event)


class AuditBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sample of a stream held.

    Attributes:
        audit_id: left out for a new audit; a correction names the one it corrects.
        revision: 1 for a new audit; a correction has a higher one than all before.
        station: whose ejected stream was sampled, null for what stayed on the belt.
        sampled_from, sampled_to: when the sampled items passed.
        class_counts: items by class of the recipe; what is of none is "other".
        is_withdrawn: the audit is void.
    """

    audit_id: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")] | None = None
    revision: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    station: Annotated[Annotated[str, Meta(min_length=1, max_length=64)] | None, Meta(examples=[None])]
    sampled_from: Annotated[Instant, Meta(examples=["2026-03-02T08:00:00+01:00"])]
    sampled_to: Annotated[Instant, Meta(examples=["2026-03-02T08:15:00+01:00"])]
    class_counts: Annotated[
        dict[str, ClassCount], Meta(min_length=1, max_length=100, examples=[{"pet_clear": 47, "hdpe": 2, "other": 1}])
    ]
    is_withdrawn: bool = False


def answer_events(asking: Asking) -> EventsAnswer:
    """A page of events of one kind."""
    query: EventsQuery = asking.query
    kind = KINDS[query.kind]
    asked, page, cursor = _page(asking, kind, query.kind)
    return EventsAnswer(data=tuple(_event_row(event, query.kind, asked) for event in page), next_cursor=cursor)


def answer_audits(asking: Asking) -> AuditsAnswer:
    """A page of audits, all revisions, by when they were entered."""
    asked, page, cursor = _page(asking, AuditTaken, "audit")
    rows = tuple(_audit_row(event, asked) for event in page if isinstance(event, AuditTaken))
    return AuditsAnswer(data=rows, next_cursor=cursor)


def enter_audit(asking: Asking) -> AuditReceipt:
    """Hand an audit to the line.

    Raises:
        ProblemError: 409 where no audit can be entered, 422 for classes, stations or times that cannot be.
    """
    enter = asking.link.enter_audit
    if enter is None:
        raise ProblemError(HTTPStatus.CONFLICT, "audits are entered at the line that the sample was taken from")
    body: AuditBody = asking.body
    from_ms, to_ms = (int(at.timestamp() * 1000) for at in (body.sampled_from, body.sampled_to))
    _check_audit(asking, body, from_ms, to_ms)
    entry = AuditEntry(
        audit_id=body.audit_id or uuid.uuid4().hex,
        revision=body.revision,
        station_id=body.station,
        from_ms=from_ms,
        to_ms=to_ms,
        class_counts=body.class_counts,
        taken_by=asking.caller.name,
        is_withdrawn=body.is_withdrawn,
    )
    enter(entry)
    return AuditReceipt(audit_id=entry.audit_id, revision=entry.revision)


def _check_audit(asking: Asking, body: AuditBody, from_ms: int, to_ms: int) -> None:
    recipe = asking.settings.recipe
    stations = {station.id for station in recipe.stations}
    if body.station is not None and body.station not in stations:
        raise _refusal(f"station = {body.station!r} is none of {', '.join(sorted(stations))}")
    unknown = sorted(set(body.class_counts) - set(recipe.classes) - {OTHER})
    if unknown:
        raise _refusal(f"class_counts names {unknown[0]!r}, which is no class of the recipe; such items are {OTHER!r}")
    if not 0 <= from_ms < to_ms <= min(asking.link.now_ms() + _AHEAD_MS, _LATEST_MS):
        raise _refusal("sampled_from must lie before sampled_to, and that not in the future")


def _page(asking: Asking, kind: type[Event], kind_name: str) -> tuple[Asked, Sequence[AnyEvent], str | None]:
    """A page of one kind, one entry more than wanted having been read to tell whether another follows."""
    query: PageQuery = asking.query
    asked = asked_period(query, asking.link.now_ms())
    # without explicit ends the period moves on from page to page, and the cursor with it
    belongs_to = (kind_name, query.from_, query.to, query.tz, query.line)
    after = None if query.cursor is None else cursor_place(query.cursor, EventCursor, belongs_to)
    with asking.link.reader() as reader:
        require_line(reader, query.line)
        found = reader.events(kind, asked.period, device_id=query.line, after=after, limit=query.limit + 1)
    page = found[: query.limit]
    if len(found) <= query.limit:
        return asked, page, None
    last = page[-1]
    place = EventCursor(last.at_ms, last.device_id, last.boot_id, last.seq)
    return asked, page, cursor_text(place, belongs_to)


def _event_row(event: AnyEvent, kind: str, asked: Asked) -> EventRow:
    known = {"line": event.device_id, "boot_id": event.boot_id, "seq": event.seq, "time": asked.told(event.at_ms)}
    return msgspec.convert({**known, "kind": kind, **_OWN_COLUMNS[type(event)](event)}, EventRow)


def _of_item(event: ItemDecided) -> dict[str, object]:
    waste = reporting_codes(event.class_name).waste
    placement_um = event.placement_error_um
    return {
        **{name: getattr(event, name) for name in _ITEM_COLUMNS},
        "waste_code": waste.code if waste else None,
        "width_mm": event.width_um / UM_PER_MM,
        "length_mm": event.length_um / UM_PER_MM,
        "station": event.station_id,
        "ack": event.ack_status.value if event.ack_status else None,
        "refusal": event.refusal.value if event.refusal else None,
        "reason": event.reason.value,
        "placement_error_mm": None if placement_um is None else placement_um / UM_PER_MM,
    }


def _of_mode(event: ModeChanged) -> dict[str, object]:
    # "start by page": what was asked for is told, who asked is not
    return {"mode": event.mode.value, "reason": event.reason.partition(" by ")[0], "recipe_hash": event.recipe_hash}


def _of_fault(event: FaultNoted) -> dict[str, object]:
    # its detail may name files, addresses and people
    return {"process": event.process, "code": event.code, "is_cleared": event.is_cleared}


def _of_energy(event: EnergyUsed) -> dict[str, object]:
    return {
        "duration_ms": event.duration_ms,
        "energy_source": event.source,
        "energy_j": event.energy_mj / MJ_PER_J,
        "air_l": event.air_ul / UL_PER_L,
        "shot_count": event.shot_count,
    }


_ITEM_COLUMNS = (
    "class_name", "probability", "view_count", "mass_g", "mass_sd_g", "overlap_ratio", "frame_to_command_ms",
    "model_id", "recipe_hash",
)  # fmt: skip
_OWN_COLUMNS: dict[type[Event], Callable[..., dict[str, object]]] = {
    ItemDecided: _of_item,
    ModeChanged: _of_mode,
    FaultNoted: _of_fault,
    EnergyUsed: _of_energy,
}


def _audit_row(audit: AuditTaken, asked: Asked) -> AuditRow:
    return AuditRow(
        line=audit.device_id,
        audit_id=audit.audit_id,
        revision=audit.revision,
        entered_at=asked.told(audit.at_ms),
        station=audit.station_id,
        sampled_from=asked.told(audit.from_ms),
        sampled_to=asked.told(audit.to_ms),
        class_counts=audit.class_counts,
        is_withdrawn=audit.is_withdrawn,
    )


def _refusal(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
