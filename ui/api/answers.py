"""What the API answers, as types: JSON, CSV, Parquet and the OpenAPI document all follow from them.

Field names carry units; `null` is "not known", never zero.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from sorter.figures.figure import Figure, Reliability
from sorter.model.reporting_codes import ReportingCodes
from sorter.model.rollups import Period
from ui.api.periods import Asked
from ui.api.query import LanguageName

Ratio = Annotated[float, Meta(ge=0.0, le=1.0)]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Something the API answers."""


class FigureRow(Answer, frozen=True, kw_only=True):
    """One figure of one stretch of time, with all that is needed to quote it.

    Attributes:
        period_from: the stretch begins; period_to: it ends, itself not in it.
        line: the line, null for all lines together.
        name: what it is; subject: what of (a station, a class), empty for the whole line.
        unit: "1" for a share.
        value, low, high: best estimate and 95 % interval.
        numerator, denominator: what the value is made of.
        coverage_ratio: share of the stretch for which there are data.
        reliability, reason: whether the figure may be quoted, and why not.
        method, source: how it was made, and where formula or factor come from.
        model_ids: whose decisions are in it.
        audit_count: audits that corrected it.
    """

    period_from: datetime
    period_to: datetime
    line: str | None
    name: str
    subject: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    numerator: float | None
    denominator: float | None
    coverage_ratio: Ratio
    reliability: Reliability
    reason: str
    method: str
    source: str
    model_ids: tuple[str, ...]
    audit_count: int


class CompositionRow(FigureRow, frozen=True, kw_only=True):
    """The share of one class, and what the class is called elsewhere.

    Attributes:
        class_label: the class's name in the language asked for.
        waste_code: the item, European List of Waste.
        sorted_fraction_code: the fraction that leaves the plant, European List of Waste.
        packaging_category: Decision 2005/270/EC; packaging_identification: Decision 97/129/EC.
        waste_wise_cities_category: UN-Habitat.
    """

    class_label: str
    waste_code: str | None
    sorted_fraction_code: str | None
    packaging_category: str | None
    packaging_identification: str | None
    waste_wise_cities_category: str | None


class FiguresAnswer(Answer, frozen=True, kw_only=True):
    """Figures of a period.

    Attributes:
        as_of: corrections entered later are left out; null: none is.
        publisher, licence_url: whose figures these are, and what may be done with them.
    """

    period_from: datetime
    period_to: datetime
    tz: str
    resolution: str
    as_of: datetime | None
    publisher: str
    licence_url: str
    data: tuple[FigureRow, ...]


class CompositionAnswer(FiguresAnswer, frozen=True, kw_only=True):
    """Composition of a period."""

    data: tuple[CompositionRow, ...]


class LineRow(Answer, frozen=True, kw_only=True):
    """A line that has figures; coverage is that of the last 24 hours."""

    line: str
    coverage_ratio: Ratio


class LinesAnswer(Answer, frozen=True, kw_only=True):
    """All lines; `first` and `last` are the first and the last minute with data of any."""

    first: datetime | None
    last: datetime | None
    data: tuple[LineRow, ...]


class MaterialRow(Answer, frozen=True, kw_only=True):
    """A class in every catalogue, named in three languages."""

    class_name: str
    label_en: str
    label_fr: str
    label_ar: str
    waste_code: str | None
    waste_title: str | None
    sorted_fraction_code: str | None
    sorted_fraction_title: str | None
    packaging_category: str | None
    packaging_identification: str | None
    waste_wise_cities_category: str | None


class MaterialsAnswer(Answer, frozen=True, kw_only=True):
    """The material table."""

    data: tuple[MaterialRow, ...]


class EventRow(Answer, frozen=True, kw_only=True):
    """One event; columns that its kind does not have are null.

    Attributes:
        line, boot_id, seq: known everywhere by these three.
        time: wall time, which orders nothing: clocks jump.
        kind: item, mode, fault or energy.
        class_name … station: of an item; mass_sd_g is a standard deviation, ack how the valves answered.
        mode, reason: of a change of mode, or why an item was decided on as it was.
        process, code, is_cleared: of a fault.
        energy_j, air_l, shot_count, duration_ms, energy_source: of a stretch of use.
    """

    line: str
    boot_id: str
    seq: int
    time: datetime
    kind: str
    class_name: str | None = None
    waste_code: str | None = None
    probability: float | None = None
    view_count: int | None = None
    width_mm: float | None = None
    length_mm: float | None = None
    mass_g: float | None = None
    mass_sd_g: float | None = None
    overlap_ratio: float | None = None
    station: str | None = None
    ack: str | None = None
    refusal: str | None = None
    placement_error_mm: float | None = None
    frame_to_command_ms: float | None = None
    model_id: str | None = None
    recipe_hash: str | None = None
    mode: str | None = None
    reason: str | None = None
    process: str | None = None
    code: str | None = None
    is_cleared: bool | None = None
    duration_ms: int | None = None
    energy_source: str | None = None
    energy_j: float | None = None
    air_l: float | None = None
    shot_count: int | None = None


