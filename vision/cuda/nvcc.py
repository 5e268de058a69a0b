"""The kernels compiled by nvcc: one file for all architectures, or to read what they cost in registers."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from sorter.errors import ConfigurationError
from vision.cuda.signatures import DEVICE_OPTIONS, KERNEL_SOURCE

# Orin and Thor
ARCHITECTURES = ("sm_87", "sm_110")
_ENTRY = re.compile(r"Compiling entry function '(\w+)' for '(\w+)'")
_SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
_REGISTERS = re.compile(r"Used (\d+) registers")


class KernelCost(msgspec.Struct, frozen=True):
    """What ptxas says about one kernel: registers a thread, and bytes that did not fit into them."""

    name: str
    register_count: int
    spilled_bytes: int


def nvcc_path() -> str | None:
    """Where nvcc is; None where it is not installed."""
    return shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")


def known_architectures() -> tuple[str, ...]:
    """Those of Orin and Thor that the installed nvcc compiles for; empty without nvcc."""
    if nvcc_path() is None:
        return ()
    listed = _nvcc("--list-gpu-code").split()
    return tuple(one for one in ARCHITECTURES if one in listed)


def kernel_costs(architecture: str) -> list[KernelCost]:
    """Compile for an architecture and read what ptxas says.

    Raises:
        ConfigurationError: if there is no nvcc, or it refuses the sources.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = str(Path(folder) / "kernels.cubin")
        said = _nvcc(
            f"-arch={architecture}", *DEVICE_OPTIONS, "-Werror", "all-warnings", "-Xptxas", "-v", "-cubin",
            str(KERNEL_SOURCE), "-o", made,
        )  # fmt: skip
    return costs_said(said)


def costs_said(text: str) -> list[KernelCost]:
    """Read ptxas's verbose output, one cost for each kernel in the order of compiling."""
    parts = _ENTRY.split(text)[1:]
    found = []
    for name, told in zip(parts[0::3], parts[2::3], strict=True):
        spills, registers = _SPILLS.search(told), _REGISTERS.search(told)
        if spills is not None and registers is not None:
            found.append(KernelCost(name, int(registers[1]), int(spills[1]) + int(spills[2])))
    return found


def build_fatbin(path: Path, architectures: Sequence[str] = ()) -> tuple[str, ...]:
    """Compile for all architectures into one file, which a device without nvcc loads.

    Args:
        path: the file to write.
        architectures: such as "sm_87"; left out, those of Orin and Thor that nvcc knows.

    Returns:
        The architectures in it.

    Raises:
        ConfigurationError: if there is no nvcc, or it refuses the sources.
    """
    wanted = tuple(architectures) or known_architectures()
    codes = [f"-gencode=arch=compute_{one[3:]},code={one}" for one in wanted]
    _nvcc(*codes, *DEVICE_OPTIONS, "-fatbin", str(KERNEL_SOURCE), "-o", str(path))
    return wanted


def _nvcc(*arguments: str) -> str:
    compiler = nvcc_path()
    if compiler is None:
        raise ConfigurationError("the kernels cannot be compiled for a GPU: nvcc is not installed")
    command = [compiler, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own sources
    if ran.returncode != 0:
        raise ConfigurationError(f"nvcc refuses the kernels: {(ran.stderr or ran.stdout).strip().splitlines()[0]}")
    return ran.stdout + ran.stderr
