"""The whole line in virtual time, with the oracle: what the line loses by itself, and what errors cost."""

from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from sorter.errors import ConfigurationError
from sorter.model.settings import Settings
from sorter.model.statistics import Figures
from sorter.model.units import UM_PER_M
from sorter.model.world import ScatteredWorld, StripWorld
from sorter.runtime.configuration import merged_tables, settings_from
from training.evaluation.closed_loop import ClosedLoop, LoopResult, Stretch, open_scored_world, scored_stretch

WARP_VAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "warp" / "val"
UNEVEN = {"belt": {"speed_m_s": 0.5, "speed_high_m_s": 4.0}, "source": {"drop_ratio": 1 / 3}}


def oracle_line(*tables: dict[str, Any]) -> Settings:
    merged: dict[str, Any] = {"detector": {"runtime": "oracle"}}
    for each in tables:
        merged = merged_tables(merged, each)
    return settings_from(merged)


def run(settings: Settings, item_count: int | None) -> LoopResult:
    world = open_scored_world(settings)
    return ClosedLoop(settings, scored_stretch(settings, world, item_count), world).run()


def recovery(figures: Figures, station_id: str | None = None) -> float:
    value = (figures.stations[station_id] if station_id else figures.overall).recovery.value
    assert value is not None
    return value


def purity(figures: Figures) -> float:
    assert figures.overall.purity.value is not None
    return figures.overall.purity.value


def test_at_three_metres_a_second_the_line_itself_loses_nothing_worth_naming() -> None:
    figures = run(oracle_line({"belt": {"speed_m_s": 3.0}}), 400).figures
    assert figures.item_count == 400
    assert recovery(figures) >= 0.99
    assert purity(figures) >= 0.99
    assert figures.missed_window_ratio is not None
    assert figures.missed_window_ratio <= 0.001
    assert figures.placement_error_p99_mm is not None
    assert 0.0 < figures.placement_error_p99_mm <= 2.0
    for station in figures.stations.values():
        assert station.presented_count > 0
        assert station.recovery.value is not None
        assert station.recovery.value >= 0.97


def test_ramps_a_stop_and_a_third_of_the_frames_lost_cost_next_to_nothing() -> None:
    steady = run(oracle_line(), 600).figures
    uneven = oracle_line(UNEVEN)
    stretch = scored_stretch(uneven, open_scored_world(uneven), 600)
    middle_m = (stretch.start_um + stretch.end_um) / 2 / UM_PER_M
    result = run(oracle_line(UNEVEN, {"belt": {"stop_at_m": middle_m}}), 600)
    figures = result.figures
    assert result.dropped_frame_count > 0.25 * result.view_count
    assert recovery(figures) >= recovery(steady) - 0.01
    assert purity(figures) >= purity(steady) - 0.01
    assert figures.count_error_ratio is not None
    assert figures.count_error_ratio <= 0.01
    assert figures.missed_window_ratio is not None
    assert figures.missed_window_ratio <= 0.001


def test_a_stop_holds_the_belt_and_the_score_goes_on_after_it() -> None:
    moving = run(oracle_line(), 60)
    stopped = run(oracle_line({"belt": {"stop_at_m": 4.0, "stop_s": 10.0}}), 60)
    assert stopped.figures.item_count == moving.figures.item_count == 60
    # a shot that the belt stops under is closed by the safety limit on opening: at most one at each bar
    lost_count = stopped.figures.overall.presented_count - stopped.figures.overall.target_ejected_count
    assert lost_count <= len(stopped.figures.stations)
    assert stopped.figures.acks == {"fired": stopped.figures.command_count}
    assert recovery(moving.figures) == 1.0
    # a standing belt costs no views
    assert abs(stopped.view_count - moving.view_count) <= 3


def test_after_a_stop_longer_than_commands_are_valid_what_was_decided_before_it_passes() -> None:
    figures = run(oracle_line({"belt": {"stop_at_m": 4.0, "stop_s": 30.0}}), 60).figures
    assert 0 < figures.acks["refused_stale"] < figures.command_count / 3
    assert recovery(figures) < 1.0
    assert purity(figures) == 1.0
    assert figures.count_error_ratio == 0.0


def test_the_same_seed_gives_the_same_figures_to_the_last_digit_and_another_seed_others() -> None:
    spoiled = {"detector": {"oracle": {"miss_ratio": 0.2, "confusion_ratio": 0.1, "box_noise_mm": 5.0}}}
    lines = [oracle_line(UNEVEN, spoiled, {"simulation": {"seed": seed}}) for seed in (5, 5, 6)]
    first, again, other = (msgspec.json.encode(run(line, 120)) for line in lines)
    assert first == again
    assert first != other


