"""The kernels by name and the arguments of each, as the device's launcher and the host's both need them.

P: a pointer that the kernel's own processor can use; i: a 32-bit integer; f: a 32-bit float.
"""

from collections.abc import Mapping
from pathlib import Path

KERNEL_FOLDER = Path(__file__).resolve().parent
KERNEL_SOURCE = KERNEL_FOLDER / "kernels.cu"
THREADS_PER_BLOCK = 128

_FIT = "PPPP" + "iiiiiii" + "f"
SIGNATURES: Mapping[str, str] = {
    "farz_lay_out": "PPiiii",
    "farz_fit_u8": _FIT,
    "farz_fit_f32": _FIT,
    "farz_fit_f16": _FIT,
    "farz_fit_i8": _FIT,
    "farz_rgba_to_bgr": "PPiii",
    "farz_clear": "P",
    "farz_select": "PiifPPP",
    "farz_select_rows": "PifPPP",
    "farz_rank": "PPPP",
    "farz_overlap": "PPiPfiP",
    "farz_sweep": "PPiiPPPP",
    "farz_gather": "PPPiiPP",
    "farz_gather_rows": "PPPiiPPP",
}
# no fused multiply-adds: the device rounds as the host does
DEVICE_OPTIONS = ("-fmad=false", "-std=c++17")


def block_count(thread_count: int) -> int:
    """Blocks that hold so many threads."""
    return -(-thread_count // THREADS_PER_BLOCK)


def source_files() -> tuple[Path, ...]:
    """Every file that the kernels are made of, in the order of names."""
    return tuple(
        sorted(
            path for path in KERNEL_FOLDER.iterdir() if path.suffix in {".cu", ".h"} or path.name == "host_launch.cpp"
        )
    )
