"""The caps on what is kept, as invariants over any run of views; and the draw, which nothing on the belt may sway."""

from collections import Counter
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.settings import HarvestSettings, Settings
from sorter.model.units import NS_PER_S
from vision.harvest.choice import (
    Kept,
    Limits,
    Reason,
    choose,
    elapsed_ratio_at,
    fits,
    in_shift,
    is_drawn,
    limits_from,
    shift_at,
    shift_length_ns,
    with_choice,
)

SHARES = (0.4, 0.3, 0.1, 0.2)
STEP_UM = 130_000
NETWORK = {Reason.UNCERTAIN, Reason.DISAGREEING}

views = st.lists(
    st.tuples(
        st.frozensets(st.sampled_from(Reason)), st.integers(0, 8), st.integers(0, 400 * NS_PER_S), st.integers(1, 90)
    ),
    max_size=120,
)


def harvest_settings(max_count: int, distance_mm: float = 800.0, shift_h: float = 1.0) -> Settings:
    harvest = HarvestSettings(max_per_shift=max_count, min_distance_mm=distance_mm, shift_h=shift_h)
    return Settings(harvest=harvest)


@given(views=views, max_count=st.integers(1, 30), max_bytes=st.integers(1, 2000))
def test_no_run_of_views_breaks_a_cap(views, max_count: int, max_bytes: int) -> None:
    settings = harvest_settings(max_count)
    limits = msgspec.structs.replace(limits_from(settings), max_bytes=max_bytes)
    kept, travel_um, wall_ns = Kept(), 0, 0
    by_shift: Counter[int] = Counter()
    by_reason: Counter[tuple[int, Reason]] = Counter()
    places: list[tuple[int, Reason]] = []
    for reasons, step_count, waited_ns, byte_count in views:
        travel_um, wall_ns = travel_um + step_count * STEP_UM, wall_ns + waited_ns
        shift = shift_at(wall_ns, settings.harvest)
        kept = in_shift(kept, shift)
        reason = choose(reasons, travel_um, elapsed_ratio_at(wall_ns, settings.harvest), kept, limits)
        if reason is None or not fits(kept, byte_count, limits):
            continue
        kept = msgspec.structs.replace(with_choice(kept, reason, travel_um), byte_count=kept.byte_count + byte_count)
        by_shift[shift] += 1
        by_reason[shift, reason] += 1
        places.append((travel_um, reason))
        assert reason in reasons
        assert kept.byte_count <= max_bytes
        assert by_shift[shift] <= max_count
        assert by_reason[shift, reason] <= limits.quotas[reason]
    for (before_um, _), (after_um, reason) in pairwise(places):
        assert after_um - before_um >= (limits.network_least_um if reason in NETWORK else limits.least_um)


def test_no_reason_uses_up_the_room_of_another() -> None:
    settings = harvest_settings(100)
    limits = limits_from(settings)
    kept = Kept()
    for index in range(1000):
        reason = choose(frozenset({Reason.UNCERTAIN}), index * 10_000_000, 0.999, kept, limits)
        kept = kept if reason is None else with_choice(kept, reason, index * 10_000_000)
    assert kept.counts == {Reason.UNCERTAIN: 40}
    everything = frozenset(Reason)
    assert choose(everything, 10**12, 0.5, kept, limits) is Reason.FLAGGED
    assert choose(everything - {Reason.FLAGGED}, 10**12, 0.5, kept, limits) is Reason.RANDOM


def test_what_the_network_chooses_is_spread_over_the_shift() -> None:
    limits = limits_from(harvest_settings(100))
    kept = Kept(counts={Reason.UNCERTAIN: 11}, travels_um=(0,))
    uncertain = frozenset({Reason.UNCERTAIN})
    assert choose(uncertain, 10**9, 0.25, kept, limits) is None
    assert choose(uncertain, 10**9, 0.3, kept, limits) is Reason.UNCERTAIN


def test_a_draw_does_not_give_way_to_a_neighbour() -> None:
    limits = limits_from(harvest_settings(100))
    kept = Kept(travels_um=(0,))
    assert choose(frozenset({Reason.UNCERTAIN}), STEP_UM, 0.5, kept, limits) is None
    assert choose(frozenset({Reason.UNCERTAIN, Reason.RANDOM}), STEP_UM, 0.5, kept, limits) is Reason.RANDOM


def test_a_full_folder_keeps_nothing() -> None:
    limits = Limits(10, dict.fromkeys(Reason, 10), 1000, 0, 0)
    assert choose(frozenset(Reason), 0, 0.0, Kept(byte_count=1000), limits) is None
    assert choose(frozenset(Reason), 0, 0.0, Kept(byte_count=999), limits) is Reason.FLAGGED


@given(seed=st.integers(0, 1000), draw_count=st.integers(1, 30), frame_ms=st.integers(20, 1900))
def test_each_slice_of_a_shift_has_one_draw_whatever_the_frame_rate(seed, draw_count: int, frame_ms: int) -> None:
    harvest = HarvestSettings(seed=seed, shift_h=0.05)
    end_ns, step_ns = shift_length_ns(harvest) // draw_count * draw_count, frame_ms * 1_000_000
    instants = [*range(0, end_ns, step_ns), end_ns - 1]
    drawn = sum(is_drawn(since, until, draw_count, harvest) for since, until in pairwise(instants) if until > since)
    # two slices' instants may fall between the same two frames, and one before the very first frame
    assert draw_count // 2 - 1 <= drawn <= draw_count


def test_what_was_drawn_while_the_belt_stood_is_let_go() -> None:
    harvest = HarvestSettings(shift_h=1.0)
    assert is_drawn(0, 2 * NS_PER_S, 3600, harvest)
    assert not is_drawn(0, 600 * NS_PER_S, 3600, harvest)
    assert not is_drawn(5, 5, 3600, harvest)
    assert not is_drawn(0, NS_PER_S, 0, harvest)


@pytest.mark.parametrize(
    ("hour", "shift"), [(5.9, -1), (6.0, 0), (13.9, 0), (14.0, 1), (22.0, 2), (29.9, 2), (30.0, 3)]
)
def test_shifts_begin_when_the_plant_says(hour: float, shift: int) -> None:
    assert shift_at(round(hour * 3600 * NS_PER_S), HarvestSettings()) == shift


def test_shares_that_no_shift_can_hold_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="add up to 1"):
        msgspec.convert({"random_share": 0.9}, HarvestSettings)
