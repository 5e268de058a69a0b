"""The gate: a challenger that is worse, clearly or by more than the margin, does not become champion."""

from hypothesis import given
from hypothesis import strategies as st

from training.evaluation.comparison import Difference
from training.release.promotion import Contest, Gate, Scores, Trial, objections

GATE = Gate(margin_ratio=0.01, min_label_count=20)
EVEN = Difference(0.0, -0.02, 0.02)
SCORES = Scores(0.5, 0.5, {"can": 0.5, "hdpe": 0.5})


def trial(map50: Difference = EVEN, f1: Difference = EVEN, can: Difference = EVEN, can_label_count: int = 100) -> Trial:
    contest = Contest("old", SCORES, map50, f1, {"can": can, "hdpe": EVEN})
    return Trial("new", SCORES, contest, "hash", 50, {"can": can_label_count, "hdpe": 100}, "openvino", "f32")


@st.composite
def differences(draw: st.DrawFn) -> Difference:
    low, value, high = sorted(draw(st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3)))
    return Difference(value, low, high)


def test_an_equal_challenger_may_take_over() -> None:
    assert objections(trial(), GATE) == ()


def test_the_first_model_has_nobody_to_be_worse_than() -> None:
    alone = Trial("new", SCORES, None, "hash", 50, {}, "openvino", "f32")
    assert objections(alone, GATE) == ()


def test_a_clear_fall_is_refused_however_small() -> None:
    small = Difference(-0.002, -0.003, -0.001)
    assert "mAP50 is clearly worse" in objections(trial(map50=small), GATE)[0]
    assert "F1 is clearly worse" in objections(trial(f1=small), GATE)[0]
    assert "can is clearly worse" in objections(trial(can=small), GATE)[0]


def test_a_total_that_falls_by_more_than_the_margin_is_refused_though_it_may_be_chance() -> None:
    assert "more than the margin of 0.01" in objections(trial(map50=Difference(-0.011, -0.05, 0.03)), GATE)[0]
    assert objections(trial(map50=Difference(-0.009, -0.05, 0.03)), GATE) == ()
    assert objections(trial(can=Difference(-0.2, -0.5, 0.03)), GATE) == (), "one class alone is too noisy for that"


def test_a_class_with_few_labels_has_no_vote_of_its_own() -> None:
    worse = Difference(-0.2, -0.3, -0.1)
    assert objections(trial(can=worse, can_label_count=19), GATE) == ()
    assert len(objections(trial(can=worse, can_label_count=20), GATE)) == 1


@given(map50=differences(), f1=differences(), can=differences(), margin=st.floats(0.0, 0.2))
def test_whatever_is_accepted_is_not_worse_in_any_way_that_counts(
    map50: Difference, f1: Difference, can: Difference, margin: float
) -> None:
    refused = bool(objections(trial(map50, f1, can), Gate(margin)))
    is_worse = any(one.high < 0 for one in (map50, f1, can)) or min(map50.value, f1.value) < -margin
    assert refused == is_worse


@given(map50=differences(), can=differences(), margins=st.tuples(st.floats(0.0, 0.5), st.floats(0.0, 0.5)))
def test_a_wider_margin_never_refuses_more(map50: Difference, can: Difference, margins: tuple[float, float]) -> None:
    narrow, wide = (len(objections(trial(map50, can=can), Gate(margin))) for margin in sorted(margins))
    assert wide <= narrow
