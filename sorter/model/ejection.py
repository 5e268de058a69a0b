"""The ejection contract: decisions, commands that say where on the belt to open, and the answers to them."""

import enum

import msgspec


class DecisionReason(enum.Enum):
    """Why an item is ejected or left on the belt.

    What is TOO_FEW_VIEWS or NOTHING was a shadow, a stain or a stray detection more likely than an item: it is left on
    the belt and counted as no item.
    """

    EJECT = "eject"
    UNKNOWN = "unknown"
    NO_STATION = "no_station"
    NEIGHBOURS = "neighbours"
    TOO_FEW_VIEWS = "too_few_views"
    NOTHING = "nothing"
    OFF_BAR = "off_bar"
    TOO_LATE = "too_late"
    NOT_EXECUTING = "not_executing"


NO_ITEM_REASONS = frozenset({DecisionReason.TOO_FEW_VIEWS, DecisionReason.NOTHING})


class Decision(msgspec.Struct, frozen=True):
    """What is done with one item, once and for all; `probability` is that of `class_id`."""

    decision_id: int
    track_id: int
    station_id: str | None
    class_id: int
    probability: float
    reason: DecisionReason
    view_count: int
    belt_um: int
    x_um: int
    decided_at_ns: int
    frame_id: int
    exposed_at_ns: int


class Intent(msgspec.Struct, frozen=True):
    """What would be done with an item if it had to be decided now; for screens."""

    track_id: int
    class_id: int
    probability: float
    station_id: str | None
    reason: DecisionReason
    is_decided: bool


class Assessment(msgspec.Struct, frozen=True):
    """The intents for every item of one frame."""

    frame_id: int
    intents: tuple[Intent, ...]


class EjectionCommand(msgspec.Struct, frozen=True):
    """Open nozzles first..last (both included) of a station over a stretch of belt travel; void after `valid_until_ns`.

    Travel is that of the belt at the moment of opening, so a controller that counts the encoder needs nothing else.
    """

    boot_id: str
    seq: int
    decision_ids: tuple[int, ...]
    station_id: str
    first_nozzle: int
    last_nozzle: int
    open_at_travel_um: int
    close_at_travel_um: int
    valid_until_ns: int
    recipe_hash: str
    # the life of the controller that it was sent to; the link fills it in, another life of the controller refuses it
    controller_id: str = ""


class AckStatus(enum.Enum):
    """How a controller answered a command."""

    FIRED = "fired"
    REFUSED_LATE = "refused_late"
    REFUSED_STALE = "refused_stale"
    REFUSED_DUPLICATE = "refused_duplicate"
    REFUSED_LIMIT = "refused_limit"
    REFUSED_MODE = "refused_mode"
    FAILED = "failed"


class RefusalReason(enum.Enum):
    """Why a command did not fire, finer than its status: what an engineer must look at."""

    MODE = "mode"
    WRONG_BOOT = "wrong_boot"
    WRONG_RECIPE = "wrong_recipe"
    EXPIRED = "expired"
    LINK_LOST = "link_lost"
    DUPLICATE = "duplicate"
    UNKNOWN_STATION = "unknown_station"
    NOZZLE_RANGE = "nozzle_range"
    BLAST_LENGTH = "blast_length"
    QUEUE_FULL = "queue_full"
    AIR_SUPPLY = "air_supply"
    ON_TIME = "on_time"
    DUTY = "duty"
    REST = "rest"
    LATE = "late"
    DRIVER = "driver"
    UNANSWERED = "unanswered"


class Ack(msgspec.Struct, frozen=True):
    """The one answer to a command; what happened at the valve is None unless it fired, `reason` is if it did."""

    boot_id: str
    seq: int
    status: AckStatus
    opened_at_ns: int | None = None
    opened_at_travel_um: int | None = None
    closed_at_ns: int | None = None
    reason: RefusalReason | None = None


class ItemOutcome(msgspec.Struct, frozen=True):
    """Where an item of the simulated world ended: the truth that scores are made of.

    Sent once an item has passed the last station; `station_id` is None for an item that stayed on the belt. `x_um` is
    where across the belt its centre lay, which tells the nozzles that it passed under.
    """

    item_id: int
    class_id: int
    belt_um: int
    mass_g: float
    is_scored: bool
    station_id: str | None
    x_um: int


class ShotOutcome(msgspec.Struct, frozen=True):
    """What one shot of the simulated bar hit: how many labelled items, scored or not."""

    station_id: str
    open_at_travel_um: int
    hit_count: int


class Outcomes(msgspec.Struct, frozen=True):
    """What the simulated world says happened since the last such message."""

    passed_until_um: int
    items: tuple[ItemOutcome, ...]
    shots: tuple[ShotOutcome, ...]
