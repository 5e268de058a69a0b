"""Writing labelled folders in the program's one form; reading them is `sorter.runtime.labelled_folder`'s."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from sorter.errors import DataFolderError
from sorter.runtime.labelled_folder import BACKGROUND, IGNORED, ClassMap
from training.data.annotations import CROWD, DIFFICULT, SourceItem


def completed_map(class_map: ClassMap, source_names: Sequence[str], class_names: tuple[str, ...]) -> ClassMap:
    """The map for a source: checked, and with what the source itself marks as unfit ignored unless it says else.

    Raises:
        DataFolderError: if it misses a class of the source or names a material class that there is not.
    """
    marked = {name: IGNORED for name in source_names if name.endswith((CROWD, DIFFICULT))}
    mapping = marked | class_map.map
    missing = [name for name in source_names if name not in mapping]
    if missing:
        raise DataFolderError(
            f"the class map does not say what {', '.join(repr(name) for name in missing)} "
            f"{'are' if len(missing) > 1 else 'is'}; map to a material class, 'ignore' or 'background'"
        )
    _check_materials(mapping, class_map.complete_for, class_names)
    return ClassMap(mapping, class_map.complete_for)


def label_line(item: SourceItem, class_id: int) -> str:
    """A line of a label file: the outline where there is one, else the box."""
    numbers = [value for point in item.polygon for value in point] if item.polygon else item.box
    return " ".join([str(class_id), *(f"{value:.10g}" for value in numbers)])


def write_class_list(folder: Path, names: Mapping[int, str]) -> None:
    """Write data.yaml."""
    rows = "".join(f"  {index}: {_quoted(name)}\n" for index, name in sorted(names.items()))
    (folder / "data.yaml").write_text(f"names:\n{rows}", encoding="utf-8")


def write_class_map(folder: Path, class_map: ClassMap) -> None:
    """Write class_map.toml."""
    complete = ", ".join(_quoted(name) for name in class_map.complete_for)
    rows = "".join(f"{_quoted(name)} = {_quoted(target)}\n" for name, target in class_map.map.items())
    (folder / "class_map.toml").write_text(
        "# Source class -> material class, ignore (neither item nor background) or background (no item).\n"
        "# complete_for: the material classes that these labels name exhaustively.\n"
        f"complete_for = [{complete}]\n\n[map]\n{rows}",
        encoding="utf-8",
    )


def _check_materials(mapping: Mapping[str, str], complete_for: Sequence[str], class_names: tuple[str, ...]) -> None:
    for name, target in mapping.items():
        if target not in (IGNORED, BACKGROUND, *class_names):
            raise DataFolderError(
                f"the class map maps {name!r} to {target!r}, which is none of {', '.join(class_names)}"
            )
    for target in complete_for:
        if target not in class_names:
            raise DataFolderError(
                f"the class map's complete_for names {target!r}, which is none of {', '.join(class_names)}"
            )


def _quoted(text: str) -> str:
    # JSON's string is also one of YAML and of TOML.
    return json.dumps(text, ensure_ascii=False)
