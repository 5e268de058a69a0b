"""The training loop: cosine learning rate, average weights, a checkpoint after every epoch."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from sorter.errors import BadInputError
from sorter.runtime.clock import Clock
from training.fitting.average_weights import AverageWeights
from training.fitting.checkpoint import write_checkpoint
from training.fitting.devices import Place, learning_arithmetic, shared
from training.fitting.early_stop import EarlyStop
from training.fitting.network import PartialLabelLoss, as_input, learning, resized
from training.input_size import InputSize
from training.progress import progress
from training.run_settings import CHECKPOINT_NAME
from training.synthesis.mixture import Mixture
from training.synthesis.scene import Scene

Watch = Callable[[Any], float]


class Schedule(msgspec.Struct, frozen=True):
    """How long and how fast to learn.

    The first `small_epoch_ratio` of the epochs see pictures at `small_side_ratio` of their side: nearly twice as many
    pictures in the same time, and a change of scale that the last epochs make good.
    """

    epoch_count: int
    pictures_per_epoch: int
    batch_pictures: int = 16
    peak_rate_ratio: float = 0.001
    last_rate_ratio: float = 0.02
    warm_up_steps: int = 150
    weight_decay_ratio: float = 0.02
    small_epoch_ratio: float = 0.6
    small_side_ratio: float = 0.75

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in an epoch."""
        return max(1, self.pictures_per_epoch // self.batch_pictures)

    def side_ratio(self, epoch: int) -> float:
        """Share of the full side at which epoch number `epoch` (from 0) sees the pictures."""
        return self.small_side_ratio if epoch < self.small_epoch_ratio * self.epoch_count else 1.0

    def rate(self, step: int) -> float:
        """Learning rate of step number `step` (from 0): linear warm-up, then a half cosine."""
        if step < self.warm_up_steps:
            return self.peak_rate_ratio * (step + 1) / self.warm_up_steps
        done = (step - self.warm_up_steps) / max(1, self.epoch_count * self.steps_per_epoch - self.warm_up_steps)
        height = 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))
        return self.peak_rate_ratio * (self.last_rate_ratio + (1.0 - self.last_rate_ratio) * height)


class _Drawn:
    """The pictures of one epoch that a process learns from, as a loader wants them: by index."""

    def __init__(self, mixture: Mixture, first: int, count: int, place: Place) -> None:
        self._mixture, self._place = mixture, place
        self._first, self._count = first + place.rank, count // place.world_size

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Scene:
        return self._mixture.scene(self._first + index * self._place.world_size)


class Epoch(msgspec.Struct, frozen=True):
    """What one epoch did.

    Attributes:
        number: from 1.
        loss: mean over its pictures.
        rate_ratio: learning rate of its last step.
        held_out_ratio: figure of the average weights on pictures kept out, if it was watched.
        seconds: how long it took.
    """

    number: int
    loss: float
    rate_ratio: float
    held_out_ratio: float | None
    seconds: float


