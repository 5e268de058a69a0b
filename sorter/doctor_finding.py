"""What a check of `farz doctor` says."""

import enum

import msgspec


class Verdict(enum.Enum):
    """GOOD; POOR: the line runs, but not as it should; WRONG: it does not run, or must not; or nothing to check."""

    GOOD = "good"
    POOR = "poor"
    WRONG = "wrong"
    NOT_APPLICABLE = "not applicable"


class Finding(msgspec.Struct, frozen=True):
    """One check's name, verdict, and a sentence that says what was seen and what to do.

    `figures` are what was measured, unit in the name.
    """

    name: str
    verdict: Verdict
    text: str
    figures: dict[str, float] = {}
