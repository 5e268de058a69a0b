"""When an item's views give a reason to keep a picture."""

import pytest

from sorter.model.settings import HarvestSettings, RecipeSettings, Settings
from sorter.model.tracks import Track, TrackBatch
from sorter.policy.evidence import no_calibration
from vision.harvest.choice import Reason
from vision.harvest.opinions import Opinions

SETTINGS = Settings(harvest=HarvestSettings(uncertain_band=0.05))
CLASSES = RecipeSettings().classes
STEP_UM = 130_000
LENGTH_UM = 200_000


def scores(**named: float) -> tuple[float, ...]:
    return tuple(named.get(name, 0.001) for name in CLASSES)


def seen(opinions: Opinions, probs: list[tuple[float, ...]], *, truncated: bool = False) -> list[tuple[Reason, ...]]:
    """Reasons given by each view of one item that comes in at the top and leaves at the bottom."""
    found = []
    for index, class_probs in enumerate(probs):
        travel_um = 1_000_000 + index * STEP_UM
        low_um = 1_000_000 + len(probs) * STEP_UM - 1
        track = Track(7, 700_000, low_um + LENGTH_UM // 2, 60_000, LENGTH_UM, class_probs, index + 1, truncated)
        found.append(opinions.take(TrackBatch(index, index, travel_um, "m", (track,))).get(7, ()))
    return found


@pytest.fixture
def opinions() -> Opinions:
    return Opinions(SETTINGS, lambda _model_id: no_calibration(len(CLASSES)))


def test_an_item_at_its_threshold_is_uncertain_in_its_last_whole_view(opinions: Opinions) -> None:
    assert seen(opinions, [scores(hdpe=0.6)] * 3) == [(), (), (Reason.UNCERTAIN,)]


@pytest.mark.parametrize("probability", [0.99, 0.7, 0.5, 0.1])
def test_an_item_away_from_its_threshold_is_not(opinions: Opinions, probability: float) -> None:
    assert seen(opinions, [scores(hdpe=probability)] * 3) == [(), (), ()]


def test_doubt_between_two_classes_of_one_station_is_none(opinions: Opinions) -> None:
    assert seen(opinions, [scores(pet_clear=0.58, pet_coloured=0.37)] * 3) == [(), (), ()]


def test_what_no_station_takes_is_uncertain_near_its_name(opinions: Opinions) -> None:
    assert seen(opinions, [scores(glass=0.52)] * 2)[-1] == (Reason.UNCERTAIN,)


def test_a_single_view_decides_nothing(opinions: Opinions) -> None:
    assert seen(opinions, [scores(hdpe=0.6)]) == [()]


def test_views_that_name_different_classes_disagree_once(opinions: Opinions) -> None:
    probs = [scores(hdpe=0.9), scores(hdpe=0.9), scores(glass=0.9), scores(hdpe=0.9), scores(glass=0.9)]
    assert [Reason.DISAGREEING in one for one in seen(opinions, probs)] == [False, False, True, False, False]


def test_faint_views_and_cut_ones_have_no_say(opinions: Opinions) -> None:
    faint = [scores(hdpe=0.9), scores(glass=0.3), scores(can=0.2)]
    assert all(Reason.DISAGREEING not in one for one in seen(opinions, faint))
    cut = Opinions(SETTINGS, lambda _model_id: no_calibration(len(CLASSES)))
    probs = [scores(hdpe=0.9), scores(glass=0.9)]
    assert all(Reason.DISAGREEING not in one for one in seen(cut, probs, truncated=True))


def test_items_far_behind_are_forgotten(opinions: Opinions) -> None:
    for index in range(2000):
        belt_um = index * STEP_UM
        track = Track(index, 0, belt_um, 60_000, LENGTH_UM, scores(hdpe=0.9), 1, truncated=False)
        opinions.take(TrackBatch(index, index, belt_um, "m", (track,)))
    assert len(opinions._opinions) < 200
