"""A labelled picture with what a model found in it, and what its name and folder say of where it comes from."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import DataFolderError
from sorter.runtime.labelled_folder import LabelledFolder
from training.evaluation.average_precision import PictureResult, every_name

# "POSAD_1_11-Sep_08-21-18", "cam2-2026-03-04T10_00", "line3_20260304_101500", "belt_007": what comes before the date or
# the running number names the camera.
_DATE = re.compile(r"[-_ ]*(\d{1,2}-[A-Z][a-z]{2}_\d|\d{4}-\d{2}-\d{2}|\d{8}|\d+$|\d{3,}).*$")


class ExaminedPicture(msgspec.Struct, frozen=True):
    """One picture.

    Attributes:
        path: of the picture.
        source: the labelled folder it is in, by its last two names.
        result: all labels and detections.
        known_class_ids: classes that the folder labels exhaustively; of others, absence says nothing.
    """

    path: Path
    source: str
    result: PictureResult
    known_class_ids: frozenset[int]

    @property
    def camera(self) -> str:
        """The picture's name up to the date or running number."""
        return _DATE.sub("", self.path.stem) or "unnamed"

    @property
    def judged_result(self) -> PictureResult:
        """Labels and detections of the classes that are labelled exhaustively."""
        return self._judged(self.result)

    @property
    def judged_names(self) -> PictureResult:
        """The same with each detection once for every such class that it may be of."""
        return self._judged(every_name(self.result))

    def _judged(self, result: PictureResult) -> PictureResult:
        known = np.array(sorted(self.known_class_ids), dtype=np.int64)
        return kept(result, np.isin(result.label_class_ids, known), np.isin(result.class_ids, known))


def source_of(folder: Path) -> str:
    """A labelled folder by its last two names."""
    place = folder.resolve()
    return f"{place.parent.name}/{place.name}"


def kept(result: PictureResult, labels: NDArray[np.bool_], detections: NDArray[np.bool_]) -> PictureResult:
    """The same picture with some of its labels and detections."""
    chosen = result.chosen(detections)
    return msgspec.structs.replace(
        chosen, label_boxes_px=result.label_boxes_px[labels], label_class_ids=result.label_class_ids[labels]
    )


def examined(
    folder: LabelledFolder, results: Sequence[PictureResult], class_names: Sequence[str]
) -> list[ExaminedPicture]:
    """The pictures of a folder with their results, in the folder's order."""
    known = frozenset(index for index, name in enumerate(class_names) if name in folder.complete_for)
    source = source_of(folder.folder)
    pairs = zip(folder.pictures, results, strict=True)
    return [ExaminedPicture(picture.path, source, result, known) for picture, result in pairs]


def judged_in(pictures: Sequence[ExaminedPicture], class_names: Sequence[str]) -> dict[str, int]:
    """Name and index of the classes that count: in some folder both labelled exhaustively and present.

    Raises:
        DataFolderError: if there is none.
    """
    present = {int(one) for picture in pictures for one in picture.judged_result.label_class_ids}
    judged = {name: index for index, name in enumerate(class_names) if index in present}
    if not judged:
        raise DataFolderError("no class is both labelled in the folders and listed in their complete_for")
    return judged
