"""Whether the sorter allows firing, once it was lost: it must first say that it has noticed."""

from sorter.model.condition import Mode


class Permission:
    """What the controller may take from the mode that the sorter's heartbeats say.

    After a loss of the link the sorter may not know that valves were closed and commands voided, if its own silence was
    the cause. It is told, and goes to Held; before it has said another mode than Execute, Execute does not count.
    """

    def __init__(self) -> None:
        self._withdrawn_from: str | None = None
        self._boot_id: str | None = None

    def withdraw(self) -> None:
        """The link was lost: this life of the sorter must pause before it may fire again."""
        self._withdrawn_from = self._boot_id

    def mode(self, boot_id: str | None, said: Mode | None) -> Mode:
        """The mode to obey, given the sorter's present life and what it said last."""
        self._boot_id = boot_id
        if said is not None and said is not Mode.EXECUTE:
            self._withdrawn_from = None
        if said is None or (boot_id is not None and boot_id == self._withdrawn_from):
            return Mode.HELD
        return said
