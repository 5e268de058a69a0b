"""A published figure: never a bare number, always with what it was made of, how sure it is and what it leaves out."""

import enum

import msgspec


class Reliability(enum.Enum):
    """Whether a figure may be quoted; the figure's `reason` says why not."""

    RELIABLE = "reliable"
    UNRELIABLE = "unreliable"
    NO_DATA = "no_data"


class Figure(msgspec.Struct, frozen=True):
    """One figure of a period.

    Attributes:
        name: what it is, such as "purity"; `subject` is what of, a station or class, empty for the whole line.
        unit: "1" for a share, else the unit, such as "t/h".
        numerator: what `value` is made of, with `denominator`, in the units that `method` names.
        value: best estimate, None where there is nothing to estimate from.
        low: lower end of the 95 % interval, None where there is no interval; `high` is the upper one.
        coverage_ratio: share of the period for which the line recorded, in 0..1.
        method: in a sentence or two, how it was made; `source` where the formula or factor comes from.
        model_ids: models whose decisions are in it.
        audit_count: audits that corrected it.
        reason: why it is unreliable or missing, empty otherwise.
    """

    name: str
    unit: str
    value: float | None
    numerator: float | None
    denominator: float | None
    low: float | None
    high: float | None
    coverage_ratio: float
    method: str
    source: str = ""
    subject: str = ""
    model_ids: tuple[str, ...] = ()
    audit_count: int = 0
    reliability: Reliability = Reliability.RELIABLE
    reason: str = ""


def no_data(name: str, unit: str, coverage_ratio: float, reason: str, subject: str = "") -> Figure:
    """A figure that cannot be had, and why."""
    return Figure(
        name,
        unit,
        None,
        None,
        None,
        None,
        None,
        coverage_ratio,
        "",
        subject=subject,
        reliability=Reliability.NO_DATA,
        reason=reason,
    )
