"""The plant process with a real Mosquitto: birth, state, minute figures, last will, and a broker that goes away."""

import gc
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from sorter.errors import ConfigurationError
from sorter.model.condition import Mode, ModeState
from sorter.model.settings import MqttSettings, PlantSettings, Settings
from sorter.plant.mqtt_connection import QUEUE_COUNT, MqttConnection
from sorter.plant.mqtt_messages import MqttMessages
from sorter.plant.plant_values import PlantValues
from sorter.runtime.bus import Publisher
from sorter.runtime.clock import SystemClock
from sorter.runtime.configuration import settings_from
from sorter.runtime.run_folder import RunPlan

TIMEOUT_S = 30.0


def settings_for(port: int) -> Settings:
    return Settings(line_name="north/2", plant=PlantSettings(mqtt=MqttSettings(host="127.0.0.1", port=port)))


def wait_until(condition: Callable[[], bool], turn: Callable[[], None] = lambda: None) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        turn()
        time.sleep(0.02)


class PlantSystem:
    """What the plant hears by MQTT, by the last part of the topic."""

    def __init__(self, port: int) -> None:
        self.heard: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.retained: set[str] = set()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda *_: self._client.subscribe("farz/#", qos=1)
        self._client.on_message = self._take
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _take(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        prefix, line, name = message.topic.split("/")
        assert (prefix, line) == ("farz", "north_2")
        if message.retain:
            self.retained.add(name)
        self.heard[name].append(json.loads(message.payload))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def plant_system(port: int) -> Iterator[PlantSystem]:
    system = PlantSystem(port)
    try:
        yield system
    finally:
        system.close()


@contextmanager
def plant_process(settings: Settings) -> Iterator[tuple["subprocess.Popen[bytes]", Publisher]]:
    with tempfile.TemporaryDirectory(prefix="farz-") as name:
        folder, clock = Path(name), SystemClock()
        plan = RunPlan(settings, clock.now_ns(), folder)
        (folder / "run.json").write_bytes(msgspec.json.encode(plan, enc_hook=str))
        process = subprocess.Popen([sys.executable, "-m", "sorter.plant", "--run-folder", name])
        sorter = Publisher(folder, "sorter", "sorter", clock)
        try:
            yield process, sorter
        finally:
            sorter.close()
            process.terminate()
            process.wait(timeout=20)


def test_a_plant_hears_birth_state_and_the_end(mosquitto: Any) -> None:
    with plant_process(settings_for(mosquitto.port)) as (process, sorter), plant_system(mosquitto.port) as plant:

        def say() -> None:
            sorter.publish(ModeState(Mode.EXECUTE, 1, "all is well", "hash"))

        wait_until(lambda: any(state["Status/StateCurrent"] == 6 for state in plant.heard["state"]), say)
        birth = plant.heard["birth"][0]
        assert birth["is_online"]
        assert birth["line"] == "north/2"
        assert "pet_clear" in birth["stations"]["pet"]
        state_count = len(plant.heard["state"])
        say()
        process.kill()
        # the broker says it in the line's name
        wait_until(lambda: not plant.heard["birth"][-1]["is_online"])
        assert plant.heard["birth"][-1]["boot_id"] == birth["boot_id"]
        assert len(plant.heard["state"]) == state_count, "a state that is the same is not said again"
    with plant_system(mosquitto.port) as late:
        wait_until(lambda: late.retained == {"birth", "state"})


def test_an_orderly_end_is_told_too(mosquitto: Any) -> None:
    with plant_process(settings_for(mosquitto.port)) as (process, _), plant_system(mosquitto.port) as plant:
        wait_until(lambda: bool(plant.heard["birth"]))
        process.terminate()
        assert process.wait(timeout=20) == 0
        wait_until(lambda: not plant.heard["birth"][-1]["is_online"])


def test_what_was_said_while_the_broker_was_away_comes_in_order_after_a_new_birth(mosquitto: Any) -> None:
    settings = settings_for(mosquitto.port)
    messages = MqttMessages(settings, "life")
    connection = MqttConnection(settings.plant.mqtt, "line", messages.death())
    wait_until(connection.is_new)
    mosquitto.stop()
    wait_until(lambda: not connection.is_connected)
    for number in range(5):
        connection.put(messages.minute({"number": number}))
        connection.step()
    mosquitto.start()
    with plant_system(mosquitto.port) as plant:
        wait_until(connection.is_new)
        connection.put(messages.birth("now"), goes_first=True)
        wait_until(lambda: len(plant.heard["minute"]) == 5, connection.step)
        assert [figures["number"] for figures in plant.heard["minute"]] == list(range(5))
        connection.close(messages.death())
        wait_until(lambda: not plant.heard["birth"][-1]["is_online"])


# paho leaves the socket of a handshake that failed to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_with_tls_lets_in_who_has_the_password(
    guarded_mosquitto: Any, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "right").write_text("hush\n")
    (tmp_path / "wrong").write_text("shout\n")
    right = MqttSettings(
        host="127.0.0.1", port=guarded_mosquitto.port, username="farz", password_file=str(tmp_path / "right"),
        uses_tls=True, ca_file=str(certificate[0]),
    )  # fmt: skip
    messages = MqttMessages(Settings(), "life")
    connection = MqttConnection(right, "line", messages.death())
    wait_until(lambda: connection.is_connected)
    connection.close(messages.death())
    wrong = msgspec.structs.replace(right, password_file=str(tmp_path / "wrong"))
    connection = MqttConnection(wrong, "line", messages.death())
    wait_until(lambda: "authorized" in connection.refusal.lower())
    assert not connection.is_connected
    connection.close(messages.death())
    connection = MqttConnection(msgspec.structs.replace(right, ca_file=""), "line", messages.death())
    wait_until(lambda: "can be trusted" in connection.refusal)
    connection.close(messages.death())
    gc.collect()


