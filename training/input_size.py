"""The size of a network's input, square or wide; what needs no torch may ask for it."""

import re

import msgspec

from sorter.errors import BadInputError

STRIDE_PX = 32
_WRITTEN = re.compile(r"^(\d{1,5})(?:[xX×](\d{1,5}))?$")


class InputSize(msgspec.Struct, frozen=True):
    """Size of a network's input; both sides are multiples of the network's largest stride."""

    width_px: int
    height_px: int

    @classmethod
    def of(cls, size_px: "int | tuple[int, int] | InputSize") -> "InputSize":
        """A side in px means a square, a pair is width and height.

        Raises:
            BadInputError: if a side is no positive multiple of the stride.
        """
        if isinstance(size_px, InputSize):
            return size_px
        width_px, height_px = (size_px, size_px) if isinstance(size_px, int) else size_px
        if min(width_px, height_px) < STRIDE_PX or width_px % STRIDE_PX or height_px % STRIDE_PX:
            raise BadInputError(
                f"input size {width_px}x{height_px}: width and height must be multiples of {STRIDE_PX} px, "
                f"at least {STRIDE_PX}"
            )
        return cls(width_px, height_px)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(1, height, width, 3), as pictures lie in memory."""
        return 1, self.height_px, self.width_px, 3

    @property
    def side_px(self) -> int:
        """Side of the square with as many pixels, rounded: the size that training pictures are made at."""
        side_px: int = round((self.width_px * self.height_px) ** 0.5)
        return side_px

    def scaled(self, side_ratio: float, stride_px: int = STRIDE_PX) -> "InputSize":
        """The size with both sides multiplied, rounded to what the network's strides allow."""
        sides = (max(stride_px, round(side * side_ratio / stride_px) * stride_px) for side in self.sides_px)
        return InputSize(*sides)

    @property
    def sides_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.width_px, self.height_px


def read_size(text: str) -> InputSize:
    """The size that "512" or "640x384" means.

    Raises:
        BadInputError: if the text is neither, or a side is no multiple of the stride.
    """
    found = _WRITTEN.match(text)
    if found is None:
        raise BadInputError(f"--size-px {text}: give a side in px such as 512, or width and height such as 640x384")
    return InputSize.of((int(found.group(1)), int(found.group(2) or found.group(1))))
