"""From a reader to the record of a period, which every figure is made from."""

from sorter.figures.period_record import PeriodRecord
from sorter.model.events import newest_audits
from sorter.model.rollups import Period
from sorter.store.protocol import StoreReader


def period_record(reader: StoreReader, period: Period, device_id: str | None = None) -> PeriodRecord:
    """All that is known of a period, of one device or of all."""
    device_count = 1 if device_id is not None else len(reader.span().devices)
    audits = newest_audits(reader.audits(period, device_id))
    return PeriodRecord(period, reader.totals(period, device_id), tuple(audits), reader.recipes(), device_count)
