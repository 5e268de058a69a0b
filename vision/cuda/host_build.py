"""The kernels built for the host by g++, so that their arithmetic can be held against OpenCV on any machine."""

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sorter.errors import ConfigurationError
from vision.cuda.signatures import KERNEL_FOLDER, SIGNATURES, THREADS_PER_BLOCK, block_count, source_files

_OPTIONS = ("-std=c++17", "-O2", "-fPIC", "-shared", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror")
_TYPES: dict[str, Any] = {"P": ctypes.c_void_p, "i": ctypes.c_int, "f": ctypes.c_float}


def host_compiler() -> str | None:
    """Where g++ is; None where it is not installed."""
    return shutil.which("g++")


class HostKernels:
    """The kernels as functions of the host: a launch returns when every thread of it is through."""

    def __init__(self) -> None:
        """Build them, or take those built before from the same sources.

        Raises:
            ConfigurationError: if there is no g++, or it refuses the sources.
        """
        library = ctypes.CDLL(str(_built()))
        self._functions: dict[str, Callable[..., None]] = {}
        for name, codes in SIGNATURES.items():
            function = library[f"host_{name}"]
            function.argtypes = [ctypes.c_int, ctypes.c_int, *(_TYPES[code] for code in codes)]
            function.restype = None
            self._functions[name] = function

    def launch(self, name: str, thread_count: int, *arguments: float) -> None:
        """Run a kernel; pointers are addresses of this process."""
        self.run_blocks(name, block_count(thread_count), THREADS_PER_BLOCK, *arguments)

    def run_blocks(self, name: str, blocks: int, threads: int, *arguments: float) -> None:
        """The same for a grid that somebody else has reckoned."""
        self._functions[name](blocks, threads, *arguments)


def _built() -> Path:
    path = cache_folder() / f"kernels-{_sources_sha256()[:16]}.so"
    if not path.is_file():
        _build(path)
    return path


def _build(path: Path) -> None:
    compiler = host_compiler()
    if compiler is None:
        raise ConfigurationError("the kernels cannot be built for this processor: g++ is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        command = [compiler, *_OPTIONS, "-x", "c++", str(KERNEL_FOLDER / "host_launch.cpp"), "-o", str(made)]
        built = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own sources
        if built.returncode != 0:
            raise ConfigurationError(f"g++ refuses the kernels: {built.stderr.strip().splitlines()[0]}")
        made.replace(path)


def _sources_sha256() -> str:
    digest = hashlib.sha256(" ".join(_OPTIONS).encode())
    for source in source_files():
        digest.update(source.read_bytes())
    return digest.hexdigest()


def cache_folder() -> Path:
    """Where what is built for this very machine is kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "farz"
