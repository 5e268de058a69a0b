"""Which encoders a configuration may name; whatever cannot be counted is refused in a sentence."""

import pytest

from sorter.errors import ConfigurationError
from sorter.runtime.configuration import settings_from

GPIO_BELT = {"travel_from": "gpio", "encoder_pulse_um": 1000, "gpio": {"a": "PQ.05", "b": "PQ.06"}}


@pytest.mark.parametrize(
    ("belt", "said"),
    [
        ({"gpio": {}}, r"belt\.gpio\.a: missing"),
        ({"gpio": {"a": 29, "b": 29}}, r"belt\.gpio\.b = 29: must be another line than belt\.gpio\.a"),
        ({"gpio": {"a": 29, "is_reversed": True}}, r"is_reversed = true: needs belt\.gpio\.b"),
        ({"encoder_pulse_um": 100, "speed_m_s": 3.0}, r"= 100: at the belt's 3 m/s that is 30000 .* at least 300"),
        ({"encoder_pulse_um": 300, "speed_high_m_s": 4.0}, "at least 400"),
        ({"gpio": {"a": 29, "b": 31, "debounce_us": 500}}, "debounce_us = 500: must be below 500"),
        ({"gpio": {"a": 29, "c": 31}}, r"unknown key 'belt\.gpio\.c'"),
    ],
)
def test_an_encoder_that_cannot_be_counted_is_refused_in_a_sentence(belt: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        settings_from({"belt": GPIO_BELT | belt})


def test_its_lines_are_not_those_of_the_valves() -> None:
    stations = [
        {"id": "one", "offset_mm": 700, "targets": ["glass"], "actuator": "pusher", "nozzle_count": 1},
    ]
    line = {"start_by_itself": False, "recipe": {"stations": stations}, "belt": GPIO_BELT}
    valves = {"driver": "gpio", "gpio": {"lines": {"one:0": "PQ.06"}}}
    with pytest.raises(ConfigurationError, match=r"belt\.gpio\.b = 'PQ\.06': must be another line"):
        settings_from({**line, "valves": valves})
    valves["gpio"] = {"lines": {"one:0": "PQ.07"}}
    assert settings_from({**line, "valves": valves}).belt.gpio.b == "PQ.06"
    by_plc = {"driver": "modbus", "modbus": {"first_coils": {"one": 0}}}
    assert settings_from({**line, "valves": by_plc}).valves.driver == "modbus"
