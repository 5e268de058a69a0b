"""The screen Models: what the line sees with, how good it was measured to be, and putting another model in its place.

A challenger is measured beside the champion on the site's own pictures before it sees the belt; the line takes a change
up by itself, between two frames.
"""

from http import HTTPStatus
from pathlib import Path
from typing import Any

import flask
from werkzeug.wrappers import Response

from sorter.errors import BundleError, ShelfError
from sorter.model.settings import Settings
from sorter.model.shadow import ShadowReport
from sorter.model.statistics import LineStatistics
from sorter.runtime.bundle import Manifest, default_bundle_folder, load_bundle
from sorter.runtime.model_shelf import Champion, ModelShelf, is_shelf
from sorter.runtime.topics import SHADOW, STATISTICS
from ui.line_link import LineLink
from ui.promotion import Promotion
from ui.screens.page import note, sentence, show

_CARD_NAME = "MODEL_CARD.md"


class ModelsScreen:
    """The screen and the trial that runs."""

    def __init__(self, settings: Settings, link: LineLink) -> None:
        self._settings = settings
        self._link = link
        self._promotion = Promotion(settings)
        self._shelf = ModelShelf(Path(settings.detector.model)) if self._has_shelf() else None

    def page(self) -> str:
        """The whole screen."""
        return show("models", **self._values())

    def card(self, model_id: str) -> Response | str:
        """A model's card, figures and operating curves."""
        folder = self._folders().get(model_id)
        if folder is None:
            return sentence(HTTPStatus.NOT_FOUND, "models.unknown", name=model_id)
        try:
            bundle = load_bundle(folder)
            text = (folder / _CARD_NAME).read_text()
        except (BundleError, OSError, UnicodeDecodeError) as error:
            return sentence(HTTPStatus.CONFLICT, "models.unreadable", why=error)
        curves = {name: _points(bundle.manifest, name) for name in bundle.manifest.operating_curve}
        return show("models", "model_card.html", bundle=bundle, card=text, curves=curves)

    def promote(self, name: str) -> Response | str:
        """Begin a trial of a challenger, which promotes it if it is no worse."""
        challenger = self._challengers().get(name)
        if challenger is None or self._shelf is None:
            return sentence(HTTPStatus.NOT_FOUND, "models.unknown", name=name)
        note(name)
        if not self._promotion.begin(challenger):
            return sentence(HTTPStatus.CONFLICT, "models.busy")
        return self.progress()

    def progress(self) -> str:
        """How the trial goes, and the shelf as it is now."""
        return flask.render_template("models_shelf.html", **self._values())

    def roll_back(self) -> Response | str:
        """Put the champion before this one back."""
        if self._shelf is None:
            return sentence(HTTPStatus.CONFLICT, "models.no_shelf")
        try:
            with self._shelf.changing():
                restored = self._shelf.roll_back()
        except ShelfError as error:
            return sentence(HTTPStatus.CONFLICT, "models.unreadable", why=error)
        note(restored.model_id)
        return self.progress()

    def _has_shelf(self) -> bool:
        return bool(self._settings.detector.model) and is_shelf(Path(self._settings.detector.model))

    def _values(self) -> dict[str, Any]:
        return {
            "champion": self._champion(),
            "has_shelf": self._shelf is not None,
            "model_ids": sorted(self._folders()),
            "challengers": sorted(self._challengers()),
            "has_site_set": bool(self._settings.ui.site_set),
            "trial": self._promotion.trial,
            "shadow": self._shadow(),
            "seeing": self._seeing(),
        }

    def _seeing(self) -> str:
        """The model that the line decides by, which may be the lighter one of the champion; empty before any."""
        statistics = self._link.newest(STATISTICS)
        return statistics.model_id if isinstance(statistics, LineStatistics) else ""

    def _shadow(self) -> ShadowReport | None:
        """How the challenger that looks along agrees with the model in use; None where none does."""
        report = self._link.newest(SHADOW)
        return report if isinstance(report, ShadowReport) else None

    def _champion(self) -> Champion | None:
        try:
            return self._shelf.champion() if self._shelf else None
        except ShelfError:
            return None

    def _folders(self) -> dict[str, Path]:
        """Every model whose card can be read, by what it is called."""
        if self._shelf is not None:
            shelved = {name: self._shelf.bundle_folder(name) for name in self._shelf.model_ids()}
            return {**self._challengers(), **shelved}
        model = self._settings.detector.model
        folder = Path(model) if model else default_bundle_folder()
        return {folder.name: folder}

    def _challengers(self) -> dict[str, Path]:
        folder = self._settings.ui.challengers_folder
        if not folder:
            return {}
        try:
            return {path.name: path for path in Path(folder).iterdir() if (path / "manifest.json").is_file()}
        except OSError:
            return {}


def add_to(app: flask.Flask, settings: Settings, link: LineLink) -> None:
    """Add the addresses of this screen."""
    screen = ModelsScreen(settings, link)
    app.add_url_rule("/models", "models", screen.page)
    app.add_url_rule("/models/<model_id>", "model_card", screen.card)
    app.add_url_rule("/models/<name>/promote", "promote_model", screen.promote, methods=["POST"])
    app.add_url_rule("/models-progress", "promotion_progress", screen.progress)
    app.add_url_rule("/models-roll-back", "roll_back_model", screen.roll_back, methods=["POST"])


def _points(manifest: Manifest, name: str) -> list[tuple[float, float, float]]:
    return [(point.probability, point.purity_ratio, point.recovery_ratio) for point in manifest.operating_curve[name]]
