"""How much each caller may ask: a token bucket a minute, a quota a day, and so many answers at once.

All instants are of the monotonic clock, so that a wall clock that jumps frees nobody and locks nobody out. Counts live
in this process: a restart begins them anew.
"""

import math
import threading
from collections import OrderedDict

import msgspec

from sorter.model.units import NS_PER_S

_MIN_NS = 60 * NS_PER_S
_DAY_NS = 86_400 * NS_PER_S
# callers beyond this many push out who has been silent longest, so that strangers cannot fill the memory
_MAX_CALLER_COUNT = 10_000


class Allowance(msgspec.Struct, frozen=True):
    """What a caller may ask; `quota_per_day` None: no quota."""

    rate_per_min: int
    quota_per_day: int | None = None


class Verdict(msgspec.Struct, frozen=True):
    """Whether a request may go on.

    Attributes:
        is_allowed: False means 429.
        is_quota: whether the quota, and not the rate, is used up.
        remaining_count: requests that could follow at once.
        retry_after_s: when to come again, None if allowed.
    """

    is_allowed: bool
    is_quota: bool
    remaining_count: int
    retry_after_s: int | None


class _Account:
    """One caller's tokens and what is used of the day's quota."""

    def __init__(self, allowance: Allowance, now_ns: int) -> None:
        self.tokens = float(allowance.rate_per_min)
        self.seen_ns = now_ns
        self.day_began_ns = now_ns
        self.used_count = 0

    def charge(self, allowance: Allowance, now_ns: int) -> Verdict:
        capacity = float(allowance.rate_per_min)
        elapsed_ns = max(0, now_ns - self.seen_ns)
        self.tokens = min(capacity, self.tokens + elapsed_ns * capacity / _MIN_NS)
        self.seen_ns = max(self.seen_ns, now_ns)
        if now_ns - self.day_began_ns >= _DAY_NS:
            self.day_began_ns, self.used_count = now_ns, 0
        if allowance.quota_per_day is not None and self.used_count >= allowance.quota_per_day:
            return Verdict(False, True, 0, _whole_s(self.day_began_ns + _DAY_NS - now_ns))
        if self.tokens < 1.0:
            return Verdict(False, False, 0, _whole_s((1.0 - self.tokens) * _MIN_NS / capacity))
        self.tokens -= 1.0
        self.used_count += 1
        left = [int(self.tokens)]
        if allowance.quota_per_day is not None:
            left.append(allowance.quota_per_day - self.used_count)
        return Verdict(True, False, min(left), None)


class Rates:
    """What all callers have left; called on any thread."""

    def __init__(self, max_caller_count: int = _MAX_CALLER_COUNT) -> None:
        self._max_caller_count = max_caller_count
        self._turn = threading.Lock()
        self._accounts: OrderedDict[str, _Account] = OrderedDict()

    def charge(self, caller: str, allowance: Allowance, now_ns: int) -> Verdict:
        """Charge one request to a caller."""
        with self._turn:
            account = self._accounts.get(caller)
            if account is None:
                account = self._accounts[caller] = _Account(allowance, now_ns)
            self._accounts.move_to_end(caller)
            if len(self._accounts) > self._max_caller_count:
                self._accounts.popitem(last=False)
            return account.charge(allowance, now_ns)


class Desks:
    """A fixed number of answers that are worked on at once; who finds none free after a moment is sent away.

    Loss rule: a request that waits longer than `patience_s` is refused with 503, and counted.
    """

    def __init__(self, desk_count: int, patience_s: float = 0.05) -> None:
        self._free = threading.BoundedSemaphore(desk_count)
        self._patience_s = patience_s
        self._turn = threading.Lock()
        self.refused_count = 0

    def take(self) -> bool:
        """Take a desk; False when none came free in time."""
        if self._free.acquire(timeout=self._patience_s):
            return True
        with self._turn:
            self.refused_count += 1
        return False

    def give_back(self) -> None:
        """Free a desk that was taken."""
        self._free.release()


def _whole_s(duration_ns: float) -> int:
    return max(1, math.ceil(duration_ns / NS_PER_S))
