"""One progress bar for all long work of the lab: on a terminal, on stderr, and nowhere else."""

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TypeVar

import click

Step = TypeVar("Step")


def progress(
    steps: Iterable[Step], step_count: int, label: str, *, shown: bool = True
) -> AbstractContextManager[Iterable[Step]]:
    """Iterate over `steps` under a bar, hidden when stderr is no terminal or when it is not to be shown."""
    hidden = not (shown and sys.stderr.isatty())
    return click.progressbar(steps, length=step_count, label=label, file=sys.stderr, hidden=hidden, show_pos=True)
