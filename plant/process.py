"""The plant process: receive what the line says, keep it as values, tell them by OPC UA, by MQTT, or both.

Nothing here is waited for by anything else of the line: a slow client costs nobody anything.
"""

import asyncio
import logging
from typing import TYPE_CHECKING

from plant.plant_values import PlantValues
from sorter.extras import need_extra
from sorter.model.condition import HealthStatus
from sorter.runtime.bus import Subscriber
from sorter.runtime.process import ProcessContext
from sorter.runtime.topics import BELT, FAULT, INPUTS, MODE, STATISTICS, VALVES

if TYPE_CHECKING:
    from plant.mqtt_outlet import MqttOutlet
    from plant.opcua_server import OpcUaServer

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
    values, outlet, server = PlantValues(context.settings), _mqtt_outlet(context), _opcua_server(context)
    if server is not None:
        await server.start(values.values)
    try:
        while context.is_running():
            for received in reader.waiting():
                values.take(received.message)
                if outlet is not None:
                    outlet.take(received.message)
            await _tell(values, outlet, server)
            trouble = "" if outlet is None else outlet.trouble
            context.set_health(HealthStatus.DEGRADED if trouble else HealthStatus.OK, trouble and f"MQTT: {trouble}")
            figures = {} if outlet is None else outlet.figures()
            context.publish_health({"malformed_message_count": float(reader.malformed_count), **figures})
            await asyncio.sleep(_PERIOD_S)
    finally:
        if outlet is not None:
            outlet.close()
        if server is not None:
            await server.stop()
        reader.close()


async def _tell(values: PlantValues, outlet: "MqttOutlet | None", server: "OpcUaServer | None") -> None:
    raised = values.take_raised()
    if outlet is not None:
        outlet.tell(values.values)
    if server is not None:
        await server.write(values.values)
        for alarm in raised:
            await server.raise_alarm(alarm)


def _mqtt_outlet(context: ProcessContext) -> "MqttOutlet | None":
    if not context.settings.plant.mqtt.host:
        return None
    need_extra("mqtt", "paho", "configuration: plant.mqtt.host")
    from plant.mqtt_outlet import MqttOutlet

    return MqttOutlet(context)


def _opcua_server(context: ProcessContext) -> "OpcUaServer | None":
    if context.settings.plant.opcua_port == 0:
        return None
    need_extra("plant", "asyncua", "configuration: plant.opcua_port")
    from plant.opcua_server import OpcUaServer

    return OpcUaServer(context.settings)
