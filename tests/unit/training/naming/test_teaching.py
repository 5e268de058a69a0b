"""The second look learns, is taken up where it was left, and leaves as a file that computes the same."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

import onnxruntime  # noqa: E402

from sorter.errors import BadInputError  # noqa: E402
from sorter.runtime.clock import SystemClock  # noqa: E402
from training.naming.lot import ItemLot  # noqa: E402
from training.naming.names_export import export_names  # noqa: E402
from training.naming.names_network import build_names_network, learning, normalised  # noqa: E402
from training.naming.patches import Patch  # noqa: E402
from training.naming.teaching import Teaching  # noqa: E402
from training.naming.teaching_settings import Lessons  # noqa: E402
from vision.second_look.cutting import Framing  # noqa: E402

SIDE_PX = 64
LESSONS = Lessons(epoch_count=2, items_per_epoch=32, batch_items=16)


def coloured_lot() -> ItemLot:
    """Two classes that one colour tells apart."""
    colours = ((230, 30, 30), (30, 30, 230))
    box_px = np.array([20.0, 20.0, 80.0, 80.0])
    patches = [
        Patch(np.full((102, 102, 3), colour, np.uint8), box_px, (1.0, 1.0), box_px, number)
        for number, colour in enumerate(colours)
    ]
    return ItemLot([(1.0, patches)], 2, SIDE_PX, Framing(1.2), seed=1)


def taught(folder: Path, lessons: Lessons = LESSONS) -> Teaching:
    torch.manual_seed(0)
    return Teaching(build_names_network(2), lessons, folder, loaders=0)


def test_it_learns_what_a_colour_tells(tmp_path: Path) -> None:
    lessons = Lessons(epoch_count=3, items_per_epoch=160, batch_items=16)
    *_, last = taught(tmp_path, lessons).run(coloured_lot(), SystemClock())
    assert last.right_ratio > 0.8


def test_frozen_layers_stay_as_they_were(tmp_path: Path) -> None:
    teaching = taught(tmp_path)
    before = {name: value.clone() for name, value in teaching.network.state_dict().items()}
    list(teaching.run(coloured_lot(), SystemClock()))
    after = teaching.network.state_dict()
    for name in ("conv_stem.weight", "bn1.running_mean", "blocks.2.0.conv_dw.weight"):
        assert torch.equal(before[name], after[name]), name
    for name in ("blocks.5.0.conv_dw.weight", "classifier.weight"):
        assert not torch.equal(before[name], after[name]), name


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    first = taught(tmp_path)
    next(first.run(coloured_lot(), SystemClock()))
    again = taught(tmp_path)
    again.resume()
    assert [epoch.number for epoch in again.run(coloured_lot(), SystemClock())] == [2]


def test_a_run_is_not_taken_up_with_other_lessons(tmp_path: Path) -> None:
    next(taught(tmp_path).run(coloured_lot(), SystemClock()))
    with pytest.raises(BadInputError, match="other lessons"):
        taught(tmp_path, Lessons(epoch_count=3, items_per_epoch=32, batch_items=16)).resume()


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(BadInputError, match="not a state dictionary"):
        build_names_network(2, path)
    path.write_bytes(b"nothing")
    with pytest.raises(BadInputError, match="not a state dictionary"):
        build_names_network(2, path)


def test_the_file_names_any_number_of_squares(tmp_path: Path) -> None:
    network = build_names_network(2)
    difference = export_names(network, tmp_path / "names.onnx", SIDE_PX)
    assert difference < 0.01
    assert (tmp_path / "names.onnx").stat().st_size < 12_000_000
    session = onnxruntime.InferenceSession(str(tmp_path / "names.onnx"), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["n", SIDE_PX, SIDE_PX, 3]
    assert session.get_outputs()[0].shape == ["n", 2], (
        "a line refuses a file that does not say how many classes it names"
    )
    squares = np.random.default_rng(1).integers(0, 256, (5, SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    (names,) = session.run(None, {"squares": squares})
    with torch.no_grad():
        turns = [torch.from_numpy(np.ascontiguousarray(np.rot90(squares, count, axes=(1, 2)))) for count in range(2)]
        answers = [network.eval()(normalised(one)).softmax(dim=1)[:, :2].numpy() for one in turns]
    np.testing.assert_allclose(names, np.mean(answers, axis=0), atol=0.01)


def test_learning_leaves_the_statistics_of_frozen_layers() -> None:
    network = build_names_network(2)
    learning(network)
    assert not network.bn1.training
    assert network.blocks[6].training
