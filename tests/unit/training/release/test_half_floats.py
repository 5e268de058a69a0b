"""The shipped network in 16-bit floats: TensorRT 11 takes it, and it still sees what it saw."""

import shutil
from pathlib import Path

import onnx
import pytest
from gpu_fakes import NEEDS_COMPILER, pretended_gpu

from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import ONNX_F16_FORM, default_bundle_folder, load_bundle
from training.release.half_floats import write_f16
from training.release.quantise_bundle import MadeForm, with_forms
from training.release.quantise_layers import half_rung
from vision.detectors import tensorrt_opening
from vision.detectors.runtime_parity import LIMITS
from vision.detectors.tensorrt_opening import open_tensorrt


@NEEDS_COMPILER
@pytest.mark.skipif(not default_bundle_folder().is_dir(), reason="no bundle is shipped yet")
@pytest.mark.parametrize("version", [pytest.param("10.3.0", marks=pytest.mark.soak), "11.0.0"])
def test_the_shipped_network_in_16_bits_passes_parity_on_every_version(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tensorrt_opening, "_VECTOR_COUNT", 4)
    caplog.set_level("INFO")
    shutil.copytree(default_bundle_folder(), tmp_path / "bundle")
    bundle = load_bundle(tmp_path / "bundle")
    names = [node.name for node in onnx.load(bundle.network_path).graph.node]
    write_f16(bundle.network_path, tmp_path / "f16.onnx", half_rung(names))
    bundle = with_forms(bundle, {ONNX_F16_FORM: MadeForm((tmp_path / "f16.onnx",), {})}, {})
    settings = DetectorSettings(runtime="tensorrt", precision="f16", engine_folder=str(tmp_path / "engines"))
    with pretended_gpu(version):
        assert open_tensorrt(bundle, settings).precision == "f16"
    assert "agrees with ONNX Runtime: boxes within" in caplog.text
    assert "boxes within 0 px" not in caplog.text  # it is another network, and its differences are real
    assert LIMITS["f16"].box_px <= 8.0
