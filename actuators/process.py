"""The actuators process: receive commands and the line's mode, step the controller by the encoder, send answers.

One thread, one loop, no waiting longer than 5 ms; what a shot may do is decided in `actuators.controller`.
"""

from typing import cast

from actuators.belt_position import travel_at_um
from actuators.chores import Chores
from actuators.controller import Controller
from actuators.drivers.driver import ValveDriver
from actuators.drivers.opening import open_valves
from actuators.drivers.simulated import SimulatedBar
from actuators.encoder import BusEncoder, CountedEncoder, Counter, Encoder, FollowedTravel, SimulatedEncoder
from actuators.errors import DriverError
from actuators.gpio_encoder import GpioEncoder
from actuators.nozzle_hand import NozzleHand
from actuators.obedience import Obedience, SorterHeard
from actuators.scheduling import collect_garbage, take_precedence
from actuators.tally import Tally
from actuators.valve_health import ValveHealth
from sorter.line_mode import OPEN_COUNT_FIGURE
from sorter.model.condition import HealthStatus, WiredInputs
from sorter.model.drive import BeltDrive
from sorter.model.ejection import Ack, EjectionCommand
from sorter.model.maintenance import NozzleHold
from sorter.model.recipe import recipe_hash
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_MS
from sorter.runtime.bus import Subscriber, wait_for_any
from sorter.runtime.link import ControllerLink
from sorter.runtime.process import ProcessContext
from sorter.runtime.simulated_world import open_world
from sorter.runtime.topics import BELT, NOZZLE_HOLD

_SAMPLE_PERIOD_NS = 5 * NS_PER_MS
_BELT_PERIOD_NS = 10 * NS_PER_MS
_REPORT_PERIOD_NS = 1000 * NS_PER_MS
_LINK_LOST = "link_lost"
_VALVES_DISOBEY = "valves_disobey"
_ENCODER_LOST = "encoder_lost"


def control_valves(context: ProcessContext) -> None:
    """Body of the process; returns, with all valves closed, when it is asked to stop.

    Raises:
        DataFolderError: if the simulated world's folder cannot be read.
    """
    context.publish_health()
    control = ValveControl(context)
    try:
        while context.is_running():
            commands = control.receive()
            acks = control.step(commands)
            control.send(acks)
    finally:
        control.close()


