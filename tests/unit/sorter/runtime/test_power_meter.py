"""The machine's own sensors, from a tree of files such as the kernel shows."""

from pathlib import Path

import pytest

from sorter.runtime.clock import SystemClock
from sorter.runtime.power_meter import PowerMeter, find_sensor

S_NS = 1_000_000_000


def rapl(folder: Path, package: int, energy_uj: int, range_uj: int = 1_000_000) -> Path:
    place = folder / f"intel-rapl:{package}"
    place.mkdir(parents=True, exist_ok=True)
    (place / "energy_uj").write_text(f"{energy_uj}\n")
    (place / "max_energy_range_uj").write_text(f"{range_uj}\n")
    return place


def rail(folder: Path, number: int, label: str, volt_mv: int, current_ma: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text("ina3221\n")
    (folder / f"in{number}_label").write_text(f"{label}\n")
    (folder / f"in{number}_input").write_text(f"{volt_mv}\n")
    (folder / f"curr{number}_input").write_text(f"{current_ma}\n")


def test_all_packages_are_added_up_and_counters_may_run_over(tmp_path: Path) -> None:
    rapl(tmp_path, 0, 999_000)
    rapl(tmp_path, 1, 500)
    (tmp_path / "intel-rapl:0:0").mkdir()
    sensor = find_sensor(0, tmp_path, tmp_path / "none")
    assert sensor is not None
    assert sensor.name == "rapl"
    rapl(tmp_path, 0, 999)
    rapl(tmp_path, 1, 1500)
    assert sensor.energy_uj(S_NS) == 2000 + 1000


def test_a_jetson_is_measured_at_its_input_where_the_board_has_that_sensor(tmp_path: Path) -> None:
    rail(tmp_path / "hwmon1", 1, "VDD_IN", 5000, 2000)
    rail(tmp_path / "hwmon1", 2, "VDD_CPU_GPU_CV", 5000, 800)
    sensor = find_sensor(0, tmp_path / "none", tmp_path)
    assert sensor is not None
    assert sensor.name == "hwmon"
    assert sensor.energy_uj(2 * S_NS) == pytest.approx(20_000_000)


def test_without_such_a_sensor_its_rails_are_added_up(tmp_path: Path) -> None:
    rail(tmp_path / "hwmon1", 1, "VDD_GPU_SOC", 20_000, 500)
    rail(tmp_path / "hwmon2", 1, "VIN_SYS_5V0", 5000, 1000)
    rail(tmp_path / "hwmon2", 7, "sum of shunt voltages", 9000, 9000)
    sensor = find_sensor(0, tmp_path / "none", tmp_path)
    assert sensor is not None
    assert sensor.energy_uj(S_NS) == pytest.approx(15_000_000)


def test_sensors_that_may_not_be_read_are_not_there(tmp_path: Path) -> None:
    (rapl(tmp_path, 0, 1) / "energy_uj").unlink()
    assert find_sensor(0, tmp_path, tmp_path / "none") is None
    assert find_sensor(0, tmp_path / "none", tmp_path / "none") is None
    meter = PowerMeter(None, SystemClock())
    assert meter.name is None
    assert meter.take_mj() == 0


def test_other_chips_are_left_alone(tmp_path: Path) -> None:
    rail(tmp_path / "hwmon0", 1, "VDD_IN", 5000, 2000)
    (tmp_path / "hwmon0" / "name").write_text("acpitz\n")
    assert find_sensor(0, tmp_path / "none", tmp_path) is None
