"""The screen Recipe: what each station takes and how sure it must be, and what a change would have meant lately.

A change holds at once, and is written into the line's configuration where there is one; the one before can be brought
back.
"""

from http import HTTPStatus
from typing import Any

import flask
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from sorter.errors import ConfigurationError
from sorter.model.explanation import RecipeChange, RecipeState, StationRecipe
from sorter.model.settings import RecipeSettings, Settings
from sorter.runtime.configuration_file import change_file
from sorter.runtime.live_recipe import changed_recipe, stations_of
from sorter.runtime.topics import RECIPE
from ui.line_link import LineLink
from ui.recipe_preview import preview
from ui.records import Records
from ui.screens.page import note, sentence, show, visitor

PURITY_STEPS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
COST_STEPS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


class RecipeScreen:
    """The screen's own memory: which recipe was in force before the last change, for undoing it."""

    def __init__(self, settings: Settings, link: LineLink) -> None:
        self._settings = settings
        self._link = link
        self._records = Records(settings)
        self._before: tuple[StationRecipe, ...] | None = None

    def page(self) -> str:
        """The whole screen."""
        return show("recipe", **self._values(self.in_force()))

    def preview(self) -> Response | str:
        """What the recipe on the screen would have made of the items of the last hour, beside the one in force."""
        chosen = self._chosen()
        if isinstance(chosen, Response):
            return chosen
        effects = preview(self._records, self._recipe(self.in_force()), self._recipe(chosen))
        return flask.render_template("recipe_preview.html", effects=effects)

    def save(self) -> Response | str:
        """Put the recipe on the screen in force."""
        chosen = self._chosen()
        if isinstance(chosen, Response):
            return chosen
        before = self.in_force()
        answer = self._put_in_force(chosen)
        self._before = before
        return answer

    def undo(self) -> Response | str:
        """Bring back the recipe before the last change."""
        if self._before is None:
            return sentence(HTTPStatus.CONFLICT, "recipe.nothing_to_undo")
        before, self._before = self._before, None
        return self._put_in_force(before)

    def in_force(self) -> tuple[StationRecipe, ...]:
        """What the sorter says is in force; before it has, what the line began with."""
        state = self._link.newest(RECIPE)
        return state.stations if isinstance(state, RecipeState) else stations_of(self._settings.recipe)

    def _recipe(self, stations: tuple[StationRecipe, ...]) -> RecipeSettings:
        return changed_recipe(self._settings, stations)

    def _chosen(self) -> tuple[StationRecipe, ...] | Response:
        try:
            stations = tuple(_station(flask.request.form, old) for old in self.in_force())
            changed_recipe(self._settings, stations)
        except (ConfigurationError, ValueError) as error:
            return sentence(HTTPStatus.BAD_REQUEST, "recipe.refused", why=error)
        return stations

    def _put_in_force(self, stations: tuple[StationRecipe, ...]) -> str:
        who = visitor().name
        note("; ".join(f"{one.id}: {', '.join(one.targets)} ≥ {one.purity_target:g}" for one in stations))
        self._link.say(RecipeChange(stations, self._link.clock.now_ns(), who))
        kept = self._keep(self._recipe(stations), who)
        values = self._values(stations)
        return flask.render_template("recipe_form.html", answer=kept, is_undoable=True, **values)

    def _keep(self, recipe: RecipeSettings, who: str) -> str:
        """Write the change into the configuration; the text key of what became of it."""
        path = self._link.configuration
        if path is None:
            return "recipe.until_stop"
        ways: dict[tuple[str | int, ...], object] = {}
        for index, station in enumerate(recipe.stations):
            ways["recipe", "stations", index, "targets"] = list(station.targets)
            ways["recipe", "stations", index, "purity_target"] = station.purity_target
            if station.non_target_cost is not None:
                ways["recipe", "stations", index, "non_target_cost"] = station.non_target_cost
        try:
            change_file(path, ways, "screen", who)
        except (ConfigurationError, OSError, LookupError):
            return "recipe.not_kept"
        return "recipe.kept"

    def _values(self, stations: tuple[StationRecipe, ...]) -> dict[str, Any]:
        return {
            "stations": stations,
            "classes": self._settings.recipe.classes,
            "purity_steps": PURITY_STEPS,
            "cost_steps": COST_STEPS,
            "is_kept": self._link.configuration is not None,
            "can_undo": self._before is not None,
        }


def add_to(app: flask.Flask, settings: Settings, link: LineLink) -> None:
    """Add the addresses of this screen."""
    screen = RecipeScreen(settings, link)
    app.add_url_rule("/recipe", "recipe", screen.page)
    app.add_url_rule("/recipe/preview", "preview_recipe", screen.preview, methods=["POST"])
    app.add_url_rule("/recipe/save", "save_recipe", screen.save, methods=["POST"])
    app.add_url_rule("/recipe/undo", "undo_recipe", screen.undo, methods=["POST"])


def _station(form: MultiDict[str, str], old: StationRecipe) -> StationRecipe:
    cost = form.get(f"{old.id}.cost", "")
    return StationRecipe(
        id=old.id,
        targets=tuple(form.getlist(f"{old.id}.target")),
        purity_target=float(form.get(f"{old.id}.purity", old.purity_target)),
        non_target_cost=float(cost) if cost else None,
    )
