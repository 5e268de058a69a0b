"""Reading a folder that the line kept pictures in; the line writes it, see `vision.harvest`."""

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from sorter.errors import DataFolderError
from vision.harvest.choice import Reason
from vision.harvest.sidecar import SIDECAR_SUFFIX, KeptPicture, PreLabel, read_sidecar


class Harvested(msgspec.Struct, frozen=True):
    """One kept picture: its file and its sidecar."""

    path: Path
    kept: KeptPicture

    @property
    def day(self) -> str:
        """Local date on which it was kept."""
        return self.kept.kept_at[:10]

    def pre_labels(self, min_probability: float) -> tuple[PreLabel, ...]:
        """The items of at least this probability, and those that the picture was kept for, however faint."""
        return tuple(item for item in self.kept.items if item.probability >= min_probability or item.reasons)


def read_harvest(folder: Path, reasons: Collection[Reason] = (), since: str = "") -> tuple[Harvested, ...]:
    """All pictures of a harvest folder whose sidecar is there, ordered by name.

    Args:
        folder: as `harvest.folder` of the line's configuration names it.
        reasons: only pictures kept for one of these; all if empty.
        since: only pictures of this local date and later, as 2026-03-04.

    Raises:
        DataFolderError: if the folder holds none, a sidecar cannot be read, or a picture is missing.
    """
    paths = sorted(folder.glob(f"*/*{SIDECAR_SUFFIX}"), key=lambda path: path.name)
    found = tuple(_harvested(path) for path in paths if path.parent.name >= since)
    chosen = tuple(one for one in found if not reasons or one.kept.reason in reasons)
    if not chosen:
        whose = f"none of {len(found)} kept pictures was kept for that" if found else "no kept pictures there"
        raise DataFolderError(f"{folder}: {whose}; give the folder that harvest.folder names")
    return chosen


def classes_of(pictures: Iterable[Harvested]) -> tuple[str, ...]:
    """The classes that the pictures' recipes know, in order."""
    return tuple(dict.fromkeys(name for one in pictures for name in one.kept.classes))


class HarvestSummary(msgspec.Struct, frozen=True):
    """What a harvest folder holds; `random` pictures alone are a sample of what the line sees."""

    folder: str
    picture_count: int
    byte_count: int
    by_day: dict[str, dict[str, int]]
    by_class: dict[str, int]
    sessions: tuple[str, ...]
    model_ids: tuple[str, ...]


def summarise(folder: Path, pictures: tuple[Harvested, ...], min_probability: float) -> HarvestSummary:
    """Count pictures by day and reason, and pre-labels by class."""
    days = sorted({one.day for one in pictures})
    by_day = {day: Counter(one.kept.reason.value for one in pictures if one.day == day) for day in days}
    labels = Counter(item.class_name for one in pictures for item in one.pre_labels(min_probability))
    return HarvestSummary(
        folder=str(folder),
        picture_count=len(pictures),
        byte_count=sum(one.path.stat().st_size for one in pictures),
        by_day={day: dict(counts) for day, counts in by_day.items()},
        by_class={name: labels[name] for name in classes_of(pictures)},
        sessions=tuple(sorted({one.kept.session for one in pictures})),
        model_ids=tuple(sorted({one.kept.model_id for one in pictures})),
    )


def _harvested(sidecar: Path) -> Harvested:
    kept = read_sidecar(sidecar)
    path = sidecar.with_name(Path(kept.picture).name)
    if not path.is_file():
        raise DataFolderError(f"{sidecar}: its picture {path.name} is missing; remove the sidecar or bring it back")
    return Harvested(path, kept)
