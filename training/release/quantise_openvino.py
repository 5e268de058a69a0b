"""The INT8 form for OpenVINO, by NNCF's post-training quantisation; the lab's door to NNCF."""

import contextlib
import io
import logging
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.average_precision import PictureResult
from training.release.quantise_layers import Rung, kept_in_floats
from training.release.quantise_limits import Limits, drop_between, worth_of
from training.release.quantise_pictures import Detect, InputFiller, JudgedSet, judge_one
from training.synthesis.pixels import read_picture
from vision.detectors.openvino_core import openvino_core

# How many groups of layers accuracy control may give their floats back, and the pictures it ranks them by.
_MOST_RESTORED_GROUPS = 6
_RANKING_PICTURES = 40


def float_model(onnx_path: Path) -> Any:
    """The network as OpenVINO reads it, with what is constant computed once: biases then are plain numbers."""
    from openvino.passes import ConstantFolding, Manager

    model = openvino_core().read_model(str(onnx_path))
    passes = Manager()
    passes.register_pass(ConstantFolding())
    passes.run_passes(model)
    return model


def layer_names(model: Any) -> list[str]:
    """Names of a model's layers, in the order of execution."""
    return [str(one.get_friendly_name()) for one in model.get_ordered_ops() if one.get_type_name() != "Constant"]


def quantised_model(
    onnx_path: Path, inputs: Sequence[NDArray[np.generic]], rung: Rung, judge: "ControlJudge | None"
) -> Any:
    """An INT8 OpenVINO model: unsigned activations with a zero point, signed weights per channel.

    Args:
        onnx_path: the float network.
        inputs: of calibration pictures.
        rung: which layers keep their floats.
        judge: asked by accuracy control, on rungs that have it; None on the others.
    """
    model = float_model(onnx_path)
    with _quiet_nncf() as nncf:
        options: dict[str, Any] = {
            "preset": nncf.QuantizationPreset.MIXED,
            "subset_size": len(inputs),
            "ignored_scope": nncf.IgnoredScope(names=kept_in_floats(layer_names(model), rung), validate=False),
        }
        calibration = nncf.Dataset(inputs)
        if judge is None:
            return nncf.quantize(model, calibration, **options)
        restoring = nncf.AdvancedAccuracyRestorerParameters(
            max_num_iterations=_MOST_RESTORED_GROUPS, ranking_subset_size=_RANKING_PICTURES, num_ranking_workers=1
        )
        control = nncf.Dataset(range(len(judge)), judge.input)
        return nncf.quantize_with_accuracy_control(
            model, calibration, control, judge, max_drop=1.0, advanced_accuracy_restorer_parameters=restoring, **options
        )


def save_model(model: Any, path: Path) -> tuple[Path, Path]:
    """Write a model as path.xml and path.bin; floats stay 32 bits wide."""
    import openvino as ov

    ov.save_model(model, str(path.with_suffix(".xml")), compress_to_fp16=False)
    return path.with_suffix(".xml"), path.with_suffix(".bin")


class ControlJudge:
    """Tells accuracy control how good a model is: 1 less the drop nearest to its limit, as a share of that limit.

    So one number holds mAP50 and every class; the reference has 1, and 0 is just within the limits.
    """

    def __init__(self, control: JudgedSet, reference: Detect, filler: InputFiller, limits: Limits) -> None:
        """Detect with the reference.

        Args:
            control: labelled pictures.
            reference: the network in true float32.
            filler: of the network's bundle.
            limits: the drops allowed.
        """
        self._control = control
        self._filler = filler
        self._limits = limits
        self._reference = [judge_one(one, reference) for one in control.pictures]

    def __len__(self) -> int:
        return len(self._control.pictures)

    def input(self, index: int) -> NDArray[np.generic]:
        """Network input of a control picture."""
        return self._filler.filled(read_picture(self._control.pictures[index].path))

    def __call__(self, compiled: Any, indices: Iterable[int]) -> tuple[float, None]:
        """As NNCF asks: a compiled model and the pictures to judge it on."""
        chosen = list(indices)
        detect = self._filler.detect_by(lambda picture: np.asarray(compiled(picture)[0], np.float32))
        results = [judge_one(self._control.pictures[index], detect) for index in chosen]
        return 1.0 - self._share(chosen, results), None

    def _share(self, chosen: Sequence[int], results: Sequence[PictureResult]) -> float:
        reference = worth_of([self._reference[index] for index in chosen], self._control.classes)
        return drop_between(reference, worth_of(results, self._control.classes), self._limits).share_of_limit


@contextlib.contextmanager
def _quiet_nncf() -> Iterator[Any]:
    """NNCF with its bars, notes and warnings kept off standard output, which is for the report."""
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    bars = sys.stderr if sys.stderr.isatty() else io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(bars):
        warnings.simplefilter("ignore")
        ours = logging.getLoggerClass()
        import nncf

        # NNCF puts its own class in the place of every later logger, and its set_log_level silences the root's handlers
        logging.setLoggerClass(ours)
        logging.getLogger("nncf").setLevel(logging.ERROR)
        yield nncf
