"""The whole line through the TensorRT detector, on fakes that calculate by ONNX Runtime: the same score exactly."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from gpu_fakes import NEEDS_COMPILER, pretended_gpu

from sorter.runtime.bundle import default_bundle_folder
from training.evaluation.score_command import score
from vision.detectors import tensorrt_opening

pytestmark = [
    NEEDS_COMPILER,
    pytest.mark.skipif(not default_bundle_folder().is_dir(), reason="no bundle is shipped yet"),
]


def scored(detector: str, *words: str) -> dict[str, Any]:
    ran = CliRunner().invoke(score, ["--detector", detector, "--json", *words], catch_exceptions=False)
    assert ran.exit_code == 0
    found: dict[str, Any] = json.loads(ran.stdout)
    assert found.pop("detector") == detector
    return found


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tensorrt_opening, "_VECTOR_COUNT", 3)


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return scored("onnxruntime", "--items", "12")


@pytest.mark.parametrize("version", ["10.3.0", "11.0.0"])
def test_the_score_is_that_of_onnx_runtime_to_the_last_digit(version: str, expected: dict[str, Any]) -> None:
    with pretended_gpu(version):
        on_fakes = scored("tensorrt", "--items", "12")
    assert on_fakes["item_count"] == 12
    assert on_fakes == expected


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_so_is_the_score_of_the_readme() -> None:
    with pretended_gpu(has_graphs=True):
        on_fakes = scored("tensorrt")
    assert on_fakes == scored("onnxruntime")
