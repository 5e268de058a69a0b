"""The plant process: receive what the line says, keep it as values, serve them.

Nothing here is waited for by anything else of the line: a slow client costs nobody anything.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Protocol

from plant.plant_values import PlantValues
from sorter.model.condition import HealthStatus
from sorter.model.settings import Settings
from sorter.runtime.bus import Subscriber
from sorter.runtime.process import ProcessContext
from sorter.runtime.topics import BELT, FAULT, INPUTS, MODE, STATISTICS, VALVES

_PERIOD_S = 0.1


def tell_plant(context: ProcessContext) -> None:
    """Body of the process; returns when it is asked to stop.

    Raises:
        ConfigurationError: if the address cannot be had.
    """
    # every session and value would be a line
    logging.getLogger("asyncua").setLevel(logging.WARNING)
    asyncio.run(_serve(context))


async def _serve(context: ProcessContext) -> None:
    reader = Subscriber(context.plan.run_folder, [MODE, BELT, STATISTICS, VALVES, INPUTS, FAULT])
    values = PlantValues(context.settings)
    async with AsyncExitStack() as stack:
        stack.callback(reader.close)
        servers = await _started(context.settings, values, stack)
        context.set_health(HealthStatus.OK)
        while context.is_running():
            for received in reader.waiting():
                values.take(received.message)
            for server in servers:
                await server.tell(values)
            values.raised.clear()
            context.publish_health({"malformed_message_count": float(reader.malformed_count)})
            await asyncio.sleep(_PERIOD_S)


class _Server(Protocol):
    """A way by which the plant reads."""

    async def start(self, values: PlantValues) -> None: ...

    async def tell(self, values: PlantValues) -> None: ...

    async def stop(self) -> None: ...


async def _started(settings: Settings, values: PlantValues, stack: AsyncExitStack) -> list[_Server]:
    """What the configuration asks for; each library is loaded only where it is."""
    servers: list[_Server] = []
    if settings.plant.opcua_port:
        from plant.opcua_server import OpcUaServer

        servers.append(OpcUaServer(settings))
    if settings.plant.modbus_port:
        from plant.modbus_server import ModbusServer

        servers.append(ModbusServer(settings))
    for server in servers:
        await server.start(values)
        stack.push_async_callback(server.stop)
    return servers
