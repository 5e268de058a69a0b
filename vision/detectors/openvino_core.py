"""OpenVINO itself, once in a process."""

import functools
from typing import Any

import openvino as ov


@functools.cache
def openvino_core() -> Any:
    """The `ov.Core` of this process, which is never let go.

    Each core brings a CPU plugin of its own, which gives the thread another stack for signals and takes it away when
    the core goes. Two cores that go in the order in which they came leave a thread without one, and the next signal
    kills the process (OpenVINO 2026.4 on an AMD EPYC): a line would die at SIGTERM after two swaps of its model.
    """
    return ov.Core()
