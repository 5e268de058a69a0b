"""The closed loop in virtual time: the line's own parts, stepped by a clock that only the loop moves.

Source, pipeline, policy, controller and simulated bar are those of the running line; only processes and sockets are
left out. Nothing depends on how fast this machine is, so the same seed gives the same figures.
"""

import heapq
from collections.abc import Callable

import msgspec

from actuators.controller import Controller
from actuators.drivers.simulated import SimulatedBar
from actuators.encoder import SimulatedEncoder
from actuators.valve_health import ValveHealth
from sorter.calibration import ModelCalibrations
from sorter.errors import ConfigurationError
from sorter.model.belt import BeltTravel, CameraView
from sorter.model.condition import Mode, ValveReport
from sorter.model.drive import BeltDrive
from sorter.model.ejection import Ack
from sorter.model.recipe import last_station_um, recipe_hash
from sorter.model.scorecard import Scorecard
from sorter.model.settings import Settings
from sorter.model.statistics import Figures
from sorter.model.tracks import TrackBatch
from sorter.model.units import NS_PER_MS, mm_to_um, ms_to_ns
from sorter.model.world import StripWorld, World
from sorter.policy.ledger import Ledger
from sorter.runtime.clock import ManualClock
from sorter.runtime.simulated_world import open_world
from sorter.sorting import Ruling, Sorting
from vision.detectors import open_detector
from vision.pipeline import Pipeline
from vision.sources import open_source

_ENCODER_PERIOD_NS = 2 * NS_PER_MS
_OUTCOMES_PERIOD_NS = 500 * NS_PER_MS
_RUN_OUT_UM = mm_to_um(600.0)
_LONGEST_EMPTY_UM = mm_to_um(1_000_000.0)
_BOOT_ID = "virtual"
_RESPONSE_GRACE_NS = 1_000 * NS_PER_MS


class Stretch(msgspec.Struct, frozen=True):
    """The belt that is scored, in belt coordinates (low included, high excluded)."""

    start_um: int
    end_um: int


class LoopResult(msgspec.Struct, frozen=True):
    """Figures of a run and what it was run with."""

    figures: Figures
    stretch: Stretch
    view_count: int
    dropped_frame_count: int
    model_id: str
    detector: str
    precision: str
    valves: ValveReport


def scored_stretch(settings: Settings, world: World, item_count: int | None) -> Stretch:
    """The stretch that holds a number of items; without a number, one lap of a strip or 500 sprites.

    It begins one view upstream, so that its first item was in view from edge to edge.

    Raises:
        ConfigurationError: if a number is asked for and the belt stays empty.
    """
    start_um = CameraView(settings.camera).upstream_edge_um
    if item_count is None and isinstance(world, StripWorld):
        return Stretch(start_um, start_um + world.lap_um)
    wanted_count, step_um, end_um = item_count or 500, mm_to_um(20_000.0), start_um
    belts_um: list[int] = []
    while len(belts_um) < wanted_count:
        if not belts_um and end_um > _LONGEST_EMPTY_UM:
            raise ConfigurationError("nothing lies on the first kilometre of the simulated belt, so nothing to score")
        belts_um += [item.belt_um for item in world.items_between(end_um, end_um + step_um)]
        end_um += step_um
    return Stretch(start_um, belts_um[wanted_count - 1] + 1)


def open_scored_world(settings: Settings) -> World:
    """The simulated world of the settings.

    Raises:
        ConfigurationError: where the source is not simulated, so that there is no truth to score against.
    """
    world = open_world(settings)
    if world is None:
        raise ConfigurationError(
            f"configuration: source.kind = {settings.source.kind!r}: a score needs the truth, so 'sprites' or 'strip'"
        )
    return world


