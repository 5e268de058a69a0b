"""The second look of a bundle on OpenVINO."""

from typing import Any

import msgspec
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Bundle
from vision.detectors.openvino_network import compile_network, read_network, shape_of
from vision.second_look.namer import ItemNamer, Side, check_names_sides, wanted_second_look

_NUMBERS = {"u8": "uint8", "f32": "float32"}


def open_namer(bundle: Bundle, settings: DetectorSettings) -> ItemNamer | None:
    """Open a bundle's second look.

    It calculates in the floats that the settings ask for, and in f32 beside an INT8 form of the first network.

    Returns:
        None if the bundle has none, or the settings leave it out.

    Raises:
        BundleError: if OpenVINO cannot run it, or it is not what the bundle says.
    """
    second_look = wanted_second_look(bundle, settings)
    if second_look is None:
        return None
    path = bundle.folder / second_look.file
    model = read_network(bundle, path)
    check_names_sides(bundle, second_look, _side(model.input(0)), _side(model.output(0)))
    precision = "f32" if settings.precision == "int8" else settings.precision
    # one batch at a time, whatever the first network does, so all threads work at it
    alone = msgspec.structs.replace(settings, precision=precision, streams=1)
    run = _Run(compile_network(bundle, path, model, alone))
    return ItemNamer(bundle.manifest.network, second_look, len(bundle.manifest.classes), run)


class _Run:
    """An inference request for any number of squares."""

    def __init__(self, compiled: Any) -> None:
        self._request = compiled.create_infer_request()

    def __call__(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        # the tensor only looks at the squares, which are the caller's and stay for the whole call
        self._request.set_input_tensor(ov.Tensor(squares, shared_memory=True))
        self._request.infer()
        return np.array(self._request.get_output_tensor(0).data, np.float32)


def _side(side: Any) -> Side:
    number = side.get_element_type().get_type_name()
    return _NUMBERS.get(number, number), shape_of(side)