def test_dead_nozzles_cost_their_own_station_recovery_and_no_other() -> None:
    dead = [f"pet:{nozzle}" for nozzle in range(28, 56)]
    healthy = run(oracle_line(), 300).figures
    figures = run(oracle_line({"valves": {"dead_nozzles": dead}}), 300).figures
    # a quarter of the bar, and of the items above it
    assert 0.5 < recovery(figures, "pet") < 0.9
    for station_id in ("hdpe", "can"):
        assert recovery(figures, station_id) == recovery(healthy, station_id)
    assert figures.stations["pet"].empty_shot_count > 0


# 28 nozzles of 50 mm, so that a short belt brings some items past each
COARSE = {"nozzle_count": 28, "nozzle_pitch_mm": 50.0}
COARSE_BAR = {
    "recipe": {
        "stations": [
            {"id": "pet", "offset_mm": 700.0, "targets": ["pet_clear", "pet_coloured"], **COARSE},
            {"id": "can", "offset_mm": 1400.0, "targets": ["can"], **COARSE},
        ]
    }
}


def suspicions(settings: Settings) -> dict[str, str]:
    nozzles = run(settings, 500).valves.nozzles
    return {f"{one.station_id}:{one.nozzle}": one.suspicion for one in nozzles if one.suspicion is not None}


@pytest.mark.parametrize("nozzle", ["pet:12", "can:5"])
def test_a_nozzle_that_sticks_open_is_found_and_no_other(nozzle: str) -> None:
    line = oracle_line(COARSE_BAR, {"valves": {"stuck_open_nozzles": [nozzle]}})
    assert suspicions(line) == {nozzle: "stuck_open"}


@pytest.mark.parametrize(
    "spoiled",
    [
        {},
        {"detector": {"oracle": {"miss_ratio": 0.2, "box_noise_mm": 20.0}}},
        {"simulation": {"occupancy_ratio": 0.4, "min_gap_mm": 5.0}},
    ],
)
def test_on_a_healthy_line_of_the_same_length_nothing_is_suspected(spoiled: dict[str, Any]) -> None:
    assert suspicions(oracle_line(COARSE_BAR, spoiled)) == {}


# A view for each length of the picture, and one view enough: each item is seen about once, so that what an error of
# the detector costs can be told beforehand. Items at the picture's edge are seen twice, which forgives some misses.
SEEN_ONCE = {
    "camera": {"view_step_mm": 780.0},
    "recipe": {"min_decision_views": 1},
    "simulation": {"occupancy_ratio": 0.04},
}


def spoiled_line(**errors: float) -> Settings:
    return oracle_line(SEEN_ONCE, {"detector": {"oracle": errors}})


def test_without_errors_one_view_is_enough() -> None:
    figures = run(spoiled_line(), 200).figures
    assert recovery(figures) >= 0.98
    assert purity(figures) >= 0.98


def test_what_the_detector_misses_is_not_recovered_and_spoils_no_purity() -> None:
    figures = run(spoiled_line(miss_ratio=0.3), 400).figures
    assert 0.62 < recovery(figures) < 0.86
    assert purity(figures) > 0.97
    assert figures.count_error_ratio == pytest.approx(1.0 - recovery(figures), abs=0.08)


def test_what_the_detector_confuses_costs_recovery_and_purity_as_the_classes_say() -> None:
    """Three in ten take one of the eight other names at random: 0.73 each, for five targets of nine at three bars."""
    figures = run(spoiled_line(confusion_ratio=0.3), 500).figures
    assert recovery(figures) == pytest.approx(0.73, abs=0.08)
    assert purity(figures) == pytest.approx(0.73, abs=0.08)
    assert figures.count_error_ratio is not None
    assert figures.count_error_ratio < 0.05


def test_a_detector_that_sees_nothing_ejects_nothing() -> None:
    figures = run(spoiled_line(miss_ratio=1.0), 60).figures
    assert recovery(figures) == 0.0
    assert figures.overall.ejected_count == 0
    assert figures.command_count == 0
    assert figures.count_error_ratio == 1.0


def test_when_every_frame_is_lost_the_run_ends_and_says_so_in_its_figures() -> None:
    result = run(oracle_line({"source": {"drop_ratio": 1.0}}), 40)
    assert result.view_count == 0
    assert result.dropped_frame_count > 0
    assert recovery(result.figures) == 0.0
    assert result.figures.count_error_ratio == 1.0


def test_slow_detection_loses_views_before_it_loses_items() -> None:
    quick = run(oracle_line({"belt": {"speed_m_s": 3.0}}), 150)
    slow = run(oracle_line({"belt": {"speed_m_s": 3.0}, "simulation": {"modelled_latency_ms": 80.0}}), 150)
    assert slow.view_count < quick.view_count
    assert recovery(slow.figures) >= 0.98
    assert slow.figures.frame_to_command_p50_ms is not None
    assert slow.figures.frame_to_command_p50_ms >= 80.0


