"""The configuration of a line as types: every key, its unit in the name, its range and its default."""

from sorter.model.settings.gpio import GpioEncoderSettings, GpioPins, GpioSettings, InputName
from sorter.model.settings.line import Settings, camera_settings, is_simulated_source
from sorter.model.settings.recipe import RecipeSettings, StationSettings
from sorter.model.settings.remembering import (
    FactorSettings,
    FiguresSettings,
    HarvestSettings,
    StoreSettings,
    SupervisionSettings,
)
from sorter.model.settings.section import Section, is_loopback
from sorter.model.settings.seeing import (
    BeltSettings,
    CameraSettings,
    DetectorSettings,
    HeatSettings,
    HeatStep,
    LineCamera,
    OracleSettings,
    SourceSettings,
    TrackingSettings,
)
from sorter.model.settings.serving import (
    ApiSettings,
    FleetSettings,
    HubSettings,
    MqttSettings,
    PlantSettings,
    UiSettings,
)
from sorter.model.settings.valves import (
    ControllerSettings,
    LinkSettings,
    ModbusSettings,
    OutputNumber,
    SafetySettings,
    SerialSettings,
    SimulationSettings,
    ValveSettings,
)

__all__ = [
    "ApiSettings",
    "BeltSettings",
    "CameraSettings",
    "ControllerSettings",
    "DetectorSettings",
    "FactorSettings",
    "FiguresSettings",
    "FleetSettings",
    "GpioEncoderSettings",
    "GpioPins",
    "GpioSettings",
    "HarvestSettings",
    "HeatSettings",
    "HeatStep",
    "HubSettings",
    "InputName",
    "LineCamera",
    "LinkSettings",
    "ModbusSettings",
    "MqttSettings",
    "OracleSettings",
    "OutputNumber",
    "PlantSettings",
    "RecipeSettings",
    "SafetySettings",
    "Section",
    "SerialSettings",
    "Settings",
    "SimulationSettings",
    "SourceSettings",
    "StationSettings",
    "StoreSettings",
    "SupervisionSettings",
    "TrackingSettings",
    "UiSettings",
    "ValveSettings",
    "camera_settings",
    "is_loopback",
    "is_simulated_source",
]
