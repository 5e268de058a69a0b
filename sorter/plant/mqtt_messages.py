"""What an MQTT broker is told, as topics and JSON; which of it is new is decided here, how it is sent elsewhere."""

import importlib.metadata
import re

import msgspec

from sorter.model.settings import Settings
from sorter.plant.plant_values import Value

# of the plant's values, those that make up the state: the line's own, its alarms and what is wired
_STATE_PATHS = re.compile(r"^(Status/State|Status/RecipeHash$|Alarms/|Inputs/)")


class MqttMessage(msgspec.Struct, frozen=True):
    """One publication, at least once (QoS 1); the broker keeps those retained for whoever subscribes later."""

    topic: str
    payload: bytes
    is_retained: bool


class MqttMessages:
    """The messages of one line and one life of its plant process."""

    def __init__(self, settings: Settings, boot_id: str) -> None:
        self._settings = settings
        self._boot_id = boot_id
        # what separates topics or selects several is no part of a name
        line = re.sub(r"[/+#\0]", "_", settings.line_name)
        self._root = f"{settings.plant.mqtt.topic_prefix.strip('/')}/{line}"
        self._state: dict[str, Value] = {}

    def birth(self, now_utc: str) -> MqttMessage:
        """The line is there, and this is what it is."""
        recipe = self._settings.recipe
        return self._message(
            "birth",
            {
                "is_online": True,
                "at": now_utc,
                "version": importlib.metadata.version("farz"),
                "recipe": recipe.name,
                "classes": recipe.classes,
                "stations": {station.id: station.targets for station in recipe.stations},
            },
            is_retained=True,
        )

    def death(self) -> MqttMessage:
        """The line is gone; left with the broker as its last will, which is why it names no instant."""
        return self._message("birth", {"is_online": False}, is_retained=True)

    def state(self, values: dict[str, Value], now_utc: str) -> MqttMessage | None:
        """The state where it differs from the last one, or None; after `forget_state` it always does."""
        state = {path: value for path, value in values.items() if _STATE_PATHS.match(path)}
        if state == self._state:
            return None
        self._state = state
        return self._message("state", {"at": now_utc, **state}, is_retained=True)

    def forget_state(self) -> None:
        """A broker was reached anew: say the state again."""
        self._state = {}

    def minute(self, figures: dict[str, object]) -> MqttMessage:
        """The figures of one minute that is over."""
        return self._message("minute", figures, is_retained=False)

    def _message(self, name: str, body: dict[str, object], *, is_retained: bool) -> MqttMessage:
        head = {"line": self._settings.line_name, "boot_id": self._boot_id}
        return MqttMessage(f"{self._root}/{name}", msgspec.json.encode({**head, **body}), is_retained)
