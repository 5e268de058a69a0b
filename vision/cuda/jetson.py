"""What a Jetson tells about itself in files: its model, release and power mode; on any other machine, nothing."""

from pathlib import Path


def board_model(root: Path = Path("/")) -> str | None:
    """The board as the device tree calls it, such as "NVIDIA Jetson Orin Nano Developer Kit"."""
    text = _text(root / "proc/device-tree/model")
    return None if text is None else text.rstrip("\0")


def release(root: Path = Path("/")) -> str | None:
    """The first line of the release file of Jetson Linux, such as "# R36 (release), REVISION: 4.3, …"."""
    text = _text(root / "etc/nv_tegra_release")
    return None if text is None else text.splitlines()[0].lstrip("# ")


def power_mode(root: Path = Path("/")) -> str | None:
    """Number and name of the power mode that nvpmodel has set, such as "0 MAXN"; None where there is no nvpmodel."""
    status = _text(root / "var/lib/nvpmodel/status")
    if status is None:
        return None
    number = status.strip().rpartition(":")[2].lstrip("0") or "0"
    return f"{number} {_mode_name(root, int(number))}".strip()


def _mode_name(root: Path, number: int) -> str:
    """Such as MAXN, from lines like `< POWER_MODEL ID=0 NAME=MAXN >`."""
    for line in (_text(root / "etc/nvpmodel.conf") or "").splitlines():
        words = dict(word.partition("=")[::2] for word in line.split() if "=" in word)
        if line.strip().startswith("< POWER_MODEL") and words.get("ID") == str(number):
            return words.get("NAME", "")
    return ""


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip("\n")
    except OSError:
        return None
