"""`farz keys api`: who may read figures over the network, and how much."""

from pathlib import Path

import click

from sorter.runtime.api_keys import (
    DEFAULT_QUOTA_PER_DAY,
    DEFAULT_RATE_PER_MIN,
    Scope,
    make_api_key,
    read_api_keys,
    revoke_api_key,
)

_FILE = click.Path(path_type=Path, dir_okay=False)
_SCOPES = tuple(scope.value for scope in Scope)


@click.group("api")
def api_keys() -> None:
    """Keys of the API: made, listed, revoked; the line notices within a second.

    FILE is what `api.keys_file` names. It holds hashes alone, so nobody can read a key out of it.
    """


@api_keys.command("add")
@click.argument("file", type=_FILE)
@click.argument("name")
@click.option(
    "--scope", "scopes", type=click.Choice(_SCOPES), multiple=True, help="What it may do; figures:read if left out."
)
@click.option(
    "--rate", type=click.IntRange(1, 1_000_000), default=DEFAULT_RATE_PER_MIN, help="Requests a minute.",
    show_default=True,
)  # fmt: skip
@click.option(
    "--quota", type=click.IntRange(1, 1_000_000_000), default=DEFAULT_QUOTA_PER_DAY, help="Requests in 24 hours.",
    show_default=True,
)  # fmt: skip
def add(file: Path, name: str, scopes: tuple[str, ...], rate: int, quota: int) -> None:
    r"""Make a key for NAME and print it, once.

    \b
    farz keys api add /etc/farz/api_keys.json "city of Meknes"
    farz keys api add /etc/farz/api_keys.json laboratory --scope figures:read --scope events:read
    """
    chosen = tuple(Scope(scope) for scope in dict.fromkeys(scopes)) or (Scope.FIGURES,)
    key, token = make_api_key(file, name, chosen, rate, quota)
    click.echo(token)
    click.echo(f"key {key.key_id} of {name}: {', '.join(scope.value for scope in chosen)}", err=True)
    click.echo("this is the only time it is shown; send it as 'Authorization: Bearer …'", err=True)


@api_keys.command("list")
@click.argument("file", type=_FILE)
def list_keys(file: Path) -> None:
    """List who has a key; the keys themselves are nowhere."""
    for key in read_api_keys(file):
        scopes = ",".join(scope.value for scope in key.scopes)
        click.echo(
            f"{key.key_id}  {key.made_at}  {key.rate_per_min}/min  {key.quota_per_day}/day  {scopes}  {key.name}"
        )


@api_keys.command("revoke")
@click.argument("file", type=_FILE)
@click.argument("key_id")
def revoke(file: Path, key_id: str) -> None:
    """Take a key out; whoever sends it is refused from then on."""
    click.echo(f"revoked {key_id} of {revoke_api_key(file, key_id).name}")
