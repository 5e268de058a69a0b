"""What a line sends to its hub: events of one life in the order of their numbers, packed small and unpacked with care.

A batch says which event it follows. The hub, which knows the newest it has of each life, so notices when something
between is missing there (its database was put back to an older state) and has it sent again.
"""

import zlib
from typing import Annotated

import msgspec
from msgspec import Meta

from sorter.model.events import AnyEvent

BATCH_VERSION = 1
# what a batch holds at most, on both sides of the wire
MAX_EVENTS = 2000
MAX_PACKED_BYTES = 2 * 2**20
MAX_UNPACKED_BYTES = 16 * 2**20
CONTENT_TYPE = "application/vnd.farz.batch+msgpack"
PROBLEM_TYPE = "application/problem+json"
BATCHES_PATH = "/fleet/v1/batches"
LIVES_PATH = "/fleet/v1/lives"

_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_LEVEL = 6

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Batch(msgspec.Struct, frozen=True):
    """Some events of one life of one line.

    Attributes:
        after_seq: number of the newest event of this life that was sent before, 0 for none.
        events: later ones, in order; numbers that are missing between them are missing on the line.
    """

    version: int
    device_id: Name
    boot_id: Name
    after_seq: Seq
    events: Annotated[tuple[AnyEvent, ...], Meta(min_length=1, max_length=MAX_EVENTS)]


class HeldLife(msgspec.Struct, frozen=True):
    """How much of one life the hub holds: all that was sent up to a number."""

    boot_id: str
    last_seq: int


class Receipt(msgspec.Struct, frozen=True):
    """The hub's answer: the batch is on its disk, and of that life it holds all up to `last_seq`."""

    boot_id: str
    last_seq: int
    stored_count: int
    known_count: int


class BatchError(ValueError):
    """Bytes that are no batch."""


class BatchTooLargeError(BatchError):
    """More than a batch may hold."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Batch)


def pack_batch(batch: Batch) -> bytes:
    """A batch as gzip-compressed MessagePack."""
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP_WINDOW)
    return packer.compress(_ENCODER.encode(batch)) + packer.flush()


def unpack_batch(data: bytes) -> Batch:
    """The batch that was packed; never takes more memory than a batch may have.

    Raises:
        BatchTooLargeError: if it is larger than a batch may be.
        BatchError: if it is no batch of this version, or its events are not of one life and in order.
    """
    if len(data) > MAX_PACKED_BYTES:
        raise BatchTooLargeError(f"a batch has at most {MAX_PACKED_BYTES} bytes")
    try:
        batch = _DECODER.decode(_unzipped(data))
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BatchError(f"no batch: {error}") from error
    _check(batch)
    return batch


def _unzipped(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=_GZIP_WINDOW)
    plain = unpacker.decompress(data, MAX_UNPACKED_BYTES)
    if unpacker.unconsumed_tail:
        raise BatchTooLargeError(f"a batch unpacks to at most {MAX_UNPACKED_BYTES} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise BatchError("no batch: its end is missing, or something follows it")
    return plain


def _check(batch: Batch) -> None:
    if batch.version != BATCH_VERSION:
        raise BatchError(f"batch version {batch.version}, expected {BATCH_VERSION}")
    seq = batch.after_seq
    for event in batch.events:
        if (event.device_id, event.boot_id) != (batch.device_id, batch.boot_id):
            raise BatchError("a batch holds events of one life of one line")
        if event.seq <= seq:
            raise BatchError(f"event {event.seq} after {seq}: not in order")
        seq = event.seq
