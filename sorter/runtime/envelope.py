"""The envelope every message travels in, and its MessagePack form."""

import msgspec

from sorter.runtime.topics import TOPIC_BY_NAME, TOPIC_BY_TYPE

SCHEMA_VERSION = 1


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """Who sent what when; `body` is the message's own MessagePack."""

    schema_version: int
    boot_id: str
    topic: str
    seq: int
    sent_at_ns: int
    body: msgspec.Raw


class Received(msgspec.Struct, frozen=True):
    """A decoded message with the envelope's facts."""

    topic: str
    boot_id: str
    seq: int
    sent_at_ns: int
    message: msgspec.Struct


class EnvelopeError(ValueError):
    """Bytes that are no message of a known topic and schema."""


_ENCODER = msgspec.msgpack.Encoder()
_ENVELOPE_DECODER = msgspec.msgpack.Decoder(Envelope)
_BODY_DECODERS = {name: msgspec.msgpack.Decoder(topic.message_type) for name, topic in TOPIC_BY_NAME.items()}


def pack(message: msgspec.Struct, boot_id: str, seq: int, sent_at_ns: int) -> bytes:
    """The bytes of a message in its envelope; the topic follows from the message's type."""
    topic = TOPIC_BY_TYPE[type(message)].name
    body = msgspec.Raw(_ENCODER.encode(message))
    return _ENCODER.encode(Envelope(SCHEMA_VERSION, boot_id, topic, seq, sent_at_ns, body))


def unpack(data: bytes) -> Received:
    """The message in an envelope.

    Raises:
        EnvelopeError: for other schema versions, unknown topics, or bytes that do not decode.
    """
    try:
        envelope = _ENVELOPE_DECODER.decode(data)
        decoder = _BODY_DECODERS[envelope.topic]
        message = decoder.decode(envelope.body)
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError) as error:
        raise EnvelopeError(f"not a message of this line: {error}") from error
    if envelope.schema_version != SCHEMA_VERSION:
        raise EnvelopeError(f"schema version {envelope.schema_version}, expected {SCHEMA_VERSION}")
    return Received(envelope.topic, envelope.boot_id, envelope.seq, envelope.sent_at_ns, message)
