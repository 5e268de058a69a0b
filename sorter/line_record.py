"""What the deciding process writes down: decisions with their answers, modes, faults, audits, energy; numbered here."""

import itertools
from collections.abc import Callable
from typing import Any

import msgspec

from sorter.energy_use import EnergyUse, Meter
from sorter.mode_stretch import ModeStretch
from sorter.model.condition import Fault, Mode, ModeState, ValveReport
from sorter.model.ejection import Ack, EjectionCommand
from sorter.model.events import (
    AnyEvent,
    AuditEntry,
    AuditTaken,
    EnergyUsed,
    FaultNoted,
    ItemDecided,
    ModeChanged,
    ModeTime,
    RecipeUsed,
)
from sorter.model.mass import estimated_mass
from sorter.model.recipe import recipe_hash
from sorter.model.settings import RecipeSettings, Settings
from sorter.model.units import NS_PER_MS
from sorter.policy.ledger import Settled
from sorter.sorting import Ruling

_LEAST_PROBABILITY = 0.001
_PROBABILITY_DIGITS = 4
_UM2_PER_MM2 = 1_000_000


class LineRecord:
    """Turns what happens into events; instants are arguments, wall time is asked for when an event is made."""

    def __init__(
        self,
        settings: Settings,
        boot_id: str,
        keep: Callable[[AnyEvent], None],
        wall_ms: Callable[[], int],
        meter: Meter,
    ) -> None:
        self._settings = settings
        self._recipe_hash = recipe_hash(settings.recipe)
        self._boot_id = boot_id
        self._keep = keep
        self._wall_ms = wall_ms
        self._energy = EnergyUse(meter, settings.figures.power_w)
        self._audits: set[tuple[str, int]] = set()
        self._seq = itertools.count(1)
        self._waiting: dict[int, tuple[Ruling, str, float]] = {}
        self._mode: ModeState | None = None
        self._stretch: ModeStretch | None = None
        self._note_recipe()

    def use_recipe(self, recipe: RecipeSettings) -> None:
        """Write down what is sorted from here on, under its own hash."""
        self._settings = msgspec.structs.replace(self._settings, recipe=recipe)
        self._recipe_hash = recipe_hash(recipe)
        self._note_recipe()

    def take_ruling(self, ruling: Ruling, model_id: str, now_ns: int) -> None:
        """Note a decision; one that has led to a command waits for the answer."""
        if ruling.command is None:
            self._keep_item(ruling, model_id, now_ns, None, None)
        else:
            self._waiting[ruling.command.seq] = (ruling, model_id, _ms(now_ns - ruling.decision.exposed_at_ns))

    def take_settled(self, settled: Settled, now_ns: int) -> None:
        """Note the answer to a command, and with it the decision."""
        found = self._waiting.pop(settled.command.seq, None)
        if found is not None:
            ruling, model_id, frame_to_command_ms = found
            self._keep_item(ruling, model_id, now_ns, settled, frame_to_command_ms)

    def take(self, message: Fault | ValveReport | AuditEntry) -> None:
        """Note what another process says."""
        match message:
            case Fault():
                self._take_fault(message)
            case ValveReport():
                self._energy.take_valves(message)
            case AuditEntry():
                self._take_audit(message)

    def step(self, mode: ModeState, now_ns: int) -> None:
        """Note the mode and what was used; call it some times a second."""
        if self._stretch is None or self._mode is None or mode.mode is not self._mode.mode:
            self._end_stretch(now_ns)
            self._stretch = ModeStretch(mode.mode, now_ns, self._wall_ms())
            self._keep(ModeChanged(mode=mode.mode, reason=mode.reason, recipe_hash=self._recipe_hash, **self._stamp()))
        elif self._stretch.is_over(now_ns):
            self._end_stretch(now_ns)
            self._stretch = self._stretch.next_one(now_ns, self._wall_ms())
        self._mode = mode
        self._note_use(now_ns)

    def close(self, now_ns: int) -> None:
        """Note the last stretch of time and use; commands that were never answered are written down as they stand."""
        self._end_stretch(now_ns)
        self._note_use(now_ns, is_last=True)
        for ruling, model_id, frame_to_command_ms in self._waiting.values():
            self._keep_item(ruling, model_id, now_ns, None, frame_to_command_ms)
        self._waiting.clear()

    def _take_fault(self, fault: Fault) -> None:
        """Note a fault, or that it is over."""
        self._keep(FaultNoted(
            process=fault.process, code=fault.code, detail=fault.detail, is_cleared=fault.is_cleared, **self._stamp()
        ))  # fmt: skip

    def _take_audit(self, entry: AuditEntry) -> None:
        """Note an audit that somebody entered; a screen may say the same one again."""
        if (entry.audit_id, entry.revision) in self._audits:
            return
        self._audits.add((entry.audit_id, entry.revision))
        values = {name: getattr(entry, name) for name in entry.__struct_fields__}
        self._keep(AuditTaken(**values, **self._stamp()))

    def _stamp(self, at_ms: int | None = None) -> dict[str, Any]:
        wall_ms = self._wall_ms() if at_ms is None else at_ms
        return {
            "device_id": self._settings.line_name,
            "boot_id": self._boot_id,
            "seq": next(self._seq),
            "at_ms": wall_ms,
        }

    def _note_recipe(self) -> None:
        recipe = self._settings.recipe
        targets = {station.id: station.targets for station in recipe.stations}
        self._keep(RecipeUsed(
            recipe_hash=self._recipe_hash, name=recipe.name, classes=recipe.classes, targets=targets, **self._stamp()
        ))  # fmt: skip

    def _keep_item(
        self, ruling: Ruling, model_id: str, now_ns: int, settled: Settled | None, frame_to_command_ms: float | None
    ) -> None:
        decision, item, classes = ruling.decision, ruling.item, self._settings.recipe.classes
        probabilities = {
            name: round(float(value), _PROBABILITY_DIGITS)
            for name, value in zip(classes, item.probabilities, strict=True)
            if value >= _LEAST_PROBABILITY
        }
        mass = estimated_mass(probabilities, item.width_um * item.length_um / _UM2_PER_MM2)
        ack = settled.ack if settled is not None else None
        self._keep(ItemDecided(
            track_id=decision.track_id,
            decision_id=decision.decision_id,
            class_name=classes[decision.class_id],
            probability=round(decision.probability, _PROBABILITY_DIGITS),
            class_probabilities=probabilities,
            view_count=decision.view_count,
            x_um=item.x_um,
            belt_um=item.belt_um,
            width_um=item.width_um,
            length_um=item.length_um,
            overlap_ratio=round(ruling.overlap_ratio, 3),
            mass_g=round(mass.mass_g, 2),
            mass_sd_g=round(mass.sd_g, 2),
            reason=decision.reason,
            station_id=decision.station_id,
            ack_status=ack.status if ack else None,
            refusal=ack.reason if ack else None,
            placement_error_um=_placement_error_um(settled.command, settled.ack) if settled else None,
            frame_to_command_ms=None if frame_to_command_ms is None else round(frame_to_command_ms, 2),
            model_id=model_id,
            recipe_hash=self._recipe_hash,
            **self._stamp(self._wall_ms() - (now_ns - decision.decided_at_ns) // NS_PER_MS),
        ))  # fmt: skip

    def _end_stretch(self, now_ns: int) -> None:
        if self._stretch is not None:
            for at_ms, duration_ms in self._stretch.pieces(now_ns):
                self._keep(ModeTime(mode=self._stretch.mode, duration_ms=duration_ms, **self._stamp(at_ms)))

    def _note_use(self, now_ns: int, *, is_last: bool = False) -> None:
        is_executing = self._mode is not None and self._mode.mode is Mode.EXECUTE
        for use in self._energy.step(now_ns, is_executing=is_executing, is_last=is_last):
            self._keep(EnergyUsed(**use, **self._stamp()))


def _placement_error_um(command: EjectionCommand, ack: Ack) -> int | None:
    return None if ack.opened_at_travel_um is None else ack.opened_at_travel_um - command.open_at_travel_um


def _ms(duration_ns: int) -> float:
    return duration_ns / NS_PER_MS
