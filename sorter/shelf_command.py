"""`farz bundle list` and `farz bundle rollback`: what is on a shelf of models, and the way back in one command."""

import json
from pathlib import Path

import click
import msgspec

from sorter.errors import ShelfError
from sorter.runtime.model_shelf import Champion, ModelShelf

_shelf_option = click.option(
    "--shelf", "folder", type=click.Path(path_type=Path), required=True, help="Folder of the shelf."
)


@click.command("list")
@_shelf_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_shelf(folder: Path, as_json: bool) -> None:
    """List the bundles of a shelf: which is in use, and which a rollback would bring back, step by step."""
    shelf = ModelShelf(folder)
    champion, model_ids = _champion_of(shelf), shelf.model_ids()
    if as_json:
        report = {"champion": msgspec.to_builtins(champion), "model_ids": model_ids}
        click.echo(json.dumps(report, indent=2))
        return
    for model_id in model_ids:
        click.echo(f"{'→' if model_id == champion.model_id else ' '} {model_id}{_standing(champion, model_id)}")


@click.command()
@_shelf_option
def rollback(folder: Path) -> None:
    """Go back to the champion before this one. A running line takes it up within seconds, at a frame boundary."""
    shelf = ModelShelf(folder)
    left = _champion_of(shelf)
    with shelf.changing():
        restored = shelf.roll_back()
    click.echo(f"{folder}: {restored.model_id} is champion again, in place of {left.model_id}")


def _champion_of(shelf: ModelShelf) -> Champion:
    champion = shelf.champion()
    if champion is None:
        raise ShelfError(f"shelf {shelf.folder}: there is no champion; farz bundle promote puts the first one there")
    return champion


def _standing(champion: Champion, model_id: str) -> str:
    if model_id == champion.model_id:
        return f"  in use since {champion.since}"
    steps = [step for step, earlier in enumerate(reversed(champion.earlier), start=1) if earlier == model_id]
    return f"  {steps[0]} back" if steps else ""
