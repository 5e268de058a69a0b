"""What a network on the GPU has found, thinned there: only the boxes that are kept reach memory that the host reads."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Network
from vision.cuda.device import CudaDevice
from vision.detectors.heads import Candidates
from vision.detectors.tensorrt_library import Side

_WORD_BITS = 64


class GpuHead:
    """The output of one execution context, and the kernels behind it; see `vision.detectors.heads` for what they do.

    Attributes:
        address: of the network's output, on the GPU.
        byte_count: what a frame writes into memory that the host reads.
    """

    def __init__(
        self,
        device: CudaDevice,
        side: Side,
        network: Network,
        class_count: int,
        settings: DetectorSettings,
        stream: Any,
    ) -> None:
        self._device = device
        self._stream = stream
        self._settings = settings
        self._class_count = class_count
        # `raw`: (1, 4 + C, A); `end_to_end`: (1, K, 6)
        self._place_count = side.shape[2] if network.head == "raw" else side.shape[1]
        self._word_count = -(-self._place_count // _WORD_BITS)
        self._limit = min(settings.max_detections, self._place_count)
        self._output = device.allocate(4 * side.shape[1] * side.shape[2])
        self._scratch = {name: device.allocate(size) for name, size in self._scratch_sizes(network.head).items()}
        self._kept_count = device.mapped_empty((1,), np.int32)
        self._boxes = device.mapped_empty((self._limit, 4), np.float32)
        self._class_probs = device.mapped_empty((self._limit, class_count), np.float32)
        self.address = int(self._output)
        self.byte_count = self._kept_count.nbytes + self._boxes.nbytes + self._class_probs.nbytes
        self.queue: Callable[[], None] = self._queue_raw if network.head == "raw" else self._queue_rows

    def read(self) -> Candidates:
        """What was kept, best first; only after the stream has come past the kernels."""
        count = int(self._kept_count[0])
        return Candidates(np.array(self._boxes[:count]), np.array(self._class_probs[:count]))

    def _scratch_sizes(self, head: str) -> dict[str, int]:
        sizes = {"count": 4} | dict.fromkeys(("scores", "anchors", "order"), 4 * self._place_count)
        if head == "raw":
            sizes |= {
                "overlapping": 8 * self._word_count * self._place_count, "gone": 8 * self._word_count,
                "kept": 4 * self._limit,
            }  # fmt: skip
        return sizes

    def _queue_raw(self) -> None:
        count, order, places = self._at("count"), self._at("order"), self._place_count
        threshold, overlap = self._settings.score_threshold, self._settings.nms_iou_ratio
        self._launch("farz_clear", 1, count)
        self._launch(
            "farz_select", places,
            self.address, places, self._class_count, threshold, count, self._at("scores"), self._at("anchors"),
        )  # fmt: skip
        self._launch("farz_rank", places, count, self._at("scores"), self._at("anchors"), order)
        self._launch(
            "farz_overlap", places * self._word_count,
            count, self.address, places, order, overlap, self._word_count, self._at("overlapping"),
        )  # fmt: skip
        self._launch(
            "farz_sweep", 1, count, order, self._limit, self._word_count, self._at("overlapping"), self._at("gone"),
            self._seen(self._kept_count), self._at("kept"),
        )  # fmt: skip
        self._launch(
            "farz_gather", self._limit, self._seen(self._kept_count), self._at("kept"), self.address, places,
            self._class_count, self._seen(self._boxes), self._seen(self._class_probs),
        )  # fmt: skip

    def _queue_rows(self) -> None:
        count, order, places = self._at("count"), self._at("order"), self._place_count
        self._launch("farz_clear", 1, count)
        self._launch(
            "farz_select_rows", places,
            self.address, places, self._settings.score_threshold, count, self._at("scores"), self._at("anchors"),
        )  # fmt: skip
        self._launch("farz_rank", places, count, self._at("scores"), self._at("anchors"), order)
        self._launch(
            "farz_gather_rows", self._limit, count, order, self.address, self._limit, self._class_count,
            self._seen(self._kept_count), self._seen(self._boxes), self._seen(self._class_probs),
        )  # fmt: skip

    def _launch(self, name: str, thread_count: int, *arguments: float) -> None:
        self._device.launch(name, thread_count, self._stream, *arguments)

    def _at(self, name: str) -> int:
        return int(self._scratch[name])

    def _seen(self, array: Any) -> int:
        pointer = self._device.pointer_of(array)
        assert pointer is not None, "a buffer for results is not where the GPU writes"
        return pointer
