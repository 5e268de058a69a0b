"""Sequence numbers: nothing seen is ever taken for new, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from actuators.sequence_record import SequenceRecord


@given(st.lists(st.integers(0, 200)))
def test_exactly_what_was_added_is_seen_while_memory_lasts(numbers: list[int]) -> None:
    record = SequenceRecord()
    for number in numbers:
        record.add(number)
    assert [number for number in range(201) if number in record] == sorted(set(numbers))


def test_forgetting_errs_on_the_side_of_seen() -> None:
    record = SequenceRecord()
    for number in range(0, 100_000, 2):
        record.add(number)
    assert all(number in record for number in range(0, 100_000, 2))
    assert 1 in record  # never seen, but too old to be sure
    assert 99_997 not in record
    assert 100_000 not in record
    assert len(record._seen) <= 4096
