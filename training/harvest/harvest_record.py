"""harvest.json: why each picture of a folder was kept; it goes out with the pictures and comes back with the labels."""

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from sorter.errors import DataFolderError
from training.data.whole_folder import write_whole
from training.harvest.harvest_folder import Harvested, classes_of
from vision.harvest.choice import Reason

HARVEST_RECORD = "harvest.json"
_BIAS = (
    "Pictures were kept for a reason, so together they are no sample of what the line sees: only those kept for the "
    "reason `random` estimate how good a model is on the site. Judge on them alone, or weigh by reason."
)


class HarvestEntry(msgspec.Struct, frozen=True):
    """One picture: why and when it was kept, and by which model its pre-labels were made."""

    file: str
    reason: Reason
    session: str
    kept_at: str
    line_name: str
    model_id: str
    recipe_hash: str


class HarvestRecord(msgspec.Struct, frozen=True):
    """All pictures of a folder, and the classes that a labeller is offered."""

    classes: tuple[str, ...]
    pictures: tuple[HarvestEntry, ...]
    note: str = _BIAS
    format_version: int = 1

    @property
    def reason_of(self) -> dict[str, Reason]:
        """Why each picture was kept, by file name: what an evaluation weighs by."""
        return {entry.file: entry.reason for entry in self.pictures}


def record_of(pictures: Collection[Harvested]) -> HarvestRecord:
    """The record of kept pictures."""
    return HarvestRecord(classes_of(pictures), tuple(_entry(one) for one in pictures))


def part_of(record: HarvestRecord, file_names: Iterable[str]) -> HarvestRecord:
    """The record of some of the pictures."""
    wanted = set(file_names)
    return msgspec.structs.replace(record, pictures=tuple(one for one in record.pictures if one.file in wanted))


def write_record(folder: Path, record: HarvestRecord) -> None:
    """Write harvest.json into a folder.

    Raises:
        DataFolderError: if it cannot be written.
    """
    write_whole(folder / HARVEST_RECORD, msgspec.json.format(msgspec.json.encode(record), indent=1).decode() + "\n")


def read_record(folder: Path) -> HarvestRecord:
    """Read a folder's harvest.json.

    Raises:
        DataFolderError: if it is missing or malformed.
    """
    path = folder / HARVEST_RECORD
    try:
        return msgspec.json.decode(path.read_bytes(), type=HarvestRecord)
    except FileNotFoundError as error:
        raise DataFolderError(f"{folder}: no {HARVEST_RECORD} there; `farz harvest export` writes one") from error
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataFolderError(f"{path} cannot be read: {error}") from error


def sheet_section(record: HarvestRecord) -> str:
    """What the data sheet says of how the pictures were chosen."""
    counts = Counter(entry.reason.value for entry in record.pictures)
    rows = "\n".join(f"| {reason.value} | {counts[reason.value]} |" for reason in Reason)
    models = ", ".join(sorted({entry.model_id for entry in record.pictures}))
    return (
        f"## How the pictures were chosen\n\n{record.note}\n\n| reason | pictures |\n| --- | ---: |\n{rows}\n\n"
        f"The labels began as pre-labels of {models}, and were corrected by people: what a labeller overlooked leans "
        "towards what that model believed.\n"
    )


def _entry(one: Harvested) -> HarvestEntry:
    kept = one.kept
    return HarvestEntry(
        one.path.name, kept.reason, kept.session, kept.kept_at, kept.line_name, kept.model_id, kept.recipe_hash
    )
