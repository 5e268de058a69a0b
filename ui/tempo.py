"""How fast items come, minute by minute and class by class, in bounded memory; every instant is an argument."""

from collections import Counter, deque
from collections.abc import Sequence

from sorter.model.units import NS_PER_S
from ui.page_messages import Trend

_MINUTE_NS = 60 * NS_PER_S
_RECENT_NS = 10 * NS_PER_S
_TREND_MINUTES = 30
# more than a line decides in a minute
_MAX_RECENT_COUNT = 5000


class Tempo:
    """Counts decided items.

    Args:
        class_names: the recipe's classes, in the order of class ids.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self._class_names = tuple(class_names)
        self._recent: deque[tuple[int, int]] = deque(maxlen=_MAX_RECENT_COUNT)
        self._minutes: Counter[int] = Counter()

    def note(self, class_id: int, decided_at_ns: int) -> None:
        """Count an item."""
        self._recent.append((decided_at_ns, class_id))
        minute = decided_at_ns // _MINUTE_NS
        self._minutes[minute] += 1
        for old in [known for known in self._minutes if known < minute - _TREND_MINUTES]:
            del self._minutes[old]

    def per_min(self, now_ns: int) -> int:
        """Items a minute, as the last ten seconds go."""
        count = sum(now_ns - decided_at_ns <= _RECENT_NS for decided_at_ns, _ in self._recent)
        return round(count * _MINUTE_NS / _RECENT_NS)

    def recent_counts(self, now_ns: int) -> dict[str, int]:
        """Items by class over the last minute."""
        while self._recent and now_ns - self._recent[0][0] > _MINUTE_NS:
            self._recent.popleft()
        counts = Counter(class_id for _, class_id in self._recent if 0 <= class_id < len(self._class_names))
        return {self._class_names[class_id]: count for class_id, count in counts.items()}

    def trend(self, now_ns: int) -> Trend:
        """Items in each of the last whole minutes."""
        newest = now_ns // _MINUTE_NS - 1
        counts = tuple(self._minutes[minute] for minute in range(newest - _TREND_MINUTES + 1, newest + 1))
        return Trend(newest, counts)