class FineTuning:
    """A training run that can be stopped after any epoch and taken up again.

    Attributes:
        network: as it learns.
        average: its average weights, which are what is shipped.
        epoch: epochs done.
        stop: best figure so far.
    """

    def __init__(
        self,
        network: Any,
        schedule: Schedule,
        folder: Path,
        size: InputSize,
        *,
        place: Place | None = None,
        stop: EarlyStop | None = None,
        loader_processes: int = 1,
    ) -> None:
        self._place = place or Place()
        self.network = network.to(self._place.device)
        self.average = AverageWeights(self.network)
        self.epoch = 0
        self.stop = stop or EarlyStop()
        self._schedule = schedule
        self._size = size
        self._folder = folder
        self._loader_processes = loader_processes
        self._loss = PartialLabelLoss(self.network, schedule.epoch_count)
        self._optimiser = _optimiser(self.network, schedule)
        self._shared = shared(self.network, self._place)

    def resume(self) -> None:
        """Take up the checkpoint of the run folder.

        Raises:
            BadInputError: if there is none, or it is of another network.
        """
        path = self._folder / CHECKPOINT_NAME
        if not path.is_file():
            raise BadInputError(f"--resume: no {CHECKPOINT_NAME} in {self._folder}; start the run without it")
        state = torch.load(path, map_location=self._place.device, weights_only=True)
        try:
            self.network.load_state_dict(state["network"])
            self.average.network.load_state_dict(state["average"])
            self._optimiser.load_state_dict(state["optimiser"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise BadInputError(f"--resume: {path} is of another network than {self.network.yaml_file}") from error
        self.epoch = int(state["epoch"])
        self.stop.best_ratio = float(state.get("best_ratio", 0.0))
        self.stop.best_epoch = int(state.get("best_epoch", 0))
        for _ in range(self.epoch):
            self._loss.end_epoch()

    def run(self, mixture: Mixture, clock: Clock, watch: Watch | None = None) -> Iterator[Epoch]:
        """Train epoch by epoch, until the schedule ends or nothing has got better for long; each leaves a checkpoint.

        Args:
            mixture: what to show.
            clock: tells how long an epoch took.
            watch: figure of the average weights, higher is better; without, nothing stops early.
        """
        while self.epoch < self._schedule.epoch_count and not (watch and self.stop.is_over(self.epoch)):
            start_ns = clock.now_ns()
            loss = self._train_epoch(mixture)
            self.epoch += 1
            self._loss.end_epoch()
            figure = self._watched(watch)
            if self._place.is_first:
                self._write_checkpoint()
            rate = self._schedule.rate(self.epoch * self._schedule.steps_per_epoch - 1)
            yield Epoch(self.epoch, loss, rate, figure, round((clock.now_ns() - start_ns) / 1e9, 1))

    def _watched(self, watch: Watch | None) -> float | None:
        """The figure of this epoch, the same in every process, so that all of them stop together."""
        if watch is None:
            return None
        figure = torch.tensor(watch(self.average.network) if self._place.is_first else 0.0, dtype=torch.float64)
        if self._place.world_size > 1:
            figure = figure.to(self._place.device)
            torch.distributed.broadcast(figure, src=0)
        self.stop.note(self.epoch, float(figure))
        return float(figure)

    def _train_epoch(self, mixture: Mixture) -> float:
        learning(self.network)
        total, steps = 0.0, self._schedule.steps_per_epoch
        label = f"epoch {self.epoch + 1}/{self._schedule.epoch_count}"
        with progress(self._batches(mixture), steps, label, shown=self._place.is_first) as batches:
            for index, (pictures, labels, known) in enumerate(batches):
                total += self._step(self.epoch * steps + index, pictures, labels, known)
        return total / steps

    def _batches(self, mixture: Mixture) -> "DataLoader[Any]":
        count = self._schedule.steps_per_epoch * self._schedule.batch_pictures
        return DataLoader(
            _Drawn(mixture, self.epoch * count, count, self._place),
            batch_size=self._schedule.batch_pictures // self._place.world_size,
            num_workers=self._loader_processes,
            collate_fn=collate,
        )

    def _step(self, step: int, pictures: Tensor, labels: dict[str, Tensor], known: Tensor) -> float:
        for group in self._optimiser.param_groups:
            group["lr"] = self._schedule.rate(step)
        device = self._place.device
        size = self._size.scaled(self._schedule.side_ratio(self.epoch), self._stride_px)
        inputs = resized(as_input(pictures.numpy()).to(device), size)
        with learning_arithmetic(device):
            predictions = self._shared(inputs)
        loss = self._loss(predictions, {name: value.to(device) for name, value in labels.items()}, known.to(device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), max_norm=10.0)
        self._optimiser.step()
        self._optimiser.zero_grad()
        self.average.update(self.network, step + 1)
        return float(loss.detach()) / len(pictures)

    @property
    def _stride_px(self) -> int:
        return int(self.network.stride.max())

    def _write_checkpoint(self) -> None:
        state = {
            "architecture": self.network.yaml_file,
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "epoch": self.epoch,
            "best_ratio": self.stop.best_ratio,
            "best_epoch": self.stop.best_epoch,
        }
        write_checkpoint(self._folder / CHECKPOINT_NAME, state)


def collate(scenes: list[Scene]) -> tuple[Tensor, dict[str, Tensor], Tensor]:
    """Scenes as (pictures (B, H, W, 3) uint8, labels as `PartialLabelLoss` wants them, known (B, C) bool)."""
    pictures = torch.from_numpy(np.stack([scene.picture for scene in scenes]))
    numbers = np.concatenate([np.full(len(scene.class_ids), index) for index, scene in enumerate(scenes)])
    sizes = [np.array([scene.width_px, scene.height_px] * 2, dtype=np.float64) for scene in scenes]
    shares = np.concatenate([scene.boxes_px / size for scene, size in zip(scenes, sizes, strict=True)])
    boxes = np.concatenate([(shares[:, :2] + shares[:, 2:]) / 2, shares[:, 2:] - shares[:, :2]], axis=1)
    class_ids = np.concatenate([scene.class_ids for scene in scenes])
    labels = {
        "batch_idx": torch.from_numpy(numbers).float(),
        "cls": torch.from_numpy(class_ids).float()[:, None],
        "bboxes": torch.from_numpy(boxes).float(),
    }
    return pictures, labels, torch.from_numpy(np.stack([scene.known for scene in scenes]))


def _optimiser(network: Any, schedule: Schedule) -> torch.optim.Optimizer:
    # Weight decay on convolution kernels alone: biases and normalisation have no reason to be small.
    kernels = [value for value in network.parameters() if value.requires_grad and value.ndim > 1]
    others = [value for value in network.parameters() if value.requires_grad and value.ndim <= 1]
    groups = [
        {"params": kernels, "weight_decay": schedule.weight_decay_ratio},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=schedule.peak_rate_ratio, betas=(0.9, 0.999))
