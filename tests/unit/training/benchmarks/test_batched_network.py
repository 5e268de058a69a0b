"""A network in batches finds in each picture what it finds in the picture alone."""

import numpy as np
import pytest

from sorter.runtime.bundle import LIGHTER_FOLDER, default_bundle_folder, load_bundle
from training.benchmarks.batched_network import batched
from vision.detectors.openvino_core import openvino_core


@pytest.mark.parametrize("inside", ["", LIGHTER_FOLDER])
def test_each_picture_of_a_batch_is_answered_as_if_it_were_alone(inside: str) -> None:
    path = str(load_bundle(default_bundle_folder() / inside).network_path)
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    alone = openvino_core().compile_model(path, "CPU", exact)
    together = openvino_core().compile_model(batched(openvino_core().read_model(path), 3), "CPU", exact)
    pictures = np.random.default_rng(2).integers(0, 256, tuple(together.input(0).shape), dtype=np.uint8)
    answers = together(pictures)[0].copy()
    for index, answer in enumerate(answers):
        assert answer == pytest.approx(alone(pictures[index : index + 1])[0][0], abs=1e-3)
