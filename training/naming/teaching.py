"""Teaching the second look: one rise and fall of the learning rate, average weights, a checkpoint an epoch.

One of the few modules that import torch.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from sorter.errors import BadInputError
from sorter.runtime.clock import Clock
from training.fitting.average_weights import AverageWeights
from training.fitting.checkpoint import write_checkpoint
from training.fitting.devices import learning_arithmetic
from training.naming.lot import ItemLot
from training.naming.names_network import learning, normalised
from training.naming.teaching_settings import CHECKPOINT_NAME, Lessons
from training.progress import progress

_NOT_A_CHECKPOINT = (OSError, RuntimeError, ValueError, LookupError, AttributeError, EOFError)


class TaughtEpoch(msgspec.Struct, frozen=True):
    """What one epoch did: its number from 1, mean loss, share of examples named rightly, and how long it took."""

    number: int
    loss: float
    right_ratio: float
    seconds: float


class Teaching:
    """A training run of the second look that can be stopped after any epoch and taken up again.

    Attributes:
        network: as it learns.
        average: its average weights, which are what is shipped.
        epoch: epochs done.
    """

    def __init__(self, network: Any, lessons: Lessons, folder: Path, *, device: str = "cpu", loaders: int = 1) -> None:
        self.network = network.to(device)
        self.average = AverageWeights(self.network, decay=0.98, warm_up_steps=10.0)
        self.epoch = 0
        self._lessons = lessons
        self._folder = folder
        self._device = device
        self._loaders = loaders
        self._loss = nn.CrossEntropyLoss(label_smoothing=lessons.smoothing_ratio)
        self._optimiser = _optimiser(self.network, lessons)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser,
            [group["lr"] for group in self._optimiser.param_groups],
            total_steps=lessons.epoch_count * lessons.steps_per_epoch,
            pct_start=0.2,
        )

    def resume(self) -> None:
        """Take up the checkpoint of the run folder, if there is one.

        Raises:
            BadInputError: if it cannot be read or is of other lessons.
        """
        path = self._folder / CHECKPOINT_NAME
        if not path.is_file():
            return
        try:
            state = torch.load(path, map_location=self._device, weights_only=True)
            if state["lessons"] != msgspec.to_builtins(self._lessons):
                raise BadInputError(
                    f"--resume: {path} was begun with other lessons; give the options it was begun with"
                )
            self.network.load_state_dict(state["network"])
            self.average.network.load_state_dict(state["average"])
            self._optimiser.load_state_dict(state["optimiser"])
            self._schedule.load_state_dict(state["schedule"])
        except _NOT_A_CHECKPOINT as error:
            raise BadInputError(f"--resume: {path} is no checkpoint of this network: {_first_line(error)}") from error
        self.epoch = int(state["epoch"])

    def run(self, lot: ItemLot, clock: Clock) -> Iterator[TaughtEpoch]:
        """Teach epoch by epoch; each leaves a checkpoint."""
        while self.epoch < self._lessons.epoch_count:
            start_ns = clock.now_ns()
            loss, right = self._teach_epoch(lot)
            self.epoch += 1
            self._write_checkpoint()
            yield TaughtEpoch(self.epoch, loss, right, round((clock.now_ns() - start_ns) / 1e9, 1))

    def _teach_epoch(self, lot: ItemLot) -> tuple[float, float]:
        learning(self.network)
        steps = self._lessons.steps_per_epoch
        sums = np.zeros(2)
        label = f"second look, epoch {self.epoch + 1}/{self._lessons.epoch_count}"
        with progress(self._batches(lot), steps, label) as batches:
            for index, (pictures, names) in enumerate(batches):
                sums += self._step(self.epoch * steps + index, pictures, names)
        loss, right = sums / steps
        return float(loss), float(right)

    def _batches(self, lot: ItemLot) -> "DataLoader[Any]":
        count = self._lessons.steps_per_epoch * self._lessons.batch_items
        drawn = _Drawn(lot, self.epoch * count, count)
        return DataLoader(drawn, batch_size=self._lessons.batch_items, num_workers=self._loaders)

    def _step(self, step: int, pictures: Tensor, names: Tensor) -> tuple[float, float]:
        wanted = names.to(self._device)
        with learning_arithmetic(self._device):
            answers = self.network(normalised(pictures.to(self._device)))
        loss = self._loss(answers.float(), wanted)
        loss.backward()
        self._optimiser.step()
        self._optimiser.zero_grad()
        self._schedule.step()
        self.average.update(self.network, step + 1)
        return float(loss.detach()), float((answers.argmax(dim=1) == wanted.argmax(dim=1)).float().mean())

    def _write_checkpoint(self) -> None:
        state = {
            "lessons": msgspec.to_builtins(self._lessons),
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "epoch": self.epoch,
        }
        write_checkpoint(self._folder / CHECKPOINT_NAME, state)


class _Drawn:
    """The examples of one epoch, as a loader wants them: by index."""

    def __init__(self, lot: ItemLot, first: int, count: int) -> None:
        self._lot, self._first, self._count = lot, first, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        picture, names = self._lot.example(self._first + index)
        return torch.from_numpy(picture), torch.from_numpy(names)


def _optimiser(network: Any, lessons: Lessons) -> torch.optim.Optimizer:
    head = list(network.classifier.parameters())
    ids = {id(value) for value in head}
    body = [value for value in network.parameters() if value.requires_grad and id(value) not in ids]
    groups = [
        {"params": head, "lr": lessons.peak_rate_ratio},
        {"params": body, "lr": lessons.peak_rate_ratio * lessons.body_rate_ratio},
    ]
    return torch.optim.AdamW(groups, weight_decay=lessons.weight_decay_ratio)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
