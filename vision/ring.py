"""The buffers that pictures are decoded into: one piece of shared memory, so that another process may read them, too.

The memory has no name: it is gone when the last process that looks at it is, however that ended. Who fills a slot and
for how long is the caller's care. Loss rule: the oldest slot that is not in use is overwritten; a reader in another
process gets the newest picture and is told when it was overwritten meanwhile.
"""

import mmap
import os
import select
import tempfile
import weakref
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from vision.frame import Frame

_BEING_FILLED = 0
_FACT_COUNT = 4
_DRAIN_BYTES = 4096


class RingShape(msgspec.Struct, frozen=True):
    """How many pictures of which size a ring holds; what a reader in another process must know."""

    slot_count: int
    height_px: int
    width_px: int


class RingDescriptors(msgspec.Struct, frozen=True):
    """File descriptors that make a ring readable: its memory, and the end of a pipe that says when there is news."""

    memory: int
    news: int


class FrameRing:
    """A fixed number of picture buffers, handed out in turn.

    Attributes:
        shape: what it holds.
    """

    def __init__(
        self,
        slot_count: int,
        height_px: int,
        width_px: int,
        allocate: Callable[[tuple[int, ...]], NDArray[np.uint8]] | None = None,
    ) -> None:
        """Allocate the slots.

        Args:
            slot_count: pictures that stay valid at the same time, 1 or more.
            height_px: rows of a picture.
            width_px: columns of a picture.
            allocate: makes memory that a GPU reads in place; other processes then see no pictures. Left out: shared.

        Raises:
            ValueError: if there is no slot or no pixel.
        """
        if min(slot_count, height_px, width_px) < 1:
            raise ValueError(f"a ring of {slot_count} slots of {height_px}×{width_px} pixels holds nothing")
        self.shape = RingShape(slot_count, height_px, width_px)
        memory = _nameless_memory(_byte_count(self.shape))
        self._facts, self._views = _mapped(self.shape, memory, mmap.PROT_READ | mmap.PROT_WRITE)
        if allocate is not None:
            self._views = tuple(allocate((slot_count, height_px, width_px, 3)))
        read_end, self._news = os.pipe()
        os.set_blocking(self._news, False)
        self._descriptors = RingDescriptors(memory, read_end)
        self._place = -1
        self._handed_out_count = 0
        self.close = weakref.finalize(self, _close, (memory, read_end, self._news))

    @property
    def slot_count(self) -> int:
        """How many pictures stay valid at the same time."""
        return len(self._views)

    @property
    def handed_out_count(self) -> int:
        """How many slots were handed out so far."""
        return self._handed_out_count

    @property
    def descriptors(self) -> RingDescriptors:
        """What to hand to a process that is to read along, as `pass_fds` of `subprocess` does."""
        return self._descriptors

    def next_slot(self, in_use: Sequence[NDArray[np.uint8]] = ()) -> NDArray[np.uint8]:
        """The slot to fill next, (H, W, 3) uint8 BGR; it still holds an old picture.

        Args:
            in_use: slots that somebody still looks at, fewer than there are; they are passed over.
        """
        self._place = (self._place + 1) % len(self._views)
        while any(self._views[self._place] is slot for slot in in_use):
            self._place = (self._place + 1) % len(self._views)
        self._handed_out_count += 1
        self._facts[self._place, 0] = _BEING_FILLED
        return self._views[self._place]

    def publish(self, frame_id: int, exposed_at_ns: int, travel_um: int) -> None:
        """Say that the slot handed out last is filled, and with what; wakes a reader, never waits for it."""
        self._facts[self._place, 1:] = frame_id, exposed_at_ns, travel_um
        self._facts[self._place, 0] = self._handed_out_count
        try:
            os.write(self._news, b"\0")
        except BlockingIOError:
            return  # a pipe full of news is news enough


class RingReader:
    """The newest picture of a ring that another process fills; nothing is copied, nothing is asked for in a loop."""

    def __init__(self, shape: RingShape, descriptors: RingDescriptors) -> None:
        self._facts, self._views = _mapped(shape, descriptors.memory, mmap.PROT_READ)
        self._news = descriptors.news
        os.set_blocking(self._news, False)
        self._poll = select.poll()
        self._poll.register(self._news, select.POLLIN)
        self._stamp = _BEING_FILLED
        self._place = 0

    def newest(self, timeout_ms: float) -> Frame | None:
        """The newest picture not yet seen; None: none came within the time, or its writer is gone.

        It stays as it is for as long as `is_intact` says so.
        """
        events = self._poll.poll(timeout_ms)
        if not events or not events[0][1] & select.POLLIN:
            return None
        os.read(self._news, _DRAIN_BYTES)
        place = int(self._facts[:, 0].argmax())
        stamp, frame_id, exposed_at_ns, travel_um = self._facts[place].tolist()
        if stamp <= self._stamp or self._facts[place, 0] != stamp:
            return None
        self._stamp, self._place = stamp, place
        return Frame(frame_id, exposed_at_ns, travel_um, self._views[place])

    def is_intact(self) -> bool:
        """Whether the picture handed out last has not been overwritten since; ask after it was used."""
        return bool(self._facts[self._place, 0] == self._stamp)


def _byte_count(shape: RingShape) -> int:
    return _whole_pages(shape.slot_count * _FACT_COUNT * 8) + shape.slot_count * _slot_stride(shape)


def _slot_stride(shape: RingShape) -> int:
    return _whole_pages(shape.height_px * shape.width_px * 3)


def _whole_pages(byte_count: int) -> int:
    return -(-byte_count // mmap.PAGESIZE) * mmap.PAGESIZE


def _nameless_memory(byte_count: int) -> int:
    """A file descriptor of shared memory that no folder lists, so that nobody needs to unlink it."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("farz-frames")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, byte_count)
    return descriptor


def _mapped(
    shape: RingShape, descriptor: int, protection: int
) -> tuple[NDArray[np.int64], tuple[NDArray[np.uint8], ...]]:
    """Facts, (slots, 4) int64: stamp, frame id, exposure, travel; and the slots, each beginning on a page."""
    memory = mmap.mmap(descriptor, _byte_count(shape), prot=protection)
    facts = np.frombuffer(memory, np.int64, shape.slot_count * _FACT_COUNT).reshape(-1, _FACT_COUNT)
    first, stride = _whole_pages(facts.nbytes), _slot_stride(shape)
    size = shape.height_px * shape.width_px * 3
    flat = (np.frombuffer(memory, np.uint8, size, first + place * stride) for place in range(shape.slot_count))
    return facts, tuple(slot.reshape(shape.height_px, shape.width_px, 3) for slot in flat)


def _close(descriptors: tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
