"""Frames between this box and a valve microcontroller: COBS, so that a zero byte begins anew; CRC-16; little-endian.

The whole protocol is written down in actuators/PROTOCOLS.md, for whoever writes the firmware.
"""

import binascii
import enum
import struct

import msgspec

PROTOCOL_VERSION = 1
_HEAD = struct.Struct("<BBH")
_CRC = struct.Struct("<H")
_CRC_START = 0xFFFF
_LONGEST_RUN = 254
_PULSE, _CLOSE = struct.Struct("<HHII"), struct.Struct("<HHI")
_STATE = struct.Struct("<IIBi")


class FrameKind(enum.IntEnum):
    """What a frame is; the device answers each with STATE, which names its number."""

    PING = 1
    PULSE = 2
    CLOSE = 3
    CLOSE_ALL = 4
    STATE = 128


class Frame(msgspec.Struct, frozen=True):
    """A frame: its kind, its number (of the order that a STATE answers), its payload."""

    kind: int
    number: int
    payload: bytes = b""


class DeviceState(msgspec.Struct, frozen=True):
    """What the device says with every answer.

    Attributes:
        boot_id: drawn anew at every start of the device.
        tick_us: its clock, 32 bits.
        inputs: one bit for each wired input.
        encoder_count: pulses since its start.
    """

    boot_id: int
    tick_us: int
    inputs: int
    encoder_count: int


def pulse_payload(first: int, count: int, at_tick_us: int, limit_us: int) -> bytes:
    """Energise outputs at a tick, until told otherwise or the limit is over."""
    return _PULSE.pack(first, count, at_tick_us % 2**32, limit_us)


def close_payload(first: int, count: int, at_tick_us: int) -> bytes:
    """De-energise outputs at a tick."""
    return _CLOSE.pack(first, count, at_tick_us % 2**32)


def read_pulse(payload: bytes) -> tuple[int, int, int, int]:
    """First output, count, tick, limit."""
    first, count, at_tick_us, limit_us = _PULSE.unpack(payload)
    return first, count, at_tick_us, limit_us


def read_close(payload: bytes) -> tuple[int, int, int]:
    """First output, count, tick."""
    first, count, at_tick_us = _CLOSE.unpack(payload)
    return first, count, at_tick_us


def state_payload(state: DeviceState) -> bytes:
    """The device's state as bytes."""
    return _STATE.pack(state.boot_id, state.tick_us % 2**32, state.inputs, state.encoder_count)


def read_state(payload: bytes) -> DeviceState | None:
    """The device's state; None if that is not one."""
    return DeviceState(*_STATE.unpack(payload)) if len(payload) == _STATE.size else None


def pack_frame(frame: Frame) -> bytes:
    """The bytes of a frame on the wire, its closing zero included."""
    body = _HEAD.pack(PROTOCOL_VERSION, frame.kind, frame.number) + frame.payload
    return _stuffed(body + _CRC.pack(binascii.crc_hqx(body, _CRC_START))) + b"\0"


class FrameReader:
    """Cuts what arrives into frames.

    Attributes:
        damaged_count: pieces between zeros that were no frame.
    """

    def __init__(self) -> None:
        self._rest = b""
        self.damaged_count = 0

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole now."""
        *pieces, self._rest = (self._rest + data).split(b"\0")
        if len(self._rest) > 4 * _LONGEST_RUN:
            self._rest = b""
            self.damaged_count += 1
        frames = [self._frame(piece) for piece in pieces if piece]
        return [frame for frame in frames if frame is not None]

    def _frame(self, piece: bytes) -> Frame | None:
        data = _unstuffed(piece)
        if data is not None and len(data) >= _HEAD.size + _CRC.size:
            body, crc = data[: -_CRC.size], data[-_CRC.size :]
            version, kind, number = _HEAD.unpack_from(body)
            if version == PROTOCOL_VERSION and _CRC.unpack(crc)[0] == binascii.crc_hqx(body, _CRC_START):
                return Frame(kind, number, body[_HEAD.size :])
        self.damaged_count += 1
        return None


def _stuffed(data: bytes) -> bytes:
    """Consistent overhead byte stuffing (Cheshire and Baker 1999): no zero is left."""
    out = bytearray()
    for run in (data + b"\0").split(b"\0")[:-1]:
        while len(run) >= _LONGEST_RUN:
            out += bytes([_LONGEST_RUN + 1]) + run[:_LONGEST_RUN]
            run = run[_LONGEST_RUN:]  # noqa: PLW2901 - cut from its front
        out += bytes([len(run) + 1]) + run
    return bytes(out)


def _unstuffed(data: bytes) -> bytes | None:
    """The bytes that were stuffed; None if these were not."""
    out, at = bytearray(), 0
    while at < len(data):
        length = data[at]
        run = data[at + 1 : at + length]
        if length == 0 or len(run) != length - 1:
            return None
        out += run
        at += length
        if length <= _LONGEST_RUN and at < len(data):
            out.append(0)
    return bytes(out)
