"""The one door to paho-mqtt: a connection to the plant's broker that comes back by itself, and a bounded queue.

paho's own thread connects, answers pings and waits for acknowledgements. What is published while no broker is there
waits in the queue; when that is full the oldest goes, and is counted.
"""

import threading
from collections import deque
from pathlib import Path

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sorter.errors import ConfigurationError
from sorter.model.settings import MqttSettings
from sorter.plant.mqtt_messages import MqttMessage

# minutes of a day: what a broker that is away for longer misses is in the store all the same
QUEUE_COUNT = 1440
_KEEP_ALIVE_S = 15
_FIRST_DELAY_S, _MAX_DELAY_S = 1, 60
_LAST_WORDS_S = 1.0


class MqttConnection:
    """Publishes in the order of `put` and at least once, from a queue that `step` empties while a broker is there.

    Attributes:
        dropped_count: messages for which there was no room.
        refusal: why there is no connection, empty while there is one or nothing is known yet.
    """

    def __init__(self, settings: MqttSettings, client_id: str, last_will: MqttMessage) -> None:
        """Connect in the background.

        Raises:
            ConfigurationError: if the password or the certificates cannot be read.
        """
        self.dropped_count = 0
        self.refusal = ""
        self._queue: deque[MqttMessage] = deque()
        self._connection_count = 0
        self._seen_connection_count = 0
        self._lock = threading.Lock()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        self._client.on_connect = self._note_connection
        self._client.on_disconnect = self._note_end
        self._client.on_connect_fail = lambda _client, _data: self._note_refusal(
            f"no broker that can be trusted at {settings.host}:{settings.port}"
        )
        self._client.will_set(last_will.topic, last_will.payload, qos=1, retain=last_will.is_retained)
        self._client.reconnect_delay_set(_FIRST_DELAY_S, _MAX_DELAY_S)
        _secure(self._client, settings)
        self._client.connect_async(settings.host, settings.port, keepalive=_KEEP_ALIVE_S)
        self._client.loop_start()

    @property
    def is_connected(self) -> bool:
        """Whether a broker has accepted the line and not gone since."""
        return self._client.is_connected()

    def is_new(self) -> bool:
        """Whether a broker was reached since the last call: birth and state are to be said (again)."""
        with self._lock:
            is_new = self._connection_count != self._seen_connection_count
            self._seen_connection_count = self._connection_count
        return is_new

    def put(self, message: MqttMessage, *, goes_first: bool = False) -> None:
        """Queue a message; the oldest gives way where the queue is full."""
        if len(self._queue) >= QUEUE_COUNT:
            self._queue.popleft()
            self.dropped_count += 1
        if goes_first:
            self._queue.appendleft(message)
        else:
            self._queue.append(message)

    def step(self) -> None:
        """Hand queued messages to the client as long as a broker is there."""
        while self._queue and self.is_connected:
            message = self._queue[0]
            sent = self._client.publish(message.topic, message.payload, qos=1, retain=message.is_retained)
            if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            self._queue.popleft()

    def close(self, last_words: MqttMessage) -> None:
        """Say the last words, since an orderly end brings no last will, and let go."""
        if self.is_connected:
            sent = self._client.publish(last_words.topic, last_words.payload, qos=1, retain=last_words.is_retained)
            if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                sent.wait_for_publish(_LAST_WORDS_S)
        self._client.disconnect()
        self._client.loop_stop()

    def _note_connection(
        self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        self._note_refusal(str(reason) if reason.is_failure else "")
        with self._lock:
            self._connection_count += not reason.is_failure

    def _note_end(
        self, _client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        if reason.is_failure and not self.refusal:
            self._note_refusal(str(reason))

    def _note_refusal(self, refusal: str) -> None:
        self.refusal = refusal


def _secure(client: Client, settings: MqttSettings) -> None:
    if settings.uses_tls:
        try:
            client.tls_set(ca_certs=settings.ca_file or None)
        except OSError as error:
            raise ConfigurationError(
                f"configuration: plant.mqtt.ca_file = {settings.ca_file!r}: cannot be used: {error}"
            ) from error
    if settings.username:
        client.username_pw_set(settings.username, _password(settings.password_file))


def _password(path: str) -> str | None:
    if not path:
        return None
    try:
        return (Path(path).read_text().splitlines() or [""])[0]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"configuration: plant.mqtt.password_file = {path!r}: cannot be read: {error}"
        ) from error
