"""`farz bundle promote`: a challenger against the champion on the frozen site set, and the shelf changed after it."""

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from sorter.errors import BundleError, ShelfError
from sorter.model.settings import Settings
from sorter.runtime.bundle import Bundle, bundle_for, load_bundle
from sorter.runtime.clock import utc_text
from sorter.runtime.configuration import load_settings
from sorter.runtime.model_shelf import Champion, ModelShelf
from training.release.promotion import Contest, Gate, Trial, objections, shown
from training.release.trial import hold_trial

REFUSED_EXIT_CODE = 1
_PATH = click.Path(path_type=Path)
_GATE = Gate()


class Outcome(msgspec.Struct, frozen=True):
    """What was decided and on which figures; an entry of the shelf's journal."""

    event: str
    objections: tuple[str, ...]
    trial: Trial
    gate: Gate
    is_new_site_set: bool


@click.command()
@click.argument("challenger", type=_PATH)
@click.option("--shelf", "shelf_folder", type=_PATH, required=True, help="Folder of the shelf; made if missing.")
@click.option("--data", type=_PATH, required=True, help="The frozen site set: a folder with images/ and labels/.")
@click.option("--config", type=_PATH, help="Line configuration: trusted keys, classes, runtime and precision.")
@click.option(
    "--margin",
    type=click.FloatRange(0, 1),
    default=_GATE.margin_ratio,
    show_default=True,
    help="By how much a total may fall.",
)
@click.option(
    "--min-labels",
    type=click.IntRange(1),
    default=_GATE.min_label_count,
    show_default=True,
    help="Labels from which a class has a vote of its own.",
)
@click.option("--new-site-set", is_flag=True, help="From now on compare on this site set; it is not the one before.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def promote(
    challenger: Path, shelf_folder: Path, data: Path, config: Path | None, margin: float, min_labels: int,
    new_site_set: bool, as_json: bool,
) -> None:  # fmt: skip
    r"""Make the bundle CHALLENGER the champion of a shelf, unless it is worse than the champion there.

    Both see the same pictures: a site set that is frozen at the first promotion and known by its hash. Refused are: a
    total (mAP50, or F1 at a calibrated probability of 0.5) that falls by more than the margin; a total, or a class
    with enough labels, whose 95 % interval of the difference lies wholly below zero; other classes; a signature that
    the line does not trust. Measured is the bundle's own model, or the lighter one in it if the configuration's
    detector.lighter is "always". Every decision goes into the shelf's journal with its figures. Exit code 0: promoted;
    1: measured and refused; 2: cannot be tried.

    \b
    farz bundle promote my-model --shelf /var/lib/farz/models --data site-set --config line.toml
    farz bundle rollback --shelf /var/lib/farz/models       one command back
    """
    shelf, settings = ModelShelf(shelf_folder), load_settings(config)
    champion = shelf.champion()
    bundle = _checked(challenger, settings, shelf, champion)
    trial = hold_trial(challenger, _folder_of(shelf, champion), data, settings.detector)
    is_new = _is_new_site_set(trial, champion, shelf, allowed=new_site_set)
    gate = Gate(margin, min_labels)
    reasons = objections(trial, gate)
    outcome = Outcome("refused" if reasons else "promoted", reasons, trial, gate, is_new)
    with shelf.changing():
        _carry_out(outcome, bundle, shelf, champion, settings)
    click.echo(msgspec.json.encode(outcome).decode() if as_json else _table(outcome))
    if reasons:
        sys.exit(REFUSED_EXIT_CODE)


def _checked(folder: Path, settings: Settings, shelf: ModelShelf, champion: Champion | None) -> Bundle:
    """The challenger as the line would open it, and of the champion's classes."""
    bundle = bundle_for(_with_model(settings, folder))
    if champion is None:
        return bundle
    if champion.model_id == bundle.model_id:
        raise ShelfError(f"shelf {shelf.folder}: {bundle.model_id} is its champion already")
    classes = load_bundle(shelf.bundle_folder(champion.model_id)).manifest.classes
    if classes != bundle.manifest.classes:
        raise BundleError(
            f"bundle {folder} was made for classes {list(bundle.manifest.classes)}, the champion {champion.model_id} "
            f"for {list(classes)}; on one shelf they are the same, in the same order"
        )
    return bundle


