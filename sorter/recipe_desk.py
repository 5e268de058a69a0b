"""Which recipe is in force in the sorter: the line's own, or what an engineer made of it at a screen."""

import logging

from sorter.errors import ConfigurationError
from sorter.model.explanation import RecipeChange, RecipeState
from sorter.model.recipe import recipe_hash
from sorter.model.settings import RecipeSettings
from sorter.runtime.live_recipe import changed_recipe, keep_change, last_change, stations_of
from sorter.runtime.run_folder import RunPlan


class RecipeDesk:
    """Holds the recipe in force, and takes changes of it.

    Args:
        plan: of the run; a change that was made in it before holds from the start.
    """

    def __init__(self, plan: RunPlan) -> None:
        self._plan = plan
        self.recipe: RecipeSettings = plan.settings.recipe
        self._changed_by = ""
        before = last_change(plan.run_folder)
        if before is not None:
            self._adopt(before)

    @property
    def state(self) -> RecipeState:
        """What screens are told."""
        return RecipeState(recipe_hash(self.recipe), stations_of(self.recipe), self._changed_by)

    def take(self, change: RecipeChange) -> bool:
        """Check a change and take it; False for one that is no recipe."""
        if not self._adopt(change):
            return False
        keep_change(self._plan.run_folder, change)
        return True

    def _adopt(self, change: RecipeChange) -> bool:
        try:
            self.recipe = changed_recipe(self._plan.settings, change.stations)
        except ConfigurationError as error:
            logging.getLogger("sorter").warning("a change of the recipe by %s is refused: %s", change.who, error)
            return False
        self._changed_by = change.who
        return True