class EventsAnswer(Answer, frozen=True, kw_only=True):
    """A page of events; `next_cursor` is null on the last page."""

    data: tuple[EventRow, ...]
    next_cursor: str | None


class AuditRow(Answer, frozen=True, kw_only=True):
    """One revision of an audit: what a sample held; who took it is not told.

    Attributes:
        revision: the highest of an audit_id counts, the earlier ones stay for who wants to know what was known when.
        station: whose ejected stream was sampled, null for what stayed on the belt.
        sampled_from, sampled_to: when the sampled items passed.
        entered_at: when this revision was entered.
        is_withdrawn: the audit is void.
    """

    line: str
    audit_id: str
    revision: int
    entered_at: datetime
    station: str | None
    sampled_from: datetime
    sampled_to: datetime
    class_counts: dict[str, int]
    is_withdrawn: bool


class AuditsAnswer(Answer, frozen=True, kw_only=True):
    """A page of audits, all revisions; `next_cursor` is null on the last page."""

    data: tuple[AuditRow, ...]
    next_cursor: str | None


class AuditReceipt(Answer, frozen=True, kw_only=True):
    """An audit was handed to the line, which writes it down; /audits shows it within seconds."""

    audit_id: str
    revision: int


class ProcessRow(Answer, frozen=True, kw_only=True):
    """A process of the line."""

    process: str
    status: str
    restart_count: int


class FaultRow(Answer, frozen=True, kw_only=True):
    """A fault that is there now."""

    process: str
    code: str


class HealthAnswer(Answer, frozen=True, kw_only=True):
    """How the line is; `mode` is null while it says nothing."""

    line: str
    mode: str | None
    processes: tuple[ProcessRow, ...]
    faults: tuple[FaultRow, ...]


class ModelRow(Answer, frozen=True, kw_only=True):
    """A model that is published with its card."""

    name: str
    version: str
    licence: str
    has_card: bool


class IndicatorsAnswer(Answer, frozen=True, kw_only=True):
    """What a regional programme asks: open models, who takes part, what was saved.

    Attributes:
        models: open models with their cards.
        line_count: lines that have figures; reporting_line_count: those with data in the period.
        institution_count: who holds a key to read figures; who that is is not told.
        resources: mass sorted, and what that avoids, as figures with interval, method and source.
    """

    period_from: datetime
    period_to: datetime
    models: tuple[ModelRow, ...]
    line_count: int
    reporting_line_count: int
    institution_count: int
    resources: tuple[FigureRow, ...]


def figure_row(figure: Figure, stretch: Period, asked: Asked, line: str | None) -> FigureRow:
    """A figure of a stretch as a row."""
    return FigureRow(**_figure_values(figure, stretch, asked, line))


def composition_row(
    figure: Figure, stretch: Period, asked: Asked, line: str | None, codes: ReportingCodes, language: LanguageName
) -> CompositionRow:
    """The share of a class as a row."""
    return CompositionRow(
        **_figure_values(figure, stretch, asked, line),
        class_label=getattr(codes.names, language),
        waste_code=codes.waste.code if codes.waste else None,
        sorted_fraction_code=codes.sorted_fraction.code if codes.sorted_fraction else None,
        packaging_category=codes.packaging_category,
        packaging_identification=codes.packaging_identification,
        waste_wise_cities_category=codes.waste_wise_cities_category,
    )


def _figure_values(figure: Figure, stretch: Period, asked: Asked, line: str | None) -> dict[str, Any]:
    return {
        "period_from": asked.told(stretch.from_ms),
        "period_to": asked.told(stretch.to_ms),
        "line": line,
        **{name: getattr(figure, name) for name in _COMMON},
    }


_COMMON = tuple(name for name in FigureRow.__struct_fields__ if name in Figure.__struct_fields__)
