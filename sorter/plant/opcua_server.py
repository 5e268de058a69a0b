"""The one door to asyncua: a server whose variables are the plant's values, read only, and whose events are alarms."""

from asyncua import ua
from asyncua.common.node import Node
from asyncua.server.event_generator import EventGenerator
from asyncua.server.server import Server
from asyncua.ua.object_ids import ObjectIds

from sorter.errors import ConfigurationError
from sorter.model.settings import Settings
from sorter.plant.plant_values import Alarm, PlantValues, Value

NAMESPACE = "urn:farz:line"
_ALARM_SEVERITY = 700
_TYPES: dict[type, ua.VariantType] = {
    bool: ua.VariantType.Boolean,
    int: ua.VariantType.Int64,
    float: ua.VariantType.Double,
    str: ua.VariantType.String,
}


class OpcUaServer:
    """Folders and variables after the values' paths, below Objects/<line name>."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server = Server()
        self._nodes: dict[str, Node] = {}
        self._written: dict[str, Value] = {}
        self._events: EventGenerator | None = None

    async def start(self, values: PlantValues) -> None:
        """Build the address space and listen.

        Raises:
            ConfigurationError: if the address cannot be had.
        """
        plant = self._settings.plant
        await self._server.init()
        self._server.set_endpoint(f"opc.tcp://{plant.host}:{plant.opcua_port}/farz/")
        self._server.set_server_name("Farz")
        self._server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        index = await self._server.register_namespace(NAMESPACE)
        line = await self._server.nodes.objects.add_object(index, self._settings.line_name)
        folders: dict[str, Node] = {"": line}
        for path, value in values.values.items():
            await self._add(index, folders, path, value)
        self._events = await self._server.get_event_generator(ObjectIds.BaseEventType, emitting_node=ObjectIds.Server)
        try:
            await self._server.start()
        except OSError as error:
            raise ConfigurationError(
                f"configuration: plant.opcua_port = {plant.opcua_port}: cannot be served: {error.strerror}"
            ) from error

    async def tell(self, values: PlantValues) -> None:
        """Write what has changed, and say what was raised."""
        for path, value in values.values.items():
            if self._written.get(path) != value:
                self._written[path] = value
                await self._nodes[path].write_value(ua.Variant(value, _TYPES[type(value)]))

        for alarm in values.raised:
            await self._raise_alarm(alarm)

    async def stop(self) -> None:
        """End all sessions and stop listening."""
        await self._server.stop()

    async def _raise_alarm(self, alarm: Alarm) -> None:
        """Send an event of the Server object, as clients without a model of ours understand it."""
        if self._events is None:
            return
        self._events.event.Message = ua.LocalizedText(f"{alarm.process}: {alarm.detail}")
        self._events.event.Severity = _ALARM_SEVERITY
        self._events.event.SourceName = alarm.code
        await self._events.trigger()

    async def _add(self, index: int, folders: dict[str, Node], path: str, value: Value) -> None:
        place, _, name = path.rpartition("/")
        parent = await self._folder(index, folders, place)
        node_id = ua.NodeId(ua.String(f"{self._settings.line_name}/{path}"), ua.Int16(index))
        variant = ua.Variant(value, _TYPES[type(value)])
        self._nodes[path] = await parent.add_variable(node_id, f"{index}:{name}", variant)
        self._written[path] = value

    async def _folder(self, index: int, folders: dict[str, Node], place: str) -> Node:
        if place not in folders:
            above, _, name = place.rpartition("/")
            folders[place] = await (await self._folder(index, folders, above)).add_folder(index, name)
        return folders[place]
