"""In which numbers a network is calculated: what was asked for, or the fastest that the bundle's figures allow."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from sorter.errors import ConfigurationError
from sorter.model.accuracy_gate import gate_refusal
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Bundle
from sorter.runtime.clock import Clock
from vision.detectors.detector import Detector
from vision.detectors.forms import small_form_name
from vision.detectors.timing import grey_frame, spent_ms

_TIMED_ROUNDS = 7


class Candidates(msgspec.Struct, frozen=True):
    """Precisions that may be chosen, and why the others may not; f32 always may."""

    allowed: tuple[str, ...]
    refused: dict[str, str]


def check_is_known(settings: DetectorSettings, known: Sequence[str]) -> None:
    """Refuse numbers that the runtime cannot calculate with on this machine.

    Raises:
        ConfigurationError: if `detector.precision` is not among the known ones.
    """
    if settings.precision not in known:
        raise ConfigurationError(
            f"configuration: detector.precision = {settings.precision!r}: detector.runtime {settings.runtime!r} knows "
            f"{', '.join(map(repr, known))} on this machine"
        )


def candidates(bundle: Bundle, runtime: str, known: Sequence[str]) -> Candidates:
    """Which precisions the bundle's own figures let a line choose by itself."""
    refusals = {precision: _refusal(bundle, runtime, precision) for precision in known}
    allowed = tuple(precision for precision, reason in refusals.items() if reason is None)
    return Candidates(allowed, {precision: reason for precision, reason in refusals.items() if reason is not None})


def fastest(found: Candidates, open_in: Callable[[str], Detector], size_px: tuple[int, int], clock: Clock) -> Detector:
    """The network in the fastest of the allowed precisions, with the reason told.

    They take turns, so that a busy machine slows all alike; where one alone is allowed, nothing is timed.

    Args:
        found: what is allowed.
        open_in: opens the network in a precision.
        size_px: height and width of the picture to time with.
        clock: what they are timed with.
    """
    detectors = {precision: open_in(precision) for precision in found.allowed}
    times_ms = _median_times_ms(detectors, size_px, clock) if len(detectors) > 1 else {}
    best = min(found.allowed, key=lambda precision: times_ms.get(precision, 0.0))
    detectors[best].choice_reason = f"auto: {_reason(times_ms, found.refused)}"
    return detectors[best]


def _median_times_ms(detectors: Mapping[str, Detector], size_px: tuple[int, int], clock: Clock) -> dict[str, float]:
    frame = grey_frame(*size_px)
    times_ms: dict[str, list[float]] = {precision: [] for precision in detectors}
    for _ in range(_TIMED_ROUNDS):
        for precision, detector in detectors.items():
            times_ms[precision].append(spent_ms(partial(detector.detect, frame), clock))
    return {precision: statistics.median(times) for precision, times in times_ms.items()}


def _reason(times_ms: Mapping[str, float], refused: Mapping[str, str]) -> str:
    timed = ", ".join(f"{precision} {spent_ms:.1f} ms" for precision, spent_ms in times_ms.items())
    left_out = "; ".join(f"{precision} is left out: {reason}" for precision, reason in refused.items())
    return "; ".join(part for part in (f"fastest of {timed}" if timed else "the only one allowed", left_out) if part)


def _refusal(bundle: Bundle, runtime: str, precision: str) -> str | None:
    if precision == "f32":
        return None
    form_name = small_form_name(runtime, precision)
    if form_name is None:
        return gate_refusal(bundle.manifest.metrics, f"{precision}_")
    form = bundle.manifest.forms.get(form_name)
    return "the bundle has no such form" if form is None else gate_refusal(form.metrics)
