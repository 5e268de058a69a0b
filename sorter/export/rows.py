"""The tables that researchers get, as types: each column says its unit and what it means; the data dictionary follows.

Names, units and codes are those of the API. Lines and UTC days are in the folders' names, not in the files.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

At = Annotated[datetime, Meta(description="Wall time, UTC; clocks jump, so boot_id and seq give the order")]
BootId = Annotated[str, Meta(description="Life of the line's deciding process")]
Seq = Annotated[int, Meta(description="Number of the event within that life; with line and boot_id its name")]
WasteCode = Annotated[str, Meta(description="European List of Waste, Decision 2000/532/EC: the item on the belt")]
FractionCode = Annotated[str, Meta(description="European List of Waste: the sorted fraction that leaves the plant")]
PackagingCategory = Annotated[str, Meta(description="Material by Decision 2005/270/EC")]
PackagingIdentification = Annotated[str, Meta(description="Abbreviation and number by Decision 97/129/EC")]
WasteWiseCategory = Annotated[str, Meta(description="UN-Habitat, Waste Wise Cities Tool, household composition")]
ClassName = Annotated[str, Meta(description="Class of the recipe that the item was decided to be; see materials")]
ModelId = Annotated[str, Meta(description="Model whose scores the decision rests on")]
RecipeHash = Annotated[str, Meta(description="Names the recipe in use")]
Station = Annotated[str, Meta(description="Ejection station")]


class ExportRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of an exported table."""


class ItemRow(ExportRow, frozen=True, kw_only=True):
    """One decided track, what was no item (shadow, stain) included; see reason."""

    time: At
    boot_id: BootId
    seq: Seq
    track_id: Annotated[int, Meta(description="Number of the track within a life of the vision process")]
    class_name: ClassName
    waste_code: WasteCode | None
    sorted_fraction_code: FractionCode | None
    packaging_category: PackagingCategory | None
    packaging_identification: PackagingIdentification | None
    waste_wise_cities_category: WasteWiseCategory | None
    probability: Annotated[float, Meta(description="Calibrated probability of the class", extra={"unit": "1"})]
    class_probabilities: Annotated[
        dict[str, float], Meta(description="The same of every class; below 0.001 left out", extra={"unit": "1"})
    ]
    view_count: Annotated[int, Meta(description="Camera views that the decision rests on")]
    x_mm: Annotated[float, Meta(description="Centre across the belt, from its left edge", extra={"unit": "mm"})]
    belt_mm: Annotated[float, Meta(description="Centre along the belt, from the encoder's zero", extra={"unit": "mm"})]
    width_mm: Annotated[float, Meta(description="Box across the belt", extra={"unit": "mm"})]
    length_mm: Annotated[float, Meta(description="Box along the belt", extra={"unit": "mm"})]
    overlap_ratio: Annotated[float, Meta(description="Share of the box that others cover", extra={"unit": "1"})]
    mass_g: Annotated[float, Meta(description="Estimated mass", extra={"unit": "g"})]
    mass_sd_g: Annotated[float, Meta(description="Standard deviation of the estimate", extra={"unit": "g"})]
    reason: Annotated[str, Meta(description="Why it was ejected or left; codes: sorter.model.ejection.DecisionReason")]
    station: Station | None
    ack: Annotated[str, Meta(description="How the valves answered; codes: sorter.model.ejection.AckStatus")] | None
    refusal: Annotated[str, Meta(description="Why they refused; codes: sorter.model.ejection.RefusalReason")] | None
    placement_error_mm: (
        Annotated[float, Meta(description="Travel at opening less commanded travel", extra={"unit": "mm"})] | None
    )
    frame_to_command_ms: (
        Annotated[float, Meta(description="Exposure of the deciding frame to the command", extra={"unit": "ms"})] | None
    )
    model_id: ModelId
    recipe_hash: RecipeHash


class ModeRow(ExportRow, frozen=True, kw_only=True):
    """The line entered a mode."""

    time: At
    boot_id: BootId
    seq: Seq
    mode: Annotated[str, Meta(description="PackML state; codes: sorter.model.condition.Mode")]
    recipe_hash: RecipeHash


