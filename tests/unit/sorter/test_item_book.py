"""The book of items: evidence from the views before the decision, and none after it."""

import numpy as np
import pytest

from sorter.item_book import ItemBook
from sorter.model.ejection import Decision, DecisionReason
from sorter.model.settings import RecipeSettings, StationSettings
from sorter.model.tracks import Track, TrackBatch
from sorter.policy.evidence import Calibration, no_calibration

RECIPE = RecipeSettings(
    classes=("can", "pet"),
    stations=(StationSettings(id="cans", offset_mm=700.0, targets=("can",)),),
    min_decision_views=2,
    truncated_view_weight=0.5,
)


def track(track_id: int, can: float = 0.9, *, belt_um: int = 1000, views: int = 1, truncated: bool = False) -> Track:
    return Track(track_id, 500, belt_um, 100, 200, (can, 1.0 - can), views, truncated)


def batch(*tracks: Track) -> TrackBatch:
    return TrackBatch(1, 2, 3, "model", tracks)


def decided(track_id: int) -> Decision:
    return Decision(1, track_id, None, 0, 0.9, DecisionReason.UNKNOWN, 2, 1000, 500, 0, 1, 2)


@pytest.fixture
def book() -> ItemBook:
    return ItemBook(RECIPE, no_calibration(2))


def test_views_add_up_and_the_newest_geometry_holds(book: ItemBook) -> None:
    book.observe(batch(track(7, 0.9, belt_um=1000)))
    book.observe(batch(track(7, 0.9, belt_um=1010)))
    item = book.item(7)
    assert (item.track_id, item.belt_um, item.view_count, item.leaves_at_um) == (7, 1010, 2, None)
    np.testing.assert_allclose(item.probabilities, [0.9, 0.1], atol=1e-9)


def test_a_cut_view_counts_less(book: ItemBook) -> None:
    book.observe(batch(track(1, 0.9), track(2, 0.9)))
    book.observe(batch(track(1, 0.2), track(2, 0.2, truncated=True)))
    whole, cut = book.item(1).probabilities[0], book.item(2).probabilities[0]
    # logits 2.197 and -1.386: (2.197 - 1.386) / 2 and (2.197 - 0.693) / 1.5
    assert whole == pytest.approx(1 / (1 + np.exp(-0.4055)), abs=1e-3)
    assert cut == pytest.approx(1 / (1 + np.exp(-1.0027)), abs=1e-3)


def test_probabilities_are_calibrated() -> None:
    book = ItemBook(RECIPE, Calibration(np.array([1.0, 1.0]), np.array([-2.0, 0.0])))
    book.observe(batch(track(1, 0.5)))
    np.testing.assert_allclose(book.item(1).probabilities, [1 / (1 + np.exp(2.0)), 0.5])


def test_views_before_a_swap_of_models_keep_their_meaning(book: ItemBook) -> None:
    book.observe(batch(track(1, 0.5)))
    book.calibration = Calibration(np.array([1.0, 1.0]), np.array([-2.0, 0.0]))
    assert book.item(1).probabilities[0] == pytest.approx(0.5)
    book.observe(batch(track(1, 0.5)))
    assert book.item(1).probabilities[0] == pytest.approx(1 / (1 + np.exp(1.0)))


def test_after_its_decision_an_item_neither_moves_nor_changes_its_mind(book: ItemBook) -> None:
    book.observe(batch(track(1, 0.9)))
    book.settle(decided(1), 700_000)
    book.observe(batch(track(1, 0.1, belt_um=9999)))
    item = book.item(1)
    assert (item.belt_um, item.view_count, item.leaves_at_um) == (1000, 1, 700_000)
    assert item.probabilities[0] == pytest.approx(0.9)
    assert book.decision(1) == decided(1)


def test_items_wait_until_they_are_decided(book: ItemBook) -> None:
    book.observe(batch(track(1), track(2)))
    assert [item.track_id for item in book.undecided()] == [1, 2]
    book.settle(decided(1), None)
    assert [item.track_id for item in book.undecided()] == [2]
    assert book.decision(2) is None


def test_neighbours_are_all_others_seen_often_enough_decided_or_not(book: ItemBook) -> None:
    book.observe(batch(track(1), track(2), track(3)))
    book.observe(batch(track(1), track(2), track(4)))
    book.settle(decided(2), 700_000)
    assert [(item.track_id, item.leaves_at_um) for item in book.others(1)] == [(2, 700_000)]
    assert [item.track_id for item in book.others(3)] == [1, 2]


def test_what_has_passed_is_forgotten_once_it_is_decided(book: ItemBook) -> None:
    book.observe(batch(track(1, belt_um=1000), track(2, belt_um=1000), track(3, belt_um=2000)))
    book.settle(decided(1), None)
    book.settle(decided(3), None)
    book.forget_before(1000)
    assert book.decision(1) is not None
    book.forget_before(1001)
    assert [item.track_id for item in book.undecided()] == [2]
    with pytest.raises(KeyError):
        book.item(1)
    assert book.decision(3) is not None


def test_everything_can_be_forgotten(book: ItemBook) -> None:
    book.observe(batch(track(1), track(2)))
    book.forget_all()
    assert list(book.undecided()) == []
    book.observe(batch(track(1)))
    assert book.item(1).view_count == 1
