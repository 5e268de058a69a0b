"""What is not installed is said in one sentence with what to type, before anything else goes wrong."""

import importlib.util
import subprocess
import sys
from typing import Any

import pytest

from sorter.errors import ConfigurationError
from sorter.extras import need_extra
from sorter.model.settings import MqttSettings, PlantSettings, Settings
from sorter.plant.process import _mqtt_outlet, _opcua_server


class Context:
    """Of a process, its settings alone."""

    def __init__(self, plant: PlantSettings) -> None:
        self.settings = Settings(plant=plant)


def test_what_is_installed_is_no_matter() -> None:
    need_extra("fleet", "json", "configuration: fleet.hub_url")


@pytest.mark.parametrize(
    ("opened", "plant", "sentence"),
    [
        (_mqtt_outlet, PlantSettings(mqtt=MqttSettings(host="127.0.0.1")), r"plant\.mqtt\.host.*farz\[mqtt\]"),
        (_opcua_server, PlantSettings(opcua_port=4840), r"plant\.opcua_port.*farz\[plant\]"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, opened: Any, plant: PlantSettings, sentence: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match=sentence):
        opened(Context(plant))


def test_the_page_and_the_commands_do_without_databases_and_brokers() -> None:
    """None of the extras' packages is loaded by what every line loads."""
    code = (
        "import sys, sorter.cli, sorter.process, sorter.plant.process, sorter.fleet.process\n"
        "import ui.process, ui.hub.hub_command\n"
        "print([name for name in ('psycopg', 'paho', 'urllib3', 'asyncua', 'pyarrow') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == "[]"
