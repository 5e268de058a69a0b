"""What the deciding process writes down: every decision once, with its answer; numbers without a gap."""

import numpy as np
import pytest

from sorter.line_record import LineRecord
from sorter.model.condition import Fault, Mode, ModeState
from sorter.model.ejection import Ack, AckStatus, Decision, DecisionReason, EjectionCommand, RefusalReason
from sorter.model.events import (
    AnyEvent,
    AuditEntry,
    AuditTaken,
    EnergyUsed,
    FaultNoted,
    ItemDecided,
    ModeChanged,
    ModeTime,
    RecipeUsed,
)
from sorter.model.settings import Settings
from sorter.policy.decision import BeltItem
from sorter.policy.ledger import Settled
from sorter.sorting import Ruling

S_NS = 1_000_000_000
WALL_MS = 1_779_999_965_000
CLASSES = Settings().recipe.classes


class NoMeter:
    name = None

    def take_mj(self) -> int:
        return 0


class Book:
    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.wall_ms = WALL_MS
        self.record = LineRecord(Settings(), "boot", self.events.append, lambda: self.wall_ms, NoMeter())

    def of(self, kind: type) -> list[AnyEvent]:
        return [event for event in self.events if type(event) is kind]


@pytest.fixture
def book() -> Book:
    return Book()


def ruling(seq: int | None, reason: DecisionReason = DecisionReason.EJECT, decided_at_ns: int = 5 * S_NS) -> Ruling:
    probabilities = np.zeros(len(CLASSES))
    probabilities[:3] = 0.9, 0.05, 0.0004
    station_id = "pet" if seq else None
    item = BeltItem(7, 200_000, 3_000_000, 80_000, 250_000, probabilities, 4)
    decision = Decision(
        seq or 99, 7, station_id, 0, 0.9, reason, 4, 3_000_000, 200_000, decided_at_ns, 40, decided_at_ns - S_NS // 20
    )
    command = EjectionCommand("boot", seq, (seq,), "pet", 1, 3, 3_700_000, 3_900_000, 60 * S_NS, "r") if seq else None
    return Ruling(decision, command, item, 0.125)


def settled(ruled: Ruling, status: AckStatus, reason: RefusalReason | None = None) -> Settled:
    assert ruled.command is not None
    opened_um = 3_700_400 if status is AckStatus.FIRED else None
    return Settled(ruled.command, Ack("boot", ruled.command.seq, status, 6 * S_NS, opened_um, None, reason))


def test_the_recipe_comes_first_and_numbers_have_no_gap(book: Book) -> None:
    book.record.take_ruling(ruling(None, DecisionReason.UNKNOWN), "m", 5 * S_NS)
    book.record.step(ModeState(Mode.EXECUTE, 0, "ready", "r"), 5 * S_NS)
    book.record.close(9 * S_NS)
    assert isinstance(book.events[0], RecipeUsed)
    assert book.events[0].targets["hdpe"] == ("hdpe",)
    assert [event.seq for event in book.events] == list(range(1, len(book.events) + 1))


def test_an_item_that_stays_is_written_at_once(book: Book) -> None:
    book.record.take_ruling(ruling(None, DecisionReason.UNKNOWN), "m", 5 * S_NS)
    (item,) = book.of(ItemDecided)
    assert isinstance(item, ItemDecided)
    assert item.class_probabilities == {CLASSES[0]: 0.9, CLASSES[1]: 0.05}
    assert (item.ack_status, item.frame_to_command_ms, item.overlap_ratio) == (None, None, 0.125)
    assert item.mass_g > 0.0
    assert not item.is_ejected


def test_an_item_to_be_ejected_is_written_with_the_answer_and_dated_by_its_decision(book: Book) -> None:
    ruled = ruling(3)
    book.record.take_ruling(ruled, "m", 5 * S_NS)
    assert book.of(ItemDecided) == []
    book.wall_ms += 2000
    book.record.take_settled(settled(ruled, AckStatus.FIRED), 7 * S_NS)
    (item,) = book.of(ItemDecided)
    assert isinstance(item, ItemDecided)
    assert item.at_ms == WALL_MS
    assert (item.ack_status, item.placement_error_um, item.refusal) == (AckStatus.FIRED, 400, None)
    assert item.frame_to_command_ms == pytest.approx(50.0)
    book.record.take_settled(settled(ruled, AckStatus.FIRED), 8 * S_NS)
    assert len(book.of(ItemDecided)) == 1


def test_a_refusal_keeps_its_reason(book: Book) -> None:
    ruled = ruling(3)
    book.record.take_ruling(ruled, "m", 5 * S_NS)
    book.record.take_settled(settled(ruled, AckStatus.REFUSED_LATE, RefusalReason.LATE), 6 * S_NS)
    (item,) = book.of(ItemDecided)
    assert isinstance(item, ItemDecided)
    assert (item.ack_status, item.refusal, item.placement_error_um) == (
        AckStatus.REFUSED_LATE, RefusalReason.LATE, None,
    )  # fmt: skip


def test_commands_without_an_answer_are_written_when_the_line_ends(book: Book) -> None:
    book.record.take_ruling(ruling(3), "m", 5 * S_NS)
    book.record.close(6 * S_NS)
    (item,) = book.of(ItemDecided)
    assert isinstance(item, ItemDecided)
    assert (item.station_id, item.ack_status) == ("pet", None)


def test_time_in_modes_is_told_every_ten_seconds_and_changes_at_once(book: Book) -> None:
    modes = [(0, Mode.IDLE), (4, Mode.IDLE), (4, Mode.EXECUTE), (14, Mode.EXECUTE), (15, Mode.EXECUTE), (16, Mode.HELD)]
    for at_s, mode in modes:
        book.wall_ms = WALL_MS + at_s * 1000
        book.record.step(ModeState(mode, 0, "why", "r"), at_s * S_NS)
    assert [event.mode for event in book.of(ModeChanged)] == [Mode.IDLE, Mode.EXECUTE, Mode.HELD]
    told = [(event.mode, event.duration_ms) for event in book.of(ModeTime)]
    assert told == [(Mode.IDLE, 4000), (Mode.EXECUTE, 10_000), (Mode.EXECUTE, 2000)]
    assert len(book.of(EnergyUsed)) == 1


def test_an_audit_said_again_is_written_once_its_correction_too(book: Book) -> None:
    entry = AuditEntry("a", 1, "pet", 0, 60_000, {"pet_clear": 9, "other": 1}, "shift A")
    corrected = AuditEntry("a", 2, "pet", 0, 60_000, {"pet_clear": 8, "other": 2}, "shift A")
    for said in (entry, entry, corrected, entry):
        book.record.take(said)
    assert [event.revision for event in book.of(AuditTaken)] == [1, 2]


def test_faults_and_their_ends_are_written(book: Book) -> None:
    for is_cleared in (False, True):
        book.record.take(Fault("vision", "no_camera", "gone", 1, is_cleared))
    assert [event.is_cleared for event in book.of(FaultNoted)] == [False, True]
