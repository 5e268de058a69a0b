"""Temperatures, power rails and throttling as Linux shows them in files; what is not there is None, never 0."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

# below the critical temperature by this much, where a zone does not say from when it slows the board
_CRITICAL_RESERVE_C = 10.0
# some firmware names limits that any room reaches; no processor is slowed down from there
_LEAST_LIMIT_C = 60.0
# screens and radios are "cooling devices", too
_WORKERS = re.compile(r"cpu|gpu|processor|devfreq|throttl|powerclamp|emc", re.IGNORECASE)
# the rail through which everything comes, as Jetsons call it
_TOTAL_RAILS = ("VDD_IN", "SYS_5V0", "VIN")


class BoardReading(msgspec.Struct, frozen=True):
    """What the board's sensors say.

    Attributes:
        hottest_c: temperature of the zone nearest to being slowed down.
        zone: its name, empty where there is none.
        margin_c: how far it is from there.
        power_w: of the whole board.
        rails_w: of each rail.
        slowed: names of what is being slowed at this moment.
    """

    hottest_c: float | None = None
    zone: str = ""
    margin_c: float | None = None
    power_w: float | None = None
    rails_w: dict[str, float] = {}
    slowed: tuple[str, ...] = ()


def read_board(root: Path = Path("/")) -> BoardReading:
    """Read every sensor once; some files, no waiting.

    Args:
        root: of the file system, another one in tests.
    """
    zones = list(_zones(root))
    nearest = min(zones, key=lambda zone: zone[2], default=None)
    rails_w = dict(_rails_w(root))
    total = next((rails_w[name] for name in _TOTAL_RAILS if name in rails_w), None)
    power_w = total if total is not None or not rails_w else sum(rails_w.values())
    slowed = tuple(sorted(set(_slowed(root))))
    if nearest is None:
        return BoardReading(power_w=power_w, rails_w=rails_w, slowed=slowed)
    return BoardReading(nearest[1], nearest[0], nearest[2], power_w, rails_w, slowed)


def _zones(root: Path) -> Iterator[tuple[str, float, float]]:
    """Name, temperature and margin of every zone that knows when it is too hot."""
    for folder in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        now_c, limit_c = _thousandths(folder / "temp"), _limit_c(folder)
        # a zone that is switched off gives no number, or one of deep space
        if now_c is not None and now_c > -50.0 and limit_c is not None:
            yield _text(folder / "type") or folder.name, now_c, limit_c - now_c


def _limit_c(folder: Path) -> float | None:
    """The lowest temperature at which a zone slows something down."""
    trips: dict[str, list[float]] = {"passive": [], "hot": [], "critical": []}
    for path in folder.glob("trip_point_*_temp"):
        kind, limit_c = _text(path.with_name(path.name.replace("_temp", "_type"))), _thousandths(path)
        if kind in trips and limit_c is not None and limit_c >= _LEAST_LIMIT_C:
            trips[kind].append(limit_c)
    if trips["passive"]:
        return min(trips["passive"])
    severe = trips["hot"] + trips["critical"]
    return min(severe) - _CRITICAL_RESERVE_C if severe else None


def _rails_w(root: Path) -> Iterator[tuple[str, float]]:
    """Power of each rail whose voltage and current, or power, some chip measures."""
    for folder in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        for label in sorted(folder.glob("in*_label")):
            number = label.name.removeprefix("in").removesuffix("_label")
            volt, ampere = _thousandths(folder / f"in{number}_input"), _thousandths(folder / f"curr{number}_input")
            if volt is not None and ampere is not None:
                yield _text(label) or label.name, volt * ampere
        for path in sorted(folder.glob("power*_input")):
            milliwatt = _thousandths(path)
            name = _text(path.with_name(path.name.replace("_input", "_label"))) or f"{_text(folder / 'name')}"
            if milliwatt is not None:
                yield name, milliwatt / 1000


def _slowed(root: Path) -> Iterator[str]:
    """Cooling devices that hold back what calculates; a fan that turns or a dim screen does not."""
    for folder in sorted((root / "sys/class/thermal").glob("cooling_device*")):
        kind, state = _text(folder / "type") or folder.name, _text(folder / "cur_state")
        if _WORKERS.search(kind) and state is not None and state.isdigit() and int(state) > 0:
            yield kind


def _thousandths(path: Path) -> float | None:
    text = _text(path)
    try:
        return None if text is None else int(text) / 1000
    except ValueError:
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