class FaultRow(ExportRow, frozen=True, kw_only=True):
    """A fault was raised, or is over."""

    time: At
    boot_id: BootId
    seq: Seq
    process: Annotated[str, Meta(description="Process that noted it")]
    code: Annotated[str, Meta(description="What it was")]
    is_cleared: Annotated[bool, Meta(description="Whether it is over")]


class EnergyRow(ExportRow, frozen=True, kw_only=True):
    """What was used up within duration_ms before time."""

    time: At
    boot_id: BootId
    seq: Seq
    duration_ms: Annotated[int, Meta(description="Length of the stretch", extra={"unit": "ms"})]
    energy_source: Annotated[str, Meta(description="rapl, hwmon: measured; configured: a constant")]
    energy_j: Annotated[float, Meta(description="Electrical energy", extra={"unit": "J"})]
    air_l: Annotated[float, Meta(description="Air through the nozzles", extra={"unit": "L"})]
    shot_count: Annotated[int, Meta(description="How often a nozzle opened")]


class AuditExportRow(ExportRow, frozen=True, kw_only=True):
    """One revision of an audit; the highest revision of an audit_id counts. Who took it is not told."""

    time: At
    boot_id: BootId
    seq: Seq
    audit_id: Annotated[str, Meta(description="The audit, the same in all its revisions")]
    revision: Annotated[int, Meta(description="Number of the revision")]
    station: Annotated[str, Meta(description="Whose ejected stream was sampled; null: what stayed on the belt")] | None
    sampled_from: Annotated[datetime, Meta(description="The first sampled item passed, UTC")]
    sampled_to: Annotated[datetime, Meta(description="The last sampled item had passed, UTC")]
    class_counts: Annotated[dict[str, int], Meta(description='Items of the sample by class; of none is "other"')]
    is_withdrawn: Annotated[bool, Meta(description="Whether the audit is void")]


class HourRow(ExportRow, frozen=True, kw_only=True):
    """Sums over the items of an hour, kept for good where single items are forgotten."""

    hour: Annotated[datetime, Meta(description="The hour's begin, UTC")]
    model_id: ModelId
    recipe_hash: RecipeHash
    station: Annotated[str, Meta(description="Whose valves fired at the items; null: they stayed on the belt")] | None
    class_name: ClassName
    item_count: Annotated[int, Meta(description="Items decided to be of the class")]
    expected_count: Annotated[
        float, Meta(description="Sum of the probabilities that items decided to be whatever are of the class")
    ]
    area_m2: Annotated[float, Meta(description="Boxes of items decided to be of the class", extra={"unit": "m2"})]
    mass_kg: Annotated[float, Meta(description="Estimated mass of those items", extra={"unit": "kg"})]
    mass_sd_kg: Annotated[
        float, Meta(description="Standard deviation from item to item; the class's own error comes on top",
                    extra={"unit": "kg"})
    ]  # fmt: skip


class MaterialExportRow(ExportRow, frozen=True, kw_only=True):
    """A class in every catalogue, named in three languages."""

    class_name: Annotated[str, Meta(description="The class's name in all tables")]
    label_en: Annotated[str, Meta(description="English")]
    label_fr: Annotated[str, Meta(description="French")]
    label_ar: Annotated[str, Meta(description="Arabic")]
    waste_code: WasteCode | None
    sorted_fraction_code: FractionCode | None
    packaging_category: PackagingCategory | None
    packaging_identification: PackagingIdentification | None
    waste_wise_cities_category: WasteWiseCategory | None


class DictionaryRow(ExportRow, frozen=True, kw_only=True):
    """One column of one table."""

    table_name: Annotated[str, Meta(description="Folder or file that the column is in")]
    column_name: Annotated[str, Meta(description="Its name")]
    arrow_type: Annotated[str, Meta(description="Arrow type")]
    unit: Annotated[str, Meta(description="UCUM unit; empty: none; 1: a share")]
    is_nullable: Annotated[bool, Meta(description="Whether it may be null, which is: not known, or does not apply")]
    description: Annotated[str, Meta(description="What it means")]
