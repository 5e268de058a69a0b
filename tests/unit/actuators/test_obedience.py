"""Following the sorter: its mode counts while it is heard, and after a loss once it knows of it."""

from actuators.controller import Controller
from actuators.drivers.driver import Actuation
from actuators.obedience import Obedience, SorterHeard
from sorter.model.condition import Mode
from sorter.model.settings import Settings


class CountingValves:
    """Valves that count how often all were closed."""

    lead_ns = 0
    close_all_count = 0

    def open(self, *_: object) -> None: ...

    def close(self, *_: object) -> None: ...

    def close_all(self, now_ns: int) -> Actuation | None:  # noqa: ARG002 - the protocol's signature
        self.close_all_count += 1
        return None


def heard(mode: Mode | None = Mode.EXECUTE, known: int | None = 0, life: str = "life") -> SorterHeard:
    return SorterHeard(True, life, mode, known)


LOST = SorterHeard(False, "life", Mode.EXECUTE, 0)


def test_what_the_sorter_says_counts_once_it_says_something() -> None:
    controller = Controller(Settings(), "recipe", CountingValves())  # type: ignore[arg-type]
    obedience = Obedience(controller)
    assert obedience.follow(LOST, 0) == []
    assert obedience.loss_count == 0
    obedience.follow(heard(None, None), 1)
    assert controller.mode is Mode.HELD
    obedience.follow(heard(), 2)
    assert controller.mode is Mode.EXECUTE
    obedience.follow(heard(Mode.STOPPED), 3)
    assert controller.mode is Mode.STOPPED


def test_a_loss_closes_once_and_execute_counts_when_the_sorter_knows_of_it() -> None:
    valves = CountingValves()
    controller = Controller(Settings(), "recipe", valves)  # type: ignore[arg-type]
    obedience = Obedience(controller)
    obedience.follow(heard(), 1)
    before_count = valves.close_all_count
    obedience.follow(LOST, 2)
    closed_count = valves.close_all_count
    assert closed_count > before_count
    obedience.follow(LOST, 3)
    assert valves.close_all_count == closed_count
    assert (controller.mode, obedience.loss_count, obedience.is_linked) == (Mode.HELD, 1, False)
    obedience.follow(heard(known=0), 4)
    assert controller.mode is Mode.HELD
    obedience.follow(heard(known=1), 5)
    assert controller.mode is Mode.EXECUTE


def test_a_new_life_must_know_of_it_too() -> None:
    controller = Controller(Settings(), "recipe", CountingValves())  # type: ignore[arg-type]
    obedience = Obedience(controller)
    obedience.follow(heard(), 1)
    obedience.follow(LOST, 2)
    obedience.follow(heard(life="next"), 3)
    assert controller.mode is Mode.HELD
    obedience.follow(heard(life="next", known=1), 4)
    assert controller.mode is Mode.EXECUTE
