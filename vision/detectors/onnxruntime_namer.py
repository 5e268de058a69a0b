"""The second look of a bundle on ONNX Runtime: on the CPU also where the first network has a GPU."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Bundle
from vision.detectors.onnxruntime_session import open_session, shape_of
from vision.second_look.namer import ItemNamer, Side, check_names_sides, wanted_second_look

_NUMBERS = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}


def open_namer(bundle: Bundle, settings: DetectorSettings) -> ItemNamer | None:
    """Open a bundle's second look, in f32 whatever the first network calculates in.

    Returns:
        None if the bundle has none, or the settings leave it out.

    Raises:
        BundleError: if ONNX Runtime cannot run it, or it is not what the bundle says.
    """
    second_look = wanted_second_look(bundle, settings)
    if second_look is None:
        return None
    session = open_session(bundle, bundle.folder / second_look.file, settings)
    network_input, network_output = session.get_inputs()[0], session.get_outputs()[0]
    check_names_sides(bundle, second_look, _side(network_input), _side(network_output))
    input_name, output_names = network_input.name, [network_output.name]

    def run(squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        (names,) = session.run(output_names, {input_name: squares})
        return np.asarray(names, np.float32)

    return ItemNamer(bundle.manifest.network, second_look, len(bundle.manifest.classes), run)


def _side(side: Any) -> Side:
    return _NUMBERS.get(side.type, side.type), shape_of(side)
