"""Batches: what is packed comes back, and nothing else gets in or costs more than a batch may."""

import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.events import FaultNoted
from sorter.store.batch import (
    BATCH_VERSION,
    MAX_PACKED_BYTES,
    MAX_UNPACKED_BYTES,
    Batch,
    BatchError,
    BatchTooLargeError,
    pack_batch,
    unpack_batch,
)


def event(seq: int, **changes: object) -> FaultNoted:
    values = {"device_id": "north", "boot_id": "a", "at_ms": 1, "process": "p", "code": "c", "detail": "é\0"}
    return FaultNoted(seq=seq, is_cleared=False, **{**values, **changes})  # type: ignore[arg-type]


def batch(*seqs: int, after_seq: int = 0) -> Batch:
    return Batch(BATCH_VERSION, "north", "a", after_seq, tuple(event(seq) for seq in seqs))


def zipped(plain: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(plain) + packer.flush()


@given(steps=st.lists(st.integers(1, 2**40), min_size=1, max_size=50), after_seq=st.integers(0, 2**50))
def test_what_is_packed_comes_back(steps: list[int], after_seq: int) -> None:
    seqs = [after_seq + sum(steps[: count + 1]) for count in range(len(steps))]
    packed = batch(*seqs, after_seq=after_seq)
    assert unpack_batch(pack_batch(packed)) == packed


@given(data=st.binary(max_size=300))
def test_bytes_that_are_no_batch_are_one_kind_of_error(data: bytes) -> None:
    for attempt in (data, zipped(data)):
        with pytest.raises(BatchError):
            unpack_batch(attempt)


@given(cut=st.floats(0.0, 0.999), flipped=st.integers(0, 10_000))
def test_a_batch_that_was_cut_or_changed_is_refused(cut: float, flipped: int) -> None:
    whole = pack_batch(batch(*range(1, 40)))
    with pytest.raises(BatchError):
        unpack_batch(whole[: int(cut * len(whole))])
    # but for the head of gzip, which holds nothing that counts, its checksum notices every change
    place = 10 + flipped % (len(whole) - 10)
    changed = bytearray(whole)
    changed[place] ^= 0xFF
    with pytest.raises(BatchError):
        unpack_batch(bytes(changed))


def test_a_bomb_is_never_unpacked() -> None:
    with pytest.raises(BatchTooLargeError):
        unpack_batch(zipped(bytes(MAX_UNPACKED_BYTES + 1)))
    with pytest.raises(BatchTooLargeError):
        unpack_batch(bytes(MAX_PACKED_BYTES + 1))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (batch(2, 1), "not in order"),
        (batch(1, 1), "not in order"),
        (batch(3, after_seq=3), "not in order"),
        (Batch(BATCH_VERSION, "south", "a", 0, (event(1),)), "one life"),
        (Batch(BATCH_VERSION, "north", "b", 0, (event(1),)), "one life"),
        (Batch(BATCH_VERSION, "north", "a", 0, (event(1), event(2, device_id="south"))), "one life"),
        (Batch(BATCH_VERSION + 1, "north", "a", 0, (event(1),)), "batch version 2, expected 1"),
        (Batch(BATCH_VERSION, "north", "a", 0, ()), "no batch"),
        (Batch(BATCH_VERSION, "", "a", 0, (event(1),)), "no batch"),
        (Batch(BATCH_VERSION, "north", "a", -1, (event(1),)), "no batch"),
    ],
)
def test_what_makes_no_sense_is_refused(changed: Batch, sentence: str) -> None:
    with pytest.raises(BatchError, match=sentence):
        unpack_batch(zipped(msgspec.msgpack.encode(changed)))
