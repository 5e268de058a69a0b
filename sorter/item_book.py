"""The book of items on the belt: their evidence and place, from the first view until they have passed the line."""

from collections.abc import Iterator

import msgspec
import numpy as np

from sorter.model.ejection import Decision
from sorter.model.explanation import ViewVote
from sorter.model.settings import RecipeSettings
from sorter.model.tracks import Track, TrackBatch
from sorter.policy.decision import BeltItem
from sorter.policy.evidence import Calibration, Evidence, class_probabilities, no_evidence, with_view


class _Entry:
    __slots__ = ("decision", "evidence", "item", "track", "views")

    def __init__(self, track: Track, class_count: int) -> None:
        self.track = track
        self.evidence: Evidence = no_evidence(class_count)
        self.item: BeltItem | None = None
        self.decision: Decision | None = None
        # frame, exposure, evidence of the view alone
        self.views: list[tuple[int, int, Evidence]] = []


class ItemBook:
    """Items by track id, in belt coordinates."""

    def __init__(self, recipe: RecipeSettings, calibration: Calibration) -> None:
        self._recipe = recipe
        # of the model that the next views come from
        self.calibration = calibration
        self._entries: dict[int, _Entry] = {}

    def observe(self, batch: TrackBatch) -> None:
        """Add the evidence of one view."""
        for track in batch.tracks:
            self._observe(track, batch)

    def undecided(self) -> Iterator[BeltItem]:
        """Items that still wait for their decision."""
        return (self._item(entry) for entry in list(self._entries.values()) if entry.decision is None)

    def holds(self, track_id: int) -> bool:
        """Whether an item is still on the belt as far as the book knows."""
        return track_id in self._entries

    def item(self, track_id: int) -> BeltItem:
        """One item by its track."""
        return self._item(self._entries[track_id])

    def decision(self, track_id: int) -> Decision | None:
        """The decision on an item, None while it waits for one."""
        return self._entries[track_id].decision

    def votes(self, track_id: int) -> tuple[ViewVote, ...]:
        """What each view of an item said, oldest first."""
        return tuple(
            ViewVote(frame_id, exposed_at_ns, tuple(class_probabilities(alone).tolist()), alone.weight_sum)
            for frame_id, exposed_at_ns, alone in self._entries[track_id].views
        )

    def others(self, track_id: int) -> list[BeltItem]:
        """All other items, as neighbours: those seen as often as an item must be."""
        least = self._recipe.min_decision_views
        return [
            self._item(entry)
            for other_id, entry in self._entries.items()
            if other_id != track_id and entry.evidence.view_count >= least
        ]

    def settle(self, decision: Decision, leaves_at_um: int | None) -> None:
        """Note an item's decision, and at which offset it will leave the belt if it does."""
        entry = self._entries[decision.track_id]
        entry.decision = decision
        entry.item = msgspec.structs.replace(self._item(entry), leaves_at_um=leaves_at_um)

    def forget_before(self, belt_um: int) -> None:
        """Drop decided items that have passed the last station."""
        passed = [
            key for key, entry in self._entries.items() if entry.decision is not None and entry.track.belt_um < belt_um
        ]
        for key in passed:
            del self._entries[key]

    def forget_all(self) -> None:
        """Drop everything: a new life of the vision process numbers its tracks anew."""
        self._entries.clear()

    def _observe(self, track: Track, batch: TrackBatch) -> None:
        entry = self._entries.get(track.track_id)
        if entry is None:
            entry = self._entries[track.track_id] = _Entry(track, len(self._recipe.classes))
        weight = self._recipe.truncated_view_weight if track.truncated else 1.0
        if entry.decision is None:
            entry.track, entry.item = track, None
            before = entry.evidence
            entry.evidence = with_view(before, np.array(track.class_probs), weight, self.calibration)
            alone = Evidence(entry.evidence.logit_sum - before.logit_sum, weight, 1)
            entry.views.append((batch.frame_id, batch.exposed_at_ns, alone))

    def _item(self, entry: _Entry) -> BeltItem:
        if entry.item is None:
            track = entry.track
            probabilities = class_probabilities(entry.evidence)
            entry.item = BeltItem(
                track.track_id,
                track.x_um,
                track.belt_um,
                track.width_um,
                track.length_um,
                probabilities,
                entry.evidence.view_count,
            )
        return entry.item
