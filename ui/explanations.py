"""Why items were ejected or left, and the pictures of them, for a while: what a touch on an item asks for.

Pictures are kept as they came, whole; a screen cuts the item out of them. Memory is bounded: so many decisions, so many
pictures, and those of an item that somebody has asked about a little longer than others.
"""

import threading
from collections import OrderedDict, deque

import msgspec

from sorter.model.explanation import Explanation, ShotReport
from sorter.model.tracks import Preview, PreviewBox
from sorter.model.units import NS_PER_S

_KEPT_DECISIONS = 600
_KEPT_PICTURES = 150
_PINNED_PICTURES = 60
# an item is in view for seconds; a number of a track that is older is that of an item in an earlier life of vision
_ON_BELT_NS = 30 * NS_PER_S


class ItemView(msgspec.Struct, frozen=True):
    """One picture with an item on it."""

    frame_id: int
    exposed_at_ns: int
    box: PreviewBox
    aspect_ratio: float


class Told(msgspec.Struct, frozen=True):
    """All that is known of one decision."""

    explanation: Explanation
    shot: ShotReport | None
    views: tuple[ItemView, ...]


class Explanations:
    """Fed by the thread that reads the line, asked by the web server's threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_decision: OrderedDict[int, Explanation] = OrderedDict()
        self._by_track: dict[int, int] = {}
        self._shots: OrderedDict[int, ShotReport] = OrderedDict()
        self._pictures: deque[Preview] = deque(maxlen=_KEPT_PICTURES)
        self._pinned: OrderedDict[int, Preview] = OrderedDict()

    def take(self, message: msgspec.Struct) -> None:
        """Note what the line says; other messages are let pass."""
        with self._lock:
            if isinstance(message, Preview):
                self._pictures.append(message)
            elif isinstance(message, Explanation):
                self._take_explanation(message)
            elif isinstance(message, ShotReport):
                for decision_id in message.decision_ids:
                    self._shots[decision_id] = message
                while len(self._shots) > _KEPT_DECISIONS:
                    self._shots.popitem(last=False)

    def of_decision(self, decision_id: int) -> Told | None:
        """What is known of a decision; None when it is too long ago, or has not been taken."""
        with self._lock:
            explanation = self._by_decision.get(decision_id)
            return None if explanation is None else self._told(explanation)

    def of_track(self, track_id: int) -> Told | None:
        """What is known of the decision on an item; None while it has not been taken."""
        with self._lock:
            explanation = self._by_decision.get(self._by_track.get(track_id, -1))
            return None if explanation is None else self._told(explanation)

    def jpeg(self, frame_id: int) -> bytes | None:
        """A picture that is still there."""
        with self._lock:
            pinned = self._pinned.get(frame_id)
            if pinned is not None:
                return pinned.jpeg
            return next((one.jpeg for one in self._pictures if one.frame_id == frame_id), None)

    def _take_explanation(self, explanation: Explanation) -> None:
        decision = explanation.decision
        self._by_decision[decision.decision_id] = explanation
        self._by_track[decision.track_id] = decision.decision_id
        while len(self._by_decision) > _KEPT_DECISIONS:
            _, old = self._by_decision.popitem(last=False)
            if self._by_track.get(old.decision.track_id) == old.decision.decision_id:
                del self._by_track[old.decision.track_id]

    def _told(self, explanation: Explanation) -> Told:
        decision = explanation.decision
        pictures = [*self._pinned.values(), *(one for one in self._pictures if one.frame_id not in self._pinned)]
        views = []
        for picture in sorted(pictures, key=lambda one: one.exposed_at_ns):
            box = next((one for one in picture.boxes if one.track_id == decision.track_id), None)
            is_of_its_time = abs(picture.exposed_at_ns - decision.decided_at_ns) <= _ON_BELT_NS
            if box is not None and is_of_its_time and box.right_px > box.left_px and box.bottom_px > box.top_px:
                aspect_ratio = picture.aspect_ratio * picture.height_px / picture.width_px
                views.append(ItemView(picture.frame_id, picture.exposed_at_ns, box, aspect_ratio))
                self._pin(picture)
        return Told(explanation, self._shots.get(decision.decision_id), tuple(views))

    def _pin(self, picture: Preview) -> None:
        self._pinned[picture.frame_id] = picture
        self._pinned.move_to_end(picture.frame_id)
        while len(self._pinned) > _PINNED_PICTURES:
            self._pinned.popitem(last=False)
