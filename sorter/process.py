"""The deciding process: receive tracks, belt and answers; step policy and mode; send commands and what screens show."""

from sorter.calibration import ModelCalibrations
from sorter.errors import BadInputError
from sorter.line_memory import LineMemory
from sorter.line_mode import LineMode
from sorter.line_statistics import LiveStatistics
from sorter.model.condition import Fault, Health, HealthStatus, ModeState, OperatorRequest, ValveReport, WiredInputs
from sorter.model.ejection import NO_ITEM_REASONS, Outcomes
from sorter.model.events import AuditEntry
from sorter.model.explanation import RecipeChange, ShotReport
from sorter.model.recipe import recipe_hash
from sorter.model.stage_times import StageTimes
from sorter.model.tracks import BeltState, TrackBatch
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.policy.ledger import Ledger, Settled
from sorter.recipe_desk import RecipeDesk
from sorter.runtime.bus import Publisher, Subscriber, wait_for_any
from sorter.runtime.envelope import Received
from sorter.runtime.link import CommandLink
from sorter.runtime.process import ProcessContext
from sorter.runtime.topics import (
    AUDIT,
    BELT,
    FAULT,
    HEALTH,
    INPUTS,
    OUTCOMES,
    RECIPE_CHANGE,
    REQUEST,
    TRACKS,
    VALVES,
)
from sorter.sorting import Ruling, Sorting

_TICK_MS = 10.0
_STATISTICS_PERIOD_NS = NS_PER_S // 2
_ACK_GRACE_NS = 500 * NS_PER_MS
_READ_TOPICS = (TRACKS, BELT, HEALTH, OUTCOMES, REQUEST, RECIPE_CHANGE, INPUTS, FAULT, VALVES, AUDIT)


def decide_items(context: ProcessContext) -> None:
    """Body of the process; returns when it is asked to stop.

    Raises:
        BadInputError: if the model bundle cannot be used.
    """
    desk = DecisionDesk(context)
    context.set_health(HealthStatus.OK)
    while context.is_running():
        received = desk.receive()
        desk.step(received)
        desk.send()
    desk.close()


