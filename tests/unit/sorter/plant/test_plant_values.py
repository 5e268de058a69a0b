"""What the plant is told of what the line says."""

import pytest

from sorter.model.condition import Fault, Mode, ModeState, NozzleReport, ValveReport, WiredInputs
from sorter.model.settings import Settings
from sorter.model.tracks import BeltState
from sorter.plant.packml import STATE_NUMBERS
from sorter.plant.plant_values import Alarm, PlantValues


def test_every_state_has_packml_s_number() -> None:
    assert set(STATE_NUMBERS) == set(Mode)
    assert len(set(STATE_NUMBERS.values())) == len(Mode)
    assert (STATE_NUMBERS[Mode.EXECUTE], STATE_NUMBERS[Mode.HELD], STATE_NUMBERS[Mode.ABORTED]) == (6, 11, 9)


@pytest.mark.parametrize("mode", list(Mode))
def test_the_state_is_told_by_number_and_name(mode: Mode) -> None:
    values = PlantValues(Settings())
    values.take(ModeState(mode, 1, "because", "hash"))
    assert values.values["Status/StateCurrent"] == STATE_NUMBERS[mode]
    assert values.values["Status/StateCurrentName"] == mode.value
    assert values.values["Status/StateReason"] == "because"


def test_names_and_types_never_change() -> None:
    values = PlantValues(Settings())
    before = {path: type(value) for path, value in values.values.items()}
    nozzle = NozzleReport("pet", 3, 7, 20.0, 0.1, None, "dead")
    for message in (
        ModeState(Mode.HELD, 1, "", ""),
        BeltState(1, 2, 1_500_000),
        ValveReport(1, (nozzle, NozzleReport("can", 1, 2, 1.0, 0.0)), 1.5, 2),
        WiredInputs(guards_closed=True, air_present=False),
        Fault("vision", "lost", "no picture", 1),
    ):
        values.take(message)
    assert {path: type(value) for path, value in values.values.items()} == before
    assert values.values["Status/BeltSpeed_m_s"] == 1.5
    assert (values.values["Stations/pet/Shots"], values.values["Stations/pet/SuspectedNozzles"]) == (7, "3: dead")
    assert values.values["Inputs/guards_closed"] == "well"
    assert values.values["Inputs/air_present"] == "not well"
    assert values.values["Inputs/belt_running"] == "not wired"


def test_the_plant_is_told_what_is_suspected_of_each_nozzle() -> None:
    values = PlantValues(Settings())
    suspected = (
        NozzleReport("pet", 3, 7, 20.0, 0.1, None, "dead"),
        NozzleReport("pet", 8, 0, 0.0, 0.0, None, "stuck_open"),
        NozzleReport("can", 8, 5, 1.0, 0.0),
    )
    values.take(ValveReport(1, suspected, 1.5, 2))
    assert values.values["Stations/pet/SuspectedNozzles"] == "3: dead, 8: stuck_open"
    assert values.values["Stations/can/SuspectedNozzles"] == ""


def test_alarms_are_raised_once_and_cleared() -> None:
    values = PlantValues(Settings())
    for _ in range(2):
        values.take(Fault("vision", "lost", "no picture", 1))
    assert values.raised == [Alarm("vision", "lost", "no picture")]
    assert values.values["Alarms/Count"] == 1
    values.take(Fault("vision", "lost", "no picture", 1, is_cleared=True))
    assert values.values["Alarms/Count"] == 0
