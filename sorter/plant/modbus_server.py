"""The one door to pymodbus' server: input registers that anybody may read and nobody write."""

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from sorter.errors import ConfigurationError
from sorter.model.settings import Settings
from sorter.plant.plant_values import PlantValues
from sorter.plant.register_map import REGISTER_COUNT, registers

_READ_INPUT_REGISTERS = 4
_DEVICE_ID = 1
# the library wants every kind of place to exist
_LAST = 0xFFFF


class ModbusServer:
    """Device 1 with input registers alone; requests for anything else are answered with an exception."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._heartbeat = 0
        self._server: ModbusTcpServer | None = None

    async def start(self, values: PlantValues) -> None:
        """Listen.

        Raises:
            ConfigurationError: if the address cannot be had.
        """
        no_bits = [SimData(_LAST, values=[False], datatype=DataType.BITS, readonly=True)]
        no_registers = [SimData(_LAST, values=[0], datatype=DataType.REGISTERS, readonly=True)]
        inputs = [SimData(0, values=[0] * REGISTER_COUNT, datatype=DataType.REGISTERS)]
        device = SimDevice(_DEVICE_ID, simdata=(no_bits, no_bits, no_registers, inputs))
        plant = self._settings.plant
        try:
            self._server = ModbusTcpServer(device, address=(plant.host, plant.modbus_port))
            await self._server.serve_forever(background=True)
        except (OSError, RuntimeError) as error:
            raise ConfigurationError(
                f"configuration: plant.modbus_port = {plant.modbus_port}: cannot be served at "
                f"{plant.host}; the address must be this machine's, and the port free"
            ) from error
        await self.tell(values)

    async def tell(self, values: PlantValues) -> None:
        """Let all registers be what the values say."""
        self._heartbeat += 1
        if self._server is not None:
            words = registers(values.values, self._settings.recipe, self._heartbeat)
            await self._server.async_setValues(_DEVICE_ID, _READ_INPUT_REGISTERS, 0, words)

    async def stop(self) -> None:
        """Hang up on all clients and stop listening."""
        if self._server is not None:
            await self._server.shutdown()