class DecisionDesk:
    """What the loop's three verbs share."""

    def __init__(self, context: ProcessContext) -> None:
        settings = context.settings
        self._context = context
        self._clock = context.clock
        self._reader = Subscriber(context.plan.run_folder, _READ_TOPICS)
        self._link = CommandLink(context.plan.run_folder, context.boot_id, settings, context.clock)
        self._relay = _relay(context)
        self._calibrations = ModelCalibrations(settings)
        self._sorting = Sorting(settings, self._calibrations.first, context.boot_id)
        self._recipe = RecipeDesk(context.plan)
        self._statistics = LiveStatistics(settings)
        self._stages = StageTimes()
        self._ledger = Ledger()
        self._mode = LineMode(
            recipe_hash(settings.recipe), starts_by_itself=settings.start_by_itself, now_ns=context.clock.now_ns()
        )
        self._memory = LineMemory(context)
        if self._recipe.recipe != settings.recipe:
            self._use_recipe()
        self._published_mode: ModeState | None = None
        self._peer_loss: tuple[str, int] | None = None
        self._vision_boot_id: str | None = None
        self._due_ns = 0

    def receive(self) -> list[Received]:
        """Wait for messages or the next tick."""
        wait_for_any([self._reader.socket, self._link.socket], _TICK_MS)
        return list(self._reader.waiting())

    def step(self, received: list[Received]) -> None:
        """Let each message act, in the order of arrival."""
        for item in received:
            self._take(item)
        for ack in self._link.receive():
            settled = self._ledger.settle(ack)
            if settled is not None:
                self._settle(settled)
        self._pass_on()
        for settled in self._ledger.expire(self._clock.now_ns(), _ACK_GRACE_NS):
            self._settle(settled)
        self._step_mode()

    def send(self) -> None:
        """Heartbeats, and the once-in-a-while messages."""
        now_ns = self._clock.now_ns()
        state = self._mode.state
        self._link.mode = state.mode
        self._link.tick(now_ns)
        if state is not self._published_mode or now_ns >= self._due_ns:
            self._context.publisher.publish(state)
            self._published_mode = state
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + _STATISTICS_PERIOD_NS
            self._context.publisher.publish(self._statistics.statistics(now_ns))
            self._context.publisher.publish(self._recipe.state)
        self._context.publish_health(self._counts(), self._stages.distributions)

    def close(self) -> None:
        """Say the last figures and let go of the sockets."""
        self._context.publisher.publish(self._statistics.statistics(self._clock.now_ns()))
        self._link.close()
        self._memory.close()
        self._reader.close()
        if self._relay is not None:
            self._relay.close()

    def _pass_on(self) -> None:
        for message in self._link.take_telemetry():
            if self._relay is not None:
                self._relay.publish(message, self._link.peer_boot_id)

    def _counts(self) -> dict[str, float]:
        """What is open, and every message that was lost or made no sense."""
        return {
            "open_command_count": float(self._ledger.open_count),
            "unknown_ack_count": float(self._ledger.unknown_ack_count),
            "foreign_ack_count": float(self._link.foreign_ack_count),
            "malformed_message_count": float(self._reader.malformed_count + self._link.malformed_count),
            **self._memory.figures(),
        }

    def _take(self, received: Received) -> None:
        now_ns = self._clock.now_ns()
        match received.message:
            case TrackBatch() as batch:
                self._take_tracks(batch, received.boot_id, now_ns)
            case BeltState() as belt:
                self._obey(self._sorting.take_belt(belt, now_ns))
            case Health() as health:
                self._mode.take_health(health, now_ns)
            case WiredInputs() as inputs:
                self._mode.take_inputs(inputs, now_ns)
            case Outcomes() as outcomes:
                self._statistics.add_outcomes(outcomes)
            case OperatorRequest() | RecipeChange() as asked:
                self._take_wish(asked, now_ns)
            case Fault() | ValveReport() | AuditEntry() as noted:
                self._memory.record.take(noted)

    def _take_wish(self, asked: OperatorRequest | RecipeChange, now_ns: int) -> None:
        """What somebody asks for at a screen."""
        if isinstance(asked, OperatorRequest):
            self._mode.take_request(asked.kind, asked.who, now_ns)
        elif self._recipe.take(asked):
            self._use_recipe()

    def _use_recipe(self) -> None:
        recipe = self._recipe.recipe
        self._sorting.use_recipe(recipe)
        self._statistics.use_recipe(recipe)
        self._memory.record.use_recipe(recipe)
        self._context.publisher.publish(self._recipe.state)

    def _take_tracks(self, batch: TrackBatch, vision_boot_id: str, now_ns: int) -> None:
        if vision_boot_id != self._vision_boot_id:
            self._sorting.forget_items()
            self._vision_boot_id = vision_boot_id
        self._statistics.precision = batch.precision or self._statistics.precision
        if self._mode.is_executing:
            self._statistics.begin(batch.travel_um)
        if not self._follow_model(batch.model_id):
            return
        self._obey(self._sorting.take_tracks(batch, now_ns))
        self._stages.note("decide", self._clock.now_ns() - now_ns)
        self._context.publisher.publish(self._sorting.assess(batch))

    def _follow_model(self, model_id: str) -> bool:
        """Read scores as their model means them; False where that is not known, so that they are no evidence."""
        if model_id != self._statistics.model_id:
            try:
                self._sorting.use_calibration(self._calibrations.of(model_id))
            except BadInputError as error:
                self._context.raise_fault("no_calibration", str(error))
                return False
        self._statistics.model_id = model_id
        self._context.clear_fault("no_calibration")
        return True

    def _obey(self, rulings: list[Ruling]) -> None:
        for ruling in rulings:
            sent_at_ns = None
            self._memory.record.take_ruling(ruling, self._statistics.model_id, self._clock.now_ns())
            if ruling.command is not None:
                self._ledger.enter(ruling.command)
                if self._link.send(ruling.command):
                    sent_at_ns = self._clock.now_ns()
                    self._statistics.add_sent(ruling.decision, sent_at_ns)
                    self._stages.note("exposure_to_command", sent_at_ns - ruling.decision.exposed_at_ns)
                else:
                    self._settle(self._ledger.fail(ruling.command))
            self._statistics.add_decision(ruling.decision)
            self._context.publisher.publish(ruling.decision)
            if ruling.decision.reason not in NO_ITEM_REASONS:
                self._context.publisher.publish(self._sorting.explain(ruling, sent_at_ns))

    def _settle(self, settled: Settled) -> None:
        self._statistics.add_settled(settled.command, settled.ack)
        self._context.publisher.publish(_report(settled))
        self._memory.record.take_settled(settled, self._clock.now_ns())

    def _note_losses(self, now_ns: int) -> None:
        """The controller may have lost us without our losing it, or have been born anew: what it held is void."""
        loss = self._link.peer_loss
        if loss is not None and loss != self._peer_loss:
            if self._peer_loss is not None:
                self._mode.take_fault("the valve controller had lost the line", now_ns)
            self._peer_loss = loss
            self._link.known_loss_count = loss[1]

    def _step_mode(self) -> None:
        now_ns = self._clock.now_ns()
        self._note_losses(now_ns)
        self._mode.step(now_ns, is_link_alive=self._link.is_alive(now_ns))
        self._sorting.is_executing = self._mode.is_executing
        self._memory.step(self._mode.state, now_ns)


def _report(settled: Settled) -> ShotReport:
    command, ack = settled.command, settled.ack
    return ShotReport(
        decision_ids=command.decision_ids,
        station_id=command.station_id,
        first_nozzle=command.first_nozzle,
        last_nozzle=command.last_nozzle,
        open_at_travel_um=command.open_at_travel_um,
        status=ack.status,
        reason=ack.reason,
        opened_at_ns=ack.opened_at_ns,
        opened_at_travel_um=ack.opened_at_travel_um,
        closed_at_ns=ack.closed_at_ns,
    )


def _relay(context: ProcessContext) -> Publisher | None:
    """Where the controller is on another box, this process says on the bus what the controller says over the link."""
    if not context.settings.link.address:
        return None
    return Publisher(context.plan.run_folder, "actuators", context.boot_id, context.clock)
