"""Checking labelled folders: findings, class balance and box sizes in one report."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from sorter.runtime.labelled_folder import IGNORED
from training.data.findings import Finding, all_findings
from training.data.survey import Survey, survey_folder


class BoxSizes(msgspec.Struct, frozen=True):
    """Root of the box area as a share of the picture: 5th percentile, median, 95th percentile."""

    low: float
    median: float
    high: float


class ClassCount(msgspec.Struct, frozen=True):
    """One material class in one folder.

    Attributes:
        label_count: its labels.
        picture_count: pictures with at least one.
        is_complete: whether the labels name it exhaustively.
        sizes: of its boxes; None without labels.
    """

    label_count: int
    picture_count: int
    is_complete: bool
    sizes: BoxSizes | None


class FolderCheck(msgspec.Struct, frozen=True):
    """One folder in figures; classes without a label that the folder does not promise either are left out."""

    folder: str
    picture_count: int
    empty_count: int
    session_count: int
    label_count: int
    ignored_count: int
    classes: dict[str, ClassCount]


class CheckReport(msgspec.Struct, frozen=True):
    """What `farz train check` prints."""

    folders: tuple[FolderCheck, ...]
    findings: tuple[Finding, ...]
    error_count: int
    warning_count: int


def parts_of(folder: Path) -> list[Path]:
    """The folder itself if it holds pictures, else those folders in it that do, as a split leaves them."""
    if (folder / "images").is_dir() or not folder.is_dir():
        return [folder]
    return sorted(part for part in folder.iterdir() if (part / "images").is_dir()) or [folder]


def check_folders(folders: Sequence[Path], class_names: tuple[str, ...]) -> CheckReport:
    """Check each folder, and all of them against each other, as the parts of a split.

    Args:
        folders: labelled folders, or folders of such.
        class_names: the material classes there are.

    Raises:
        DataFolderError: if a folder itself, its class names, its class map or its manifest cannot be read.
    """
    parts = dict.fromkeys(part for folder in folders for part in parts_of(folder))
    surveys = [survey_folder(part, class_names) for part in parts]
    findings = tuple(all_findings(surveys))
    error_count = sum(finding.level == "error" for finding in findings)
    checks = tuple(_folder_check(survey) for survey in surveys)
    return CheckReport(checks, findings, error_count, len(findings) - error_count)


def _folder_check(survey: Survey) -> FolderCheck:
    index = survey.index
    material = {number: index.class_map.map[name] for number, name in index.names.items()}
    targets = [[material[label.source_id] for label in picture.labels] for picture in survey.pictures]
    present = {target for row in targets for target in row} | set(index.class_map.complete_for)
    return FolderCheck(
        str(index.folder),
        len(survey.pictures),
        sum(not row for row in targets),
        len({picture.session for picture in survey.pictures}),
        sum(len(row) for row in targets),
        sum(row.count(IGNORED) for row in targets),
        {name: _class_count(name, survey, targets) for name in index.class_names if name in present},
    )


def _class_count(name: str, survey: Survey, targets: Sequence[Sequence[str]]) -> ClassCount:
    sides = [
        float(np.sqrt(label.box[2] * label.box[3]))
        for picture, row in zip(survey.pictures, targets, strict=True)
        for label, target in zip(picture.labels, row, strict=True)
        if target == name
    ]
    sizes = BoxSizes(*(round(float(one), 4) for one in np.percentile(sides, [5, 50, 95]))) if sides else None
    picture_count = sum(name in row for row in targets)
    return ClassCount(len(sides), picture_count, name in survey.index.class_map.complete_for, sizes)
