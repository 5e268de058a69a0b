"""Any detection network that Ultralytics configures can be built, taught and exported; others are refused by name."""

from pathlib import Path

import numpy as np
import pytest

from sorter.errors import BadInputError

torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from training.fitting.network import PartialLabelLoss, build_network, load_first_weights  # noqa: E402
from training.release.export import export_onnx  # noqa: E402

SHARED_WEIGHTS = Path(__file__).parents[5] / "shared" / "weights" / "yolov5n_coco_state_dict.pth"
LABELS = {
    "batch_idx": torch.tensor([0.0, 1.0]),
    "cls": torch.tensor([[1.0], [2.0]]),
    "bboxes": torch.tensor([[0.5, 0.5, 0.4, 0.4], [0.5, 0.5, 0.6, 0.6]]),
}


@pytest.mark.parametrize("architecture", ["yolov5n.yaml", "yolov8n.yaml", "yolo11n.yaml", "yolo26n.yaml"])
def test_steps_make_the_loss_smaller(architecture: str) -> None:
    torch.manual_seed(0)
    network = build_network(9, architecture).train()
    loss_of, known = PartialLabelLoss(network, epoch_count=2), torch.ones(2, 9, dtype=torch.bool)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    inputs, losses = torch.rand(2, 3, 64, 64), []
    for _ in range(25):
        loss = loss_of(network(inputs), LABELS, known)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    loss_of.end_epoch()
    assert sum(losses[-3:]) < sum(losses[:3])


@pytest.mark.parametrize("architecture", ["yolov5n.yaml", "yolo26n.yaml"])
def test_the_exported_network_answers_as_torch_does(architecture: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    differences = export_onnx(build_network(9, architecture), tmp_path / "network.onnx", 64)
    assert (tmp_path / "network.onnx").is_file()
    assert np.isfinite(list(differences.values())).all()


@pytest.mark.parametrize(
    ("architecture", "reason"),
    [
        ("yolo11n-seg.yaml", "another task"),
        ("rtdetr-l.yaml", "no anchor-free"),
        ("nowhere.yaml", "does not exist"),
    ],
)
def test_what_is_no_detector_is_refused(architecture: str, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        build_network(9, architecture)


@pytest.mark.skipif(not SHARED_WEIGHTS.is_file(), reason="the shared weights are not here")
def test_backbone_and_neck_start_from_the_shared_weights() -> None:
    assert load_first_weights(build_network(9), SHARED_WEIGHTS) >= 342


def test_weights_that_could_run_code_are_refused(tmp_path: Path) -> None:
    torch.save({"model": Path}, tmp_path / "pickled.pt")
    with pytest.raises(BadInputError, match="could run code"):
        load_first_weights(build_network(9), tmp_path / "pickled.pt")


def test_weights_of_something_else_are_refused(tmp_path: Path) -> None:
    torch.save({"elsewhere": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(BadInputError, match="none of its 1 tensors"):
        load_first_weights(build_network(9), tmp_path / "other.pt")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(BadInputError, match="--weights"):
        load_first_weights(build_network(9), tmp_path / "text.pt")
