"""When a frame is worth a view: after every so many millimetres of travel; a standing belt costs nothing."""


class TravelTrigger:
    """Fires once for each step of belt travel; a coarser frame rate makes views later, never more frequent."""

    def __init__(self, view_step_um: int) -> None:
        self._view_step_um = view_step_um
        self._due_at_um: int | None = None

    def fires(self, travel_um: int) -> bool:
        """Whether a frame exposed at this travel is to be processed: the last one that was lies a step back."""
        if self._due_at_um is not None and travel_um < self._due_at_um:
            return False
        self._due_at_um = travel_um + self._view_step_um
        return True
