"""How many events the bench of the store is asked for, as people type it: 20M, 500k, 1000."""

import re

import click

_FACTORS = {"": 1, "k": 1_000, "M": 1_000_000}


def event_count(_context: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    """A number of events from its text, None where none was given.

    Raises:
        click.BadParameter: if it is no such number.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,4})([kM]?)", text)
    if match is None or int(match[1]) == 0:
        raise click.BadParameter(f"{text!r}: a number of events above zero, such as 20M, 500k or 1000")
    return int(match[1]) * _FACTORS[match[2]]
