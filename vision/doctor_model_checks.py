"""A check of `farz doctor` for the model: whether it keeps up with the belt on this machine's processor."""

from sorter.doctor_finding import Finding, Verdict
from sorter.model.settings import Settings
from sorter.runtime.clock import SystemClock
from vision.detectors import open_detector
from vision.detectors.pace import pace_of

_NAME = "model pace"
_ADVICE = "raise camera.view_step_mm, set detector.precision to 'auto', or lay a lighter model in: farz bundle lighten"


def check_pace(settings: Settings) -> Finding:
    """Whether the views of the model that a line would run are done before the belt brings the next."""
    if settings.detector.runtime not in {"openvino", "onnxruntime"}:
        return Finding(_NAME, Verdict.NOT_APPLICABLE, f"detector.runtime is {settings.detector.runtime!r}")
    detector = open_detector(settings, is_timed=True)
    pace = pace_of(detector, settings, SystemClock())
    text = f"{detector.model_id} takes {pace.needed_ms:.0f} ms a view, the belt gives it {pace.given_ms:.0f} ms"
    if detector.model_id != detector.bundle_id:
        text = f"the lighter model {text}"
    figures = {"needed_ms": pace.needed_ms, "given_ms": pace.given_ms}
    if pace.keeps_up:
        return Finding(_NAME, Verdict.GOOD, text, figures)
    return Finding(_NAME, Verdict.POOR, f"{text}, so items go by unseen: {_ADVICE}", figures)
