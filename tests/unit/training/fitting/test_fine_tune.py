"""The loop learns, can be interrupted and taken up, stops early, and works with several processes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sorter.errors import BadInputError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.clock import ManualClock
from training.fitting.early_stop import EarlyStop
from training.input_size import InputSize
from training.synthesis.mixture import Mixture, Recipe, fill_stock
from vision.sprites.artist import DrawnSprites

torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from training.fitting.devices import Place, learn_on, places  # noqa: E402
from training.fitting.fine_tune import CHECKPOINT_NAME, FineTuning, Schedule  # noqa: E402
from training.fitting.network import DEFAULT_ARCHITECTURE, build_network, freeze  # noqa: E402
from training.fitting.network_detector import detect_with  # noqa: E402

SIZE_PX = 64
SCHEDULE = Schedule(epoch_count=2, pictures_per_epoch=8, batch_pictures=4, warm_up_steps=2)


@pytest.fixture(scope="module")
def belts() -> Mixture:
    recipe = Recipe(belt_ratio=1.0, belt_count=1, drawn_per_class=2)
    return Mixture((), fill_stock((), [DrawnSprites()], CLASS_NAMES, recipe, SIZE_PX, 1), recipe, SIZE_PX, 1)


def tuning(folder: Path, **more: Any) -> FineTuning:
    torch.manual_seed(0)
    network = build_network(len(CLASS_NAMES), DEFAULT_ARCHITECTURE)
    return FineTuning(network, SCHEDULE, folder, InputSize.of(SIZE_PX), loader_processes=0, **more)


def weights(one: FineTuning) -> Any:
    return torch.cat([value.float().flatten() for value in one.average.network.state_dict().values()])


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(belts: Mixture, tmp_path: Path) -> None:
    whole = tuning(tmp_path / "whole")
    assert [epoch.number for epoch in whole.run(belts, ManualClock())] == [1, 2]
    first = tuning(tmp_path / "parted")
    next(first.run(belts, ManualClock()))
    second = tuning(tmp_path / "parted")
    second.resume()
    assert [epoch.number for epoch in second.run(belts, ManualClock())] == [2]
    assert torch.allclose(weights(whole), weights(second), atol=1e-4)
    assert not torch.allclose(weights(first), weights(second), atol=1e-4)


def test_frozen_layers_keep_weights_and_statistics_while_the_others_learn(belts: Mixture, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build_network(len(CLASS_NAMES), DEFAULT_ARCHITECTURE)
    freeze(network, 5)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    next(FineTuning(network, SCHEDULE, tmp_path, InputSize.of((96, 64)), loader_processes=0).run(belts, ManualClock()))
    frozen = tuple(f"model.{index}." for index in range(5))
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert not [name for name in changed if name.startswith(frozen)]
    assert "model.5.conv.weight" in changed
    assert "model.5.bn.running_mean" in changed


def test_some_layers_must_learn() -> None:
    network = build_network(len(CLASS_NAMES), DEFAULT_ARCHITECTURE)
    with pytest.raises(BadInputError, match=r"--frozen-layers 24: yolov5n\.yaml has 24 layers before its head"):
        freeze(network, 24)


def test_pictures_kept_out_are_found_in_their_own_pixels() -> None:
    def middle(inputs: torch.Tensor) -> list[torch.Tensor]:
        assert inputs.shape == (1, 3, 64, 128)
        box_and_scores = [64.0, 32.0, 32.0, 16.0, 0.9, *[0.0] * (len(CLASS_NAMES) - 1)]
        return [torch.tensor(box_and_scores).reshape(1, -1, 1)]

    found = detect_with(middle, "cpu", InputSize.of((128, 64)))(np.zeros((640, 640, 3), np.uint8))
    assert found.boxes_px.tolist() == [[240.0, 240.0, 400.0, 400.0]]


def test_there_must_be_a_run_to_take_up(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=f"--resume: no {CHECKPOINT_NAME}"):
        tuning(tmp_path).resume()


def test_a_run_of_another_network_is_not_taken_up(belts: Mixture, tmp_path: Path) -> None:
    next(tuning(tmp_path).run(belts, ManualClock()))
    other = FineTuning(build_network(3, DEFAULT_ARCHITECTURE), SCHEDULE, tmp_path, InputSize.of(SIZE_PX))
    with pytest.raises(BadInputError, match="another network"):
        other.resume()


def test_nothing_better_for_long_ends_the_run(belts: Mixture, tmp_path: Path) -> None:
    figures = iter([0.5, 0.4])
    run = tuning(tmp_path, stop=EarlyStop(patience_epochs=1))
    assert [one.held_out_ratio for one in run.run(belts, ManualClock(), lambda _: next(figures))] == [0.5, 0.4]
    assert (run.stop.best_epoch, run.stop.best_ratio) == (1, 0.5)
    assert list(run.run(belts, ManualClock(), lambda _: 1.0)) == []


def test_a_full_disk_leaves_the_last_checkpoint(
    belts: Mixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tuning(tmp_path)
    steps = run.run(belts, ManualClock())
    next(steps)
    before = (tmp_path / CHECKPOINT_NAME).read_bytes()

    def full(_state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(BadInputError, match="No space left"):
        next(steps)
    assert (tmp_path / CHECKPOINT_NAME).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT_NAME]


def test_two_processes_learn_as_one(belts: Mixture, tmp_path: Path) -> None:
    def learn(place: Place) -> None:
        run = tuning(tmp_path, place=place)
        for _ in run.run(belts, ManualClock(), lambda _: 0.25):
            pass
        torch.save(weights(run), tmp_path / f"weights{place.rank}.pt")

    learn_on(places("cpu,cpu"), learn)
    state = torch.load(tmp_path / CHECKPOINT_NAME, weights_only=True)
    assert (state["epoch"], state["best_ratio"]) == (2, 0.25)
    kernels = [torch.load(tmp_path / f"weights{rank}.pt", weights_only=True) for rank in (0, 1)]
    # normalisation keeps its own statistics in each process; what is learned is the same
    same = torch.isclose(kernels[0], kernels[1], atol=1e-5).float().mean()
    assert same > 0.95


@pytest.mark.parametrize("name", ["cuda:99", "tpu", "cpu,abacus"])
def test_a_device_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(BadInputError, match="--device"):
        places(name)


def test_auto_is_some_device() -> None:
    assert len(places("auto")) == 1
