"""Purity and recovery: the model's belief without audits, what audits found with many, and honest intervals between."""

import numpy as np
import pytest

from sorter.figures.audit_correction import DEFAULT_SHIFT_SD, interval_95, target_draws
from sorter.figures.figure import Reliability
from sorter.figures.period_record import PeriodRecord
from sorter.figures.purity import contamination, purity, recovery
from sorter.model.events import AuditTaken, RecipeUsed
from sorter.model.rollups import ItemsKey, ItemsSum, Period, RollUp

HOUR = Period(0, 3_600_000)
RECIPE = RecipeUsed(
    device_id="n",
    boot_id="a",
    seq=1,
    at_ms=0,
    recipe_hash="r",
    name="r",
    classes=("pet", "hdpe"),
    targets={"pet": ("pet",)},
)


def record(
    ejected: dict[str, tuple[int, float]], passed: dict[str, tuple[int, float]], *audits: AuditTaken
) -> PeriodRecord:
    """A record from (items, expected items) by class, of what was ejected at "pet" and of what stayed."""
    sums = RollUp()
    for station, classes in (("pet", ejected), ("", passed)):
        for name, (count, expected) in classes.items():
            sums.items[ItemsKey(0, "n", "m", "r", station, name)] = ItemsSum(count, round(expected * 1e6))
    return PeriodRecord(HOUR, sums, audits, {"r": RECIPE})


def audit(station_id: str | None, pet: int, other: int) -> AuditTaken:
    return AuditTaken(
        device_id="n", boot_id="a", seq=2, at_ms=0, audit_id="x", revision=1, station_id=station_id, from_ms=0,
        to_ms=1, class_counts={"pet": pet, "other": other},
    )  # fmt: skip


def test_without_an_audit_purity_is_what_the_model_believes_with_a_wide_interval() -> None:
    figure = purity(record({"pet": (1000, 880.0), "hdpe": (0, 70.0)}, {}), "pet")
    assert figure.value == pytest.approx(0.88, abs=0.02)
    assert figure.low is not None
    assert figure.high is not None
    assert figure.high - figure.low > 0.12
    assert "no audit" in figure.method


def test_a_large_audit_outweighs_the_model_and_narrows_the_interval() -> None:
    believed = record({"pet": (5000, 4750.0)}, {})
    audited = record({"pet": (5000, 4750.0)}, {}, audit("pet", 700, 300))
    before, after = purity(believed, "pet"), purity(audited, "pet")
    assert after.value == pytest.approx(0.7, abs=0.03)
    assert (after.high or 0) - (after.low or 0) < (before.high or 0) - (before.low or 0)
    assert after.audit_count == 1


def test_a_stream_that_was_counted_wholly_has_no_doubt_left() -> None:
    figure = purity(record({"pet": (20, 19.0)}, {}, audit("pet", 15, 5)), "pet")
    assert (figure.value, figure.low, figure.high) == (0.75, 0.75, 0.75)


def test_contamination_is_the_rest() -> None:
    rows = record({"pet": (1000, 900.0)}, {})
    pure, dirty = purity(rows, "pet"), contamination(rows, "pet")
    assert (dirty.value or 0) + (pure.value or 0) == pytest.approx(1.0)
    assert (dirty.low or 0) == pytest.approx(1.0 - (pure.high or 0))


def test_recovery_counts_targets_that_stayed_and_is_corrected_by_audits_of_what_stayed() -> None:
    rows = {"pet": (800, 760.0)}, {"hdpe": (500, 450.0), "pet": (0, 40.0)}
    plain = recovery(record(*rows), "pet")
    worse = recovery(record(*rows, audit(None, 60, 140)), "pet")
    assert plain.value == pytest.approx(760 / 800, abs=0.03)
    assert (worse.value or 0) < (plain.low or 0)


def test_nothing_seen_is_no_data_and_an_unknown_recipe_is_unreliable() -> None:
    assert purity(record({}, {}), "pet").reliability is Reliability.NO_DATA
    unknown = PeriodRecord(HOUR, record({"pet": (10, 9.0)}, {}).sums)
    assert purity(unknown, "pet").reliability is Reliability.UNRELIABLE


@pytest.mark.parametrize("sample_count", [0, 50, 200])
def test_intervals_hold_the_truth_in_93_to_97_of_100_simulated_audits(sample_count: int) -> None:
    random = np.random.default_rng(7)
    held = 0
    for run in range(1000):
        item_count = int(random.integers(500, 5000))
        believed = random.beta(18, 2, item_count)
        shift = random.normal(0.0, DEFAULT_SHIFT_SD)
        # what is so differs from what the model believes by one shift for the whole stream
        true_share = 1.0 / (1.0 + np.exp(-(np.log(believed.mean() / (1.0 - believed.mean())) + shift)))
        is_target = random.random(item_count) < true_share
        found = int(random.choice(is_target, sample_count, replace=False).sum())
        draws = target_draws(float(believed.sum()), item_count, found, sample_count, seed=run)
        _, low, high = interval_95(draws)
        held += low <= is_target.sum() <= high
    assert 0.93 <= held / 1000 <= 0.97
