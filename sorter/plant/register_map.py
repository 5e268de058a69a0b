"""What the plant is told, as Modbus registers: fixed places, 16 bits each, 32-bit counts with the high word first."""

from collections.abc import Mapping, Sequence

from sorter.model.condition import WiredInputs
from sorter.model.settings import RecipeSettings
from sorter.model.units import MM_PER_M
from sorter.plant.plant_values import Value

MAP_VERSION = 1
MOST_CLASSES, MOST_STATIONS = 32, 16
FIRST_CLASS, FIRST_STATION = 32, 96
REGISTER_COUNT = FIRST_STATION + 4 * MOST_STATIONS
_TEN_THOUSAND = 10_000
_LARGEST_WORD, _LARGEST_COUNT = 0xFFFF, 0xFFFF_FFFF


def registers(values: Mapping[str, Value], recipe: RecipeSettings, heartbeat: int) -> list[int]:
    """All registers, from 0 on.

    What is larger than its place is given as the largest number that fits. Classes and stations count in the order of
    the recipe; those beyond the map's places are left out.

    Args:
        values: as `PlantValues` keeps them.
        recipe: names classes and stations.
        heartbeat: counts up, so that a reader sees that the values are kept.
    """
    words = [0] * REGISTER_COUNT
    words[:6] = [
        MAP_VERSION,
        heartbeat % (_LARGEST_WORD + 1),
        _word(values["Status/StateCurrent"]),
        _word(values["Alarms/Count"]),
        _word(float(values["Status/BeltSpeed_m_s"]) * MM_PER_M),
        _word(values["Counters/OpenNozzles"]),
    ]
    counters = ("Items", "Commands", "Answers/fired", "Answers/refused", "Answers/failed", "Air_l")
    _lay_counts(words, 6, [values[f"Counters/{name}"] for name in counters])
    words[18] = _word(float(values["Counters/MissedWindowRatio"]) * _TEN_THOUSAND)
    words[19:21] = _inputs(values)
    _lay_counts(words, FIRST_CLASS, [values[f"Counters/Classes/{name}"] for name in recipe.classes[:MOST_CLASSES]])
    for number, station in enumerate(recipe.stations[:MOST_STATIONS]):
        at, suspected = FIRST_STATION + 4 * number, str(values[f"Stations/{station.id}/SuspectedNozzles"])
        _lay_counts(words, at, [values[f"Stations/{station.id}/Shots"]])
        words[at + 2] = len(suspected.split(", ")) if suspected else 0
    return words


def _lay_counts(words: list[int], at: int, counts: Sequence[Value]) -> None:
    for number, count in enumerate(counts):
        whole = min(_LARGEST_COUNT, max(0, round(float(count))))
        words[at + 2 * number : at + 2 * number + 2] = [whole >> 16, whole & _LARGEST_WORD]


def _inputs(values: Mapping[str, Value]) -> tuple[int, int]:
    """A bit for each wired input that is well, and for each that is wired, in the order of `WiredInputs`."""
    states = [values[f"Inputs/{name}"] for name in WiredInputs.__struct_fields__]
    well = sum(1 << bit for bit, state in enumerate(states) if state == "well")
    return well, sum(1 << bit for bit, state in enumerate(states) if state != "not wired")


def _word(value: Value) -> int:
    return min(_LARGEST_WORD, max(0, round(float(value))))
