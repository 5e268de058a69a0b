"""A folder that is there whole or not at all: written beside its place under another name, then renamed."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sorter.errors import DataFolderError


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder to write into; it becomes `out` when the block ends well, and is removed when it does not.

    Raises:
        DataFolderError: if `out` exists, or something cannot be written (a full disk, a missing right).
    """
    if out.exists():
        raise DataFolderError(f"{out} is there already; name a folder that is not")
    part = out.resolve().with_name(f".{out.resolve().name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        yield part
        part.rename(out.resolve())
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else f"cannot be written ({error})"
        raise DataFolderError(f"{out}: {reason}; nothing of it was kept") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_whole(path: Path, text: str) -> None:
    """Replace a text file in one step, so that a reader sees the old or the new one.

    Raises:
        DataFolderError: if it cannot be written; the old one is then as it was.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else f"cannot be written ({error})"
        raise DataFolderError(f"{path}: {reason}; it is as it was") from error
    finally:
        part.unlink(missing_ok=True)


def place_file(source: Path, target: Path, *, link: bool) -> None:
    """Copy a file, or give it a second name where `link` asks for it and both are on one file system."""
    if link:
        try:
            os.link(source.resolve(), target)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
                raise
        else:
            return
    shutil.copyfile(source, target)
