"""What is taken off the belt, and where."""

from typing import Annotated, Literal

from msgspec import Meta

from sorter.model.materials import CLASS_NAMES
from sorter.model.settings.section import DurationMs, OpenRatio, PositiveCount, PositiveMm, Ratio, Section


class StationSettings(Section, frozen=True):
    """One ejection station: where its bar of nozzles is and what it takes off the belt."""

    id: Annotated[str, Meta(min_length=1, max_length=32)]
    # from the camera's reference line (downstream edge of the view) to the nozzles, along the belt
    offset_mm: PositiveMm
    targets: Annotated[tuple[str, ...], Meta(min_length=1)]
    # a bar of air jets, or one paddle across the belt, which is a bar of one wide nozzle
    actuator: Literal["jets", "diverter", "pusher"] = "jets"
    # no shot is fired whose expected share of targets is below this
    purity_target: OpenRatio = 0.6
    # what taking one non-target along costs, in targets; left out, it follows from the purity target
    non_target_cost: Annotated[float, Meta(ge=0.0, le=1000.0)] | None = None
    nozzle_count: Annotated[int, Meta(ge=1, le=1024)] = 112
    nozzle_pitch_mm: PositiveMm = 12.5
    first_nozzle_at_mm: Annotated[float, Meta(ge=-1000.0, le=100_000.0)] = 0.0
    # share of the item's width and length, around its centre, that the jet covers, and the least it covers
    blast_ratio: OpenRatio = 0.5
    min_blast_mm: PositiveMm = 40.0
    # after it has closed, an actuator is left alone for so long: a paddle's way back and its cycle limit
    min_rest_ms: DurationMs = 0.0


class RecipeSettings(Section, frozen=True):
    """What is sorted, and how sure the line must be."""

    name: str = "default"
    classes: Annotated[tuple[str, ...], Meta(min_length=1)] = CLASS_NAMES
    stations: Annotated[tuple[StationSettings, ...], Meta(min_length=1)] = (
        StationSettings(
            id="pet",
            offset_mm=700.0,
            targets=(
                "pet_clear",
                "pet_coloured",
            ),
        ),
        StationSettings(id="hdpe", offset_mm=1100.0, targets=("hdpe",)),
        StationSettings(
            id="can",
            offset_mm=1500.0,
            targets=(
                "can",
                "carton",
            ),
        ),
    )
    min_decision_views: PositiveCount = 2
    # an item that is not ejected counts as one from this probability of being any of the classes
    min_item_probability: Ratio = 0.3
    # of what was seen but is of none of the classes, the share that is an item after all, hence an impurity; the rest
    # is shadow and stain, and a shot at it costs air alone
    unlisted_item_ratio: Ratio = 0.3
    # how much a view counts in which the picture's edge cuts the item
    truncated_view_weight: Ratio = 0.3
    # a command leaves at least this long before the valve must act
    lead_time_ms: DurationMs = 60.0
    # on a belt that stood for longer, somebody may have moved things: what was commanded before is void
    command_validity_ms: DurationMs = 20_000.0
