"""Watching the board's heat: a warning before it slows down, and fewer views rather than late ones."""

from pathlib import Path

from sorter.model.settings import Settings
from sorter.model.units import NS_PER_S
from sorter.policy.heat import HeatSteps
from sorter.runtime.board_sensors import BoardReading, read_board

_PERIOD_NS = 2 * NS_PER_S


class HeatWatch:
    """Follows the sensors every two seconds.

    Attributes:
        reading: the newest.
        fault: what to tell the operator, None while the board is cool.
    """

    def __init__(self, settings: Settings, root: Path = Path("/")) -> None:
        """Watch nothing yet.

        Args:
            settings: the line's configuration.
            root: of the file system, another one in tests.
        """
        self.reading = BoardReading()
        self.fault: str | None = None
        self._settings = settings.heat
        self._steps = HeatSteps(settings.heat)
        # seen less often than that, an item would never be decided on
        camera = settings.camera
        views_per_item = camera.view_length_mm / camera.view_step_mm
        self._largest_ratio = max(1.0, views_per_item / settings.recipe.min_decision_views)
        self._root = root
        self._due_ns = 0

    @property
    def view_step_ratio(self) -> float:
        """By how much the belt between two views is to be longer than configured."""
        return min(self._steps.view_step_ratio, self._largest_ratio)

    def step(self, now_ns: int) -> None:
        """Read the sensors if that is due."""
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + _PERIOD_NS
        self.reading = read_board(self._root)
        self._steps.step(self.reading.margin_c, is_slowed=bool(self.reading.slowed), now_ns=now_ns)
        self.fault = self._fault()

    def figures(self) -> dict[str, float]:
        """What health shows; a sensor that is not there is left out."""
        found = {
            "board_temperature_c": self.reading.hottest_c,
            "board_margin_c": self.reading.margin_c,
            "board_power_w": self.reading.power_w,
            "view_step_ratio": self.view_step_ratio,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _fault(self) -> str | None:
        reading = self.reading
        where = "" if reading.hottest_c is None else f" at {reading.hottest_c:.0f} °C ({reading.zone})"
        if reading.slowed:
            return f"the board slows itself down{where}: {', '.join(reading.slowed)}{self._consequence()}"
        if reading.margin_c is not None and reading.margin_c <= self._settings.warn_margin_c:
            return (
                f"the board is hot{where}, {reading.margin_c:.0f} °C before it slows itself down{self._consequence()}"
            )
        if self._steps.level:
            return f"the board cools down{where}{self._consequence()}"
        return None

    def _consequence(self) -> str:
        if self.view_step_ratio == 1.0:
            return "; look at fan, filter and sunlight"
        return f"; views are {self.view_step_ratio:.2f} times as far apart; look at fan, filter and sunlight"
