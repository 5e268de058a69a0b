"""What is known of a period: the sums, audits and recipes that every figure of it is made from."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

import msgspec

from sorter.model.condition import Mode
from sorter.model.events import AuditTaken, RecipeUsed
from sorter.model.rollups import PPM, CountName, ItemsKey, ItemsSum, Period, RollUp


class PeriodRecord(msgspec.Struct, frozen=True, dict=True):
    """Everything that figures of a period are made from; `audits` are the valid ones, newest revision only."""

    period: Period
    sums: RollUp
    audits: tuple[AuditTaken, ...] = ()
    recipes: Mapping[str, RecipeUsed] = {}
    device_count: int = 1

    @cached_property
    def coverage_ratio(self) -> float:
        """Share of the period, of all its devices, for which the line was recording, in 0..1."""
        whole_ms = self.period.duration_ms * max(1, self.device_count)
        return min(1.0, sum(self.counts(CountName.MODE_MS).values()) / whole_ms) if whole_ms else 0.0

    @property
    def executing_ms(self) -> int:
        """For how long the line sorted."""
        return self.counts(CountName.MODE_MS).get(Mode.EXECUTE.value, 0)

    @cached_property
    def model_ids(self) -> tuple[str, ...]:
        """Models whose decisions are in the sums, by name."""
        return tuple(sorted({key.model_id for key in self.sums.items}))

    def counts(self, name: str) -> Mapping[str, int]:
        """One kind of count by label, all devices and moments together."""
        return self._counts.get(name, {})

    def items(self, station_id: str | None = None) -> Iterator[tuple[ItemsKey, ItemsSum]]:
        """Sums over items; with a station, those that its valves fired at, with "" what stayed on the belt."""
        return (
            (key, sums) for key, sums in self.sums.items.items() if station_id is None or key.station_id == station_id
        )

    def item_count(self, station_id: str | None = None) -> int:
        """How many items there were."""
        return sum(sums.item_count for _, sums in self.items(station_id))

    def targets(self, recipe_hash: str, station_id: str) -> tuple[str, ...] | None:
        """Classes that a station was to take under a recipe, None where the recipe or the station in it is unknown."""
        recipe = self.recipes.get(recipe_hash)
        return None if recipe is None else recipe.targets.get(station_id)

    def expected_targets(self, station_id: str, stream: str) -> float:
        """How many targets of a station the model expects among the items of a stream ("" is what stayed)."""
        total_ppm = 0
        for key, sums in self.items(stream):
            if key.class_name in (self.targets(key.recipe_hash, station_id) or ()):
                total_ppm += sums.expected_ppm
        return total_ppm / PPM

    @cached_property
    def _counts(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for key, value in self.sums.counts.items():
            labels = found[key.name]
            labels[key.label] = labels.get(key.label, 0) + value
        return dict(found)

    def station_ids(self) -> tuple[str, ...]:
        """Stations of the recipes that were in use, in their order."""
        hashes = {key.recipe_hash for key in self.sums.items}
        return tuple(dict.fromkeys(name for digest in sorted(hashes) if digest in self.recipes
                                   for name in self.recipes[digest].targets))  # fmt: skip
