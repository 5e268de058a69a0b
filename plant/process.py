"""The plant process: receive what the line says, keep it as values, serve them.

Nothing here is waited for by anything else of the line: a slow client costs nobody anything.
"""

import asyncio
import logging

from plant.opcua_server import OpcUaServer
from plant.plant_values import PlantValues
from sorter.model.condition import HealthStatus
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
    values, server = PlantValues(context.settings), OpcUaServer(context.settings)
    await server.start(values.values)
    context.set_health(HealthStatus.OK)
    try:
        while context.is_running():
            for received in reader.waiting():
                values.take(received.message)
            await server.write(values.values)
            for alarm in values.take_raised():
                await server.raise_alarm(alarm)
            context.publish_health({"malformed_message_count": float(reader.malformed_count)})
            await asyncio.sleep(_PERIOD_S)
    finally:
        await server.stop()
        reader.close()
