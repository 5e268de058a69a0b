"""Networks on OpenVINO, the default on x86 and Arm; the door to its library."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino.preprocess import ColorFormat, PrePostProcessor

from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Bundle
from vision.detectors.forms import Form, chosen_form
from vision.detectors.network import NetworkPort
from vision.detectors.openvino_namer import open_namer
from vision.detectors.openvino_network import compile_network, known_precisions, read_network, shape_of
from vision.detectors.precision import check_is_known
from vision.frame import Detections, Frame

_WHOLE_NUMBERS = {"i8", "u8"}


class OpenVinoDetector:
    """One network, compiled for `detector.streams` pictures at a time.

    Attributes:
        compiled: the network as OpenVINO runs it, so that a bench can run it alone.
        second_look: see `Detector`.
    """

    runtime = "openvino"

    def __init__(self, bundle: Bundle, settings: DetectorSettings, form: Form | None = None) -> None:
        """Read and compile the network.

        Args:
            bundle: whose network is run.
            settings: precision, threads and limits.
            form: of the network; if left out, what the precision asks for.

        Raises:
            ConfigurationError: if this machine cannot calculate in the precision that is asked for.
            BundleError: if OpenVINO cannot run the network, or it is not what the bundle says.
        """
        check_is_known(settings, known_precisions())
        self.model_id = self.bundle_id = bundle.model_id
        self.class_names = bundle.manifest.classes
        form = form or chosen_form(bundle, settings)
        model = read_network(bundle, form.path)
        self._open_port = partial(NetworkPort, bundle, settings, form)
        self._open_port().check_shapes(shape_of(model.input(0)), shape_of(model.output(0)))
        if not bundle.manifest.network.takes_uint8_bgr:
            model = _taking_uint8_bgr(model)
        self.compiled = compile_network(bundle, form.path, model, settings)
        self.precision = _real_precision(self.compiled)
        self.choice_reason = f"detector.precision is {settings.precision!r}"
        self.second_look = open_namer(bundle, settings)
        self._seats: list[_Seat] = []
        self._first_seat = self.open_seat()

    @property
    def copied_count(self) -> int:
        """See `Detector`."""
        return sum(seat.port.copied_count for seat in self._seats)

    def detect(self, frame: Frame) -> Detections:
        """Items in one picture; see `Detector`."""
        self._first_seat.lay(frame)
        return self._first_seat.look()

    def open_seat(self) -> "_Seat":
        """One more place for a frame; see `Detector`."""
        self._seats.append(_Seat(self.compiled, self._open_port()))
        return self._seats[-1]


class _Seat:
    """An inference request that reads the ring's slots and writes into an array of its own; see `Seat`."""

    def __init__(self, compiled: Any, port: NetworkPort) -> None:
        self.port = port
        self._request = compiled.create_infer_request()
        self._picture: NDArray[np.uint8] | None = None
        self._output: NDArray[np.float32] | None = None
        if compiled.output(0).get_partial_shape().is_static:
            self._output = np.empty(tuple(compiled.output(0).shape), np.float32)
            self._request.set_output_tensor(ov.Tensor(self._output, shared_memory=True))

    def lay(self, frame: Frame) -> None:
        """See `Seat`."""
        self._picture = self.port.picture_of(frame)  # the tensor looks at it, so it must live
        self._request.set_input_tensor(ov.Tensor(self._picture, shared_memory=True))

    def look(self) -> Detections:
        """Look at the frame and wait for the answer."""
        self._request.infer()
        return self._read()

    def start(self, tell: Callable[[], None]) -> None:
        """See `Seat`."""
        self._request.set_callback(lambda _nothing: tell(), None)
        self._request.start_async()

    def answer(self) -> Detections:
        """See `Seat`."""
        self._request.wait()
        return self._read()

    def _read(self) -> Detections:
        output = self._output
        if output is None:
            output = np.asarray(self._request.get_output_tensor(0).data, np.float32)
        return self.port.detections(output)


def _taking_uint8_bgr(model: Any) -> Any:
    """The network with scaling, colour order and layout put before its float input, so that it reads slots as they are.

    Resizing stays outside: in the graph it takes several times as long as OpenCV does.
    """
    prepared = PrePostProcessor(model)
    side = prepared.input()
    side.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_color_format(ColorFormat.BGR)
    side.model().set_layout(ov.Layout("NCHW"))
    side.preprocess().convert_element_type(ov.Type.f32).convert_color(ColorFormat.RGB).scale(255.0)
    return prepared.build()


def _real_precision(compiled: Any) -> str:
    """What most convolutions are executed in, as the compiled network says; the float type where it has none."""
    executed = [node.get_rt_info() for node in compiled.get_runtime_model().get_ops()]
    kinds = Counter(info["runtimePrecision"].astype(str) for info in executed if _is_convolution(info))
    if not kinds:
        return str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
    commonest = kinds.most_common(1)[0][0]
    return "int8" if commonest in _WHOLE_NUMBERS else commonest


def _is_convolution(info: Any) -> bool:
    return bool(info["layerType"].astype(str) == "Convolution")
