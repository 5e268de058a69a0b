"""Which pictures are kept: pure rules on what a view gives reason for and on what was kept before it."""

import enum
import functools
import hashlib

import msgspec

from sorter.model.settings import HarvestSettings, Settings
from sorter.model.units import BYTES_PER_MIB, NS_PER_S, mm_to_um

_NS_PER_H = 3600 * NS_PER_S
# Views further apart than this had a stop between them: what was drawn for it is let go, not moved to the restart.
_LONGEST_GAP_NS = 2 * NS_PER_S
_REMEMBERED_PLACES = 64


class Reason(enum.Enum):
    """Why a picture is kept, the strongest first: an operator's wish, the draw, what the network is unsure of."""

    FLAGGED = "flagged"
    RANDOM = "random"
    DISAGREEING = "disagreeing"
    UNCERTAIN = "uncertain"


_CHOSEN_BY_NETWORK = frozenset({Reason.DISAGREEING, Reason.UNCERTAIN})


class Limits(msgspec.Struct, frozen=True):
    """How much may be kept.

    Attributes:
        max_count: pictures in one shift.
        quotas: pictures in one shift by reason, so that none uses up the room of the others.
        max_bytes: size of the folder.
        least_um: belt travel between any two kept pictures; one step between views.
        network_least_um: the same for a picture that the network chose. What was asked for or drawn is kept beside
            anything: a draw that gave way to other pictures would be no sample.
    """

    max_count: int
    quotas: dict[Reason, int]
    max_bytes: int
    least_um: int
    network_least_um: int


class Kept(msgspec.Struct, frozen=True):
    """What was kept: in the shift, by reason; in the folder, in bytes; and where on the belt lately."""

    shift: int = 0
    counts: dict[Reason, int] = {}
    byte_count: int = 0
    travels_um: tuple[int, ...] = ()


def limits_from(settings: Settings) -> Limits:
    """The limits that a configuration states; a reason with any share may keep one picture at least."""
    harvest = settings.harvest
    shares = {reason: float(getattr(harvest, f"{reason.value}_share")) for reason in Reason}
    least_um = mm_to_um(settings.camera.view_step_mm)
    return Limits(
        max_count=harvest.max_per_shift,
        quotas={key: max(1, round(share * harvest.max_per_shift)) if share else 0 for key, share in shares.items()},
        max_bytes=harvest.max_folder_mib * BYTES_PER_MIB,
        least_um=least_um,
        network_least_um=max(least_um, mm_to_um(harvest.min_distance_mm)),
    )


def choose(
    reasons: frozenset[Reason], travel_um: int, elapsed_ratio: float, kept: Kept, limits: Limits
) -> Reason | None:
    """The reason for which a picture is kept, None if it is not.

    What the network chooses comes out of a quota that is handed out evenly over the shift: its first minutes would
    else use up all of it.

    Args:
        reasons: what speaks for it.
        travel_um: belt travel at its exposure.
        elapsed_ratio: how much of the shift is over, 0..1.
        kept: what was kept before, in the same shift.
        limits: how much may be kept.
    """
    if sum(kept.counts.values()) >= limits.max_count or kept.byte_count >= limits.max_bytes:
        return None
    distance_um = min((abs(travel_um - other_um) for other_um in kept.travels_um), default=None)
    for reason in Reason:
        is_network = reason in _CHOSEN_BY_NETWORK
        is_apart = distance_um is None or distance_um >= (limits.network_least_um if is_network else limits.least_um)
        room_count = _released(limits.quotas[reason], elapsed_ratio if is_network else 1.0)
        if reason in reasons and is_apart and kept.counts.get(reason, 0) < room_count:
            return reason
    return None


def _released(quota: int, elapsed_ratio: float) -> int:
    return min(quota, 1 + int(quota * elapsed_ratio))


def fits(kept: Kept, byte_count: int, limits: Limits) -> bool:
    """Whether the folder has room for so many bytes more."""
    return kept.byte_count + byte_count <= limits.max_bytes


def in_shift(kept: Kept, shift: int) -> Kept:
    """The same, with counts begun anew where the shift is another."""
    return kept if kept.shift == shift else msgspec.structs.replace(kept, shift=shift, counts={})


def with_choice(kept: Kept, reason: Reason, travel_um: int) -> Kept:
    """What is kept after one more picture was chosen; its bytes are added when they are known."""
    counts = {**kept.counts, reason: kept.counts.get(reason, 0) + 1}
    return msgspec.structs.replace(kept, counts=counts, travels_um=(*kept.travels_um, travel_um)[-_REMEMBERED_PLACES:])


def shift_at(wall_ns: int, harvest: HarvestSettings) -> int:
    """Number of the shift of an instant; `wall_ns` is local wall time in nanoseconds since 1970."""
    return (wall_ns - round(harvest.first_shift_at_h * _NS_PER_H)) // shift_length_ns(harvest)


def elapsed_ratio_at(wall_ns: int, harvest: HarvestSettings) -> float:
    """How much of its shift is over at an instant, 0..1."""
    length_ns = shift_length_ns(harvest)
    return (wall_ns - round(harvest.first_shift_at_h * _NS_PER_H)) % length_ns / length_ns


def shift_length_ns(harvest: HarvestSettings) -> int:
    """How long a shift is."""
    return max(NS_PER_S, round(harvest.shift_h * _NS_PER_H))


def is_drawn(since_ns: int, until_ns: int, draw_count: int, harvest: HarvestSettings) -> bool:
    """Whether an instant was drawn within (since, until], the exposures of two neighbouring views.

    The shift is cut into as many equal slices as pictures may be drawn, and each slice has one instant, a function of
    the seed alone. What lies on the belt has no say, so pictures kept for this reason are a sample of the shift.
    """
    if not draw_count or not 0 < until_ns - since_ns <= _LONGEST_GAP_NS:
        return False
    slice_ns = max(1, shift_length_ns(harvest) // draw_count)
    slices = range(since_ns // slice_ns, until_ns // slice_ns + 1)
    return any(since_ns < _drawn_ns(harvest.seed, index, slice_ns) <= until_ns for index in slices)


@functools.lru_cache(maxsize=16)
def _drawn_ns(seed: int, index: int, slice_ns: int) -> int:
    digest = hashlib.sha256(f"{seed}:{index}".encode()).digest()
    return index * slice_ns + int.from_bytes(digest[:8], "big") * slice_ns // (1 << 64)
