"""By which key a line is known: one with scope fleet:write lets in the line that it is named after, and no other."""

from pathlib import Path
from typing import Protocol

from sorter.runtime.api_keys import ApiKey, key_of, read_api_keys


class LineKeys(Protocol):
    """Says which key was shown."""

    def key_of(self, authorization: str | None) -> ApiKey | None:
        """The key in an Authorization header; None if it is none, or nobody's."""
        ...


class FileLineKeys:
    """The keys of a file, read anew for every request, so that a key that was revoked is of no use at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def key_of(self, authorization: str | None) -> ApiKey | None:
        """As `LineKeys.key_of`.

        Raises:
            ConfigurationError: if the file cannot be read.
        """
        scheme, _, token = (authorization or "").partition(" ")
        return key_of(token.strip(), read_api_keys(self._path)) if scheme.lower() == "bearer" else None
