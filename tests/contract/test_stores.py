"""Every store, SQLite or PostgreSQL: what is acknowledged is there once, sums are the events', pages are exact."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorter.model.condition import Mode
from sorter.model.ejection import AckStatus, DecisionReason, RefusalReason
from sorter.model.events import (
    EVENT_TYPES,
    AnyEvent,
    AuditTaken,
    EnergyUsed,
    FaultNoted,
    ItemDecided,
    ModeChanged,
    ModeTime,
    RecipeUsed,
)
from sorter.model.rollups import ItemsSum, Period, Resolution, RollUp, rolled_up
from sorter.store.postgres_reader import PostgresReader
from sorter.store.postgres_writer import PostgresWriter
from sorter.store.protocol import EventCursor, Position, StoreReader, StoreWriter
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter

DAY_MS = Resolution.DAY.value
BEGIN_MS = 1_780_000_000_000 - 1_780_000_000_000 % DAY_MS
CLASSES = ("pet_clear", "hdpe", "glass")
ALL_TIME = Period(BEGIN_MS - 10 * DAY_MS, BEGIN_MS + 400 * DAY_MS)

Opened = tuple[StoreWriter, StoreReader]


def open_sqlite(folder: Path) -> Opened:
    path = folder / "events.sqlite"
    writer = SqliteWriter(path)
    return writer, SqliteReader(path)


# the session of the tests, which starts a server for the first test that asks for one
SESSION: list[pytest.FixtureRequest] = []


@pytest.fixture(scope="session", autouse=True)
def _session(request: pytest.FixtureRequest) -> None:
    SESSION.append(request)


def open_postgres(_folder: Path) -> Opened:
    dsn = SESSION[-1].getfixturevalue("postgres_server").new_database()
    writer = PostgresWriter(dsn)
    return writer, PostgresReader(dsn)


# each implementation adds itself here: a function from an empty folder to a writer and a reader of the same store
STORES: dict[str, Callable[[Path], Opened]] = {"sqlite": open_sqlite, "postgres": open_postgres}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    writer, reader = STORES[request.param](tmp_path)
    yield writer, reader
    reader.close()
    writer.close()


def item(seq: int, at_ms: int = BEGIN_MS, device_id: str = "north", boot_id: str = "a", **changes: Any) -> ItemDecided:
    values: dict[str, Any] = {
        "track_id": seq,
        "decision_id": seq,
        "class_name": "pet_clear",
        "probability": 0.9,
        "class_probabilities": {"pet_clear": 0.9, "hdpe": 0.05},
        "view_count": 4,
        "x_um": 100_000,
        "belt_um": 2_000_000_000,
        "width_um": 80_000,
        "length_um": 220_000,
        "overlap_ratio": 0.01,
        "mass_g": 28.0,
        "mass_sd_g": 9.0,
        "reason": DecisionReason.EJECT,
        "station_id": "pet",
        "ack_status": AckStatus.FIRED,
        "refusal": None,
        "placement_error_um": -300,
        "frame_to_command_ms": 41.5,
        "model_id": "farz-n",
        "recipe_hash": "0123456789abcdef",
    }
    return ItemDecided(device_id=device_id, boot_id=boot_id, seq=seq, at_ms=at_ms, **values | changes)


def audit(seq: int, audit_id: str = "first", revision: int = 1, at_ms: int = BEGIN_MS) -> AuditTaken:
    return AuditTaken(
        device_id="north",
        boot_id="a",
        seq=seq,
        at_ms=at_ms,
        audit_id=audit_id,
        revision=revision,
        station_id="pet",
        from_ms=at_ms - 60_000,
        to_ms=at_ms,
        class_counts={"pet_clear": 18, "other": 2},
    )


def one_of_each(device_id: str = "north") -> list[AnyEvent]:
    common: dict[str, Any] = {"device_id": device_id, "boot_id": "a", "at_ms": BEGIN_MS + 5000}
    return [
        RecipeUsed(
            seq=1, recipe_hash="0123456789abcdef", name="r", classes=CLASSES, targets={"pet": ("pet_clear",)}, **common
        ),
        ModeChanged(seq=2, mode=Mode.EXECUTE, reason="ready", recipe_hash="0123456789abcdef", **common),
        ModeTime(seq=3, mode=Mode.EXECUTE, duration_ms=5000, **common),
        item(4, BEGIN_MS + 4000, device_id=device_id),
        item(
            5,
            BEGIN_MS + 4500,
            device_id=device_id,
            reason=DecisionReason.UNKNOWN,
            station_id=None,
            ack_status=None,
            placement_error_um=None,
            frame_to_command_ms=None,
        ),
        FaultNoted(seq=6, process="vision", code="no_camera", detail="gone", is_cleared=False, **common),
        EnergyUsed(seq=7, duration_ms=5000, source="rapl", energy_mj=60_000, air_ul=120, shot_count=3, **common),
        audit(8) if device_id == "north" else item(8, device_id=device_id),
    ]


def read_all(reader: StoreReader, page: int = 3) -> list[AnyEvent]:
    """All events in the order of writing, page by page."""
    found: list[AnyEvent] = []
    position = Position()
    while written := reader.written_after(position, page):
        found += [each.event for each in written]
        position = written[-1].position
    return found


def sums_match(reader: StoreReader, events: list[AnyEvent]) -> bool:
    by_minute = rolled_up(events)
    return all(reader.series(ALL_TIME, resolution) == by_minute.to(resolution) for resolution in Resolution)


def at_no_moment(sums: RollUp) -> RollUp:
    """Sums of all moments together."""
    found = RollUp()
    for key, values in sums.items.items():
        found.items.setdefault(msgspec.structs.replace(key, start_ms=0), ItemsSum()).add(values)
    for count, value in sums.counts.items():
        found.count(count.name, value, start_ms=0, device_id=count.device_id, label=count.label)
    return found


def test_every_kind_of_event_comes_back_as_it_was(store: Opened) -> None:
    writer, reader = store
    events = one_of_each()
    assert writer.record(events).stored_count == len(events)
    assert read_all(reader) == events
    for kind in EVENT_TYPES:
        wanted = sorted((event for event in events if type(event) is kind), key=lambda event: event.at_ms)
        assert reader.events(kind, ALL_TIME) == wanted
    assert sums_match(reader, events)


def test_what_is_known_is_neither_stored_nor_counted_again(store: Opened) -> None:
    writer, reader = store
    events = one_of_each()
    writer.record(events[:5])
    again = writer.record([*events[3:], events[7], events[0]])
    assert (again.stored_count, again.known_count) == (3, 4)
    assert read_all(reader) == events
    assert sums_match(reader, events)


def test_an_empty_store_has_nothing_and_says_so(store: Opened) -> None:
    writer, reader = store
    assert writer.record([]).stored_count == 0
    assert reader.span().devices == ()
    assert reader.span().first_ms is None
    assert reader.totals(ALL_TIME) == RollUp()
    assert read_all(reader) == []


def test_devices_are_told_apart(store: Opened) -> None:
    writer, reader = store
    north, south = one_of_each(), one_of_each("south")
    writer.record([*north, *south])
    assert reader.span().devices == ("north", "south")
    assert reader.series(ALL_TIME, Resolution.HOUR, "south") == rolled_up(south).to(Resolution.HOUR)
    assert len(reader.events(ItemDecided, ALL_TIME, device_id="north")) == 2
    assert reader.audits(ALL_TIME, "south") == []


def test_pages_of_events_neither_skip_nor_repeat_one(store: Opened) -> None:
    writer, reader = store
    # many at one instant, and clocks that jumped back
    events = [item(seq, BEGIN_MS + (seq * 7 % 5) * 1000, boot_id=f"b{seq % 3}") for seq in range(1, 41)]
    writer.record(events)
    found: list[AnyEvent] = []
    after = None
    while page := reader.events(ItemDecided, ALL_TIME, after=after, limit=7):
        found += page
        after = EventCursor(page[-1].at_ms, page[-1].device_id, page[-1].boot_id, page[-1].seq)
    assert found == sorted(events, key=lambda event: (event.at_ms, event.device_id, event.boot_id, event.seq))


def test_the_order_of_writing_is_life_by_life_however_clocks_jump(store: Opened) -> None:
    writer, reader = store
    first = [item(seq, BEGIN_MS + seq, boot_id="z") for seq in (1, 2, 5)]
    second = [item(seq, BEGIN_MS - seq, boot_id="a") for seq in (1, 2, 3)]
    writer.record(first)
    writer.record(second)
    assert read_all(reader, page=2) == [*first, *second]
    assert [(life.ordinal, life.boot_id, life.last_seq) for life in reader.lives()] == [(1, "z", 5), (2, "a", 3)]


def test_sums_without_events_are_added(store: Opened) -> None:
    writer, reader = store
    events = one_of_each()
    writer.record(events)
    lost = rolled_up([item(99, BEGIN_MS + 90_000)])
    writer.add_sums(lost)
    wanted = rolled_up(events)
    wanted.add(lost)
    assert reader.series(ALL_TIME, Resolution.MINUTE) == wanted
    assert len(read_all(reader)) == len(events)


def test_all_revisions_of_an_audit_stay(store: Opened) -> None:
    writer, reader = store
    writer.record([audit(1), audit(2, revision=2, at_ms=BEGIN_MS + 1), audit(3, "later", at_ms=BEGIN_MS + DAY_MS)])
    assert [one.revision for one in reader.audits(Period(BEGIN_MS - 10_000, BEGIN_MS))] == [1, 2]
    assert reader.recipes() == {}


def test_a_batch_that_cannot_be_written_leaves_nothing_behind(store: Opened) -> None:
    writer, reader = store
    beyond_64_bits = item(2, track_id=2**70)
    with pytest.raises(Exception, match=r"."):
        writer.record([item(1), beyond_64_bits])
    assert read_all(reader) == []
    assert reader.totals(ALL_TIME) == RollUp()
    writer.record([item(1)])
    assert len(read_all(reader)) == 1


@st.composite
def histories(draw: st.DrawFn) -> list[list[AnyEvent]]:
    """Batches of items and stretches of time of two lives on some days, in the order of their numbers."""
    instants = st.integers(BEGIN_MS, BEGIN_MS + 3 * DAY_MS)
    statuses: st.SearchStrategy[AckStatus | None] = st.sampled_from([None, *AckStatus])
    batches: list[list[AnyEvent]] = []
    numbers = {boot_id: itertools.count(1) for boot_id in "ab"}
    for _ in range(draw(st.integers(1, 4))):
        batch: list[AnyEvent] = []
        for _ in range(draw(st.integers(1, 5))):
            boot_id, status = draw(st.sampled_from("ab")), draw(statuses)
            seq, at_ms, name = next(numbers[boot_id]), draw(instants), draw(st.sampled_from(CLASSES))
            share = draw(st.floats(0.0, 1.0))
            reason = DecisionReason.EJECT if status else draw(st.sampled_from(list(DecisionReason)))
            refusal = RefusalReason.LATE if status is AckStatus.REFUSED_LATE else None
            batch.append(
                item(
                    seq,
                    at_ms,
                    boot_id=boot_id,
                    class_name=name,
                    class_probabilities={name: share},
                    reason=reason,
                    ack_status=status,
                    station_id="pet" if status else None,
                    refusal=refusal,
                    mass_g=share * 300,
                )
            )
        batches.append(batch)
    return batches


@pytest.mark.parametrize("name", STORES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=histories(), bounds=st.tuples(st.integers(0, 4 * DAY_MS), st.integers(0, 4 * DAY_MS)))
def test_totals_of_any_period_are_the_sums_of_its_minutes(
    tmp_path_factory: pytest.TempPathFactory, name: str, batches: list[list[AnyEvent]], bounds: tuple[int, int]
) -> None:
    writer, reader = STORES[name](tmp_path_factory.mktemp("store"))
    for batch in batches:
        writer.record(batch)
    events = [event for batch in batches for event in batch]
    assert sums_match(reader, events)
    period = Period(BEGIN_MS + min(bounds), BEGIN_MS + max(bounds))
    minute_ms = Resolution.MINUTE.value
    from_ms, to_ms = period.from_ms - period.from_ms % minute_ms, -(-period.to_ms // minute_ms) * minute_ms
    within = rolled_up(event for event in events if from_ms <= event.at_ms < to_ms)
    assert at_no_moment(reader.totals(period)) == at_no_moment(within)
    reader.close()
    writer.close()


@pytest.mark.parametrize("name", STORES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), sendings=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8)), max_size=8))
def test_however_batches_are_cut_and_repeated_each_event_is_there_once(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    history: list[list[AnyEvent]],
    sendings: list[tuple[int, int]],
) -> None:
    writer, reader = STORES[name](tmp_path_factory.mktemp("store"))
    events = [event for batch in history for event in batch]
    for first, count in [*sendings, (0, len(events))]:
        batch = events[first : first + count]
        recorded = writer.record(batch)
        assert recorded.stored_count + recorded.known_count == len(batch)
    assert sorted(read_all(reader), key=lambda event: (event.boot_id, event.seq)) == sorted(
        events, key=lambda event: (event.boot_id, event.seq)
    )
    assert sums_match(reader, events)
    reader.close()
    writer.close()
