"""What can be wrong with labelled folders, each rule a function from surveys to findings."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from sorter.runtime.bundle import file_sha256
from sorter.runtime.labelled_folder import Label
from training.data.near_duplicates import near_pairs
from training.data.sessions import Session
from training.data.survey import Survey, SurveyedPicture

Level = Literal["error", "warning"]

# A box may stick out by this share of the picture: annotators draw to the edge and a little over.
_STICKING_OUT_RATIO = 0.005
_SMALLEST_SIDE_RATIO = 1e-4
_RARE_CLASS_LABELS = 20
# Sessions that a camera's clock or a name tells mean the same in every folder; others only within one source.
_TOLD_EVERYWHERE = ("pattern", "name", "exif")


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        level: errors spoil training or figures, warnings may be meant.
        kind: what is wrong, in few words.
        folder: where.
        place: the picture, pair, class or session it is about.
        detail: a few words more.
    """

    level: Level
    kind: str
    folder: str
    place: str
    detail: str = ""


def all_findings(surveys: Sequence[Survey]) -> list[Finding]:
    """Everything that is wrong within each folder and between them."""
    within = [finding for survey in surveys for rule in _RULES for finding in rule(survey)]
    return [*within, *_same_looks(surveys), *_same_sessions(surveys)]


def _pictures_and_labels(survey: Survey) -> Iterator[Finding]:
    folder = str(survey.index.folder)
    for picture in survey.pictures:
        if picture.picture_fault is not None:
            yield Finding("error", "broken picture", folder, picture.path.name, picture.picture_fault)
        if picture.label_fault is not None:
            yield Finding("error", "unreadable labels", folder, picture.path.name, picture.label_fault)
        if not picture.has_label_file:
            yield Finding("warning", "no label file", folder, picture.path.name, "counts as empty")


def _boxes(survey: Survey) -> Iterator[Finding]:
    folder = str(survey.index.folder)
    for picture in survey.pictures:
        for label in picture.labels:
            if _inside(label).min() < _SMALLEST_SIDE_RATIO:
                yield Finding("error", "box without area", folder, picture.path.name, _shown(label))
            elif _sticking_out(label) > _STICKING_OUT_RATIO:
                yield Finding("warning", "box out of range", folder, picture.path.name, _shown(label))
        if len({_shown(label) for label in picture.labels}) < len(picture.labels):
            yield Finding("warning", "item labelled twice", folder, picture.path.name)


def _files(survey: Survey) -> Iterator[Finding]:
    folder = str(survey.index.folder)
    stems = [picture.path.stem for picture in survey.pictures]
    for stem in sorted({stem for stem in stems if stems.count(stem) > 1}):
        yield Finding("error", "two pictures, one label file", folder, stem)
    for path in sorted((survey.index.folder / "labels").glob("*.txt")):
        if path.stem not in stems:
            yield Finding("warning", "labels without a picture", folder, path.name)


def _against_manifest(survey: Survey) -> Iterator[Finding]:
    if survey.manifest is None:
        return
    folder, entries = str(survey.index.folder), survey.manifest.by_file_name
    for picture in survey.pictures:
        entry = entries.pop(picture.path.name, None)
        if entry is None:
            yield Finding("warning", "not in the manifest", folder, picture.path.name)
        elif entry.sha256 != file_sha256(picture.path):
            yield Finding("error", "changed since the manifest", folder, picture.path.name)
    for name in sorted(entries):
        yield Finding("error", "in the manifest but gone", folder, name)


def _classes(survey: Survey) -> Iterator[Finding]:
    index = survey.index
    targets = [index.class_map.map[index.names[label.source_id]] for one in survey.pictures for label in one.labels]
    for name in sorted(set(index.class_map.complete_for)):
        count = targets.count(name)
        if count < _RARE_CLASS_LABELS:
            yield Finding(
                "warning", "rare class" if count else "class without labels", str(index.folder), name, f"{count}"
            )


_RULES: tuple[Callable[[Survey], Iterator[Finding]], ...] = (
    _pictures_and_labels,
    _boxes,
    _files,
    _against_manifest,
    _classes,
)


def _same_looks(surveys: Sequence[Survey]) -> Iterator[Finding]:
    whole = [
        (survey.index.folder, picture, picture.facts.looks)
        for survey in surveys
        for picture in survey.pictures
        if picture.facts is not None and picture.facts.looks is not None
    ]
    for pair in near_pairs([looks for _, _, looks in whole]):
        (folder, first, _), (other, second, _) = whole[pair.first], whole[pair.second]
        detail = f"{pair.bit_count} of 256 bits differ"
        if folder != other:
            places = f"{first.path.name} = {second.path.name}"
            yield Finding("error", "same picture in two folders", f"{folder} and {other}", places, detail)
        elif first.session != second.session:
            places = f"{first.path.name} = {second.path.name}"
            yield Finding("warning", "same picture in two sessions", str(folder), places, detail)


def _same_sessions(surveys: Sequence[Survey]) -> Iterator[Finding]:
    folders: dict[tuple[str, str], set[Path]] = defaultdict(set)
    for survey in surveys:
        for picture in survey.pictures:
            key = _session_key(picture)
            if key is not None:
                folders[key].add(survey.index.folder)
    for (name, _), where in sorted(folders.items()):
        for one, other in combinations(sorted(where), 2):
            yield Finding("error", "same session in two folders", f"{one} and {other}", name)


def _session_key(picture: SurveyedPicture) -> tuple[str, str] | None:
    session: Session = picture.session
    if session.told_by in _TOLD_EVERYWHERE:
        return session.name, ""
    return None if picture.entry is None else (session.name, picture.entry.source)


def _corners(label: Label) -> tuple[np.ndarray, np.ndarray]:
    return label.box[:2] - label.box[2:] / 2, label.box[:2] + label.box[2:] / 2


def _inside(label: Label) -> np.ndarray:
    low, high = _corners(label)
    sides: np.ndarray = np.clip(high, 0, 1) - np.clip(low, 0, 1)
    return sides


def _sticking_out(label: Label) -> float:
    low, high = _corners(label)
    return float(max(-low.min(), high.max() - 1))


def _shown(label: Label) -> str:
    return " ".join(f"{value:.3f}" for value in label.box)
