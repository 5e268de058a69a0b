"""Why an item was ejected or left: what each view said, what each station's shot was worth, and what the valve did.

For screens; nothing in the line acts on it.
"""

import msgspec

from sorter.model.ejection import AckStatus, Decision, RefusalReason


class ViewVote(msgspec.Struct, frozen=True):
    """What one view of an item said: its calibrated class probabilities (C,), and how much they count."""

    frame_id: int
    exposed_at_ns: int
    probabilities: tuple[float, ...]
    weight: float


class Neighbour(msgspec.Struct, frozen=True):
    """Another item in the jet of a shot."""

    track_id: int
    target_probability: float
    other_probability: float


class ShotWorth(msgspec.Struct, frozen=True):
    """What a station's shot at an item would be worth, in targets.

    Attributes:
        cost: what one non-target costs.
        alone: worth of the item by itself; with_neighbours: of all that the jet takes along.
        reaches: whether the bar has a nozzle over the item.
    """

    station_id: str
    target_probability: float
    other_probability: float
    purity_target: float
    cost: float
    alone: float
    with_neighbours: float
    neighbours: tuple[Neighbour, ...]
    reaches: bool


class Explanation(msgspec.Struct, frozen=True):
    """A decision with what it rests on; `probabilities` (C,) are pooled over the views."""

    decision: Decision
    width_um: int
    length_um: int
    probabilities: tuple[float, ...]
    votes: tuple[ViewVote, ...]
    shots: tuple[ShotWorth, ...]
    sent_at_ns: int | None


class ShotReport(msgspec.Struct, frozen=True):
    """What became of the command for some decisions."""

    decision_ids: tuple[int, ...]
    station_id: str
    first_nozzle: int
    last_nozzle: int
    open_at_travel_um: int
    status: AckStatus
    reason: RefusalReason | None
    opened_at_ns: int | None
    opened_at_travel_um: int | None
    closed_at_ns: int | None


class StationRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a station can be changed while the line runs; None of the cost: it follows from the purity target."""

    id: str
    targets: tuple[str, ...]
    purity_target: float
    non_target_cost: float | None


class RecipeChange(msgspec.Struct, frozen=True):
    """An engineer changes what is sorted; the sorter checks it and says what is in force."""

    stations: tuple[StationRecipe, ...]
    requested_at_ns: int
    who: str


class RecipeState(msgspec.Struct, frozen=True):
    """The recipe that is in force; once a second, and at every change."""

    recipe_hash: str
    stations: tuple[StationRecipe, ...]
    changed_by: str
