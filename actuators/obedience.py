"""What a controller makes of its sorter: obeys its life and mode while it is heard, closes all when it is not.

It knows no socket: whether the sorter is heard, which life of it and what mode it says are arguments.
"""

import msgspec

from actuators.controller import Controller
from sorter.model.condition import Mode
from sorter.model.ejection import Ack


class SorterHeard(msgspec.Struct, frozen=True):
    """What the link tells of the sorter at one instant; `known_loss_count` is what it knows of our losses of it."""

    is_alive: bool
    boot_id: str | None
    mode: Mode | None
    known_loss_count: int | None


class Obedience:
    """Lets a controller follow its sorter.

    After a loss the sorter may not know that valves were closed and commands voided, if its own silence was the cause.
    It is told, and goes to Held; before it has said that it knows, its Execute does not count.

    Attributes:
        is_linked: whether the sorter was heard when last asked.
        loss_count: how often it has fallen silent; the sorter must be told.
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.is_linked = False
        self.loss_count = 0

    def follow(self, sorter: SorterHeard, now_ns: int) -> list[Ack]:
        """Hand life and mode on to the controller, or close all valves when the sorter has just been lost."""
        if not sorter.is_alive:
            return self._lose(now_ns)
        self.is_linked = True
        acks = self._controller.set_boot_id(sorter.boot_id, now_ns) if sorter.boot_id is not None else []
        return acks + self._controller.set_mode(self._mode(sorter), now_ns)

    def _mode(self, sorter: SorterHeard) -> Mode:
        if sorter.mode is None or sorter.known_loss_count != self.loss_count:
            return Mode.HELD
        return sorter.mode

    def _lose(self, now_ns: int) -> list[Ack]:
        if not self.is_linked:
            return []
        self.is_linked = False
        self.loss_count += 1
        return self._controller.close_all(now_ns) + self._controller.set_mode(Mode.HELD, now_ns)
