"""When a frame is worth a view: after every so many millimetres of travel; a standing belt costs nothing."""


class TravelTrigger:
    """Due once for each step of belt travel; a coarser frame rate makes views later, never more frequent.

    Attributes:
        step_ratio: how many times the configured step lies between two views.
    """

    def __init__(self, view_step_um: int) -> None:
        self._view_step_um = view_step_um
        self.step_ratio = 1.0
        self._due_at_um: int | None = None

    def is_due(self, travel_um: int) -> bool:
        """Whether the last view lies a step back from a frame exposed at this travel."""
        return self._due_at_um is None or travel_um >= self._due_at_um

    def note_view(self, travel_um: int) -> None:
        """A frame exposed at this travel is being processed; the next is due a step further on."""
        self._due_at_um = travel_um + round(self._view_step_um * self.step_ratio)

    def fires(self, travel_um: int) -> bool:
        """Whether a frame exposed at this travel is to be processed; if so, it counts as the last view."""
        if not self.is_due(travel_um):
            return False
        self.note_view(travel_um)
        return True
