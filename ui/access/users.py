"""The users of a line's screens: names, roles and PINs (argon2id), and the lock after wrong ones; a file of its own."""

import re
import threading
from pathlib import Path
from typing import Annotated

import argon2
import msgspec

from sorter.errors import ConfigurationError
from sorter.model.units import NS_PER_S
from ui.access.roles import ROLE_NAMES, Role

_PIN = re.compile(r"[0-9]{4,8}")
_NAME = r"^[^\W_][\w .-]{0,31}$"
# so many wrong PINs in a row lock a user's name out; each further one doubles the time, up to the longest
_FREE_TRIES = 5
_FIRST_LOCK_NS = 30 * NS_PER_S
_LONGEST_LOCK_NS = 900 * NS_PER_S


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One user; the PIN itself is nowhere."""

    name: Annotated[str, msgspec.Meta(pattern=_NAME)]
    role: str
    pin_hash: str

    @property
    def rights(self) -> Role:
        """The role as a level."""
        return ROLE_NAMES[self.role]


class Tries(msgspec.Struct):
    """Wrong PINs in a row, and until when no further one is looked at."""

    wrong_count: int = 0
    locked_until_ns: int = 0


class UserBook:
    """Users by name; every change is on the disk when it returns.

    Args:
        path: the file; missing means that nobody has been entered yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._hasher = argon2.PasswordHasher()
        self._tries: dict[str, Tries] = {}
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
        tries = self._tries.get(name)
        return 0 if tries is None else max(0, -((now_ns - tries.locked_until_ns) // NS_PER_S))

    def is_right(self, name: str, pin: str, now_ns: int) -> bool:
        """Whether a PIN is a user's; a wrong one counts towards the lock, and a locked name has no right one."""
        with self._lock:
            user, tries = self._users.get(name), self._tries.setdefault(name, Tries())
            if user is None or now_ns < tries.locked_until_ns:
                return False
            if self._verify(user, pin):
                self._tries.pop(name)
                return True
            tries.wrong_count += 1
            if tries.wrong_count >= _FREE_TRIES:
                doublings = min(tries.wrong_count - _FREE_TRIES, 10)
                tries.locked_until_ns = now_ns + min(_FIRST_LOCK_NS << doublings, _LONGEST_LOCK_NS)
            return False

    def _verify(self, user: User, pin: str) -> bool:
        try:
            return self._hasher.verify(user.pin_hash, pin)
        except argon2.exceptions.Argon2Error:
            return False

    def _has_other_engineer(self, name: str) -> bool:
        return any(user.role == "engineer" for user in self._users.values() if user.name != name)

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f"{self._path.name}.new")
        draft.touch(0o600)
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(self.users()), indent=2) + b"\n")
        draft.replace(self._path)


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
