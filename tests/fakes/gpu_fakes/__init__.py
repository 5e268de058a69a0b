"""Strict fakes of TensorRT, pycuda and cuda-python: no GPU is used, and no figure taken on them is one of a GPU.

They refuse what the documents forbid (see `Misuse`), and really calculate: kernels by this project's own sources built
for the host, networks by ONNX Runtime.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest

from gpu_fakes.graph_fake import graph_modules
from gpu_fakes.machine import Machine, Misuse
from gpu_fakes.pycuda_fake import pycuda_modules
from gpu_fakes.tensorrt_fake import tensorrt_module
from vision.cuda.device import open_device
from vision.cuda.host_build import host_compiler

NEEDS_COMPILER = pytest.mark.skipif(host_compiler() is None, reason="g++ is not installed, which builds the kernels")


@contextmanager
def pretended_gpu(
    version: str = "10.3.0", *, machine: Machine | None = None, has_gpu: bool = True, has_graphs: bool = False
) -> Iterator[Machine]:
    """A machine with a GPU, as far as the importing of libraries can tell; contexts must be balanced at its end."""
    machine = machine or Machine()
    # None in sys.modules: importing it fails
    graphs = graph_modules(machine) if has_graphs else {"cuda": None, "cuda.bindings": None}
    modules = pycuda_modules(machine, has_gpu) | {"tensorrt": tensorrt_module(machine, version)} | graphs
    open_device.cache_clear()
    with patch.dict(sys.modules, modules):
        try:
            yield machine
        finally:
            open_device.cache_clear()
    machine.check_balanced()


__all__ = ["NEEDS_COMPILER", "Machine", "Misuse", "pretended_gpu"]
