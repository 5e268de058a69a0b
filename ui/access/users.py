"""The users of a line's screens: names, roles and PINs (argon2id); a file of its own."""

import re
import threading
from pathlib import Path
from typing import Annotated

import argon2
import msgspec

from sorter.errors import ConfigurationError
from sorter.runtime.whole_file import write_whole_file
from ui.access.lockout import Lockout
from ui.access.roles import ROLE_NAMES, Role

_PIN = re.compile(r"[0-9]{4,8}")
_NAME = r"^[^\W_][\w .-]{0,31}$"


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One user; the PIN itself is nowhere."""

    name: Annotated[str, msgspec.Meta(pattern=_NAME)]
    role: str
    pin_hash: str

    @property
    def rights(self) -> Role:
        """The role as a level."""
        return ROLE_NAMES[self.role]


class UserBook:
    """Users by name; every change is on the disk when it returns.

    Args:
        path: the file; missing means that nobody has been entered yet.
        lockout: counts wrong PINs.
    """

    def __init__(self, path: Path, lockout: Lockout) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._hasher = argon2.PasswordHasher()
        self._lockout = lockout
        self._users = _read(path)

    @property
    def is_empty(self) -> bool:
        """Whether nobody has been entered yet."""
        return not self._users

    def users(self) -> list[User]:
        """All users, by name."""
        return sorted(self._users.values(), key=lambda user: user.name)

    def find(self, name: str) -> User | None:
        """The user of a name."""
        return self._users.get(name)

    def put(self, name: str, role: str, pin: str) -> str | None:
        """Enter a user or change one; the text key of what is wrong with it, None if it was entered."""
        if re.fullmatch(_NAME, name) is None:
            return "user.bad_name"
        if role not in ROLE_NAMES or _PIN.fullmatch(pin) is None:
            return "user.bad_pin"
        if role != "engineer" and not self._has_other_engineer(name):
            return "user.last_engineer"
        with self._lock:
            self._users = {**self._users, name: User(name, role, self._hasher.hash(pin))}
            self._write()
        return None

    def remove(self, name: str) -> str | None:
        """Remove a user; the text key of what stands against it, None if it was removed."""
        if not self._has_other_engineer(name):
            return "user.last_engineer"
        with self._lock:
            self._users = {key: user for key, user in self._users.items() if key != name}
            self._write()
        return None

    def locked_for_s(self, name: str, now_ns: int) -> int:
        """For how many seconds no PIN of a user is looked at."""
        return self._lockout.locked_for_s(name, now_ns)

    def is_right(self, name: str, pin: str, now_ns: int) -> bool:
        """Whether a PIN is a user's; a wrong one counts towards the lock, and a locked name has no right one."""
        with self._lock:
            user = self._users.get(name)
            if user is None or self._lockout.locked_for_s(name, now_ns) > 0:
                return False
            is_right = self._verify(user, pin)
            if is_right:
                self._lockout.forgive(name, now_ns)
            else:
                self._lockout.note_wrong(name, now_ns)
            return is_right

    def _verify(self, user: User, pin: str) -> bool:
        try:
            return self._hasher.verify(user.pin_hash, pin)
        except argon2.exceptions.Argon2Error:
            return False

    def _has_other_engineer(self, name: str) -> bool:
        return any(user.role == "engineer" for user in self._users.values() if user.name != name)

    def _write(self) -> None:
        write_whole_file(self._path, msgspec.json.format(msgspec.json.encode(self.users()), indent=2) + b"\n")


def _read(path: Path) -> dict[str, User]:
    try:
        users = msgspec.json.decode(path.read_bytes(), type=list[User])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"users {path}: cannot be read: {error}") from error
    for user in users:
        if user.role not in ROLE_NAMES:
            raise ConfigurationError(f"users {path}: role = {user.role!r}: must be one of {', '.join(ROLE_NAMES)}")
    return {user.name: user for user in users}
