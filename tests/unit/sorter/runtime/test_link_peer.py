"""What an end of the command link knows of the other: lives that are over stay over, and clocks that differ."""

from hypothesis import given
from hypothesis import strategies as st

from sorter.model.condition import Mode
from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import ManualClock
from sorter.runtime.envelope import Received, unpack
from sorter.runtime.link_peer import ClockOffset, Peer, Sender
from sorter.runtime.topics import Heartbeat

LIVENESS_NS = 290 * NS_PER_MS


def heartbeat(boot_id: str, mode: Mode | None = None, seq: int = 1) -> Received:
    return Received("heartbeat", boot_id, seq, 5, Heartbeat(mode=mode))


def test_what_comes_late_or_again_neither_keeps_alive_nor_brings_a_mode_back() -> None:
    peer = Peer(LIVENESS_NS)
    assert peer.hear(heartbeat("life", Mode.EXECUTE, 1), 0)
    assert peer.hear(heartbeat("life", Mode.HELD, 3), 1)
    for seq in (1, 2, 3):
        assert peer.hear(heartbeat("life", Mode.EXECUTE, seq), LIVENESS_NS)
    assert peer.heartbeat is not None
    assert peer.heartbeat.mode is Mode.HELD
    assert not peer.is_alive(LIVENESS_NS + 2)


def test_a_new_life_counts_once_the_one_before_is_silent() -> None:
    peer = Peer(LIVENESS_NS)
    assert peer.hear(heartbeat("first", Mode.EXECUTE), 0)
    assert not peer.hear(heartbeat("second"), LIVENESS_NS)
    assert peer.boot_id == "first"
    assert peer.hear(heartbeat("second"), LIVENESS_NS + 1)
    assert peer.boot_id == "second"


def test_an_ended_life_never_comes_back_however_silent_the_next_is() -> None:
    peer = Peer(LIVENESS_NS)
    peer.hear(heartbeat("first", Mode.EXECUTE), 0)
    peer.hear(heartbeat("second", Mode.HELD), 10 * LIVENESS_NS)
    assert not peer.hear(heartbeat("first", Mode.EXECUTE), 20 * LIVENESS_NS)
    assert peer.boot_id == "second"
    assert peer.heartbeat is not None
    assert peer.heartbeat.mode is Mode.HELD
    assert not peer.is_alive(20 * LIVENESS_NS)


def test_heartbeats_go_at_their_time_and_when_what_they_say_changes() -> None:
    clock = ManualClock(1)
    sender, peer = Sender("life", clock), Peer(LIVENESS_NS)
    assert sender.due_heartbeat(Heartbeat(mode=Mode.IDLE), peer, 0) is not None
    assert sender.due_heartbeat(Heartbeat(mode=Mode.IDLE), peer, 99 * NS_PER_MS) is None
    assert sender.due_heartbeat(Heartbeat(mode=Mode.EXECUTE), peer, 99 * NS_PER_MS) is not None
    assert sender.due_heartbeat(Heartbeat(mode=Mode.EXECUTE), peer, 198 * NS_PER_MS) is None
    due = sender.due_heartbeat(Heartbeat(mode=Mode.EXECUTE), peer, 199 * NS_PER_MS)
    assert due is not None
    assert unpack(sender.pack(due)).sent_at_ns == 1
    assert sender.has_sent(1)
    assert not sender.has_sent(2)


@given(
    st.integers(-(10**15), 10**15),
    st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 10**8)), min_size=1, max_size=40),
)
def test_the_offset_is_right_to_half_the_shortest_way_there_and_back(
    offset_ns: int, delays_ns: list[tuple[int, int]]
) -> None:
    estimate, now_ns = ClockOffset(), 0
    for there_ns, back_ns in delays_ns:
        heard_ns = now_ns + there_ns + offset_ns
        estimate.add(now_ns, heard_ns, heard_ns + 50, now_ns + there_ns + 50 + back_ns)
        now_ns += 10**9
    assert estimate.offset_ns is not None
    assert abs(estimate.offset_ns - offset_ns) <= min(map(sum, delays_ns[-32:])) / 2 + 1


def test_a_way_back_before_the_way_there_is_no_measurement() -> None:
    estimate = ClockOffset()
    estimate.add(100, 500, 700, 200)
    assert estimate.offset_ns is None
    estimate.add(100, 500, 550, 200)
    assert estimate.offset_ns is not None
    estimate.forget()
    assert estimate.offset_ns is None
