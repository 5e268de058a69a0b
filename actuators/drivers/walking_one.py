"""The walking one: each coil of a PLC alone is written, all are read back, to find what its map crosses or shares.

What the coils are wired to is seen by the nozzle walk.
"""

from collections.abc import Iterator

import msgspec

from actuators.drivers.modbus_client import ModbusDevice
from actuators.drivers.outputs import OutputMap


class CoilFinding(msgspec.Struct, frozen=True):
    """A coil that was written, and those that were read as on."""

    coil: int
    read_on: tuple[int, ...]

    @property
    def is_right(self) -> bool:
        """Whether this coil and no other was on."""
        return self.read_on == (self.coil,)


def walk_one(device: ModbusDevice, outputs: OutputMap) -> Iterator[CoilFinding]:
    """Write each coil alone; all are off before, between and afterwards.

    Raises:
        ModbusError: if the PLC does not answer.
    """
    count = outputs.stop - outputs.start
    device.write_coils(outputs.start, [False] * count)
    try:
        for coil in range(outputs.start, outputs.stop):
            device.write_coils(coil, [True])
            states = device.read_coils(outputs.start, count)
            device.write_coils(coil, [False])
            yield CoilFinding(coil, tuple(outputs.start + at for at, is_on in enumerate(states) if is_on))
    finally:
        device.write_coils(outputs.start, [False] * count)
