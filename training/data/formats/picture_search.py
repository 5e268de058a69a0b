"""Finding the picture that a label file names, which may have been written on another machine."""

from pathlib import Path

from sorter.errors import DataFolderError
from training.data.annotations import LabelError
from training.data.picture_file import find_pictures, read_facts


class PictureSearch:
    """Finds pictures below some folders by path, then by file name alone.

    A file name that several pictures have is not guessed at.
    """

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._folders = tuple(folder.resolve() for folder in folders)
        self._by_name: dict[str, list[Path]] = {}
        for path in dict.fromkeys(path for folder in self._folders for path in find_pictures(folder)):
            self._by_name.setdefault(path.name, []).append(path)

    def find(self, named: str) -> Path:
        """The picture called `named`, a path or a name.

        Raises:
            LabelError: if it is not there, or several could be meant.
        """
        relative = named.replace("\\", "/").lstrip("/")
        for folder in self._folders:
            if (folder / relative).is_file() and ".." not in Path(relative).parts:
                return folder / relative
        same_name = self._by_name.get(Path(relative).name, [])
        if len(same_name) == 1:
            return same_name[0]
        found = f"{len(same_name)} pictures have that name" if same_name else "no such picture"
        raise LabelError(f"{named}: {found} in {', '.join(str(folder) for folder in self._folders)}")

    def place(self, path: Path) -> str:
        """Where a picture that was found lies, seen from the first of the folders that holds it."""
        holder = next(folder for folder in self._folders if path.is_relative_to(folder))
        return path.relative_to(holder).as_posix()


def real_size_px(path: Path) -> tuple[int, int]:
    """Width and height of a picture whose labels do not state them.

    Raises:
        LabelError: if it cannot be read.
    """
    try:
        facts = read_facts(path)
    except DataFolderError as error:
        raise LabelError(str(error)) from error
    return facts.width_px, facts.height_px
