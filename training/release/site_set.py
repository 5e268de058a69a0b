"""The frozen site set: labelled pictures on which champion and challengers are compared, known by one hash."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from sorter.runtime.labelled_folder import LabelledFolder


def site_set_sha256(folder: LabelledFolder) -> str:
    """A hash of what the pictures show and what the labels mean.

    File times, places and label lines that mean the same leave it as it is; a picture or box more, less or moved, and
    a class newly called exhaustive, change it.
    """
    whole = hashlib.sha256()
    for picture in folder.pictures:
        whole.update(hashlib.sha256(picture.path.read_bytes()).digest())
        whole.update(_rows(np.column_stack([picture.class_ids, picture.boxes])))
        whole.update(_rows(picture.ignored))
    whole.update("\n".join(sorted(folder.complete_for)).encode())
    return whole.hexdigest()


def _rows(rows: NDArray[np.float64]) -> bytes:
    """Rows in an order of their own, with their count, so that no two lists of rows spell alike."""
    ordered = rows[np.lexsort(rows.T[::-1])] if len(rows) else rows
    return len(ordered).to_bytes(8, "little") + np.ascontiguousarray(ordered, dtype="<f8").tobytes()