def _with_model(settings: Settings, folder: Path) -> Settings:
    runtime = "openvino" if settings.detector.runtime == "oracle" else settings.detector.runtime
    detector = msgspec.structs.replace(settings.detector, model=str(folder), runtime=runtime)
    return msgspec.structs.replace(settings, detector=detector)


def _folder_of(shelf: ModelShelf, champion: Champion | None) -> Path | None:
    return None if champion is None else shelf.bundle_folder(champion.model_id)


def _is_new_site_set(trial: Trial, champion: Champion | None, shelf: ModelShelf, *, allowed: bool) -> bool:
    if champion is None or champion.site_set_sha256 == trial.site_set_sha256:
        return champion is None
    if not allowed:
        raise ShelfError(
            f"shelf {shelf.folder}: the site set is not the frozen one (hash {trial.site_set_sha256[:8]}, not "
            f"{champion.site_set_sha256[:8]}); undo the change, or use this one from now on: --new-site-set"
        )
    return True


def _carry_out(
    outcome: Outcome, bundle: Bundle, shelf: ModelShelf, champion: Champion | None, settings: Settings
) -> None:
    """Write the decision down, and only then turn the pointer."""
    entry: dict[str, Any] = msgspec.to_builtins(outcome)
    if outcome.objections:
        shelf.note(entry)
        return
    if shelf.champion() != champion:
        raise ShelfError(f"shelf {shelf.folder}: its champion has changed since the trial began; promote again")
    with shelf.taking_in(bundle.folder) as part:
        if bundle_for(_with_model(settings, part)).manifest != bundle.manifest:
            raise ShelfError(f"bundle {bundle.folder}: it has changed since the trial began; promote again")
        shelf.shelve(part, bundle.model_id)
    shelf.note(entry)
    earlier = () if champion is None else (*champion.earlier, champion.model_id)
    shelf.point_to(Champion(bundle.model_id, earlier, outcome.trial.site_set_sha256, utc_text()))


def _table(outcome: Outcome) -> str:
    trial = outcome.trial
    head = (
        f"{trial.challenger_id} on {trial.picture_count} pictures (site set {trial.site_set_sha256[:8]}), "
        f"{trial.runtime} {trial.precision}"
    )
    rows = _rows_alone(trial) if trial.contest is None else _rows_beside(trial, trial.contest)
    verdict = [f"refused: {one}" for one in outcome.objections] or [_promoted(trial)]
    return "\n".join([head, *rows, *verdict])


def _promoted(trial: Trial) -> str:
    return f"promoted: {trial.challenger_id}" + (
        ", the first champion of this shelf" if trial.contest is None else f" in place of {trial.contest.champion_id}"
    )


def _rows_alone(trial: Trial) -> list[str]:
    figures = {"mAP50": trial.challenger.map50, "F1": trial.challenger.f1, **trial.challenger.ap50}
    return [f"{name:<18}{value:8.3f}" for name, value in figures.items()]


def _rows_beside(trial: Trial, contest: Contest) -> list[str]:
    ours, theirs = trial.challenger, contest.champion
    head = f"{'':<18}{'labels':>8}{'champion':>10}{'challenger':>12}  difference (95 % interval)"
    totals = [
        f"{name:<18}{'':8}{old:10.3f}{new:12.3f}  {shown(difference)}"
        for name, old, new, difference in (
            ("mAP50", theirs.map50, ours.map50, contest.map50),
            ("F1", theirs.f1, ours.f1, contest.f1),
        )
    ]
    classes = [
        f"{name:<18}{trial.label_counts[name]:8d}{theirs.ap50[name]:10.3f}{ours.ap50[name]:12.3f}  {shown(difference)}"
        for name, difference in contest.ap50.items()
    ]
    return [head, *totals, *classes]