def test_progress_rises_to_the_end() -> None:
    shares: list[float] = []
    line = oracle_line()
    world = open_scored_world(line)
    ClosedLoop(line, scored_stretch(line, world, 20), world).run(shares.append)
    assert shares == sorted(shares)
    assert 0.9 < shares[-1] <= 1.0


# --- the stretch that is scored ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 7, 500])
def test_a_stretch_holds_the_number_of_items_asked_for_from_one_view_on(count: int) -> None:
    line = oracle_line()
    world = ScatteredWorld(line)
    stretch = scored_stretch(line, world, count)
    assert stretch.start_um == 787_500
    assert len(world.items_between(stretch.start_um, stretch.end_um)) == count
    assert len(world.items_between(stretch.start_um, stretch.end_um - 1)) == count - 1


def test_without_a_number_it_is_five_hundred_sprites() -> None:
    line = oracle_line()
    world = ScatteredWorld(line)
    assert scored_stretch(line, world, None) == scored_stretch(line, world, 500)


def test_a_source_without_truth_cannot_be_scored() -> None:
    with pytest.raises(ConfigurationError, match=r"source\.kind = 'folder'"):
        open_scored_world(oracle_line({"source": {"kind": "folder", "location": "somewhere"}}))


def test_a_belt_on_which_nothing_lies_cannot_be_scored_by_number() -> None:
    line = oracle_line()
    empty = StripWorld([], line)
    with pytest.raises(ConfigurationError, match="nothing lies"):
        scored_stretch(line, _Bare(), 5)
    assert empty.lap_um == 0


class _Bare:
    def items_between(self, start_um: int, end_um: int) -> list[Any]:
        assert start_um < end_um
        return []


# --- belt strips ------------------------------------------------------------------------------------------------------


@pytest.fixture
def strip(tmp_path: Path) -> Path:
    """Six stills: two items each; on the third, one of them is cut by the seam."""
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    (tmp_path / "data.yaml").write_text("names: [tin, bottle]\n")
    (tmp_path / "class_map.toml").write_text('[map]\ntin = "can"\nbottle = "hdpe"\n')
    for number in range(6):
        rows = ["0 0.25 0.3 0.15 0.2", f"1 0.7 {0.05 if number == 2 else 0.6} 0.15 0.2"]
        (tmp_path / "labels" / f"{number}.txt").write_text("\n".join(rows))
        assert cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), np.full((64, 80, 3), 40 * number, np.uint8))
    return tmp_path


def strip_line(folder: Path, *tables: dict[str, Any]) -> Settings:
    return oracle_line({"source": {"kind": "strip", "location": str(folder)}}, *tables)


def test_a_lap_of_a_strip_scores_each_label_once_but_for_what_a_seam_cuts(strip: Path) -> None:
    result = run(strip_line(strip), None)
    figures = result.figures
    assert result.stretch == Stretch(787_500, 787_500 * 7)
    assert figures.item_count == 12
    assert figures.stations["can"].presented_count == 6
    assert figures.stations["hdpe"].presented_count == 5
    assert recovery(figures) == 1.0
    assert purity(figures) == 1.0
    assert figures.stations["hdpe"].ejected_count == 5


def test_a_stop_in_the_middle_of_a_short_strip_does_happen(strip: Path) -> None:
    settings = strip_line(strip, {"belt": {"stop_at_m": 3.0, "stop_s": 5.0}})
    world = open_scored_world(settings)
    loop = ClosedLoop(settings, scored_stretch(settings, world, None), world)
    result = loop.run()
    assert loop._clock.now_ns() > 8_000_000_000
    assert recovery(result.figures) == 1.0


def test_an_empty_strip_has_nothing_to_recover(strip: Path) -> None:
    for label in (strip / "labels").iterdir():
        label.write_text("")
    figures = run(strip_line(strip), None).figures
    assert figures.item_count == 0
    assert figures.overall.recovery.value is None
    with pytest.raises(ConfigurationError, match="nothing lies"):
        run(strip_line(strip), 5)


@pytest.mark.skipif(not WARP_VAL.is_dir(), reason="the WaRP pictures are not there")
def test_on_real_stills_with_their_labels_the_line_itself_loses_next_to_nothing() -> None:
    figures = run(strip_line(WARP_VAL), None).figures
    assert figures.item_count > 200
    assert recovery(figures) >= 0.98
    assert purity(figures) >= 0.98
    assert figures.count_error_ratio is not None
    assert figures.count_error_ratio <= 0.02
