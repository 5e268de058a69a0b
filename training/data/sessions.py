"""Which pictures were captured together: frames of one camera and hour resemble each other and must not be parted."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import msgspec

from sorter.errors import DataFolderError

BLOCK_PICTURES = 10

# "..._04-Mar_09-07-06" → "..._04-Mar_09": day and month by name, hour, minute, second.
_DAY_AND_MONTH = re.compile(r"^(.*\d{1,2}-[A-Za-z]{3}_\d{2})-\d{2}-\d{2}")
# "cam2_2024-03-04T09-07-06", "cam2_20240304_090706" and the like.
_DATE_AND_TIME = re.compile(
    r"^(?P<camera>.*?)(?P<date>(?:19|20)\d{2}[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01]))"
    r"[T_ -]{0,3}(?P<hour>[01]\d|2[0-3])[-_.:h]?[0-5]\d(?:[-_.:m]?[0-5]\d)?"
)
# A running number before the time would make every picture a session of its own.
_RUNNING_NUMBER = re.compile(r"\d{3,}")
# Folders that say how a set is laid out, not when or where it was captured.
_LAYOUT_FOLDERS = frozenset(
    {"images", "image", "img", "labels", "annotations", "jpegimages", "data", "dataset", "all"}
    | {"train", "training", "val", "valid", "validation", "test", "testing"}
    | {"obj_train_data", "obj_valid_data"}
)


class Session(msgspec.Struct, frozen=True, order=True):
    """A capture session and what it was told by: a pattern, the picture's name, EXIF, folder, or mere neighbourhood."""

    name: str
    told_by: str


class Capture(msgspec.Struct, frozen=True):
    """What is known about when and where a picture was captured.

    Attributes:
        place: its path inside its source, as text.
        recorded: the session that a manifest has, if any.
        taken_hour: camera and hour by its EXIF, if any.
    """

    place: str
    recorded: Session | None = None
    taken_hour: str | None = None


def session_pattern(text: str | None) -> re.Pattern[str] | None:
    """A pattern whose first group, or whole match, is the session.

    Raises:
        DataFolderError: if it is no regular expression.
    """
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise DataFolderError(f"--session-pattern {text!r} is no regular expression: {error}") from error


def capture_sessions(captures: Sequence[Capture], pattern: re.Pattern[str] | None = None) -> list[Session]:
    """The session of each picture, in the given order.

    In order of trust: the pattern, the manifest, a time in the name, the EXIF, the folder; where nothing tells, ten
    neighbours count as one session.

    Raises:
        DataFolderError: if a pattern is given and a name does not match it.
    """
    return [_session(capture, index, pattern) for index, capture in enumerate(captures)]


def hour_in_name(stem: str) -> str | None:
    """Camera and hour in a picture's name, or None if it has none."""
    match = _DAY_AND_MONTH.match(stem)
    if match:
        return match.group(1)
    match = _DATE_AND_TIME.match(stem)
    if not match:
        return None
    camera = _RUNNING_NUMBER.sub("", match["camera"]).strip("_-. ")
    date = re.sub(r"\D", "", match["date"])
    return f"{camera}_{date}_{match['hour']}".lstrip("_")


def _session(capture: Capture, index: int, pattern: re.Pattern[str] | None) -> Session:
    if pattern is not None:
        return Session(_by_pattern(capture.place, pattern), "pattern")
    path = PurePosixPath(capture.place)
    if capture.recorded is not None:
        return capture.recorded
    hour = hour_in_name(path.stem)
    if hour is not None:
        return Session(hour, "name")
    if capture.taken_hour is not None:
        return Session(capture.taken_hour, "exif")
    folders = [part for part in path.parts[:-1] if part.lower() not in _LAYOUT_FOLDERS]
    if folders:
        return Session("/".join(folders), "folder")
    return Session(f"block {index // BLOCK_PICTURES:06d}", "neighbours")


def _by_pattern(place: str, pattern: re.Pattern[str]) -> str:
    match = pattern.search(place)
    if match is None:
        raise DataFolderError(f"{place}: --session-pattern {pattern.pattern!r} matches nothing in it")
    named = match.group(1) if match.re.groups else match.group(0)
    return str(named)
