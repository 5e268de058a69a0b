"""What the doctor says of a model's pace: the full model, or the lighter one where the full one does not keep up."""

import pytest

from sorter.doctor_finding import Verdict
from sorter.model.settings import Settings
from sorter.runtime.configuration import settings_from
from vision import doctor_model_checks
from vision.detectors.pace import Pace
from vision.doctor_model_checks import check_pace


class Opened:
    """A bundle's full or lighter model."""

    def __init__(self, model_id: str) -> None:
        self.model_id, self.bundle_id = model_id, "full-1"


@pytest.fixture(autouse=True)
def _opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full: 136 ms a view; lighter: 79 ms."""

    def open_chosen(settings: Settings, *, is_timed: bool) -> Opened:
        is_too_much = settings.detector.lighter == "auto" and not timed(Opened("full-1"), settings, None).keeps_up
        return Opened("light-1" if settings.detector.lighter == "always" or (is_timed and is_too_much) else "full-1")

    def timed(detector: Opened, settings: Settings, _clock: object) -> Pace:
        needed_ms = {"full-1": 136.0, "light-1": 79.0}[detector.model_id]
        return Pace(needed_ms, settings.camera.view_step_mm / settings.belt.speed_m_s)

    monkeypatch.setattr(doctor_model_checks, "open_detector", open_chosen)
    monkeypatch.setattr(doctor_model_checks, "pace_of", timed)


@pytest.mark.parametrize(
    ("lighter", "speed_m_s", "verdict", "words"),
    [
        ("auto", 0.5, Verdict.GOOD, "full-1 takes 136 ms a view, the belt gives it 260 ms"),
        ("auto", 2.0, Verdict.GOOD, "the lighter model light-1 takes 79 ms a view, the belt gives it 65 ms"),
        ("auto", 4.0, Verdict.POOR, "the lighter model light-1 takes 79 ms a view, the belt gives it 32 ms, so items"),
        ("never", 2.0, Verdict.POOR, "full-1 takes 136 ms a view, the belt gives it 65 ms, so items go by unseen"),
        ("always", 0.5, Verdict.GOOD, "the lighter model light-1 takes 79 ms"),
    ],
)
def test_the_model_that_a_line_would_run_is_judged(
    lighter: str, speed_m_s: float, verdict: Verdict, words: str
) -> None:
    found = check_pace(settings_from({"detector": {"lighter": lighter}, "belt": {"speed_m_s": speed_m_s}}))
    assert found.verdict is verdict
    assert found.text.startswith(words)
    assert found.figures["given_ms"] == pytest.approx(130.0 / speed_m_s)


def test_what_takes_no_time_on_this_processor_is_not_judged() -> None:
    assert check_pace(settings_from({"detector": {"runtime": "oracle"}})).verdict is Verdict.NOT_APPLICABLE