class ClosedLoop:
    """One run of the whole line in virtual time."""

    def __init__(self, settings: Settings, stretch: Stretch, world: World) -> None:
        self._stretch = stretch
        self._clock = ManualClock()
        drive = BeltDrive(settings.belt)
        self._source = open_source(settings, self._clock, epoch_ns=0)
        detector = open_detector(settings, epoch_ns=0)
        decodes = settings.detector.runtime != "oracle"
        self._pipeline = Pipeline(settings, self._source, detector, self._clock, decodes=decodes)
        self._encoder = SimulatedEncoder(drive, epoch_ns=0)
        self._bar = SimulatedBar(settings, drive, 0, world, started_at_ns=0)
        self._controller = Controller(settings, recipe_hash(settings.recipe), self._bar)
        self._controller.set_boot_id(_BOOT_ID, 0)
        self._controller.set_mode(Mode.EXECUTE, 0)
        self._calibrations = ModelCalibrations(settings)
        self._sorting = Sorting(settings, self._calibrations.first, _BOOT_ID)
        self._sorting.is_executing = True
        self._ledger = Ledger()
        self._health = ValveHealth(settings)
        self._scorecard = Scorecard(settings.recipe, stretch.start_um, stretch.end_um)
        self._latency_ns = ms_to_ns(settings.simulation.modelled_latency_ms)
        self._belt = BeltTravel()
        self._deliveries: list[tuple[int, int, TrackBatch]] = []
        self._next_sample_ns = 0
        self._next_outcomes_ns = 0
        self._ends_at_um = stretch.end_um + last_station_um(settings.recipe) + _RUN_OUT_UM

    def run(self, show_progress: Callable[[float], None] = lambda _share: None) -> LoopResult:
        """Run the belt past the last station; `show_progress` is told the share done, 0..1."""
        now_ns, free_at_ns, travel_um = 0, 0, 0
        while travel_um < self._ends_at_um:
            ticket = self._source.grab()
            now_ns = self._clock.now_ns() if ticket is None else ticket.exposed_at_ns
            self._advance(now_ns)
            travel_um = self._travel_um(now_ns)
            if ticket and now_ns >= free_at_ns and (view := self._pipeline.take(ticket, travel_um)) is not None:
                free_at_ns = now_ns + self._latency_ns
                heapq.heappush(self._deliveries, (free_at_ns, view.batch.frame_id, view.batch))
                show_progress(min(1.0, travel_um / self._ends_at_um))
        self._finish(now_ns)
        return self._result(now_ns)

    def _advance(self, until_ns: int) -> None:
        """Let everything happen that comes before an instant, in order: track batches, encoder readings, valves."""
        while (now_ns := self._next_event_ns()) <= until_ns:
            if self._deliveries and self._deliveries[0][0] <= now_ns:
                self._deliver(heapq.heappop(self._deliveries)[2], now_ns)
            self._sample(now_ns)

    def _deliver(self, batch: TrackBatch, now_ns: int) -> None:
        self._sorting.use_calibration(self._calibrations.of(batch.model_id))
        self._obey(self._sorting.take_tracks(batch, now_ns), now_ns)

    def _next_event_ns(self) -> int:
        belt = self._belt.newest
        due_ns = self._controller.next_due_ns(belt, self._next_sample_ns) if belt else None
        delivery_ns = self._deliveries[0][0] if self._deliveries else self._next_sample_ns
        candidates = [self._next_sample_ns, delivery_ns, *([] if due_ns is None else [due_ns])]
        return max(min(candidates), belt.measured_at_ns if belt else 0)

    def _sample(self, now_ns: int) -> None:
        if now_ns >= self._next_sample_ns:
            self._next_sample_ns = now_ns + _ENCODER_PERIOD_NS
            belt = self._encoder.read(now_ns)
            self._belt.add(belt)
            self._obey(self._sorting.take_belt(belt, now_ns), now_ns)
        self._settle(self._controller.step(self._belt.newest, now_ns))
        if now_ns >= self._next_outcomes_ns:
            self._next_outcomes_ns = now_ns + _OUTCOMES_PERIOD_NS
            self._add_outcomes(now_ns)

    def _obey(self, rulings: list[Ruling], now_ns: int) -> None:
        for ruling in rulings:
            self._scorecard.add_decision(ruling.decision)
            if ruling.command is not None:
                self._ledger.enter(ruling.command)
                self._scorecard.add_sent(ruling.decision, now_ns)
                self._settle(self._controller.receive(ruling.command, self._belt.newest, now_ns))

    def _settle(self, acks: list[Ack]) -> None:
        for ack in acks:
            settled = self._ledger.settle(ack)
            if settled is not None:
                self._scorecard.add_settled(settled.command, settled.ack)
                self._health.note_fired(settled.command, settled.ack)

    def _add_outcomes(self, now_ns: int) -> None:
        outcomes = self._bar.outcomes(now_ns)
        self._scorecard.add_outcomes(outcomes)
        self._health.note_outcomes(outcomes)

    def _finish(self, now_ns: int) -> None:
        self._settle(self._controller.close_all(now_ns))
        self._add_outcomes(now_ns + _RESPONSE_GRACE_NS)
        self._source.close()

    def _travel_um(self, instant_ns: int) -> int:
        travel_um = self._belt.travel_um_at(instant_ns)
        return 0 if travel_um is None else travel_um

    def _result(self, now_ns: int) -> LoopResult:
        seeing = self._pipeline.detector
        return LoopResult(
            figures=self._scorecard.figures(),
            stretch=self._stretch,
            view_count=self._pipeline.view_count,
            dropped_frame_count=self._source.dropped_count,
            model_id=seeing.model_id,
            detector=seeing.runtime,
            precision=seeing.precision,
            valves=self._health.report(self._controller.use, now_ns),
        )
