"""The sidecar of a kept picture: one JSON file beside it that says when, why and with which pre-labels it was kept."""

import re
from datetime import datetime
from pathlib import Path

import msgspec

from sorter.errors import DataFolderError
from vision.harvest.choice import Reason

SIDECAR_SUFFIX = ".json"
# English whatever the locale; with the hour they name a capture session as the lab's splits know it.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class PreLabel(msgspec.Struct, frozen=True):
    """What the network made of one item: to be confirmed or corrected by a person.

    `box_px` is left, top, right, bottom inside the picture; `class_probabilities` (C,) are calibrated and rest on
    `view_count` views, in the order of the sidecar's `classes`; `reasons` name this item as why the picture is kept.
    """

    track_id: int
    box_px: tuple[float, float, float, float]
    class_name: str
    probability: float
    class_probabilities: tuple[float, ...]
    view_count: int
    truncated: bool
    reasons: tuple[Reason, ...] = ()


class KeptPicture(msgspec.Struct, frozen=True):
    """One kept picture.

    Attributes:
        picture: its file name, beside the sidecar.
        reason: what it was kept for; only `random` pictures are a sample of what the line sees.
        kept_at: local wall time with offset, ISO 8601.
        session: line, date and hour; pictures of one session resemble each other and belong on one side of a split.
        exposed_at_ns: instant of exposure, CLOCK_MONOTONIC.
        travel_um: belt travel at exposure.
    """

    picture: str
    width_px: int
    height_px: int
    reason: Reason
    kept_at: str
    session: str
    line_name: str
    frame_id: int
    exposed_at_ns: int
    travel_um: int
    model_id: str
    recipe_name: str
    recipe_hash: str
    classes: tuple[str, ...]
    items: tuple[PreLabel, ...]
    schema_version: int = 1


def session_name(line_name: str, wall: datetime) -> str:
    """Line, date and hour, as in `demo_2026_22-Nov_14`."""
    line = re.sub(r"[^A-Za-z0-9]+", "-", line_name).strip("-") or "line"
    return f"{line}_{wall.year}_{wall.day:02d}-{_MONTHS[wall.month - 1]}_{wall.hour:02d}"


def picture_stem(line_name: str, wall: datetime, frame_id: int) -> str:
    """Name of a picture without suffix: its session, minute, second and frame."""
    return f"{session_name(line_name, wall)}-{wall.minute:02d}-{wall.second:02d}_{frame_id:07d}"


def encode_sidecar(kept: KeptPicture) -> bytes:
    """The sidecar's text."""
    return msgspec.json.format(msgspec.json.encode(kept), indent=1)


def read_sidecar(path: Path) -> KeptPicture:
    """Read a sidecar.

    Raises:
        DataFolderError: if it cannot be read or is none.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=KeptPicture)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataFolderError(f"{path}: not the sidecar of a kept picture: {error}") from error
