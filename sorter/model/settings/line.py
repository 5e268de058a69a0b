"""The whole configuration of one line."""

from typing import Annotated

import msgspec
from msgspec import Meta

from sorter.model.settings.recipe import RecipeSettings
from sorter.model.settings.remembering import FiguresSettings, HarvestSettings, StoreSettings, SupervisionSettings
from sorter.model.settings.section import Section
from sorter.model.settings.seeing import (
    BeltSettings,
    CameraSettings,
    DetectorSettings,
    HeatSettings,
    LineCamera,
    SourceSettings,
    TrackingSettings,
)
from sorter.model.settings.serving import ApiSettings, FleetSettings, HubSettings, PlantSettings, UiSettings
from sorter.model.settings.valves import (
    ControllerSettings,
    LinkSettings,
    SafetySettings,
    SimulationSettings,
    ValveSettings,
)


class Settings(Section, frozen=True):
    """The whole configuration of one line."""

    line_name: Annotated[str, Meta(min_length=1, max_length=64)] = "demo"
    # true: a line starts, and goes on after a fault of its own, without an operator; for simulated valves
    start_by_itself: bool = True
    # true: valves may be moved by hand (farz commission), and the line does not run
    maintenance: bool = False
    belt: BeltSettings = BeltSettings()
    camera: CameraSettings = CameraSettings()
    source: SourceSettings = SourceSettings()
    # several cameras over the belt, which share the network and the tracks; left out, there is one
    cameras: tuple[LineCamera, ...] = ()
    detector: DetectorSettings = DetectorSettings()
    tracking: TrackingSettings = TrackingSettings()
    recipe: RecipeSettings = RecipeSettings()
    valves: ValveSettings = ValveSettings()
    link: LinkSettings = LinkSettings()
    controller: ControllerSettings = ControllerSettings()
    safety: SafetySettings = SafetySettings()
    simulation: SimulationSettings = SimulationSettings()
    ui: UiSettings = UiSettings()
    plant: PlantSettings = PlantSettings()
    harvest: HarvestSettings = HarvestSettings()
    heat: HeatSettings = HeatSettings()
    store: StoreSettings = StoreSettings()
    figures: FiguresSettings = FiguresSettings()
    api: ApiSettings = ApiSettings()
    fleet: FleetSettings = FleetSettings()
    hub: HubSettings = HubSettings()
    supervision: SupervisionSettings = SupervisionSettings()


def camera_settings(settings: Settings) -> tuple[tuple[str, Settings], ...]:
    """Name and settings of each camera of the line, as if it were the only one; the name is empty where it is."""
    if not settings.cameras:
        return (("", settings),)
    return tuple((one.id, _of_one(settings, one)) for one in settings.cameras)


def _of_one(settings: Settings, one: LineCamera) -> Settings:
    camera = msgspec.structs.replace(settings.camera, left_edge_mm=one.left_edge_mm, homography=one.homography)
    source = msgspec.structs.replace(settings.source, location=one.location or settings.source.location)
    return msgspec.structs.replace(settings, camera=camera, source=source, cameras=())


def is_simulated_source(settings: Settings) -> bool:
    """Whether pictures come from a simulated world, so that the truth is known."""
    return settings.source.kind in {"sprites", "strip"}
