"""The plant process: receive what the line says, keep it as values, tell them by OPC UA, Modbus TCP and MQTT as asked.

Nothing here is waited for by anything else of the line: a slow client costs nobody anything.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

from sorter.extras import need_extra
from sorter.model.condition import HealthStatus
from sorter.plant.plant_values import PlantValues
from sorter.runtime.bus import Subscriber
from sorter.runtime.process import ProcessContext
from sorter.runtime.topics import BELT, FAULT, INPUTS, MODE, STATISTICS, VALVES

if TYPE_CHECKING:
    from sorter.plant.modbus_server import ModbusServer
    from sorter.plant.mqtt_outlet import MqttOutlet
    from sorter.plant.opcua_server import OpcUaServer

_PERIOD_S = 0.1


def tell_plant(context: ProcessContext) -> None:
    """Body of the process; returns when it is asked to stop.

    Raises:
        ConfigurationError: if OPC UA's address cannot be had, MQTT's password or certificates not be read, or the
            packages for either are missing.
    """
    # every session and value would be a line
    logging.getLogger("asyncua").setLevel(logging.WARNING)
    asyncio.run(_serve(context))


async def _serve(context: ProcessContext) -> None:
    reader = Subscriber(context.plan.run_folder, [MODE, BELT, STATISTICS, VALVES, INPUTS, FAULT])
    values, outlet = PlantValues(context.settings), _mqtt_outlet(context)
    async with AsyncExitStack() as stack:
        stack.callback(reader.close)
        if outlet is not None:
            stack.callback(outlet.close)
        servers = await _started(context, values, stack)
        while context.is_running():
            _hear(reader, values, outlet)
            for server in servers:
                await server.tell(values)
            values.raised.clear()
            trouble = "" if outlet is None else outlet.trouble
            context.set_health(HealthStatus.DEGRADED if trouble else HealthStatus.OK, trouble and f"MQTT: {trouble}")
            figures = {} if outlet is None else outlet.figures()
            context.publish_health({"malformed_message_count": float(reader.malformed_count), **figures})
            await asyncio.sleep(_PERIOD_S)


def _hear(reader: Subscriber, values: PlantValues, outlet: "MqttOutlet | None") -> None:
    for received in reader.waiting():
        values.take(received.message)
        if outlet is not None:
            outlet.take(received.message)
    if outlet is not None:
        outlet.tell(values.values)


class _Server(Protocol):
    """A way by which the plant reads."""

    async def start(self, values: PlantValues) -> None: ...

    async def tell(self, values: PlantValues) -> None: ...

    async def stop(self) -> None: ...


async def _started(context: ProcessContext, values: PlantValues, stack: AsyncExitStack) -> list[_Server]:
    """What the configuration asks for; each library is loaded only where it is."""
    asked_for: list[_Server | None] = [_opcua_server(context), _modbus_server(context)]
    servers = [server for server in asked_for if server is not None]
    for server in servers:
        await server.start(values)
        stack.push_async_callback(server.stop)
    return servers


def _opcua_server(context: ProcessContext) -> "OpcUaServer | None":
    if not context.settings.plant.opcua_port:
        return None
    need_extra("plant", "asyncua", "configuration: plant.opcua_port")
    from sorter.plant.opcua_server import OpcUaServer

    return OpcUaServer(context.settings)


def _modbus_server(context: ProcessContext) -> "ModbusServer | None":
    if not context.settings.plant.modbus_port:
        return None
    need_extra("plant", "pymodbus", "configuration: plant.modbus_port")
    from sorter.plant.modbus_server import ModbusServer

    return ModbusServer(context.settings)


def _mqtt_outlet(context: ProcessContext) -> "MqttOutlet | None":
    if not context.settings.plant.mqtt.host:
        return None
    need_extra("mqtt", "paho", "configuration: plant.mqtt.host")
    from sorter.plant.mqtt_outlet import MqttOutlet

    return MqttOutlet(context)
