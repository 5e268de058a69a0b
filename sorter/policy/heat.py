"""How much less a line looks while its board is hot: down at once, back up step by step and after a while."""

from sorter.model.settings import HeatSettings
from sorter.model.units import s_to_ns


class HeatSteps:
    """The step that a line is at: 0 looks as often as it may, each further one less often."""

    def __init__(self, settings: HeatSettings) -> None:
        self._settings = settings
        self._level = 0
        self._cool_since_ns: int | None = None

    @property
    def level(self) -> int:
        """Steps taken, 0 to as many as are configured."""
        return self._level

    @property
    def view_step_ratio(self) -> float:
        """By how much the belt between two views is longer than configured."""
        return self._settings.steps[self._level - 1].view_step_ratio if self._level else 1.0

    def step(self, margin_c: float | None, *, is_slowed: bool, now_ns: int) -> None:
        """Follow a reading.

        Args:
            margin_c: how far the board is from slowing itself down; None where it does not tell.
            is_slowed: whether it does so already, which is the last step at once.
            now_ns: the present instant.
        """
        wanted = self._wanted(margin_c, is_slowed=is_slowed)
        if wanted >= self._level:
            self._level = wanted
            self._cool_since_ns = None
        elif self._is_cool(margin_c):
            self._cool_since_ns = now_ns if self._cool_since_ns is None else self._cool_since_ns
            if now_ns - self._cool_since_ns >= s_to_ns(self._settings.recover_s):
                self._level -= 1
                self._cool_since_ns = now_ns
        else:
            self._cool_since_ns = None

    def _wanted(self, margin_c: float | None, *, is_slowed: bool) -> int:
        steps = self._settings.steps
        if is_slowed:
            return len(steps)
        if margin_c is None:
            return 0
        return max((number for number, step in enumerate(steps, 1) if margin_c <= step.margin_c), default=0)

    def _is_cool(self, margin_c: float | None) -> bool:
        """Whether the present step's reason has gone by more than a reading's noise."""
        held_at_c = self._settings.steps[self._level - 1].margin_c + self._settings.recover_margin_c
        return margin_c is None or margin_c > held_at_c
