"""What a line writes down for good: one struct for each kind of event, immutable and numbered by the life of the line.

An event is known everywhere by (device_id, boot_id, seq): `seq` counts the events of all kinds within one life of the
deciding process. `at_ms` is wall time, milliseconds since 1970 UTC, and orders nothing: clocks jump.
"""

import msgspec

from sorter.model.condition import Mode
from sorter.model.ejection import NO_ITEM_REASONS, AckStatus, DecisionReason, RefusalReason


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all events have: which line, which life of it, the how manieth event of that life, and when."""

    device_id: str
    boot_id: str
    seq: int
    at_ms: int


class ItemDecided(Event, frozen=True, kw_only=True, tag="item"):
    """One decided track, written once its fate is known: at once if it stays on the belt, else with the answer.

    Attributes:
        class_probabilities: calibrated probability by class; what is below 0.001 is left out.
        overlap_ratio: share of its box that boxes of other items cover.
        mass_g: estimated mass, `mass_sd_g` its standard deviation.
        station_id: where it was to be ejected, None if it was left on the belt.
        ack_status: how the controller answered, None if it was not asked.
        placement_error_um: travel at opening less commanded travel, None unless fired.
        frame_to_command_ms: exposure of the deciding frame to the command, None if none was sent.
    """

    track_id: int
    decision_id: int
    class_name: str
    probability: float
    class_probabilities: dict[str, float]
    view_count: int
    x_um: int
    belt_um: int
    width_um: int
    length_um: int
    overlap_ratio: float
    mass_g: float
    mass_sd_g: float
    reason: DecisionReason
    station_id: str | None
    ack_status: AckStatus | None
    refusal: RefusalReason | None
    placement_error_um: int | None
    frame_to_command_ms: float | None
    model_id: str
    recipe_hash: str

    @property
    def is_item(self) -> bool:
        """False for what was decided to be a shadow, a stain or a stray detection."""
        return self.reason not in NO_ITEM_REASONS

    @property
    def is_ejected(self) -> bool:
        """Whether a valve opened for it."""
        return self.ack_status is AckStatus.FIRED


class ModeChanged(Event, frozen=True, kw_only=True, tag="mode"):
    """The line entered a mode."""

    mode: Mode
    reason: str
    recipe_hash: str


class ModeTime(Event, frozen=True, kw_only=True, tag="mode_time"):
    """So long the line was in a mode, up to `at_ms`; a stretch lies within one minute and is of about 10 s at most.

    Their sum is the time for which there are data: what is missing from a period is missing from its figures.
    """

    mode: Mode
    duration_ms: int


class FaultNoted(Event, frozen=True, kw_only=True, tag="fault"):
    """A fault was raised, or is over."""

    process: str
    code: str
    detail: str
    is_cleared: bool


class AuditTaken(Event, frozen=True, kw_only=True, tag="audit"):
    """What a sample of a stream held, as somebody counted it by hand.

    A correction has the same `audit_id` and a higher `revision`; the highest counts, earlier ones stay retrievable.

    Attributes:
        station_id: whose ejected stream was sampled, None for what stayed on the belt.
        from_ms: `from_ms` to `to_ms` is when the sampled items passed.
        class_counts: items by class name; what is of no class of the recipe is "other".
        is_withdrawn: the audit is void.
    """

    audit_id: str
    revision: int
    station_id: str | None
    from_ms: int
    to_ms: int
    class_counts: dict[str, int]
    taken_by: str = ""
    note: str = ""
    is_withdrawn: bool = False


class EnergyUsed(Event, frozen=True, kw_only=True, tag="energy"):
    """What was used up within `duration_ms` before `at_ms`.

    Attributes:
        source: where the energy is known from: "rapl", "hwmon" or "configured".
        energy_mj: millijoules.
        air_ul: microlitres of air through the nozzles; `shot_count` is how often a nozzle opened.
    """

    duration_ms: int
    source: str
    energy_mj: int
    air_ul: int
    shot_count: int


class RecipeUsed(Event, frozen=True, kw_only=True, tag="recipe"):
    """What a recipe's hash stands for: `targets` are the target classes of each station."""

    recipe_hash: str
    name: str
    classes: tuple[str, ...]
    targets: dict[str, tuple[str, ...]]


AnyEvent = ItemDecided | ModeChanged | ModeTime | FaultNoted | AuditTaken | EnergyUsed | RecipeUsed
EVENT_TYPES: tuple[type[Event], ...] = (
    ItemDecided, ModeChanged, ModeTime, FaultNoted, AuditTaken, EnergyUsed, RecipeUsed,
)  # fmt: skip


class AuditEntry(msgspec.Struct, frozen=True):
    """An audit as a screen enters it; the deciding process numbers it and writes it down as `AuditTaken`."""

    audit_id: str
    revision: int
    station_id: str | None
    from_ms: int
    to_ms: int
    class_counts: dict[str, int]
    taken_by: str = ""
    note: str = ""
    is_withdrawn: bool = False


def newest_audits(audits: list[AuditTaken]) -> list[AuditTaken]:
    """The valid audits: of each only the highest revision, and none that was withdrawn."""
    newest: dict[tuple[str, str], AuditTaken] = {}
    for audit in audits:
        key = (audit.device_id, audit.audit_id)
        if key not in newest or audit.revision > newest[key].revision:
            newest[key] = audit
    return [audit for audit in newest.values() if not audit.is_withdrawn]
