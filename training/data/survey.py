"""Going through a labelled folder picture by picture, noting what is wrong instead of stopping at it."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sorter.errors import DataFolderError
from sorter.runtime.labelled_folder import FolderIndex, Label, open_labelled_folder, read_labels
from training.data.manifest import Manifest, PictureEntry, manifest_of
from training.data.picture_file import PictureFacts, read_facts
from training.data.sessions import Capture, Session, capture_sessions
from training.progress import progress


class SurveyedPicture(msgspec.Struct, frozen=True):
    """One picture as it was found.

    Attributes:
        path: its file.
        session: when and where it was captured.
        facts: of the file, hashes included; None if it is broken.
        labels: what is labelled in it.
        picture_fault: why the picture cannot be read, or None.
        label_fault: why its labels cannot be read, or None.
        has_label_file: whether anyone said what is on it.
        entry: the manifest's, if it has one.
    """

    path: Path
    session: Session
    facts: PictureFacts | None
    labels: tuple[Label, ...]
    picture_fault: str | None = None
    label_fault: str | None = None
    has_label_file: bool = True
    entry: PictureEntry | None = None

    @property
    def usable(self) -> bool:
        """Whether picture and labels could be read."""
        return self.picture_fault is None and self.label_fault is None


class Survey(msgspec.Struct, frozen=True):
    """A folder gone through: its index, its pictures in order, and its manifest if it has one."""

    index: FolderIndex
    pictures: tuple[SurveyedPicture, ...]
    manifest: Manifest | None


def survey_folder(folder: Path, class_names: tuple[str, ...], pattern: re.Pattern[str] | None = None) -> Survey:
    """Go through all pictures and labels of a folder.

    Args:
        folder: the labelled folder.
        class_names: the material classes there are.
        pattern: what tells the capture session in a picture's path, if not the usual signs.

    Raises:
        DataFolderError: if the folder itself, its class names, its class map or its manifest cannot be read.
    """
    index, manifest = open_labelled_folder(folder, class_names), manifest_of(folder)
    with progress(index.picture_paths, len(index.picture_paths), f"reading {folder.name}") as paths:
        facts = {path: _facts_or_fault(path) for path in paths}
    entries = {} if manifest is None else manifest.by_file_name
    sessions = capture_sessions([_capture(path, facts[path], entries) for path in index.picture_paths], pattern)
    pictures = tuple(
        _surveyed(path, session, facts[path], index, entries.get(path.name))
        for path, session in zip(index.picture_paths, sessions, strict=True)
    )
    return Survey(index, pictures, manifest)


def _facts_or_fault(path: Path) -> PictureFacts | str:
    try:
        return read_facts(path, with_looks=True)
    except DataFolderError as error:
        return str(error)


def _capture(path: Path, facts: PictureFacts | str, entries: Mapping[str, PictureEntry]) -> Capture:
    entry = entries.get(path.name)
    taken_hour = None if isinstance(facts, str) else facts.taken_hour
    if entry is None:
        return Capture(path.name, taken_hour=taken_hour)
    return Capture(entry.source_file, entry.session, taken_hour)


def _surveyed(
    path: Path, session: Session, facts: PictureFacts | str, index: FolderIndex, entry: PictureEntry | None
) -> SurveyedPicture:
    label_path = index.label_path(path)
    has_label_file = label_path.is_file()
    labels: tuple[Label, ...] = ()
    label_fault = None
    try:
        labels = tuple(read_labels(label_path, index.names)) if has_label_file else ()
    except DataFolderError as error:
        label_fault = str(error)
    whole, picture_fault = (None, facts) if isinstance(facts, str) else (facts, None)
    return SurveyedPicture(path, session, whole, labels, picture_fault, label_fault, has_label_file, entry)
