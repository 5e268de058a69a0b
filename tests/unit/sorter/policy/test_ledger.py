"""The ledger: whatever comes in whatever order, each command is settled once and once only."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sorter.model.ejection import Ack, AckStatus, EjectionCommand, RefusalReason
from sorter.policy.ledger import Ledger, Settled

LIFE, OTHER_LIFE = "life", "earlier"


def command(seq: int, valid_until_ns: int = 1_000) -> EjectionCommand:
    return EjectionCommand(LIFE, seq, (seq,), "pet", 0, 1, 0, 1, valid_until_ns, "recipe")


def unanswered(seq: int) -> Ack:
    return Ack(LIFE, seq, AckStatus.FAILED, reason=RefusalReason.UNANSWERED)


def test_an_answer_is_matched_with_its_command() -> None:
    ledger = Ledger()
    ledger.enter(command(1))
    ledger.enter(command(2))
    ack = Ack(LIFE, 2, AckStatus.FIRED, 10, 20, 30)
    assert ledger.settle(ack) == Settled(command(2), ack)
    assert ledger.open_count == 1


def test_a_second_answer_and_a_foreign_one_are_counted_and_settle_nothing() -> None:
    ledger = Ledger()
    ledger.enter(command(1))
    assert ledger.settle(Ack(OTHER_LIFE, 1, AckStatus.FIRED)) is None
    assert ledger.open_count == 1
    assert ledger.settle(Ack(LIFE, 1, AckStatus.FIRED)) is not None
    assert ledger.settle(Ack(LIFE, 1, AckStatus.REFUSED_DUPLICATE)) is None
    assert ledger.unknown_ack_count == 2


def test_what_is_unanswered_a_grace_after_its_validity_has_failed() -> None:
    ledger = Ledger()
    ledger.enter(command(1, valid_until_ns=1_000))
    ledger.enter(command(2, valid_until_ns=5_000))
    assert ledger.expire(now_ns=1_500, grace_ns=500) == []
    assert ledger.expire(now_ns=1_501, grace_ns=500) == [Settled(command(1), unanswered(1))]
    assert ledger.expire(now_ns=1_501, grace_ns=500) == []
    assert ledger.open_count == 1


def test_a_command_that_could_not_be_sent_fails_whether_it_was_entered_or_not() -> None:
    ledger = Ledger()
    ledger.enter(command(1))
    for seq in (1, 2):
        assert ledger.fail(command(seq)) == Settled(command(seq), unanswered(seq))
    assert ledger.open_count == 0
    assert ledger.settle(Ack(LIFE, 1, AckStatus.FIRED)) is None


events = st.one_of(
    st.tuples(st.just("enter"), st.integers(1, 6), st.integers(0, 50)),
    st.tuples(st.just("ack"), st.integers(1, 6), st.sampled_from(sorted(AckStatus, key=lambda each: each.value))),
    st.tuples(st.just("foreign"), st.integers(1, 6), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 30), st.just(0)),
)


@given(st.lists(events, max_size=40))
def test_each_command_is_settled_exactly_once_whatever_comes_when(story: list[tuple[str, int, object]]) -> None:
    ledger, now_ns = Ledger(), 0
    entered: set[int] = set()
    settled: Counter[int] = Counter()
    lost_answer_count = 0
    for kind, number, detail in story:
        if kind == "enter" and number not in entered:
            assert isinstance(detail, int)
            entered.add(number)
            ledger.enter(command(number, valid_until_ns=now_ns + detail))
        elif kind == "ack":
            assert isinstance(detail, AckStatus)
            was_waiting = number in entered and not settled[number]
            answer = ledger.settle(Ack(LIFE, number, detail))
            assert (answer is not None) == was_waiting
            settled[number] += was_waiting
            lost_answer_count += not was_waiting
        elif kind == "foreign":
            assert ledger.settle(Ack(OTHER_LIFE, number, AckStatus.FIRED)) is None
            lost_answer_count += 1
        elif kind == "wait":
            now_ns += number
            for overdue in ledger.expire(now_ns, grace_ns=5):
                assert overdue.ack.status is AckStatus.FAILED
                assert now_ns > overdue.command.valid_until_ns + 5
                settled[overdue.command.seq] += 1
        assert ledger.open_count == len(entered) - settled.total()
    for overdue in ledger.expire(now_ns + 1_000, grace_ns=5):
        settled[overdue.command.seq] += 1
    assert settled == Counter(entered)
    assert ledger.open_count == 0
    assert ledger.unknown_ack_count == lost_answer_count
