"""What speed, camera and distances make of each other, and what audit shots teach."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sorter.model.settings import BeltSettings, CameraSettings, RecipeSettings, Settings, StationSettings, ValveSettings
from sorter.policy.commissioning import AuditShot, correction, geometry

STATION = StationSettings(id="one", offset_mm=700.0, targets=("can",), min_blast_mm=40.0)
SETTINGS = Settings(
    belt=BeltSettings(speed_m_s=2.0),
    camera=CameraSettings(height_px=800, view_length_mm=800.0, exposure_us=300.0, view_step_mm=100.0),
    recipe=RecipeSettings(stations=(STATION,), lead_time_ms=60.0),
    valves=ValveSettings(response_ms=8.0, own_response_ms={"one": 20.0}),
)


def test_blur_views_and_lead() -> None:
    found = geometry(SETTINGS)
    assert found.blur_mm == pytest.approx(0.6)
    assert found.blur_px == pytest.approx(0.6)
    assert found.is_sharp
    assert found.longest_exposure_us == pytest.approx(375.0)
    assert found.views_per_item == pytest.approx(8.0)
    assert found.frame_rate_hz == pytest.approx(20.0)
    # the last view shows the item up to 100 mm before the edge: 700 − 100 − 20 mm at 2 m/s, less the slowest valve
    assert found.lead_ms["one"] == pytest.approx(290.0 - 20.0)
    assert found.is_far_enough("one")


def test_the_highest_speed_counts() -> None:
    fast = Settings(
        belt=BeltSettings(speed_m_s=0.5, speed_high_m_s=8.0), camera=SETTINGS.camera, recipe=SETTINGS.recipe
    )
    found = geometry(fast)
    assert not found.is_sharp
    assert not found.is_far_enough("one")


@given(
    st.floats(-50, 50),
    st.floats(-20, 20),
    st.lists(st.floats(0.3, 4.0), min_size=3, max_size=10),
)
def test_delay_and_distance_are_told_apart_by_speeds(
    distance_mm: float, delay_ms: float, speeds_m_s: list[float]
) -> None:
    assume(max(speeds_m_s) - min(speeds_m_s) > 0.25 * max(speeds_m_s))
    found = correction([AuditShot(speed, distance_mm + speed * delay_ms) for speed in speeds_m_s])
    assert found.offset_mm == pytest.approx(-distance_mm, abs=1e-6)
    assert found.response_ms == pytest.approx(delay_ms, abs=1e-6)
    assert found.residual_mm == pytest.approx(0.0, abs=1e-6)


def test_at_one_speed_all_is_taken_for_distance() -> None:
    found = correction([AuditShot(2.0, 5.0), AuditShot(2.05, 7.0)])
    assert (found.offset_mm, found.response_ms) == (-6.0, None)
    assert found.residual_mm == pytest.approx(1.0)
    with pytest.raises(ValueError, match="no audit shot"):
        correction([])
