"""Which output of the hardware each nozzle is wired to."""

from collections.abc import Mapping

from actuators.errors import DriverError


class OutputMap:
    """Nozzles of a station on consecutive outputs, from the station's first one on."""

    def __init__(self, first_outputs: Mapping[str, int], nozzle_counts: Mapping[str, int]) -> None:
        self._first_outputs = dict(first_outputs)
        self.start = min(first_outputs.values())
        self.stop = max(first + nozzle_counts[station_id] for station_id, first in first_outputs.items())

    def outputs(self, station_id: str, first_nozzle: int, last_nozzle: int) -> range:
        """The outputs of a range of nozzles.

        Raises:
            DriverError: for a station that is not wired.
        """
        first = self._first_outputs.get(station_id)
        if first is None:
            raise DriverError(f"station {station_id!r} is wired to no output")
        return range(first + first_nozzle, first + last_nozzle + 1)