def test_a_broker_that_is_never_there_costs_a_bounded_queue() -> None:
    before = threading.active_count()
    messages = MqttMessages(settings_for(1), "life")
    connection = MqttConnection(MqttSettings(host="127.0.0.1", port=1), "line", messages.death())
    for number in range(QUEUE_COUNT + 10):
        connection.put(messages.minute({"number": number}))
        connection.step()
    assert connection.dropped_count == 10
    connection.close(messages.death())
    assert threading.active_count() == before


def test_a_state_is_said_when_it_changes_and_again_to_a_new_broker() -> None:
    messages, values = MqttMessages(Settings(), "life"), PlantValues(Settings())
    assert messages.state(values.values, "now") is not None
    assert messages.state(values.values, "later") is None
    values.values["Status/BeltSpeed_m_s"] = 3.0
    assert messages.state(values.values, "later") is None
    values.values["Alarms/Count"] = 1
    assert messages.state(values.values, "later") is not None
    messages.forget_state()
    assert messages.state(values.values, "later") is not None


def test_a_password_never_leaves_the_box_in_the_clear() -> None:
    tables = {"plant": {"mqtt": {"host": "10.0.0.5", "username": "farz", "password_file": "/etc/farz/mqtt"}}}
    with pytest.raises(ConfigurationError, match=r"plant\.mqtt.*uses_tls = true"):
        settings_from(tables)
    tables["plant"]["mqtt"]["uses_tls"] = True  # type: ignore[assignment]
    assert settings_from(tables).plant.mqtt.uses_tls


@pytest.mark.parametrize("key", ["password_file", "ca_file"])
def test_a_file_that_cannot_be_read_is_named_with_its_key(key: str, tmp_path: Path) -> None:
    mqtt = msgspec.structs.replace(
        MqttSettings(host="127.0.0.1", username="farz", uses_tls=True), **{key: str(tmp_path / "absent")}
    )
    with pytest.raises(ConfigurationError, match=rf"plant\.mqtt\.{key} = "):
        MqttConnection(mqtt, "line", MqttMessages(Settings(), "life").death())
