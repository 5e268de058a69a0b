"""Publish and subscribe over real sockets in a run folder of the test's own."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import zmq

from sorter.model.condition import Fault, Health, HealthStatus
from sorter.model.tracks import BeltState
from sorter.runtime.bus import Publisher, Subscriber, endpoint, new_boot_id, wait_for_any
from sorter.runtime.clock import ManualClock
from sorter.runtime.envelope import Received
from sorter.runtime.topics import BELT, FAULT, HEALTH

POLL_MS = 20
PATIENCE = 250  # polls: five seconds before a test gives up


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def publisher(stack: ExitStack, folder: Path, name: str = "actuators", boot_id: str = "life") -> Publisher:
    made = Publisher(folder, name, boot_id, ManualClock(42))
    stack.callback(made.close)
    return made


def subscriber(stack: ExitStack, folder: Path, *topics: object) -> Subscriber:
    made = Subscriber(folder, topics)  # type: ignore[arg-type]
    stack.callback(made.close)
    return made


def heard(writer: Publisher, reader: Subscriber, message: BeltState) -> Received:
    """Say it until the reader, which may still be connecting, has heard it."""
    for _ in range(PATIENCE):
        writer.publish(message)
        for received in reader.receive(POLL_MS):
            if received.message == message:
                return received
    raise AssertionError("nothing was heard")


def test_a_late_subscriber_hears_what_is_said_from_then_on(stack: ExitStack, tmp_path: Path) -> None:
    writer = publisher(stack, tmp_path)
    writer.publish(BeltState(1, 1, 1))
    received = heard(writer, subscriber(stack, tmp_path, BELT), BeltState(2, 2, 2))
    assert (received.topic, received.boot_id, received.sent_at_ns) == ("belt", "life", 42)


def test_an_early_subscriber_hears_a_writer_that_comes_later(stack: ExitStack, tmp_path: Path) -> None:
    reader = subscriber(stack, tmp_path, BELT)
    assert reader.receive(0) == []
    heard(publisher(stack, tmp_path), reader, BeltState(1, 2, 3))


def test_a_restarted_writer_is_heard_again_under_its_new_name(stack: ExitStack, tmp_path: Path) -> None:
    reader = subscriber(stack, tmp_path, BELT)
    first = publisher(stack, tmp_path, boot_id="first")
    assert heard(first, reader, BeltState(1, 1, 1)).boot_id == "first"
    first.close()
    second = publisher(stack, tmp_path, boot_id="second")
    assert heard(second, reader, BeltState(2, 2, 2)).boot_id == "second"


def test_messages_come_in_order_and_numbered_one_by_one(stack: ExitStack, tmp_path: Path) -> None:
    writer, reader = publisher(stack, tmp_path), subscriber(stack, tmp_path, BELT)
    first = heard(writer, reader, BeltState(0, 0, 0)).seq
    for number in range(1, 21):
        writer.publish(BeltState(number, 0, 0))
    received: list[Received] = []
    for _ in range(PATIENCE):
        received += [each for each in reader.receive(POLL_MS) if each.message != BeltState(0, 0, 0)]
        if len(received) >= 20:
            break
    assert [each.message.measured_at_ns for each in received] == list(range(1, 21))  # type: ignore[attr-defined]
    numbers = [each.seq for each in received]
    assert numbers == list(range(numbers[0], numbers[0] + 20))
    assert numbers[0] > first


def test_a_reader_hears_its_own_topics_alone(stack: ExitStack, tmp_path: Path) -> None:
    writer, reader = publisher(stack, tmp_path), subscriber(stack, tmp_path, BELT)
    heard(writer, reader, BeltState(1, 1, 1))
    writer.publish(Fault("actuators", "code", "detail", 1))
    writer.publish(Health("actuators", HealthStatus.OK, 1, "", 0))
    writer.publish(BeltState(9, 9, 9))
    topics: list[str] = []
    for _ in range(PATIENCE):
        received = reader.receive(POLL_MS)
        topics += [each.topic for each in received]
        if any(each.message == BeltState(9, 9, 9) for each in received):
            break
    assert set(topics) == {"belt"}


def test_a_topic_with_many_writers_is_heard_from_all_of_them(stack: ExitStack, tmp_path: Path) -> None:
    writers = {name: publisher(stack, tmp_path, name) for name in HEALTH.writers}
    reader = subscriber(stack, tmp_path, HEALTH, FAULT)
    silent = set(writers)
    for _ in range(PATIENCE):
        for name in silent:
            writers[name].publish(Health(name, HealthStatus.OK, 1, "", 0))
        silent -= {each.message.process for each in reader.receive(POLL_MS)}  # type: ignore[attr-defined]
        if not silent:
            return
    raise AssertionError(f"not heard: {silent}")


@pytest.mark.parametrize("parts", [[b"belt\0", b"garbage"], [b"belt\0"], [b"belt\0", b"a", b"b"]])
def test_what_is_no_message_is_counted_and_left_out(stack: ExitStack, tmp_path: Path, parts: list[bytes]) -> None:
    stranger: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PUB)
    stack.callback(stranger.close, 0)
    stranger.bind(endpoint(tmp_path, "vision.pub"))
    reader = subscriber(stack, tmp_path, BELT)
    for _ in range(PATIENCE):
        stranger.send_multipart(parts)
        assert reader.receive(POLL_MS) == []
        if reader.malformed_count:
            return
    raise AssertionError("the malformed message was not counted")


def test_waiting_for_any_socket_ends_with_the_first_that_has_something(stack: ExitStack, tmp_path: Path) -> None:
    writer = publisher(stack, tmp_path)
    ready, idle = subscriber(stack, tmp_path, BELT), subscriber(stack, tmp_path, FAULT)
    heard(writer, ready, BeltState(1, 1, 1))
    writer.publish(BeltState(2, 2, 2))
    wait_for_any([idle.socket, ready.socket], 60_000)
    assert ready.socket.poll(0)
    wait_for_any([idle.socket], 0)
    assert list(idle.waiting()) == []


def test_no_two_lives_have_the_same_name() -> None:
    assert len({new_boot_id() for _ in range(1000)}) == 1000
