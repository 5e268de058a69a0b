"""By which key a line is known: one with scope fleet:write lets in the line that it is named after, and no other."""

from pathlib import Path
from typing import Protocol

from sorter.runtime.api_keys import Scope, key_of, read_api_keys


class LineKeys(Protocol):
    """Says whose a key is."""

    def device_of(self, authorization: str | None) -> str | None:
        """The line that an Authorization header lets in; None if it lets nobody in."""
        ...


class FileLineKeys:
    """The keys of a file, read anew for every request, so that a key that was revoked is of no use at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def device_of(self, authorization: str | None) -> str | None:
        """As `LineKeys.device_of`.

        Raises:
            ConfigurationError: if the file cannot be read.
        """
        scheme, _, token = (authorization or "").partition(" ")
        key = key_of(token.strip(), read_api_keys(self._path)) if scheme.lower() == "bearer" else None
        return key.name if key is not None and Scope.FLEET in key.scopes else None
