"""Networks on ONNX Runtime, a second opinion on every CPU."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import ONNX_F16_FORM, ONNX_QDQ_FORM, Bundle
from vision.detectors.forms import Form, chosen_form
from vision.detectors.network import NetworkPort
from vision.detectors.onnxruntime_namer import open_namer
from vision.detectors.onnxruntime_session import open_session, shape_of
from vision.detectors.precision import check_is_known
from vision.frame import Detections, Frame

_PRECISIONS = {ONNX_QDQ_FORM: "int8-emulated", ONNX_F16_FORM: "f16-emulated"}


class OnnxRuntimeDetector:
    """One network on the CPU, in 32-bit numbers or on values rounded to 8 bits.

    The Q/DQ form is laid out for TensorRT. ONNX Runtime rounds the same values to 8 bits but multiplies most of them as
    floats: that is called "int8-emulated", and is a check of the form's figures rather than a way to more speed.

    Attributes:
        second_look: see `Detector`.
    """

    runtime = "onnxruntime"

    def __init__(self, bundle: Bundle, settings: DetectorSettings, form: Form | None = None) -> None:
        """Read the network.

        Args:
            bundle: whose network is run.
            settings: precision, threads and limits.
            form: of the network; if left out, what the precision asks for.

        Raises:
            ConfigurationError: if other numbers than f32 and int8 are asked for.
            BundleError: if ONNX Runtime cannot run the network, or it is not what the bundle says.
        """
        check_is_known(settings, known_precisions())
        self.model_id = self.bundle_id = bundle.model_id
        self.class_names = bundle.manifest.classes
        form = form or chosen_form(bundle, settings)
        self.precision = _PRECISIONS.get(form.name, "f32")
        self.choice_reason = f"detector.precision is {settings.precision!r}"
        self._open_port = partial(NetworkPort, bundle, settings, form)
        self.second_look = open_namer(bundle, settings)
        self._seats: list[_Seat] = []
        self._session = open_session(bundle, form.path, settings)
        network_input, network_output = self._session.get_inputs()[0], self._session.get_outputs()[0]
        self._open_port().check_shapes(shape_of(network_input), shape_of(network_output))
        self._input_name, self._output_names = network_input.name, [network_output.name]
        # no more runs at a time than share the threads of the session out
        self._worker = ThreadPoolExecutor(max_workers=settings.streams, thread_name_prefix="onnxruntime")
        self._first_seat = self.open_seat()

    def detect(self, frame: Frame) -> Detections:
        """Items in one picture; see `Detector`."""
        self._first_seat.lay(frame)
        return self._first_seat.look()

    @property
    def copied_count(self) -> int:
        """See `Detector`."""
        return sum(seat.port.copied_count for seat in self._seats)

    def open_seat(self) -> "_Seat":
        """One more place for a frame; see `Detector`."""
        self._seats.append(_Seat(self._open_port(), self._run, self._worker))
        return self._seats[-1]

    def _run(self, values: NDArray[Any]) -> NDArray[np.float32]:
        (output,) = self._session.run(self._output_names, {self._input_name: values})
        return np.asarray(output, np.float32)


def known_precisions() -> tuple[str, ...]:
    """What may be asked for."""
    return ("f32", "int8")


class _Seat:
    """A frame's place; see `Seat`. The session is run by a thread, since ONNX Runtime has the caller wait."""

    def __init__(
        self, port: NetworkPort, run: Callable[[NDArray[Any]], NDArray[np.float32]], worker: ThreadPoolExecutor
    ) -> None:
        self.port = port
        self._run = run
        self._worker = worker
        self._values: NDArray[Any] = np.zeros(0, np.uint8)
        self._answer: Future[Detections] | None = None

    def lay(self, frame: Frame) -> None:
        """See `Seat`."""
        self._values = self.port.input_of(frame)

    def look(self) -> Detections:
        """Look at the frame on the caller's own thread."""
        return self.port.detections(self._run(self._values))

    def start(self, tell: Callable[[], None]) -> None:
        """See `Seat`."""
        self._answer = self._worker.submit(self.look)
        self._answer.add_done_callback(lambda _answer: tell())

    def answer(self) -> Detections:
        """See `Seat`."""
        assert self._answer is not None, "nothing was started"
        return self._answer.result()
