"""The envelope: every message of every topic survives it, and nothing else gets through."""

import typing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.ejection import Ack, AckStatus
from sorter.model.tracks import BeltState
from sorter.runtime.envelope import SCHEMA_VERSION, Envelope, EnvelopeError, pack, unpack
from sorter.runtime.topics import EVERYONE, TOPICS, Topic

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def values(kind: object) -> st.SearchStrategy[object]:
    """Messages of any type that the table of topics uses, built from its annotations."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    plain: dict[object, st.SearchStrategy[object]] = {
        int: INT64,
        float: st.floats(allow_nan=False),
        str: TEXT,
        bool: st.booleans(),
        bytes: st.binary(max_size=20),
        type(None): st.none(),
    }
    if kind in plain:
        return plain[kind]
    if origin is tuple:
        return st.lists(values(inner[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(values(inner[0]), values(inner[1]), max_size=3)
    if inner:
        return st.one_of([values(each) for each in inner])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{name: values(hints[name]) for name in kind.__struct_fields__})
    return st.sampled_from(list(kind))  # type: ignore[call-overload]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_message_of_a_topic_survives_the_journey(topic: Topic) -> None:
    @given(message=values(topic.message_type), boot_id=TEXT, seq=st.integers(0, 2**63 - 1), sent_at_ns=INT64)
    def survives(message: msgspec.Struct, boot_id: str, seq: int, sent_at_ns: int) -> None:
        received = unpack(pack(message, boot_id, seq, sent_at_ns))
        assert received.message == message
        assert type(received.message) is topic.message_type
        assert (received.topic, received.boot_id) == (topic.name, boot_id)
        assert (received.seq, received.sent_at_ns) == (seq, sent_at_ns)

    survives()


def test_topics_have_names_types_and_known_writers_of_their_own() -> None:
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
    assert len({topic.message_type for topic in TOPICS}) == len(TOPICS)
    for topic in TOPICS:
        assert topic.writers
        assert set(topic.writers) <= set(EVERYONE)


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_nothing_worse(data: bytes) -> None:
    with pytest.raises(EnvelopeError):
        unpack(data)


@given(data=st.data())
def test_a_damaged_message_is_read_or_refused_and_nothing_worse(data: st.DataObject) -> None:
    """Bits flipped, cut short, run on: as on a wire."""
    whole = bytearray(pack(Ack("life", 1, AckStatus.FIRED, 5, 6, 7), "life", 1, 2))
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(whole)))
    try:
        received = unpack(bytes(whole[:end]) + data.draw(st.binary(max_size=3)))
    except EnvelopeError:
        return
    assert isinstance(received.message, msgspec.Struct)


def test_text_that_is_no_utf_8_is_refused() -> None:
    whole = pack(BeltState(1, 2, 3), "life", 1, 2)
    with pytest.raises(EnvelopeError):
        unpack(whole.replace(b"life", b"\xff\xfe\xff\xfe"))


def sealed(topic: str, body: bytes, schema_version: int = SCHEMA_VERSION) -> bytes:
    return msgspec.msgpack.encode(Envelope(schema_version, "life", topic, 1, 2, msgspec.Raw(body)))


BELT_BODY = msgspec.msgpack.encode(BeltState(1, 2, 3))


def test_a_well_formed_envelope_is_read() -> None:
    assert unpack(sealed("belt", BELT_BODY)).message == BeltState(1, 2, 3)


@pytest.mark.parametrize("version", [SCHEMA_VERSION - 1, SCHEMA_VERSION + 1])
def test_another_schema_version_is_refused(version: int) -> None:
    with pytest.raises(EnvelopeError, match=str(version)):
        unpack(sealed("belt", BELT_BODY, version))


def test_an_unknown_topic_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="weather"):
        unpack(sealed("weather", BELT_BODY))


def test_another_topic_s_body_is_refused() -> None:
    with pytest.raises(EnvelopeError):
        unpack(sealed("ack", BELT_BODY))
