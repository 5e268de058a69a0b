"""What is said by MQTT and when: birth and state whenever a broker is reached, state on change, figures each minute."""

import msgspec

from sorter.plant.minute_figures import MinuteFigures
from sorter.plant.mqtt_connection import MqttConnection
from sorter.plant.mqtt_messages import MqttMessages
from sorter.plant.plant_values import Value
from sorter.runtime.clock import Clock, utc_text
from sorter.runtime.process import ProcessContext


class MqttOutlet:
    """Messages, minute figures and the connection of one line."""

    def __init__(self, context: ProcessContext) -> None:
        """Connect in the background.

        Raises:
            ConfigurationError: if the password or the certificates cannot be read.
        """
        settings = context.settings
        self._clock: Clock = context.clock
        self._messages = MqttMessages(settings, context.boot_id)
        self._minutes = MinuteFigures()
        # two clients of one name would throw each other out
        client_id = f"farz-{settings.line_name}-{context.boot_id}"
        self._connection = MqttConnection(settings.plant.mqtt, client_id, self._messages.death())

    def take(self, message: msgspec.Struct) -> None:
        """Let a message of the line count."""
        self._minutes.take(message)

    def tell(self, values: dict[str, Value]) -> None:
        """Say what is new; never waits for the broker."""
        now_utc = utc_text()
        figures = self._minutes.step(self._clock.now_ns(), now_utc)
        if figures is not None:
            self._connection.put(self._messages.minute(figures))
        is_new = self._connection.is_new()
        if is_new:
            self._messages.forget_state()
        state = self._messages.state(values, now_utc)
        if state is not None:
            self._connection.put(state, goes_first=is_new)
        if is_new:
            self._connection.put(self._messages.birth(now_utc), goes_first=True)
        self._connection.step()

    @property
    def trouble(self) -> str:
        """Why the broker is told nothing, empty while it is."""
        return "" if self._connection.is_connected else self._connection.refusal

    def figures(self) -> dict[str, float]:
        """For the health of the process."""
        return {
            "mqtt_connected": float(self._connection.is_connected),
            "mqtt_dropped_count": float(self._connection.dropped_count),
        }

    def close(self) -> None:
        """Say that the line is gone."""
        self._connection.close(self._messages.death())
