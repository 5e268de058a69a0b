"""The plant's registers: what stands where, and a real Modbus client that reads them and cannot write."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client import AsyncModbusTcpClient

from sorter.model.condition import Fault, Mode, ModeState, NozzleReport, ValveReport, WiredInputs
from sorter.model.settings import PlantSettings, RecipeSettings, Settings
from sorter.model.tracks import BeltState
from sorter.plant.plant_values import PlantValues
from sorter.plant.register_map import FIRST_CLASS, FIRST_STATION, REGISTER_COUNT, registers
from sorter.runtime.bus import Publisher

Run = Callable[[Coroutine[Any, Any, None]], None]
Start = Callable[[Settings], AbstractContextManager[tuple[Publisher, Publisher]]]

RECIPE = RecipeSettings()


def test_every_value_stands_where_the_map_says() -> None:
    values = PlantValues(Settings())
    first, second = (station.id for station in RECIPE.stations[:2])
    nozzles = (NozzleReport(first, 3, 70_000, 20.0, 0.1, None, "dead"), NozzleReport(second, 1, 2, 1.0, 0.0))
    values.take(ModeState(Mode.EXECUTE, 1, "all is well", "hash"))
    values.take(BeltState(1, 2, 2_500_000))
    values.take(ValveReport(1, nozzles, 1.6, 2))
    values.take(WiredInputs(emergency_stop_clear=True, air_present=False))
    values.take(Fault("vision", "lost", "no picture", 1))
    values.values[f"Counters/Classes/{RECIPE.classes[1]}"] = 65_537
    words = registers(values.values, RECIPE, 65_536 + 7)
    assert words[:6] == [1, 7, 6, 1, 2500, 2]
    assert words[16:18] == [0, 2]
    assert words[19:21] == [0b000001, 0b000101]
    assert words[FIRST_CLASS + 2 : FIRST_CLASS + 4] == [1, 1]
    assert words[FIRST_STATION : FIRST_STATION + 8] == [1, 4464, 1, 0, 0, 2, 0, 0]


@given(st.integers(0, 2**40), st.floats(0, 1e12), st.integers(1, 60), st.integers(1, 40))
def test_whatever_the_values_every_register_is_sixteen_bits(
    count: int, air_l: float, class_count: int, station_count: int
) -> None:
    classes = tuple(f"class-{number}" for number in range(class_count))
    station = RECIPE.stations[0]
    stations = tuple(type(station)(f"s{number}", 100.0, (classes[0],)) for number in range(station_count))
    recipe = RecipeSettings(classes=classes, stations=stations)
    values = PlantValues(Settings(recipe=recipe))
    values.values |= {"Counters/Items": count, "Counters/Air_l": air_l, f"Counters/Classes/{classes[0]}": count}
    words = registers(values.values, recipe, count)
    assert len(words) == REGISTER_COUNT
    assert all(0 <= word <= 0xFFFF for word in words)
    assert (words[6] << 16) + words[7] == min(count, 0xFFFF_FFFF)


async def visit(port: int, sorter: Publisher) -> None:
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    while not await client.connect():
        await asyncio.sleep(0.1)
    beats: set[int] = set()
    state = 0
    while state != 6 or len(beats) < 3:
        sorter.publish(ModeState(Mode.EXECUTE, 1, "all is well", "hash"))
        _, heartbeat, state = (await client.read_input_registers(0, count=3)).registers
        beats.add(heartbeat)
        await asyncio.sleep(0.05)
    assert (await client.write_register(0, 5)).isError()
    assert (await client.write_coil(0, True)).isError()
    assert (await client.read_input_registers(REGISTER_COUNT, count=1)).isError()
    client.close()


def test_a_plc_reads_and_cannot_write(port: int, running_plant: Start, run_until_done: Run) -> None:
    with running_plant(Settings(plant=PlantSettings(modbus_port=port))) as (sorter, _):
        run_until_done(asyncio.wait_for(visit(port, sorter), 30.0))
