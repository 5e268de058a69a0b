"""What a run did, for whoever asks later: data and code by their hashes, epoch by epoch, time and energy."""

import hashlib
import platform
import resource
import subprocess
from importlib import metadata
from pathlib import Path

import msgspec

from sorter.runtime.bundle import file_sha256
from sorter.runtime.clock import Clock
from training.data.whole_folder import write_whole

RECORD_NAME = "record.json"
_PACKAGES = (
    "farz",
    "torch",
    "ultralytics",
    "timm",
    "numpy",
    "opencv-python-headless",
    "openvino",
    "onnxruntime",
    "onnx",
)
_RAPL = Path("/sys/class/powercap/intel-rapl:0/energy_uj")


class DataUsed(msgspec.Struct, frozen=True):
    """A folder or file that the run read: SHA-256 over names and contents, in name order."""

    name: str
    file_count: int
    sha256: str


class Work(msgspec.Struct, frozen=True):
    """What a stage of the run has cost so far.

    Attributes:
        seconds: on the wall.
        processor_s: of all processor cores together.
        energy_wh: electrical energy.
        energy_method: how that was found.
    """

    seconds: float = 0.0
    processor_s: float = 0.0
    energy_wh: float = 0.0
    energy_method: str = ""


class EpochRecord(msgspec.Struct, frozen=True):
    """One epoch; see `training.fitting.fine_tune.Epoch`."""

    number: int
    loss: float
    rate_ratio: float
    held_out_ratio: float | None
    seconds: float


class RunRecord(msgspec.Struct, frozen=True):
    """record.json of a run folder."""

    architecture: str
    data: tuple[DataUsed, ...]
    revision: str
    versions: dict[str, str]
    machine: str
    epochs: tuple[EpochRecord, ...] = ()
    fit: Work = Work()
    figures: dict[str, float] = {}


def new_record(architecture: str, paths: tuple[Path, ...]) -> RunRecord:
    """A record of this code, this machine and these inputs (folders or files)."""
    found = {name: _version(name) for name in _PACKAGES}
    versions = {"python": platform.python_version()} | {name: one for name, one in found.items() if one}
    return RunRecord(architecture, tuple(data_used(path) for path in paths), _revision(), versions, _machine())


def data_used(path: Path) -> DataUsed:
    """The hash of a file, or of all files below a folder."""
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    digest = hashlib.sha256()
    for file in files:
        name = file.name if file == path else file.relative_to(path).as_posix()
        digest.update(f"{name}\n{file_sha256(file)}\n".encode())
    return DataUsed(f"{path.parent.name}/{path.name}", len(files), digest.hexdigest())


def write_record(run_folder: Path, record: RunRecord) -> None:
    """Write record.json, whole or not at all.

    Raises:
        DataFolderError: if it cannot be written.
    """
    text = msgspec.json.format(msgspec.json.encode(record), indent=2).decode()
    write_whole(run_folder / RECORD_NAME, f"{text}\n")


def read_record(run_folder: Path) -> RunRecord | None:
    """The record of a run folder, None where there is none that can be read."""
    try:
        return msgspec.json.decode((run_folder / RECORD_NAME).read_bytes(), type=RunRecord)
    except (OSError, msgspec.DecodeError):
        return None


class WorkMeter:
    """Measures what a stage costs: wall time, processor time of this process and its children, and energy.

    Energy is read from the processor package (RAPL) where the kernel shows it, and else estimated from processor time.
    """

    def __init__(self, clock: Clock, watts_per_core: float, rapl: Path = _RAPL) -> None:
        self._clock = clock
        self._watts_per_core = watts_per_core
        self._rapl = rapl
        self._start_ns = clock.now_ns()
        self._start_processor_s = _processor_s()
        self._start_uj = _read_uj(rapl)

    def work(self, before: Work | None = None) -> Work:
        """What has been spent since the meter was made, added to what was spent before."""
        earlier = before or Work()
        processor_s = _processor_s() - self._start_processor_s
        energy_wh, method = self._energy(processor_s)
        return Work(
            round(earlier.seconds + (self._clock.now_ns() - self._start_ns) / 1e9, 1),
            round(earlier.processor_s + processor_s, 1),
            round(earlier.energy_wh + energy_wh, 3),
            method,
        )

    def _energy(self, processor_s: float) -> tuple[float, str]:
        now_uj = _read_uj(self._rapl)
        if self._start_uj is not None and now_uj is not None and now_uj >= self._start_uj:
            return (now_uj - self._start_uj) / 3.6e9, "RAPL, processor package"
        return processor_s * self._watts_per_core / 3600, f"estimated: {self._watts_per_core:g} W per busy core"


def _processor_s() -> float:
    # children count once they have ended: the loaders of an epoch end with it
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _read_uj(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _revision() -> str:
    """Git revision of the source tree, marked when files differ from it."""
    root = Path(__file__).resolve().parents[1]
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return "unknown: not a git work tree"
    return answer.stdout.strip()


def _machine() -> str:
    models = [line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")]
    return f"{models[0] if models else platform.machine()}, {len(models) or '?'} cores"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
