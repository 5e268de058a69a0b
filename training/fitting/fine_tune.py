"""The training loop: bf16 on the processor, cosine learning rate, average weights, a checkpoint after every epoch."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from sorter.errors import BadInputError
from training.fitting.average_weights import AverageWeights
from training.fitting.network import STRIDE_PX, PartialLabelLoss, as_input
from training.progress import progress
from training.synthesis.mixture import Mixture
from training.synthesis.scene import Scene

CHECKPOINT_NAME = "checkpoint.pt"


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
    """Pictures `first`... of the mixture, as a loader wants them: by index."""

    def __init__(self, mixture: Mixture, first: int, count: int) -> None:
        self._mixture, self._first, self._count = mixture, first, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Scene:
        return self._mixture.scene(self._first + index)


class FineTuning:
    """A training run that can be stopped after any epoch and taken up again."""

    def __init__(self, network: Any, schedule: Schedule, folder: Path, loader_processes: int = 1) -> None:
        self.network = network.train()
        self.average = AverageWeights(network)
        self.epoch = 0
        self._schedule = schedule
        self._folder = folder
        self._loader_processes = loader_processes
        self._loss = PartialLabelLoss(network)
        self._optimiser = _optimiser(network, schedule)

    def resume(self) -> None:
        """Take up the checkpoint of the run folder.

        Raises:
            BadInputError: if there is none.
        """
        path = self._folder / CHECKPOINT_NAME
        if not path.is_file():
            raise BadInputError(f"--resume: no {CHECKPOINT_NAME} in {self._folder}; start the run without it")
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.epoch = int(state["epoch"])

    def run(self, mixture: Mixture) -> Iterator[float]:
        """Train epoch by epoch; yields the mean loss of each, its checkpoint written."""
        while self.epoch < self._schedule.epoch_count:
            losses = self._train_epoch(mixture)
            self.epoch += 1
            self._write_checkpoint()
            yield losses

    def _train_epoch(self, mixture: Mixture) -> float:
        total, steps = 0.0, self._schedule.steps_per_epoch
        label = f"epoch {self.epoch + 1}/{self._schedule.epoch_count}"
        with progress(self._batches(mixture), steps, label) as batches:
            for index, (pictures, labels, known) in enumerate(batches):
                total += self._step(self.epoch * steps + index, pictures, labels, known)
        return total / steps

    def _batches(self, mixture: Mixture) -> "DataLoader[Any]":
        count = self._schedule.steps_per_epoch * self._schedule.batch_pictures
        return DataLoader(
            _Drawn(mixture, self.epoch * count, count),
            batch_size=self._schedule.batch_pictures,
            num_workers=self._loader_processes,
            collate_fn=collate,
        )

    def _step(self, step: int, pictures: Tensor, labels: dict[str, Tensor], known: Tensor) -> float:
        for group in self._optimiser.param_groups:
            group["lr"] = self._schedule.rate(step)
        inputs = resized(as_input(pictures.numpy()), self._schedule.side_ratio(self.epoch))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            predictions = self.network(inputs)
        loss = self._loss(predictions, labels, known)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), max_norm=10.0)
        self._optimiser.step()
        self._optimiser.zero_grad()
        self.average.update(self.network, step + 1)
        return float(loss.detach()) / len(pictures)

    def _write_checkpoint(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        state = {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "epoch": self.epoch,
        }
        unfinished = self._folder / f"{CHECKPOINT_NAME}.part"
        torch.save(state, unfinished)
        unfinished.replace(self._folder / CHECKPOINT_NAME)


def resized(inputs: Tensor, side_ratio: float) -> Tensor:
    """Pictures (B, 3, H, W) at `side_ratio` of their side, rounded to what the network's strides allow."""
    if side_ratio == 1.0:
        return inputs
    side_px = max(STRIDE_PX, round(inputs.shape[-1] * side_ratio / STRIDE_PX) * STRIDE_PX)
    smaller = nn.functional.interpolate(inputs, size=(side_px, side_px), mode="bilinear", align_corners=False)
    return smaller.contiguous(memory_format=torch.channels_last)


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
