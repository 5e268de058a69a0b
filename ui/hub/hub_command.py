"""`farz hub`: the hub of a fleet, until it is told to stop."""

import logging
import signal
import sys
import threading
from pathlib import Path

import click

from sorter.extras import need_extra
from sorter.runtime.configuration import load_settings


@click.command("hub")
@click.option(
    "--config", type=click.Path(path_type=Path), help="Configuration (TOML); its tables [hub] and [api] count."
)
def hub(config: Path | None) -> None:
    r"""Run the hub of a fleet: lines send it their events, it keeps them in PostgreSQL.

    The tables are made in an empty database. A line is let in by a key of its own; SIGTERM and Ctrl-C stop the hub.

    \b
    farz keys api add keys.json north --scope fleet:write     the key of line "north", for its fleet.key_file
    farz hub --config hub.toml
    """
    need_extra("fleet", "psycopg", "farz hub")
    from ui.hub.process import serve_hub

    settings = load_settings(config)
    logging.basicConfig(level=logging.INFO, format="hub: %(message)s", stream=sys.stderr)
    stop_requested = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _signal, _frame: stop_requested.set())
    serve_hub(settings, stop_requested)
