"""From events and sums to the rows that researchers get: harmonised names, units and codes; no name of a person."""

import math
from collections.abc import Callable
from datetime import datetime, timezone

from sorter.export.rows import (
    AuditExportRow,
    EnergyRow,
    ExportRow,
    FaultRow,
    HourRow,
    ItemRow,
    MaterialExportRow,
    ModeRow,
)
from sorter.model.events import AuditTaken, EnergyUsed, Event, FaultNoted, ItemDecided, ModeChanged
from sorter.model.reporting_codes import ReportingCodes, reporting_codes
from sorter.model.rollups import PPM, ItemsKey, ItemsSum
from sorter.model.units import MJ_PER_J, UL_PER_L, UM_PER_MM

_MM2_PER_M2 = 1e6
_MG_PER_KG = 1e6


def utc(at_ms: int) -> datetime:
    """Milliseconds since 1970 as an instant."""
    return datetime.fromtimestamp(at_ms / 1000, timezone.utc)


def item_row(event: ItemDecided) -> ItemRow:
    """A decided track."""
    codes = reporting_codes(event.class_name)
    placement_um = event.placement_error_um
    return ItemRow(
        time=utc(event.at_ms),
        boot_id=event.boot_id,
        seq=event.seq,
        track_id=event.track_id,
        class_name=event.class_name,
        waste_code=codes.waste.code if codes.waste else None,
        sorted_fraction_code=codes.sorted_fraction.code if codes.sorted_fraction else None,
        packaging_category=codes.packaging_category,
        packaging_identification=codes.packaging_identification,
        waste_wise_cities_category=codes.waste_wise_cities_category,
        probability=event.probability,
        class_probabilities=event.class_probabilities,
        view_count=event.view_count,
        x_mm=event.x_um / UM_PER_MM,
        belt_mm=event.belt_um / UM_PER_MM,
        width_mm=event.width_um / UM_PER_MM,
        length_mm=event.length_um / UM_PER_MM,
        overlap_ratio=event.overlap_ratio,
        mass_g=event.mass_g,
        mass_sd_g=event.mass_sd_g,
        reason=event.reason.value,
        station=event.station_id,
        ack=event.ack_status.value if event.ack_status else None,
        refusal=event.refusal.value if event.refusal else None,
        placement_error_mm=None if placement_um is None else placement_um / UM_PER_MM,
        frame_to_command_ms=event.frame_to_command_ms,
        model_id=event.model_id,
        recipe_hash=event.recipe_hash,
    )


def mode_row(event: ModeChanged) -> ModeRow:
    """A change of mode, without who asked for it."""
    return ModeRow(
        time=utc(event.at_ms),
        boot_id=event.boot_id,
        seq=event.seq,
        mode=event.mode.value,
        recipe_hash=event.recipe_hash,
    )


def fault_row(event: FaultNoted) -> FaultRow:
    """A fault, without its detail, which may name files and addresses."""
    return FaultRow(
        time=utc(event.at_ms),
        boot_id=event.boot_id,
        seq=event.seq,
        process=event.process,
        code=event.code,
        is_cleared=event.is_cleared,
    )


def energy_row(event: EnergyUsed) -> EnergyRow:
    """A stretch of use."""
    return EnergyRow(
        time=utc(event.at_ms),
        boot_id=event.boot_id,
        seq=event.seq,
        duration_ms=event.duration_ms,
        energy_source=event.source,
        energy_j=event.energy_mj / MJ_PER_J,
        air_l=event.air_ul / UL_PER_L,
        shot_count=event.shot_count,
    )


def audit_row(event: AuditTaken) -> AuditExportRow:
    """A revision of an audit, without who took it."""
    return AuditExportRow(
        time=utc(event.at_ms),
        boot_id=event.boot_id,
        seq=event.seq,
        audit_id=event.audit_id,
        revision=event.revision,
        station=event.station_id,
        sampled_from=utc(event.from_ms),
        sampled_to=utc(event.to_ms),
        class_counts=event.class_counts,
        is_withdrawn=event.is_withdrawn,
    )


def hour_row(key: ItemsKey, sums: ItemsSum) -> HourRow:
    """Sums over an hour."""
    return HourRow(
        hour=utc(key.start_ms),
        model_id=key.model_id,
        recipe_hash=key.recipe_hash,
        station=key.station_id or None,
        class_name=key.class_name,
        item_count=sums.item_count,
        expected_count=sums.expected_ppm / PPM,
        area_m2=sums.area_mm2 / _MM2_PER_M2,
        mass_kg=sums.mass_mg / _MG_PER_KG,
        mass_sd_kg=math.sqrt(sums.mass_variance_mg2) / _MG_PER_KG,
    )


def material_row(codes: ReportingCodes) -> MaterialExportRow:
    """A class in every catalogue."""
    return MaterialExportRow(
        class_name=codes.class_name,
        label_en=codes.names.en,
        label_fr=codes.names.fr,
        label_ar=codes.names.ar,
        waste_code=codes.waste.code if codes.waste else None,
        sorted_fraction_code=codes.sorted_fraction.code if codes.sorted_fraction else None,
        packaging_category=codes.packaging_category,
        packaging_identification=codes.packaging_identification,
        waste_wise_cities_category=codes.waste_wise_cities_category,
    )


# name of the table → what events it is made of, its type, and how
EVENT_EXPORTS: dict[str, tuple[type[Event], type[ExportRow], Callable[..., ExportRow]]] = {
    "items": (ItemDecided, ItemRow, item_row),
    "mode_changes": (ModeChanged, ModeRow, mode_row),
    "faults": (FaultNoted, FaultRow, fault_row),
    "energy": (EnergyUsed, EnergyRow, energy_row),
    "audits": (AuditTaken, AuditExportRow, audit_row),
}
