"""The operations that tell of lines, materials, health, and of the models that are published."""

from functools import lru_cache
from pathlib import Path

from sorter.errors import FarzError
from sorter.model.reporting_codes import ReportingCodes, reporting_codes
from sorter.model.rollups import CountName, Period, Resolution
from sorter.model.settings import Settings
from sorter.runtime.bundle import default_bundle_folder, read_manifest
from sorter.runtime.model_shelf import champion_folder
from sorter.store.protocol import StoreReader
from ui.api.answers import (
    FaultRow,
    HealthAnswer,
    LineRow,
    LinesAnswer,
    MaterialRow,
    MaterialsAnswer,
    ModelRow,
    ProcessRow,
)
from ui.api.operation import Asking
from ui.api.periods import UTC, told

_DAY_MS = 86_400_000
_CARD = "MODEL_CARD.md"


def answer_lines(asking: Asking) -> LinesAnswer:
    """Every line that has ever written, and how complete its last 24 hours are."""
    now_ms = asking.link.now_ms()
    last_day = Period(max(0, now_ms - _DAY_MS), now_ms)
    with asking.link.reader() as reader:
        span = reader.span()
        known_ms = recorded_ms(reader, last_day)
    return LinesAnswer(
        first=None if span.first_ms is None else told(span.first_ms, UTC),
        last=None if span.last_ms is None else told(span.last_ms, UTC),
        data=tuple(LineRow(line=one, coverage_ratio=min(1.0, known_ms.get(one, 0) / _DAY_MS)) for one in span.devices),
    )


def answer_materials(asking: Asking) -> MaterialsAnswer:
    """The classes of the line's recipe in every catalogue."""
    return MaterialsAnswer(data=tuple(_material_row(reporting_codes(name)) for name in asking.settings.recipe.classes))


def answer_health(asking: Asking) -> HealthAnswer:
    """How the line's processes are; what faults say in detail stays on the line's own screen."""
    state = asking.link.state()
    return HealthAnswer(
        line=asking.settings.line_name,
        mode=None if state is None or state.mode is None else state.mode.value.mode.value,
        processes=tuple(
            ProcessRow(process=one.name, status=one.status.value, restart_count=one.restart_count)
            for one in (state.processes if state else ())
        ),
        faults=tuple(FaultRow(process=one.process, code=one.code) for one in (state.faults if state else ())),
    )


def recorded_ms(reader: StoreReader, period: Period) -> dict[str, int]:
    """For how long each line wrote within a period; one read, whatever the number of lines."""
    known: dict[str, int] = {}
    for key, value in reader.series(period, _resolution_for(period)).counts.items():
        if key.name == CountName.MODE_MS:
            known[key.device_id] = known.get(key.device_id, 0) + value
    return known


def published_models(settings: Settings) -> tuple[ModelRow, ...]:
    """The shipped model and the one that the line runs, with licence and whether its card lies beside it."""
    folders = [default_bundle_folder(), *([Path(settings.detector.model)] if settings.detector.model else [])]
    rows = [row for row in map(_model_row, folders) if row is not None]
    return tuple(dict.fromkeys(rows))


@lru_cache(maxsize=16)
def _model_row(folder: Path) -> ModelRow | None:
    """None for a bundle that cannot be read: the line says so, which is not this page's work."""
    try:
        bundle = champion_folder(folder)
        manifest = read_manifest(bundle)
    except FarzError:
        return None
    has_card = (bundle / _CARD).is_file()
    return ModelRow(name=manifest.name, version=manifest.version, licence=manifest.licence, has_card=has_card)


def _resolution_for(period: Period) -> Resolution:
    return Resolution.MINUTE if period.duration_ms <= 2 * _DAY_MS else Resolution.DAY


def _material_row(codes: ReportingCodes) -> MaterialRow:
    return MaterialRow(
        class_name=codes.class_name,
        label_en=codes.names.en,
        label_fr=codes.names.fr,
        label_ar=codes.names.ar,
        waste_code=codes.waste.code if codes.waste else None,
        waste_title=codes.waste.title if codes.waste else None,
        sorted_fraction_code=codes.sorted_fraction.code if codes.sorted_fraction else None,
        sorted_fraction_title=codes.sorted_fraction.title if codes.sorted_fraction else None,
        packaging_category=codes.packaging_category,
        packaging_identification=codes.packaging_identification,
        waste_wise_cities_category=codes.waste_wise_cities_category,
    )
