"""Stand-ins for libgpiod where there is no GPIO chip."""

from pathlib import Path
from types import SimpleNamespace

LABELS = {"gpiochip0": "tegra234-gpio", "gpiochip1": "tegra234-gpio-aon"}


class PlayedChip:
    """A chip whose lines are numbered as they are asked for."""

    def __init__(self, path: str) -> None:
        self.label = LABELS[Path(path).name]

    def __enter__(self) -> object:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get_info(self) -> SimpleNamespace:
        return SimpleNamespace(label=self.label)

    def line_offset_from_id(self, name: str) -> int:
        if name == "nowhere":
            raise FileNotFoundError(2, "line not found")
        return sum(name.encode())
