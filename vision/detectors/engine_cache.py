"""Engines on disk: each under the hash of everything it depends on, none believed before it passed parity.

An engine that was built is written beside the others as unproven; when it has passed it takes its name, and of the
older ones of the same network the newest stays, so that going back to another power mode needs no building.
"""

import hashlib
import os
import tempfile
from pathlib import Path

import msgspec

from vision.cuda.host_build import cache_folder

_SUFFIX = ".engine"
_FACTS_SUFFIX = ".json"
_TIMING_CACHE = "timing.cache"
_KEPT_COUNT = 2


class EngineFacts(msgspec.Struct, frozen=True):
    """What an engine was made of and for; another value of any of them makes another engine.

    Attributes:
        network_sha256: of the ONNX file.
        precision: such as "f16".
        tensorrt: version.
        cuda: version of the driver interface.
        architecture: such as "sm_87".
        power_mode: of the board, since the fastest kernels are chosen under it; empty where there is none.
    """

    network_sha256: str
    precision: str
    tensorrt: str
    cuda: str
    architecture: str
    power_mode: str

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class EngineCache:
    """One folder of engines."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def proven(self, facts: EngineFacts) -> bytes | None:
        """The engine for exactly these facts, if it was built and has passed; None else."""
        path = self._path(facts)
        return path.read_bytes() if path.is_file() and path.with_suffix(_FACTS_SUFFIX).is_file() else None

    def older(self, facts: EngineFacts) -> list[tuple[EngineFacts, bytes]]:
        """Proven engines of the same network and precision made under other facts, newest first."""
        found = [one for one in self._all() if one != facts and _is_same_network(one, facts)]
        return [(one, self._path(one).read_bytes()) for one in found]

    def keep(self, facts: EngineFacts, engine: bytes) -> None:
        """Put an engine that has passed in its place, and let go of all but the newest older one."""
        self._write(self._path(facts), engine)
        self._write(self._path(facts).with_suffix(_FACTS_SUFFIX), msgspec.json.encode(facts))
        same = [one for one in self._all() if _is_same_network(one, facts)]
        for one in same[_KEPT_COUNT:]:
            self._path(one).with_suffix(_FACTS_SUFFIX).unlink(missing_ok=True)
            self._path(one).unlink(missing_ok=True)

    def timing_cache(self) -> bytes:
        """What TensorRT measured at earlier builds, empty at the first; it checks for itself whether it fits."""
        path = self._folder / _TIMING_CACHE
        return path.read_bytes() if path.is_file() else b""

    def keep_timing_cache(self, data: bytes) -> None:
        """Keep what TensorRT measured."""
        self._write(self._folder / _TIMING_CACHE, data)

    def _path(self, facts: EngineFacts) -> Path:
        return self._folder / f"{facts.network_sha256[:8]}-{facts.precision}-{facts.key}{_SUFFIX}"

    def _all(self) -> list[EngineFacts]:
        """Facts of every proven engine, newest first."""
        paths = sorted(self._folder.glob(f"*{_FACTS_SUFFIX}"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        return [msgspec.json.decode(path.read_bytes(), type=EngineFacts) for path in paths]

    def _write(self, path: Path, data: bytes) -> None:
        """As a whole or not at all: power may be cut at any moment."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="unproven-", delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)


def default_engine_folder() -> Path:
    """Where engines go unless the settings say otherwise."""
    return cache_folder() / "engines"


def _is_same_network(one: EngineFacts, other: EngineFacts) -> bool:
    return (one.network_sha256, one.precision) == (other.network_sha256, other.precision)
