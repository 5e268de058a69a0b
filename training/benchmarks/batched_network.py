"""Whether several cameras' pictures had better share a network in one batch, or in turns as they do."""

from functools import partial
from typing import Any

import numpy as np
from openvino import opset13

from sorter.model.settings import Settings
from sorter.runtime.bundle import bundle_for
from training.benchmarks.raw_network import raw_period_ms
from training.benchmarks.rounds import Measure, interleaved, median_ratio
from vision.detectors.openvino_core import openvino_core

BATCH_COUNTS = (2, 4)
_TURNS = "turns"
_CONFIGURATION = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}


def batch_figures(settings: Settings, *, is_quick: bool) -> dict[str, float | None]:
    """Pictures a second of the shipped network in batches, over those of one picture at a time, both in f32."""
    run_count, round_count = (2, 3) if is_quick else (24, 5)
    path = bundle_for(settings).network_path
    contenders: dict[str, Measure] = {_TURNS: _period(openvino_core().read_model(str(path)), 1, run_count)}
    for count in BATCH_COUNTS:
        contenders[str(count)] = _period(batched(openvino_core().read_model(str(path)), count), count, run_count)
    periods_ms = interleaved(contenders, round_count, "batches")
    return {
        f"pipeline.batch_of_{count}_gain_ratio": median_ratio(periods_ms[_TURNS], periods_ms[str(count)])
        for count in BATCH_COUNTS
    }


def batched(model: Any, count: int) -> Any:
    """A network that was exported for one picture, changed in place to take `count` of them at once."""
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Reshape":
            shape, picture_count = node.input_value(1).get_node(), node.input_value(0).get_partial_shape()[0]
            if shape.get_type_name() == "Constant" and _keeps_pictures_apart(shape.data, picture_count):
                # in ONNX's reshape a zero stands for as many as come in
                any_count = np.concatenate([[0], shape.data[1:]])
                node.input(1).replace_source_output(opset13.constant(any_count, dtype=np.int64).output(0))
    _, *sides = model.input(0).shape
    model.reshape([count, *sides])
    return model


def _keeps_pictures_apart(shape: Any, picture_count: Any) -> bool:
    """Whether a reshape leaves its first axis alone; what parts a picture from its mirrored view does not."""
    return bool(shape.size > 1 and picture_count.is_static and shape[0] == picture_count.get_length() and shape[1] > 0)


def _period(model: Any, count: int, run_count: int) -> Measure:
    """Milliseconds a picture."""
    compiled = openvino_core().compile_model(model, "CPU", _CONFIGURATION)
    pictures = np.random.default_rng(0).integers(0, 256, tuple(compiled.input(0).shape), dtype=np.uint8)
    whole = partial(raw_period_ms, compiled, pictures, max(1, run_count // count))
    return lambda: whole() / count
