"""The line's pipeline and its bare network, opened once for each precision and number of streams that may be run."""

import itertools

import msgspec
import numpy as np

from sorter.model.settings import DetectorSettings, Settings
from sorter.runtime.bundle import OPENVINO_INT8_FORM, bundle_for
from sorter.runtime.configuration import merged_tables, settings_from
from training.benchmarks.footage import Footage
from training.benchmarks.pipeline_run import PipelineRun
from training.benchmarks.raw_network import raw_period_ms
from vision.detectors import open_detector
from vision.detectors.openvino_detector import OpenVinoDetector

_STREAM_COUNTS = (1, 2)


class OurRun(msgspec.Struct, frozen=True):
    """The pipeline on footage, and the detector in it.

    Attributes:
        stream_count: pictures that the network looks at at a time.
    """

    pipeline: PipelineRun
    detector: OpenVinoDetector
    stream_count: int

    @property
    def precision(self) -> str:
        """What the network is executed in."""
        return self.detector.precision

    @property
    def name(self) -> str:
        """Precision, and streams where there are several."""
        return self.precision if self.stream_count == 1 else f"{self.precision}_{self.stream_count}_streams"

    def raw_ms(self, run_count: int) -> float:
        """Milliseconds from one answer of the same compiled network to the next."""
        side = self.detector.compiled.input(0)
        shape = [size.get_length() for size in side.get_partial_shape()]
        return raw_period_ms(self.detector.compiled, np.full(shape, 100, side.get_element_type().to_dtype()), run_count)


def open_runs(settings: Settings, footage: Footage) -> list[OurRun]:
    """What a line runs by default, then f32 and whatever else the bundle's own figures vouch for, each once."""
    runs: list[OurRun] = []
    for precision, stream_count in itertools.product(_precisions(settings), _STREAM_COUNTS):
        # the peers have no second look; what it costs is told apart
        ours = _with(settings, {"precision": precision, "streams": stream_count, "second_look": False})
        detector = open_detector(ours)
        assert isinstance(detector, OpenVinoDetector), "the bench runs what runs by default"
        run = OurRun(PipelineRun(ours, footage, detector), detector, stream_count)
        if run.name not in {other.name for other in runs}:
            runs.append(run)
    return runs


def _precisions(settings: Settings) -> list[str]:
    has_int8 = OPENVINO_INT8_FORM in bundle_for(settings).manifest.forms
    vouched_for = ["f32", *(["int8"] if has_int8 else []), "auto"]
    return list(dict.fromkeys([DetectorSettings().precision, *vouched_for]))


def _with(settings: Settings, detector: dict[str, object]) -> Settings:
    return settings_from(merged_tables(msgspec.to_builtins(settings), {"detector": detector}))
