"""Where the network learns: the processor, a CUDA device, or several of either, one process each.

Several devices share every batch (torch's DistributedDataParallel): process `rank` of `world_size` learns from every
`world_size`-th picture, and the gradients are averaged, so that the weights stay the same in all of them.
"""

import os
import socket
from collections.abc import Callable
from typing import Any

import msgspec
import torch
import torch.distributed
from torch.nn.parallel import DistributedDataParallel

from sorter.errors import BadInputError

_JOIN_HOST = "127.0.0.1"


class Place(msgspec.Struct, frozen=True):
    """One process of a training run.

    Attributes:
        device: `cpu` or `cuda:N`.
        rank: number of the process, from 0; process 0 writes the checkpoints.
        world_size: number of processes.
    """

    device: str = "cpu"
    rank: int = 0
    world_size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process speaks for all."""
        return self.rank == 0


def places(devices: str) -> tuple[Place, ...]:
    """The places that `--device` names: `auto`, `cpu`, `cuda`, `cuda:1`, or several, as `cuda:0,cuda:1`.

    Raises:
        BadInputError: if a device is unknown or not there.
    """
    names = [_checked(name.strip()) for name in devices.split(",")]
    return tuple(Place(name, rank, len(names)) for rank, name in enumerate(names))


def learn_on(where: tuple[Place, ...], learn: Callable[[Place], None]) -> None:
    """Call `learn` once a place: here for a single one, else in forked processes that find each other.

    Forking shares the pictures; nothing may have touched CUDA before.

    Raises:
        Exception: what `learn` raises; with several places, torch's ProcessRaisedException with the same text.
    """
    if len(where) == 1:
        learn(where[0])
        return
    torch.multiprocessing.start_processes(
        _learn_together, args=(where, learn, _free_port()), nprocs=len(where), start_method="fork"
    )


def shared(network: Any, place: Place) -> Any:
    """The network as its place trains it: alone, or with gradients averaged over all places."""
    if place.world_size == 1:
        return network
    return DistributedDataParallel(network, device_ids=[place.device] if place.device != "cpu" else None)


def learning_arithmetic(device: str) -> torch.autocast:
    """What a network calculates in while it learns: bf16 where the device has units for it, else f32.

    A processor without them imitates bf16, at a third of the speed of f32.
    """
    kind = torch.device(device).type
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=kind != "cpu" or _processor_has_bf16())


def _processor_has_bf16() -> bool:
    return any(has for name, has in torch.cpu.get_capabilities().items() if name.endswith("bf16"))


def _checked(name: str) -> str:
    if name == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return name
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BadInputError(f"--device {name}: give auto, cpu, cuda or cuda:N, several parted by commas") from error
    count = torch.cuda.device_count()
    if device.type != "cuda" or (device.index or 0) >= count:
        raise BadInputError(f"--device {name}: there is no such device here ({count} CUDA devices, and cpu)")
    return f"cuda:{device.index or 0}"


def _learn_together(rank: int, where: tuple[Place, ...], learn: Callable[[Place], None], port: int) -> None:
    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = _JOIN_HOST, str(port)
    place = where[rank]
    if place.device == "cpu":
        torch.set_num_threads(max(1, torch.get_num_threads() // len(where)))
    else:
        torch.cuda.set_device(place.device)
    backend = "gloo" if place.device == "cpu" else "nccl"
    torch.distributed.init_process_group(backend, rank=rank, world_size=len(where))
    try:
        learn(place)
    finally:
        torch.distributed.destroy_process_group()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_JOIN_HOST, 0))
        return int(probe.getsockname()[1])
