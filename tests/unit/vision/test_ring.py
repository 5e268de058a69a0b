"""The ring of picture buffers, within a process and read from another."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from vision.ring import FrameRing, RingReader

LONG_MS = 20_000.0


def test_slots_come_round_in_turn_and_are_never_allocated_anew() -> None:
    ring = FrameRing(3, 4, 5)
    slots = [ring.next_slot() for _ in range(7)]
    assert slots[0].shape == (4, 5, 3)
    assert slots[0].dtype == np.uint8
    assert slots[3] is slots[0]
    assert slots[6] is slots[0]
    assert slots[4] is slots[1]
    assert ring.slot_count == 3
    assert ring.handed_out_count == 7


def test_what_one_slot_holds_is_left_alone_by_the_others() -> None:
    ring = FrameRing(2, 2, 2)
    first, second = ring.next_slot(), ring.next_slot()
    first[:] = 7
    second[:] = 9
    assert (first == 7).all()


def test_slots_in_use_are_passed_over() -> None:
    ring = FrameRing(3, 2, 2)
    held = ring.next_slot()
    assert not any(ring.next_slot((held,)) is held for _ in range(5))
    assert any(ring.next_slot() is held for _ in range(3))


@pytest.mark.parametrize("sizes", [(0, 2, 2), (2, 0, 2), (2, 2, -1)])
def test_a_ring_that_holds_nothing_is_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        FrameRing(*sizes)


def fill(ring: FrameRing, level: int) -> None:
    ring.next_slot()[:] = level
    ring.publish(level, 1000 + level, 2000 + level)


def test_a_reader_gets_the_newest_picture_once() -> None:
    ring = FrameRing(3, 4, 5)
    reader = RingReader(ring.shape, ring.descriptors)
    assert reader.newest(0.0) is None
    for level in (1, 2):
        fill(ring, level)
    frame = reader.newest(LONG_MS)
    assert frame is not None
    assert (frame.frame_id, frame.exposed_at_ns, frame.travel_um) == (2, 1002, 2002)
    assert (frame.image == 2).all()
    assert not frame.image.flags.writeable
    assert reader.newest(0.0) is None


def test_a_reader_is_told_when_its_picture_was_overwritten() -> None:
    ring = FrameRing(2, 4, 5)
    reader = RingReader(ring.shape, ring.descriptors)
    fill(ring, 1)
    assert reader.newest(LONG_MS) is not None
    fill(ring, 2)
    assert reader.is_intact()
    ring.next_slot()
    assert not reader.is_intact()


def test_a_picture_that_is_being_filled_is_not_handed_out() -> None:
    ring = FrameRing(2, 4, 5)
    reader = RingReader(ring.shape, ring.descriptors)
    fill(ring, 1)
    ring.next_slot()[:] = 9
    frame = reader.newest(LONG_MS)
    assert frame is not None
    assert frame.frame_id == 1


def test_a_writer_is_not_held_up_by_a_reader_that_sleeps() -> None:
    ring = FrameRing(2, 4, 5)
    reader = RingReader(ring.shape, ring.descriptors)
    for level in range(70_000):  # more news than a pipe holds
        ring.next_slot()
        ring.publish(level, 0, 0)
    frame = reader.newest(LONG_MS)
    assert frame is not None
    assert frame.frame_id == 69_999


WRITER = """
import os, signal, sys
from vision.ring import FrameRing
ring = FrameRing(2, 4, 5)
ring.next_slot()[:] = 7
ring.publish(1, 2, 3)
print(os.getpid(), ring.descriptors.memory, ring.descriptors.news, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="opens another process's descriptors through /proc")
def test_pictures_outlive_a_writer_that_is_killed_and_leave_nothing_behind() -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        process_id, memory, news = map(int, writer.stdout.readline().split())
        shape = FrameRing(2, 4, 5).shape
        opened = [os.open(f"/proc/{process_id}/fd/{number}", os.O_RDONLY) for number in (memory, news)]
        reader = RingReader(shape, type(FrameRing(1, 1, 1).descriptors)(*opened))
        frame = reader.newest(LONG_MS)
        assert frame is not None
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    assert (frame.image == 7).all()
    assert reader.is_intact()
    assert reader.newest(0.0) is None
    assert os.fstat(opened[0]).st_nlink == 0  # in no folder: gone with the last who looks at it
    for descriptor in opened:
        os.close(descriptor)