class ValveControl:
    """What the loop's three verbs share."""

    def __init__(self, context: ProcessContext) -> None:
        self._context = context
        self._clock = context.clock
        folder, settings = context.plan.run_folder, context.settings
        self._link = ControllerLink(folder, context.boot_id, settings, context.clock)
        self._sockets = [self._link.socket]
        if settings.link.address:
            context.publisher.forward = self._link.send
        self._reads_pulses = settings.belt.travel_from != "pictures"
        self._belt: BeltState | None = None
        self._bar: SimulatedBar | None = None
        self._gpio_encoder: GpioEncoder | None = None
        self._driver, self._encoder = self._open_hardware()
        self._belt = self._encoder.read(self._clock.now_ns())
        self._controller = Controller(settings, recipe_hash(settings.recipe), self._driver, context.boot_id)
        self._obedience = Obedience(self._controller)
        self._hand = NozzleHand(settings, self._driver)
        self._hand_reader = Subscriber(folder, [NOZZLE_HOLD])
        self._sockets.append(self._hand_reader.socket)
        self._tally = Tally()
        self._health = ValveHealth(settings)
        self._inputs: WiredInputs | None = None
        self._inputs_due_ns = self._clock.now_ns()
        self._troubled: set[str] = set()
        self._detail = f"{self._driver.name}, {take_precedence(settings.controller)}"
        self._due_ns: int | None = None
        self._belt_due_ns = self._clock.now_ns()
        self._chores = Chores(
            [
                (100 * NS_PER_MS, self._publish_outcomes),
                (100 * NS_PER_MS, lambda _now_ns: collect_garbage()),
                (200 * NS_PER_MS, self._publish_health),
                (1000 * NS_PER_MS, self._publish_valves),
            ]
        )

    def receive(self) -> list[EjectionCommand]:
        """Wait until something is due or arrives, then take all commands."""
        self._wait()
        return [command for _, command in self._link.receive()]

    def step(self, commands: list[EjectionCommand]) -> list[Ack]:
        """Read the encoder and let the controller follow link, mode, commands and belt, in this order."""
        now_ns = self._clock.now_ns()
        self._belt = self._encoder.read(now_ns)
        acks = self._follow_sorter(now_ns)
        self._follow_hand(now_ns)
        for command in commands:
            self._tally.note_command(command)
            acks += self._controller.receive(command, self._belt, now_ns)
        acks += self._controller.step(self._belt, now_ns)
        self._due_ns = self._controller.next_due_ns(self._belt, now_ns)
        return acks

    def send(self, acks: list[Ack]) -> None:
        """Answer first; then heartbeat, belt and inputs when they are due, and a chore if there is time."""
        for command, ack in self._tally.note_acks(acks):
            self._health.note_fired(command, ack)
        for ack in acks:
            self._link.send(ack)
        now_ns = self._clock.now_ns()
        self._link.tick(now_ns)
        self._publish_belt(now_ns)
        self._publish_inputs(now_ns)
        self._chores.step(now_ns, self._due_ns)

    def close(self) -> None:
        """Close all valves, whatever ended the loop, and answer what was pending."""
        self._hand_reader.close()
        try:
            self.send(self._controller.close_all(self._clock.now_ns()))
        finally:
            self._driver.shut_down()
            if self._gpio_encoder is not None:
                self._gpio_encoder.shut_down()
            self._context.publisher.forward = None
            self._link.close()

    def _open_hardware(self) -> tuple[ValveDriver, Encoder]:
        """Valves and encoder, one of which may be part of the other."""
        settings = self._context.settings
        if settings.valves.driver == "simulated":
            encoder = self._open_encoder()
            self._bar = self._open_bar()
            return self._bar, encoder
        driver = open_valves(settings, self._clock, self._travel_at_um)
        if settings.belt.travel_from == "valves":
            return driver, CountedEncoder(cast("Counter", driver), settings.belt.encoder_pulse_um)
        return driver, self._open_encoder()

    def _open_encoder(self) -> Encoder:
        plan = self._context.plan
        if plan.settings.belt.travel_from == "gpio":
            self._gpio_encoder = GpioEncoder(plan.settings)
            return self._gpio_encoder
        if self._reads_pulses:
            return SimulatedEncoder(BeltDrive(plan.settings.belt), plan.epoch_ns)
        reader = Subscriber(plan.run_folder, [BELT])
        self._sockets.append(reader.socket)
        return BusEncoder(reader)

    def _open_bar(self) -> SimulatedBar:
        plan = self._context.plan
        if plan.settings.belt.travel_from != "simulated":
            travel = FollowedTravel(lambda: self._belt, plan.epoch_ns)
            return SimulatedBar(plan.settings, travel, plan.epoch_ns, None)
        drive, world = BeltDrive(plan.settings.belt), open_world(plan.settings)
        return SimulatedBar(plan.settings, drive, plan.epoch_ns, world, self._clock.now_ns())

    def _travel_at_um(self, instant_ns: int) -> int | None:
        return None if self._belt is None else travel_at_um(self._belt, instant_ns)

    def _wait(self) -> None:
        """Poll, which wakes to the millisecond, until the last two before something is due; then wait for the clock."""
        now_ns = self._clock.now_ns()
        due_in_ns = _SAMPLE_PERIOD_NS if self._due_ns is None else min(_SAMPLE_PERIOD_NS, self._due_ns - now_ns)
        poll_ms = due_in_ns // NS_PER_MS
        if due_in_ns == _SAMPLE_PERIOD_NS:
            wait_for_any(self._sockets, poll_ms)
        elif poll_ms > 1:
            wait_for_any(self._sockets, poll_ms - 1)
        else:
            self._clock.wait_until_ns(now_ns + due_in_ns)

    def _follow_sorter(self, now_ns: int) -> list[Ack]:
        was_linked = self._obedience.is_linked
        heard = SorterHeard(
            self._link.is_alive(now_ns), self._link.peer_boot_id, self._link.peer_mode, self._link.known_loss_count
        )
        acks = self._obedience.follow(heard, now_ns)
        self._link.loss_count = self._obedience.loss_count
        if was_linked and not self._obedience.is_linked:
            self._context.raise_fault(_LINK_LOST, "the sorter has fallen silent; all valves are closed")
        elif self._obedience.is_linked and not was_linked:
            self._context.clear_fault(_LINK_LOST)
            self._context.set_health(HealthStatus.OK, self._detail)
        self._report_trouble()
        return acks

    def _follow_hand(self, now_ns: int) -> None:
        """What somebody holds open at a screen; the line's own shots have nothing to do with it."""
        for received in self._hand_reader.waiting():
            if isinstance(received.message, NozzleHold):
                self._hand.take(received.message, self._controller.mode, now_ns)
        self._hand.step(self._controller.mode, now_ns)
        if self._hand.open_at is not None and self._belt is not None:
            self._health.note_by_hand(self._hand.open_at, travel_at_um(self._belt, now_ns))

    def _report_trouble(self) -> None:
        self._report(_VALVES_DISOBEY, self._controller.trouble)
        if self._gpio_encoder is not None:
            self._report(_ENCODER_LOST, self._gpio_encoder.trouble)

    def _report(self, code: str, trouble: str | None) -> None:
        if trouble is not None:
            self._troubled.add(code)
            self._context.raise_fault(code, trouble)
        elif code in self._troubled:
            self._troubled.remove(code)
            self._context.clear_fault(code)
            self._context.set_health(HealthStatus.OK, self._detail)

    def _publish_belt(self, now_ns: int) -> None:
        if self._reads_pulses and self._belt is not None and now_ns >= self._belt_due_ns:
            self._belt_due_ns = now_ns + _BELT_PERIOD_NS
            self._context.publisher.publish(self._belt)

    def _publish_health(self, _now_ns: int) -> None:
        lost = {
            OPEN_COUNT_FIGURE: float(len(self._controller.use.open_nozzles)),
            "hand_open_count": float(self._hand.open_at is not None),
            "pending_command_count": float(self._controller.pending_count),
            "lost_ack_count": float(self._link.lost_count),
            "malformed_message_count": float(self._link.malformed_count),
        }
        encoder = {} if self._gpio_encoder is None else self._gpio_encoder.figures()
        self._context.publish_health(self._tally.figures() | lost | encoder)

    def _publish_outcomes(self, now_ns: int) -> None:
        if self._bar is not None:
            outcomes = self._bar.outcomes(now_ns)
            self._health.note_outcomes(outcomes)
            self._context.publisher.publish(outcomes)

    def _publish_valves(self, now_ns: int) -> None:
        while self._controller.responses:
            station_id, pulse, difference_ns = self._controller.responses.popleft()
            for number in range(pulse.first_nozzle, pulse.last_nozzle + 1):
                self._health.note_response((station_id, number), difference_ns)
        self._context.publisher.publish(self._health.report(self._controller.use, now_ns))

    def _publish_inputs(self, now_ns: int) -> None:
        """What is wired, at every change and once a second; what cannot be read is trouble enough by itself."""
        try:
            inputs = self._driver.read_inputs()
        except DriverError:
            return
        if inputs != self._inputs or now_ns >= self._inputs_due_ns:
            self._inputs, self._inputs_due_ns = inputs, now_ns + _REPORT_PERIOD_NS
            self._context.publisher.publish(inputs)
