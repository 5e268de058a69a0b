"""What the plant is told, as values by name, kept from the messages of the bus; how it is carried is the server's."""

import msgspec

from sorter.model.condition import Fault, ModeState, ValveReport, WiredInputs
from sorter.model.settings import Settings
from sorter.model.statistics import LineStatistics
from sorter.model.tracks import BeltState
from sorter.model.units import UM_PER_M
from sorter.plant.packml import STATE_NUMBERS

Value = bool | int | float | str


class Alarm(msgspec.Struct, frozen=True):
    """A fault that is not cleared."""

    process: str
    code: str
    detail: str


class PlantValues:
    """The newest value of each name, and the alarms; names are the paths of nodes.

    Attributes:
        values: by path below the line's node; the same paths from the first moment on, each of one type for life.
        alarms: by process and code.
        raised: alarms since this list was last cleared.
    """

    def __init__(self, settings: Settings) -> None:
        stations = [station.id for station in settings.recipe.stations]
        self.values: dict[str, Value] = {
            "Status/StateCurrent": 0,
            "Status/StateCurrentName": "unknown",
            "Status/StateReason": "",
            "Status/RecipeHash": "",
            "Status/BeltSpeed_m_s": 0.0,
            "Counters/Items": 0,
            "Counters/Commands": 0,
            "Counters/MissedWindowRatio": 0.0,
            "Counters/Air_l": 0.0,
            "Counters/OpenNozzles": 0,
            "Alarms/Count": 0,
            "Alarms/Newest": "",
            **{f"Counters/Classes/{name}": 0 for name in settings.recipe.classes},
            **{f"Counters/Answers/{name}": 0 for name in ("fired", "refused", "failed")},
            **{f"Stations/{station}/Shots": 0 for station in stations},
            **{f"Stations/{station}/SuspectedNozzles": "" for station in stations},
            **{f"Inputs/{name}": "not wired" for name in WiredInputs.__struct_fields__},
        }
        self.alarms: dict[tuple[str, str], Alarm] = {}
        self.raised: list[Alarm] = []

    def take(self, message: msgspec.Struct) -> None:
        """Let a message change the values."""
        match message:
            case ModeState():
                self._take_mode(message)
            case BeltState():
                self.values["Status/BeltSpeed_m_s"] = message.speed_um_s / UM_PER_M
            case LineStatistics():
                self._take_statistics(message)
            case ValveReport():
                self._take_valves(message)
            case WiredInputs():
                self._take_inputs(message)
            case Fault():
                self._take_fault(message)

    def _take_mode(self, state: ModeState) -> None:
        self.values |= {
            "Status/StateCurrent": STATE_NUMBERS[state.mode],
            "Status/StateCurrentName": state.mode.value,
            "Status/StateReason": state.reason,
            "Status/RecipeHash": state.recipe_hash,
        }

    def _take_statistics(self, statistics: LineStatistics) -> None:
        figures = statistics.figures
        fired, failed = figures.acks.get("fired", 0), figures.acks.get("failed", 0)
        self.values |= {
            "Counters/Items": sum(statistics.class_counts.values()),
            "Counters/Commands": figures.command_count,
            "Counters/MissedWindowRatio": figures.missed_window_ratio or 0.0,
            "Counters/Answers/fired": fired,
            "Counters/Answers/failed": failed,
            "Counters/Answers/refused": sum(figures.acks.values()) - fired - failed,
            **{f"Counters/Classes/{name}": count for name, count in statistics.class_counts.items()},
        }

    def _take_valves(self, report: ValveReport) -> None:
        self.values |= {"Counters/Air_l": report.air_l, "Counters/OpenNozzles": report.open_count}
        for path in [path for path in self.values if path.startswith("Stations/")]:
            _, station_id, name = path.split("/")
            own = [nozzle for nozzle in report.nozzles if nozzle.station_id == station_id]
            suspected = [f"{nozzle.nozzle}: {nozzle.suspicion}" for nozzle in own if nozzle.suspicion is not None]
            # every nozzle of a shot counts it, so the busiest says how many there were at least
            shots = max((nozzle.shot_count for nozzle in own), default=0)
            self.values[path] = shots if name == "Shots" else ", ".join(suspected)

    def _take_inputs(self, inputs: WiredInputs) -> None:
        words = {True: "well", False: "not well", None: "not wired"}
        self.values |= {f"Inputs/{name}": words[getattr(inputs, name)] for name in inputs.__struct_fields__}

    def _take_fault(self, fault: Fault) -> None:
        key = (fault.process, fault.code)
        if fault.is_cleared:
            self.alarms.pop(key, None)
        else:
            alarm = Alarm(fault.process, fault.code, fault.detail)
            if key not in self.alarms:
                self.raised.append(alarm)
            self.alarms[key] = alarm
            self.values["Alarms/Newest"] = f"{alarm.process}: {alarm.detail}"
        self.values["Alarms/Count"] = len(self.alarms)
