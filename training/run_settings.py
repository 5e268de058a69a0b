"""What a training run learns from and how: written into the run folder, so that every later step finds it there."""

from pathlib import Path

import msgspec

from sorter.errors import BadInputError
from training.input_size import InputSize

SETTINGS_NAME = "run.json"
CHECKPOINT_NAME = "checkpoint.pt"
# Share of the pictures, by capture session, that a run keeps out unless told otherwise.
HELD_OUT_RATIO = 0.1


class Inputs(msgspec.Struct, frozen=True):
    """What a run learns from and is measured on.

    Attributes:
        data: labelled folders.
        weights: bundle or state dictionary to start from.
        cutouts: folder of RGBA cut-outs.
        cutout_classes: TOML that says which cut-out is of which class.
        test: labelled folder that is measured once, at the end.
        data_notes: text with a line of origin and licence per data set.
    """

    data: tuple[Path, ...]
    weights: Path | None = None
    cutouts: Path | None = None
    cutout_classes: Path | None = None
    test: Path | None = None
    data_notes: Path | None = None

    @property
    def recorded(self) -> tuple[Path, ...]:
        """Folders and files whose hashes a run's record keeps."""
        single = (self.weights, self.cutouts, self.cutout_classes, self.test)
        return (*self.data, *(path for path in single if path is not None))


class RunSettings(msgspec.Struct, frozen=True):
    """How a run learns.

    Attributes:
        epoch_count: most epochs.
        pictures_per_epoch: pictures in each.
        size: of the network's input.
        architecture: Ultralytics' configuration of the network.
        device: see `training.fitting.devices.places`.
        patience_epochs: stop when the pictures kept out have got no better for so long; None: never.
        peak_rate_ratio: highest learning rate.
        frozen_layer_count: layers, from the first, that keep the weights they start with.
        small_epoch_ratio: share of the epochs, from the first, that see smaller pictures.
        belt_ratio: share of pictures that are the program's own belts.
        tiled_ratio: share of the others that are four laid together.
        mirrored_view: whether the network in the bundle sees each picture mirrored too; training itself is the same.
        held_out_ratio: share of the pictures kept out for calibration.
        watts_per_core: power of a busy processor core, for the energy of training where none can be read.
        seed: of everything that is drawn by lot but for what is kept out, see `split_by_capture`.
    """

    epoch_count: int
    pictures_per_epoch: int
    size: InputSize
    architecture: str = "yolov5n.yaml"
    device: str = "auto"
    patience_epochs: int | None = None
    peak_rate_ratio: float = 0.001
    frozen_layer_count: int = 0
    small_epoch_ratio: float = 0.6
    belt_ratio: float = 0.1
    tiled_ratio: float = 0.25
    mirrored_view: bool = False
    held_out_ratio: float = HELD_OUT_RATIO
    watts_per_core: float = 10.0
    seed: int = 0


class TrainingPlan(msgspec.Struct, frozen=True):
    """Inputs and settings of one run, as its folder keeps them."""

    inputs: Inputs
    settings: RunSettings


def extended(plan: TrainingPlan, epoch_count: int) -> TrainingPlan:
    """The same plan with more epochs, as many of them with smaller pictures as before.

    Raises:
        BadInputError: if they are not more.
    """
    settings = plan.settings
    if epoch_count <= settings.epoch_count:
        raise BadInputError(f"--extend-to {epoch_count}: the run has {settings.epoch_count} epochs already")
    small_epoch_ratio = settings.small_epoch_ratio * settings.epoch_count / epoch_count
    longer = msgspec.structs.replace(settings, epoch_count=epoch_count, small_epoch_ratio=small_epoch_ratio)
    return TrainingPlan(plan.inputs, longer)


def write_plan(run_folder: Path, plan: TrainingPlan) -> None:
    """Write run.json into the run folder, made if missing.

    Raises:
        BadInputError: if it cannot be written.
    """
    whole = msgspec.structs.replace(plan, inputs=absolute(plan.inputs))
    try:
        run_folder.mkdir(parents=True, exist_ok=True)
        text = msgspec.json.encode(whole, enc_hook=str)
        (run_folder / SETTINGS_NAME).write_bytes(msgspec.json.format(text, indent=2) + b"\n")
    except OSError as error:
        raise BadInputError(f"--run {run_folder}: cannot be written: {error}") from error


def read_plan(run_folder: Path) -> TrainingPlan:
    """Read run.json of a run folder.

    Raises:
        BadInputError: if it is missing or malformed.
    """
    path = run_folder / SETTINGS_NAME
    if not path.is_file():
        raise BadInputError(f"{run_folder}: no {SETTINGS_NAME} there; `farz train fit` starts a run and writes it")
    try:
        return msgspec.json.decode(path.read_bytes(), type=TrainingPlan, dec_hook=_as_path)
    except (OSError, msgspec.DecodeError) as error:
        raise BadInputError(f"{path} cannot be read: {error}") from error


def absolute(inputs: Inputs) -> Inputs:
    """The same inputs by whole paths, wherever the program is started from later."""

    def whole(path: Path | None) -> Path | None:
        return None if path is None else path.resolve()

    return Inputs(
        tuple(path.resolve() for path in inputs.data),
        whole(inputs.weights),
        whole(inputs.cutouts),
        whole(inputs.cutout_classes),
        whole(inputs.test),
        whole(inputs.data_notes),
    )


def _as_path(kind: type, value: object) -> object:
    return kind(value)
