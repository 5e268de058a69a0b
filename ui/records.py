"""What the line remembers, for the screens: a reader of its own for every question, and the bounds of shifts.

A question that finds no record is answered by None: screens say so, and the line goes on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sorter.errors import StoreError
from sorter.model.rollups import Period
from sorter.model.settings import HarvestSettings, Settings
from sorter.store.place import store_path
from sorter.store.protocol import StoreReader
from sorter.store.sqlite_reader import SqliteReader


class Records:
    """The store of one line, opened for reading."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = store_path(settings)

    @property
    def device_id(self) -> str:
        """Under which name the line's events are kept."""
        return self._settings.line_name

    @contextmanager
    def reader(self) -> Iterator[StoreReader | None]:
        """A reader for one question; None where there is no record that can be read."""
        reader = self._open()
        try:
            yield reader
        finally:
            if reader is not None:
                reader.close()

    def shift(self, back_count: int, wall: datetime) -> Period:
        """The shift that lies so many shifts back, up to now for the present one; shifts are those of `harvest`."""
        begin, end = shift_around(wall, self._settings.harvest)
        length = end - begin
        begin, end = begin - back_count * length, end - back_count * length
        return Period(_ms(begin), _ms(min(end, wall)))

    def _open(self) -> SqliteReader | None:
        if not self._settings.store.enabled or not self._path.is_file():
            return None
        try:
            return SqliteReader(self._path)
        except StoreError:
            return None


def shift_around(wall: datetime, harvest: HarvestSettings) -> tuple[datetime, datetime]:
    """When the shift of a wall-clock instant began, and when it ends."""
    first = wall.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=harvest.first_shift_at_h)
    length = timedelta(hours=harvest.shift_h)
    begin = first + length * ((wall - first) // length)
    return begin, begin + length


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000.0)
