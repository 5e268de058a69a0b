"""What the machine is and what this process uses of it, from Linux' own files; clocks are `sorter.runtime.clock`'s."""

import os
import platform
from pathlib import Path

_CPU_FILE = Path("/proc/cpuinfo")
_BYTES_PER_MB = 1_000_000


def machine_facts() -> dict[str, str | float]:
    """Name of the processor, cores that may be used, and how busy the machine was in the last minute."""
    return {
        "cpu": cpu_name(),
        "core_count": float(len(os.sched_getaffinity(0))),
        "load_average": round(os.getloadavg()[0], 2),
    }


def cpu_name() -> str:
    """The processor as it calls itself; its architecture where it has no name."""
    lines = _CPU_FILE.read_text().splitlines() if _CPU_FILE.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def resident_mb(process_id: int | None = None) -> float:
    """Resident memory of a process, of this one if left out, in megabytes (10⁶ bytes)."""
    name = "self" if process_id is None else str(process_id)
    pages = int(Path(f"/proc/{name}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _BYTES_PER_MB
