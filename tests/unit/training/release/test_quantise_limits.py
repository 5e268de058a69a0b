"""Limits hold for the mean and for every class with enough labels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.release.quantise_limits import Limits, Worth, drop_between

LIMITS = Limits(max_drop=0.01, max_class_drop=0.03, least_labels=10)


def worth(can: float, glass: float, glass_labels: int = 50) -> Worth:
    return Worth((can + glass) / 2, {"can": can, "glass": glass}, {"can": 50, "glass": glass_labels})


@given(st.floats(0, 1), st.floats(0, 1))
def test_nothing_is_lost_against_itself(can: float, glass: float) -> None:
    found = drop_between(worth(can, glass), worth(can, glass), LIMITS)
    assert (found.map50, found.share_of_limit, found.is_within) == (0.0, 0.0, True)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_form_is_within_the_limits_when_every_one_of_them_holds(a: float, b: float, c: float, d: float) -> None:
    reference, other = worth(a, b), worth(c, d)
    found = drop_between(reference, other, LIMITS)
    holds = reference.map50 - other.map50 <= 0.01 and a - c <= 0.03 and b - d <= 0.03
    assert found.is_within == holds


@pytest.mark.parametrize(
    ("other", "labels", "is_within", "worst"),
    [
        (worth(0.495, 0.495), 50, True, "can"),  # half a point each
        (worth(0.48, 0.49), 50, False, "can"),  # the mean by one and a half
        (worth(0.54, 0.465), 50, False, "glass"),  # one class by three and a half, though the mean has gained
        (worth(0.54, 0.465), 9, True, "can"),  # ... which does not count with few labels
    ],
)
def test_cases(other: Worth, labels: int, is_within: bool, worst: str) -> None:
    found = drop_between(worth(0.5, 0.5, labels), other, LIMITS)
    assert (found.is_within, found.worst_class) == (is_within, worst)


def test_no_loss_at_all_can_be_asked_for() -> None:
    strict = Limits(0.0, 0.0)
    assert drop_between(worth(0.5, 0.5), worth(0.5, 0.5), strict).is_within
    assert not drop_between(worth(0.5, 0.5), worth(0.5, 0.4999), strict).is_within
