"""Frames on a serial line: what was sent is read, and damage is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actuators.drivers.serial_frames import (
    DeviceState,
    Frame,
    FrameReader,
    close_payload,
    pack_frame,
    pulse_payload,
    read_close,
    read_pulse,
    read_state,
    state_payload,
)
from actuators.drivers.tick_clock import TickClock
from sorter.model.units import NS_PER_S

frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 65535), st.binary(max_size=700))


@given(st.lists(frames, max_size=5), st.integers(1, 40))
def test_frames_are_read_as_they_were_sent_however_they_are_cut(sent: list[Frame], piece_length: int) -> None:
    reader = FrameReader()
    wire = b"".join(pack_frame(frame) for frame in sent)
    assert wire.count(b"\0") == len(sent)
    got = [frame for at in range(0, len(wire), piece_length) for frame in reader.feed(wire[at : at + piece_length])]
    assert got == sent
    assert reader.damaged_count == 0


@given(frames, st.data())
def test_a_changed_byte_is_never_taken_for_a_frame_nor_the_next_one_lost(frame: Frame, data: st.DataObject) -> None:
    wire = bytearray(pack_frame(frame))
    at = data.draw(st.integers(0, len(wire) - 2))
    wire[at] ^= data.draw(st.integers(1, 255))
    reader = FrameReader()
    follower = Frame(1, 7)
    got = reader.feed(bytes(wire) + pack_frame(follower))
    assert got == [follower]
    assert reader.damaged_count >= 1


@given(st.binary(max_size=3000))
def test_noise_is_bounded_and_counted(noise: bytes) -> None:
    reader = FrameReader()
    reader.feed(noise.replace(b"\0", b"\1"))
    assert reader.feed(b"\0" + pack_frame(Frame(1, 7)))[-1:] == [Frame(1, 7)]


def test_payloads() -> None:
    assert read_pulse(pulse_payload(3, 4, 2**32 + 5, 600_000)) == (3, 4, 5, 600_000)
    assert read_close(close_payload(3, 4, 2**32 - 1)) == (3, 4, 2**32 - 1)
    state = DeviceState(1, 2, 3, -4)
    assert read_state(state_payload(state)) == state
    assert read_state(b"short") is None


@given(st.floats(-5e-4, 5e-4), st.integers(0, 2**33), st.lists(st.integers(0, 300_000), min_size=40, max_size=40))
def test_a_device_s_clock_is_met_to_what_the_quicker_half_of_the_pings_took(
    drift: float, offset_us: int, delays_ns: list[int]
) -> None:
    clock = TickClock()
    now_ns = 0
    for delay_ns in delays_ns:
        now_ns += NS_PER_S // 20
        tick_us = round(offset_us + (now_ns + delay_ns / 2) / 1000 * (1 + drift)) % 2**32
        clock.add(now_ns, tick_us, now_ns + delay_ns)
    wanted_us = (offset_us + (now_ns + 10_000_000) / 1000 * (1 + drift)) % 2**32
    predicted_us = clock.tick_us_at(now_ns + 10_000_000)
    assert predicted_us is not None
    difference_us = (predicted_us - wanted_us + 2**31) % 2**32 - 2**31
    assert difference_us == pytest.approx(0, abs=5)


def test_before_the_first_ping_nothing_is_known() -> None:
    clock = TickClock()
    assert clock.tick_us_at(5) is None
    clock.add(0, 100, 0)
    assert clock.tick_us_at(1000) == 101
    clock.forget()
    assert clock.tick_us_at(5) is None
