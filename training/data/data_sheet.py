"""DATA_SHEET.md: what someone must know of a labelled folder before training on it, written from its manifest."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from sorter.runtime.labelled_folder import BACKGROUND, IGNORED, FolderIndex, Label, open_labelled_folder, read_labels
from training.data.manifest import Manifest, read_manifest
from training.data.whole_folder import write_whole

DATA_SHEET = "DATA_SHEET.md"
_MOST_SKIPPED = 20
_TOLD_BY = {
    "pattern": "a pattern given for the names",
    "name": "the time in the name",
    "exif": "the camera's own time stamp",
    "folder": "the source's folders",
    "neighbours": "nothing: ten neighbours by name count as one session, so sessions may touch",
}


def write_data_sheet(folder: Path, class_names: tuple[str, ...], name: str | None = None) -> Path:
    """Write the data sheet of a folder from its manifest, class map and labels.

    Args:
        folder: the labelled folder.
        class_names: the material classes there are.
        name: what to call it; its own name if left out.

    Returns:
        The file.

    Raises:
        DataFolderError: if the folder or its manifest cannot be read.
    """
    manifest, index = read_manifest(folder), open_labelled_folder(folder, class_names)
    path = folder / DATA_SHEET
    write_whole(path, data_sheet(name or folder.resolve().name, manifest, index))
    return path


def data_sheet(name: str, manifest: Manifest, index: FolderIndex) -> str:
    """The sheet's text."""
    sections = (
        [f"# Data sheet: {name}", f"Written from `manifest.json`. The folder was written by `{manifest.written_by}`."],
        _content(manifest),
        _origin(manifest),
        _capture(manifest),
        _classes(index),
        _left_out(manifest),
    )
    return "\n\n".join(paragraph for section in sections for paragraph in section) + "\n"


def _content(manifest: Manifest) -> list[str]:
    sizes = Counter((entry.width_px, entry.height_px) for entry in manifest.pictures)
    empty_count = sum(entry.label_count == 0 for entry in manifest.pictures)
    shown = ", ".join(f"{width}×{height} ({count})" for (width, height), count in sizes.most_common(5))
    facts = [
        f"{len(manifest.pictures)} pictures, {empty_count} of them without an item",
        f"{sum(entry.label_count for entry in manifest.pictures)} labelled items",
        f"sizes in px: {shown}{', and others' if len(sizes) > 5 else ''}",
    ]
    return ["## Content", _list(facts)]


def _origin(manifest: Manifest) -> list[str]:
    origins = Counter((entry.source, entry.licence) for entry in manifest.pictures)
    rows = [f"| {_cell(source)} | {_cell(licence)} | {count} |" for (source, licence), count in sorted(origins.items())]
    return ["## Origin", "\n".join(["| source | licence as stated | pictures |", "| --- | --- | ---: |", *rows])]


def _capture(manifest: Manifest) -> list[str]:
    told_by = {entry.session: entry.session.told_by for entry in manifest.pictures}
    counts = Counter(told_by.values())
    facts = [f"{count} sessions told by {_TOLD_BY.get(one, one)}" for one, count in sorted(counts.items())]
    return [
        "## Capture sessions",
        "Pictures of one session resemble each other; a split keeps them together.",
        _list(facts),
    ]


def _classes(index: FolderIndex) -> list[str]:
    labels = [label for path in index.picture_paths for label in _labels(index, path)]
    counts = Counter(label.source_id for label in labels)
    rows = [
        f"| {_cell(name)} | {_meaning(index.class_map.map[name])} | {counts[source_id]} |"
        for source_id, name in sorted(index.names.items())
    ]
    complete = ", ".join(index.class_map.complete_for) or "no class"
    return [
        "## Classes",
        "\n".join(["| source class | material class | labels |", "| --- | --- | ---: |", *rows]),
        f"Labels are complete for: {complete}. An item of any other class may be on the pictures without a label.",
        _box_sizes(labels),
    ]


def _labels(index: FolderIndex, path: Path) -> list[Label]:
    label_path = index.label_path(path)
    return read_labels(label_path, index.names) if label_path.is_file() else []


def _meaning(target: str) -> str:
    return {IGNORED: "ignored: neither item nor background", BACKGROUND: "background: no item"}.get(target, target)


def _box_sizes(labels: Iterable[Label]) -> str:
    sides = [float(np.sqrt(label.box[2] * label.box[3])) for label in labels]
    if not sides:
        return "No boxes."
    low, middle, high = np.percentile(sides, [5, 50, 95])
    return (
        f"Box sizes (root of the area as a share of the picture): 5 % below {low:.3f}, median {middle:.3f}, "
        f"5 % above {high:.3f}."
    )


def _left_out(manifest: Manifest) -> list[str]:
    if not manifest.skipped:
        return ["## Left out", "No picture of the source."]
    shown = [f"`{one.place}`: {one.why}" for one in manifest.skipped[:_MOST_SKIPPED]]
    rest = [f"and {len(manifest.skipped) - _MOST_SKIPPED} more"] if len(manifest.skipped) > _MOST_SKIPPED else []
    return ["## Left out", _list(shown + rest)]


def _list(facts: Iterable[str]) -> str:
    return "\n".join(f"- {fact}" for fact in facts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
