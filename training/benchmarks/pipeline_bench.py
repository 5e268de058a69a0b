"""`farz bench pipeline`: what the line's pipeline costs beyond its network, beside Ultralytics' `track`."""

import statistics
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from sorter.errors import BundleError
from sorter.model.settings import Settings
from sorter.runtime.bundle import bundle_for
from training.benchmarks.batched_network import batch_figures
from training.benchmarks.figure import Report
from training.benchmarks.footage import Footage, bench_settings, draw_footage
from training.benchmarks.our_run import OurRun, open_runs
from training.benchmarks.peers import ULTRALYTICS, is_installed, peer_state
from training.benchmarks.pipeline_growth import growth_figures
from training.benchmarks.pipeline_scaling import scaling_figures
from training.benchmarks.raw_network import raw_period_ms
from training.benchmarks.rounds import Measure, interleaved, median_difference, median_ratio
from training.benchmarks.second_look_cost import second_look_figures

_ITEM_COUNT = 20
_PICTURE_COUNT = 24
_TRACK, _TRACK_RAW = "ultralytics", "ultralytics raw"
# below this an overhead cannot be told from noise, and a ratio to it says nothing
_LEAST_OVERHEAD_MS = 0.05

Periods = Mapping[str, Sequence[float]]


def bench_pipeline(*, is_quick: bool) -> Report:
    """Measure rate, overhead, memory and cost per item; without Ultralytics the figures beside it are None."""
    frame_count, round_count = (3, 3) if is_quick else (60, 5)
    settings = bench_settings(_ITEM_COUNT)
    footage = draw_footage(settings, _PICTURE_COUNT if not is_quick else 4)
    runs = open_runs(settings, footage)
    contenders: dict[str, Measure] = {}
    for run in runs:
        contenders[f"{run.name} raw"] = partial(run.raw_ms, frame_count)
        contenders[run.name] = partial(run.pipeline.period_ms, frame_count)
    with tempfile.TemporaryDirectory(prefix="farz-bench-") as folder:
        peers = _add_ultralytics(contenders, settings, footage, frame_count, Path(folder))
        _warm_up(contenders)
        periods = interleaved(contenders, round_count, "pipeline")
    for run in runs:
        run.pipeline.close()
    figures = {**_own_figures(runs, periods), **_peer_figures(runs, periods)}
    figures.update(second_look_figures(settings, footage, is_quick=is_quick))
    figures.update(batch_figures(settings, is_quick=is_quick))
    figures.update(scaling_figures(is_quick=is_quick))
    figures.update(growth_figures(is_quick=is_quick))
    return Report(figures, _conditions(runs, periods, frame_count, round_count), peers)


def _add_ultralytics(
    contenders: dict[str, Measure], settings: Settings, footage: Footage, frame_count: int, folder: Path
) -> dict[str, str]:
    if not is_installed(ULTRALYTICS):
        return {"ultralytics track": peer_state(ULTRALYTICS)}
    from training.benchmarks.ultralytics_form import write_ultralytics_form
    from training.benchmarks.ultralytics_track import UltralyticsTrack

    try:
        form = write_ultralytics_form(bundle_for(settings), folder)
    except BundleError as error:
        return {"ultralytics track": f"not run: {error}"}
    track = UltralyticsTrack(form, footage)
    contenders[_TRACK] = partial(track.period_ms, frame_count)
    contenders[_TRACK_RAW] = lambda: raw_period_ms(track.compiled, track.input_picture(), frame_count)
    return {"ultralytics track": f"{peer_state(ULTRALYTICS)}, OpenVINO in {track.precision}, ByteTrack"}


def _warm_up(contenders: Mapping[str, Measure]) -> None:
    for measure in contenders.values():
        measure()


def _own_figures(runs: Sequence[OurRun], periods: Periods) -> dict[str, float | None]:
    figures: dict[str, float | None] = {}
    for run in runs:
        whole, raw = periods[run.name], periods[f"{run.name} raw"]
        figures[f"pipeline.efficiency_{run.name}_ratio"] = median_ratio(raw, whole)
        figures[f"pipeline.overhead_{run.name}_ms"] = median_difference(whole, raw)
        figures[f"pipeline.period_{run.name}_ms"] = statistics.median(whole)
        figures[f"pipeline.raw_period_{run.name}_ms"] = statistics.median(raw)
    judged = _judged(runs, periods).name
    figures["pipeline.efficiency_ratio"] = figures[f"pipeline.efficiency_{judged}_ratio"]
    figures["pipeline.overhead_ms"] = figures[f"pipeline.overhead_{judged}_ms"]
    return figures


def _peer_figures(runs: Sequence[OurRun], periods: Periods) -> dict[str, float | None]:
    keys = (
        "pipeline.overhead_gain_ratio",
        "pipeline.speedup_over_ultralytics_ratio",
        "pipeline.overhead_ultralytics_ms",
    )
    if _TRACK not in periods:
        return dict.fromkeys(keys)
    judged = _judged(runs, periods).name
    ours_ms = median_difference(periods[judged], periods[f"{judged} raw"])
    theirs_ms = median_difference(periods[_TRACK], periods[_TRACK_RAW])
    speedup = median_ratio(periods[_TRACK], periods[_quickest(runs, periods).name])
    values = (theirs_ms / max(ours_ms, _LEAST_OVERHEAD_MS), speedup, theirs_ms)
    return {
        **dict(zip(keys, values, strict=True)),
        "pipeline.period_ultralytics_ms": statistics.median(periods[_TRACK]),
    }


def _judged(runs: Sequence[OurRun], periods: Periods) -> OurRun:
    """Of the precision that a line runs by default, the number of streams that gives most pictures a second."""
    return _quickest([run for run in runs if run.precision == runs[0].precision], periods)


def _quickest(runs: Sequence[OurRun], periods: Periods) -> OurRun:
    return min(runs, key=lambda run: statistics.median(periods[run.name]))


def _conditions(runs: Sequence[OurRun], periods: Periods, frame_count: int, round_count: int) -> dict[str, str | float]:
    judged, best = _judged(runs, periods), _quickest(runs, periods)
    return {
        "pipeline.picture": "1280×720, copied into the slot once",
        "pipeline.items_per_frame": round(judged.pipeline.seen_count / judged.pipeline.view_count, 1),
        "pipeline.frames_per_round": float(frame_count),
        "pipeline.rounds": float(round_count),
        "pipeline.model": judged.detector.model_id,
        "pipeline.judged": f"{judged.precision}, the default; detector.streams = {judged.stream_count}",
        "pipeline.best": f"{best.precision}, detector.streams = {best.stream_count}",
        "pipeline.raw": "the same compiled network alone, one or two requests in flight, whichever is faster",
        "pipeline.second_look": "left out of the rates, as the peers have none; told apart, for one item",
        "pipeline.batches": "the network in f32, 2 and 4 pictures at once, beside one at a time",
        "pipeline.memory_and_cost_per_item": "a stand-in that answers from a known course takes the network's place",
    }
