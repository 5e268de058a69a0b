"""Networks on TensorRT: frames read where they lie, two in flight, only kept boxes brought back.

Which engine runs is chosen, built and proven by `tensorrt_opening`; the library's door is `tensorrt_library`, the
GPU's `vision.cuda.device`. Written for Jetson, and not yet run on a device.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec

from sorter.errors import BundleError
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Bundle
from vision.cuda.device import CudaDevice
from vision.cuda.graph import Launch, recorded
from vision.detectors.gpu_head import GpuHead
from vision.detectors.gpu_input import GpuInput
from vision.detectors.network import check_sides, placed
from vision.detectors.onnxruntime_namer import open_namer
from vision.detectors.tensorrt_library import Side, TensorRt
from vision.frame import Detections, Frame


class Traffic(msgspec.Struct, frozen=True):
    """Bytes that a detector has moved so far.

    Attributes:
        copied_bytes: of pictures that did not lie where the GPU reads; 0 on the way from the ring.
        read_bytes: of pictures, read by the kernel in place.
        written_bytes: into the network's input.
        returned_bytes: into memory that the host reads.
        frame_count: pictures laid.
    """

    copied_bytes: int
    read_bytes: int
    written_bytes: int
    returned_bytes: int
    frame_count: int


class TensorRtDetector:
    """One engine on the GPU.

    Attributes:
        choice_reason: see `Detector`; what else was found when the engine was opened is told there, too.
        second_look: see `Detector`; it runs on the CPU.
    """

    runtime = "tensorrt"

    def __init__(
        self,
        bundle: Bundle,
        settings: DetectorSettings,
        device: CudaDevice,
        library: TensorRt,
        engine: Any,
        precision: str,
    ) -> None:
        """Run an engine that is open.

        Args:
            bundle: whose network it is.
            settings: limits.
            device: the GPU.
            library: that has opened the engine.
            engine: of TensorRT.
            precision: what it was built for.

        Raises:
            BundleError: if it is not what the bundle says.
        """
        self.model_id = self.bundle_id = bundle.model_id
        self.class_names = bundle.manifest.classes
        self.precision = precision
        self.choice_reason = f"detector.precision is {settings.precision!r}"
        self.second_look = open_namer(bundle, settings)
        self._bundle = bundle
        self._settings = settings
        self._device = device
        # an engine must not outlive the library's runtime and logger
        self._library = library
        self._engine = engine
        with device.current():
            self._sides = library.sides(engine)
        self._check_sides()
        self._seats: list[Seat] = []
        self._first_seat = self.open_seat()

    @property
    def copied_count(self) -> int:
        """See `Detector`."""
        return sum(seat.input.copied_count for seat in self._seats)

    @property
    def traffic(self) -> Traffic:
        """What all seats together have moved."""
        inputs = [seat.input for seat in self._seats]
        return Traffic(
            sum(one.copied_bytes for one in inputs),
            sum(one.read_bytes for one in inputs),
            sum(one.written_bytes for one in inputs),
            sum(seat.head.byte_count * seat.laid_count for seat in self._seats),
            sum(seat.laid_count for seat in self._seats),
        )

    def moved_bytes(self) -> dict[str, float]:
        """See `CountsBytes`."""
        moved = self.traffic
        totals = {
            "copied": moved.copied_bytes,
            "read_in_place": moved.read_bytes,
            "written": moved.written_bytes,
            "returned": moved.returned_bytes,
        }
        return {f"{name}_bytes_per_frame": total / max(1, moved.frame_count) for name, total in totals.items()}

    def detect(self, frame: Frame) -> Detections:
        """Items in one picture; see `Detector`."""
        self._first_seat.lay(frame)
        return self._first_seat.look()

    def open_seat(self) -> "Seat":
        """One more place for a frame, with an execution context and a stream of its own; see `Detector`."""
        self._seats.append(Seat(self._device, self._engine, self._sides, self._bundle, self._settings))
        return self._seats[-1]

    def _check_sides(self) -> None:
        network_input, network_output = self._sides
        network = self._bundle.manifest.network
        size = (network.input_height_px, network.input_width_px)
        wanted = (1, *size, 3) if network.takes_uint8_bgr else (1, 3, *size)
        check_sides(self._bundle, network_input.shape, wanted, network_output.shape)
        if (network_input.number == "uint8") != network.takes_uint8_bgr or network_output.number != "float":
            raise BundleError(
                f"bundle {self._bundle.folder}: the network's input is {network_input.number} and its output "
                f"{network_output.number}, but the manifest means {'uint8' if network.takes_uint8_bgr else 'float'} "
                "and float"
            )


class Seat:
    """A frame's place; see `vision.detectors.detector.Seat`.

    Attributes:
        input: where its picture goes.
        head: where its answer comes from.
        laid_count: frames laid so far.
        stream: the queue of its work.
    """

    def __init__(
        self, device: CudaDevice, engine: Any, sides: tuple[Side, Side], bundle: Bundle, settings: DetectorSettings
    ) -> None:
        network, class_count = bundle.manifest.network, len(bundle.manifest.classes)
        self._device = device
        self.laid_count = 0
        self.stream, self._done = device.open_stream(), device.open_event()
        self.input = GpuInput(device, sides[0], network.fit, self.stream)
        self.head = GpuHead(device, sides[1], network, class_count, settings, self.stream)
        with device.current():
            self._context = engine.create_execution_context()
            for side, address in zip(sides, (self.input.address, self.head.address), strict=True):
                if not self._context.set_tensor_address(side.name, address):
                    raise BundleError(f"bundle {bundle.folder}: TensorRT takes no memory for {side.name!r}")
        self._graph: Launch | None = None
        self._run_count = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tensorrt")
        self._running: Future[None] | None = None

    def lay(self, frame: Frame) -> None:
        """See `Seat`; the kernel that fits the picture is under way when this returns."""
        with self._device.current():
            self.input.lay(frame.image)
        self.laid_count += 1

    def look(self) -> Detections:
        """Look at the frame on the caller's own thread."""
        self._run()
        return placed(self.head.read(), self.input.placement)

    def start(self, tell: Callable[[], None]) -> None:
        """See `Seat`."""
        self._running = self._thread.submit(self._run)
        self._running.add_done_callback(lambda _running: tell())

    def answer(self) -> Detections:
        """See `Seat`."""
        assert self._running is not None, "nothing was started"
        self._running.result()
        return placed(self.head.read(), self.input.placement)

    def _run(self) -> None:
        """Queue network and head, and sleep until the GPU is through."""
        with self._device.current():
            self._queue()
            self._done.record(self.stream)
            self._done.synchronize()

    def _queue(self) -> None:
        # TensorRT allocates at its first run, which cannot be recorded
        if self._run_count == 1:
            self._graph = recorded(self.stream.handle, self._queue_each)
        self._run_count += 1
        if self._graph is not None:
            self._graph()
        else:
            self._queue_each()

    def _queue_each(self) -> None:
        if not self._context.execute_async_v3(self.stream.handle):
            raise RuntimeError("TensorRT does not run the network; its own log says why")
        self.head.queue()
