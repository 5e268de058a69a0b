"""The plant process with a real OPC UA client: browsing, reading, subscriptions to values and alarms."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any

import pytest
from asyncua import Client, ua

from sorter.model.condition import Fault, Mode, ModeState
from sorter.model.settings import PlantSettings, Settings
from sorter.model.tracks import BeltState
from sorter.runtime.bus import Publisher

Run = Callable[[Coroutine[Any, Any, None]], None]
Start = Callable[[Settings], AbstractContextManager[tuple[Publisher, Publisher]]]

TIMEOUT_S = 30.0


class Heard:
    """What a subscription brings."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self.messages: list[str] = []

    def datachange_notification(self, _node: object, value: object, _data: object) -> None:
        self.values.append(value)

    def event_notification(self, event: Any) -> None:
        self.messages.append(event.Message.Text)


async def wait_for(condition: Callable[[], bool], turn: Callable[[], None]) -> None:
    async def until() -> None:
        while not condition():
            turn()
            await asyncio.sleep(0.05)

    await asyncio.wait_for(until(), TIMEOUT_S)


async def connected(url: str) -> Client:
    async def attempt() -> Client:
        while True:
            client = Client(url)
            try:
                await client.connect()
            except OSError:
                await asyncio.sleep(0.1)
            else:
                return client

    return await asyncio.wait_for(attempt(), TIMEOUT_S)


async def visit(port: int, sorter: Publisher, actuators: Publisher) -> None:
    client = await connected(f"opc.tcp://127.0.0.1:{port}/farz/")
    try:
        index = await client.get_namespace_index("urn:farz:line")
        line = await client.nodes.objects.get_child([f"{index}:demo"])
        names = {(await child.read_browse_name()).Name for child in await line.get_children()}
        assert names == {"Status", "Counters", "Stations", "Alarms", "Inputs"}
        state = await line.get_child([f"{index}:Status", f"{index}:StateCurrentName"])
        speed = await line.get_child([f"{index}:Status", f"{index}:BeltSpeed_m_s"])
        heard = Heard()
        subscription = await client.create_subscription(50, heard)
        await subscription.subscribe_data_change([state, speed])
        await subscription.subscribe_events()

        def say() -> None:
            sorter.publish(ModeState(Mode.EXECUTE, 1, "all is well", "hash"))
            actuators.publish(BeltState(1, 2, 2_500_000))
            actuators.publish(Fault("actuators", "valves_disobey", "no answer from the PLC", 1))

        await wait_for(lambda: {"execute", 2.5} <= set(heard.values), say)
        await wait_for(lambda: "actuators: no answer from the PLC" in heard.messages, say)
        assert await (await line.get_child([f"{index}:Alarms", f"{index}:Count"])).read_value() == 1
        with pytest.raises(ua.UaStatusCodeError):
            await state.write_value("stopped")
    finally:
        await client.disconnect()


def test_a_plant_browses_reads_subscribes_and_cannot_write(
    port: int, running_plant: Start, run_until_done: Run
) -> None:
    with running_plant(Settings(plant=PlantSettings(opcua_port=port))) as (sorter, actuators):
        run_until_done(visit(port, sorter, actuators))
