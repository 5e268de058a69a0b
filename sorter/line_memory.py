"""The line's memory as the deciding process has it: what to write down, the thread that writes, and what goes wrong."""

from sorter.line_record import LineRecord
from sorter.model.condition import HealthStatus, ModeState
from sorter.model.events import AnyEvent
from sorter.runtime.clock import wall_ms
from sorter.runtime.power_meter import PowerMeter, find_sensor
from sorter.runtime.process import ProcessContext
from sorter.store.keeping import Keeping
from sorter.store.place import store_path
from sorter.store.recorder import Recorder


class LineMemory:
    """Writes the line's record; a store that fails is a fault to show, never a reason to stop sorting."""

    def __init__(self, context: ProcessContext) -> None:
        settings = context.settings
        self._context = context
        self._trouble_code: str | None = None
        self._recorder: Recorder | None = None
        if settings.store.enabled:
            self._recorder = Recorder(Keeping(store_path(settings), settings.store), context.clock)
        self._meter = PowerMeter(find_sensor(context.clock.now_ns()), context.clock)
        self.record = LineRecord(settings, context.boot_id, self._keep, wall_ms, self._meter)

    def step(self, mode: ModeState, now_ns: int) -> None:
        """Note the mode and what was used, and say what is wrong with the store."""
        self.record.step(mode, now_ns)
        trouble = self._recorder.trouble if self._recorder else None
        code = trouble.code if trouble else None
        if code != self._trouble_code:
            if self._trouble_code is not None:
                self._context.clear_fault(self._trouble_code)
            if trouble is not None:
                self._context.raise_fault(trouble.code, trouble.detail, HealthStatus.DEGRADED)
            self._trouble_code = code

    def figures(self) -> dict[str, float]:
        """Numbers for the health of the process."""
        if self._recorder is None:
            return {}
        keeping = self._recorder.keeping
        return {
            "store_waiting_count": float(keeping.waiting_count),
            "store_stored_count": float(keeping.stored_count),
            "store_summed_only_count": float(keeping.summed_only_count),
        }

    def close(self) -> None:
        """Write the last of it."""
        self.record.close(self._context.clock.now_ns())
        self._meter.close()
        if self._recorder is not None:
            self._recorder.close()

    def _keep(self, event: AnyEvent) -> None:
        if self._recorder is not None:
            self._recorder.put(event)
