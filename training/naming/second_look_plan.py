"""What a second look is made for, learns from, and how; it is in the run folder, where a resumed run finds it."""

from pathlib import Path

import msgspec

from sorter.errors import BadInputError
from training.data.whole_folder import write_whole
from training.naming.lot import Shares
from training.naming.teaching_settings import Lessons
from training.run_settings import Inputs, absolute
from vision.second_look.cutting import Framing

PLAN_NAME = "second-look.json"


class SecondLookPlan(msgspec.Struct, frozen=True):
    """What a second look is made for, learns from, and how.

    Attributes:
        bundle: whose boxes are looked at again.
        inputs: folders, cut-outs, test folder and notes; `weights` are those of the network on ImageNet.
        lessons: how long and how fast.
        shares: how many examples are not real labelled items.
        side_px: of the square that the network is shown on the line.
        taught_side_px: of the squares that it learns from. What was learned from items drawn nearer and further
            by lot is seen best a little larger (Touvron et al., "Fixing the train-test resolution discrepancy", NeurIPS
            2019), and learning from small squares is faster.
        framing: how that square shows the item.
        own_name_ratio: how much of the first network's own naming stays.
        certainty_ratio: how much the first network's certainty counts; see `vision.second_look.fusion`.
        held_out_ratio: share of the pictures, by capture session, kept out; as when the bundle was trained.
        device: where to learn.
        watts_per_core: for the energy, where the machine does not tell it.
        seed: of everything that is drawn by lot but for what is kept out, see `split_by_capture`.
    """

    bundle: Path
    inputs: Inputs
    lessons: Lessons = Lessons()
    shares: Shares = Shares()
    side_px: int = 256
    taught_side_px: int = 224
    framing: Framing = Framing(margin_ratio=1.1, squaring_ratio=0.5, surroundings_ratio=0.15)
    own_name_ratio: float = 0.15
    certainty_ratio: float = 0.4
    held_out_ratio: float = 0.1
    device: str = "auto"
    watts_per_core: float = 10.0
    seed: int = 0


def write_plan(run_folder: Path, plan: SecondLookPlan) -> None:
    """Write the plan into the run folder, made if missing, with whole paths.

    Raises:
        BadInputError: if the folder cannot be made.
        DataFolderError: if the file cannot be written.
    """
    whole = msgspec.structs.replace(plan, bundle=plan.bundle.resolve(), inputs=absolute(plan.inputs))
    try:
        run_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"--run {run_folder}: cannot be made: {error}") from error
    text = msgspec.json.format(msgspec.json.encode(whole, enc_hook=str), indent=2).decode()
    write_whole(run_folder / PLAN_NAME, f"{text}\n")


def read_plan(run_folder: Path) -> SecondLookPlan:
    """The plan of a run folder.

    Raises:
        BadInputError: if it is missing or malformed.
    """
    path = run_folder / PLAN_NAME
    if not path.is_file():
        raise BadInputError(f"--resume: no {PLAN_NAME} in {run_folder}; start the run without it")
    try:
        return msgspec.json.decode(path.read_bytes(), type=SecondLookPlan, dec_hook=lambda kind, value: kind(value))
    except (OSError, msgspec.DecodeError) as error:
        raise BadInputError(f"{path} cannot be read: {error}") from error
