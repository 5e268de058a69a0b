"""The one door to pymodbus: a PLC that answers in time, or trouble in one sentence."""

from collections.abc import Sequence
from typing import Any

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from actuators.errors import DriverError
from sorter.model.settings import ModbusSettings

# the standard's limit of coils and registers in one request
_MOST_COILS, _MOST_REGISTERS = 1968, 123


class ModbusError(DriverError):
    """The PLC did not answer, or refused."""


class ModbusDevice:
    """One PLC; every request is answered within the time-out or ends in ModbusError, with the connection closed."""

    def __init__(self, settings: ModbusSettings) -> None:
        self._settings = settings
        self._client = ModbusTcpClient(
            settings.host, port=settings.port, timeout=settings.timeout_ms / 1000, retries=0, name="farz"
        )

    def connect(self) -> None:
        """Connect, anew if need be."""
        self._client.close()
        if not self._client.connect():
            raise ModbusError("cannot be reached")

    def write_coils(self, first: int, states: Sequence[bool]) -> None:
        """Write coils from the first one on."""
        for start in range(0, len(states), _MOST_COILS):
            part = list(states[start : start + _MOST_COILS])
            self._ask("coils cannot be written", self._client.write_coils, first + start, part)

    def read_coils(self, first: int, count: int) -> list[bool]:
        """Read coils."""
        answer = self._ask("coils cannot be read", self._client.read_coils, first, count=count)
        return [bool(bit) for bit in answer.bits[:count]]

    def write_registers(self, first: int, values: Sequence[int]) -> None:
        """Write holding registers, at most 123."""
        if len(values) > _MOST_REGISTERS:
            raise ValueError(f"{len(values)} registers in one request, at most {_MOST_REGISTERS}")
        self._ask("registers cannot be written", self._client.write_registers, first, list(values))

    def read_registers(self, first: int, count: int) -> list[int]:
        """Read holding registers."""
        answer = self._ask("registers cannot be read", self._client.read_holding_registers, first, count=count)
        return [int(value) for value in answer.registers]

    def read_input(self, at: int) -> bool:
        """Read a discrete input."""
        answer = self._ask("inputs cannot be read", self._client.read_discrete_inputs, at, count=1)
        return bool(answer.bits[0])

    def hang_up(self) -> None:
        """Close the connection."""
        self._client.close()

    def _ask(self, failure: str, request: Any, *values: Any, **keys: Any) -> Any:
        try:
            answer = request(*values, device_id=self._settings.device_id, **keys)
        except (ModbusException, OSError) as error:
            self._client.close()
            raise ModbusError(f"{failure}: {error}") from error
        if answer.isError():
            raise ModbusError(f"{failure}: {answer}")
        return answer
