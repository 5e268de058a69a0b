"""Which layers of a network keep their floats: what decodes boxes and the stem always, then the head, then more."""

import re
from collections.abc import Iterable, Sequence

import msgspec

# Ultralytics numbers its modules; the last one is the detection head, whose cv2 gives boxes and cv3 gives classes.
_MODULE = re.compile(r"/model\.(\d+)/")
# The first three modules see grey levels and edges. In 8 bits they alone make half of all that the network then errs in
# its probabilities (measured on YOLOv5n; the whole head makes next to nothing of it), more than mAP50 is able to show.
_STEM = r".*/model\.[012]/"
# Here the boxes and probabilities of both views become one, see `training.release.mirrored_view`.
_VIEWS = r"/views/"


class Rung(msgspec.Struct, frozen=True):
    """One way to quantise.

    Attributes:
        name: what keeps its floats.
        float_layers: regular expressions; a layer whose name one of them matches from its start is not quantised.
        is_controlled: whether further layers are given their floats back until the drop is within its limits.
    """

    name: str
    float_layers: tuple[str, ...]
    is_controlled: bool = False


_NOTHING = Rung("nothing in floats", ())


def rungs_for(layer_names: Iterable[str]) -> tuple[Rung, ...]:
    """Ways to quantise a network, from the fastest to the safest.

    Args:
        layer_names: of the whole network.
    """
    head = _head(layer_names)
    if head is None:
        return _NOTHING, Rung("layers chosen by accuracy control in floats", (), True)
    return (
        Rung("box decoding and stem in floats", (*_decoding(head), _STEM)),
        Rung("head and stem in floats", (head, _VIEWS, _STEM)),
        Rung("head, stem, and layers chosen by accuracy control, in floats", (head, _VIEWS, _STEM), is_controlled=True),
    )


def half_rung(layer_names: Iterable[str]) -> Rung:
    """The one way to 16-bit floats: what decodes boxes keeps its own."""
    head = _head(layer_names)
    return _NOTHING if head is None else Rung("box decoding in floats", _decoding(head))


def kept_in_floats(layer_names: Sequence[str], rung: Rung) -> list[str]:
    """The layers that a rung leaves alone, in the network's order."""
    patterns = [re.compile(one) for one in rung.float_layers]
    return [name for name in layer_names if any(pattern.match(name) for pattern in patterns)]


def _head(layer_names: Iterable[str]) -> str | None:
    """The detection head's layers; None: the network's modules have no numbers."""
    numbers = [int(found.group(1)) for name in layer_names if (found := _MODULE.search(name))]
    return rf".*/model\.{max(numbers)}/" if numbers else None


def _decoding(head: str) -> tuple[str, ...]:
    """What makes boxes in pixels, which 8 or 16 bits are too few for."""
    return rf"{head}(?!cv[23]\.)", _VIEWS
