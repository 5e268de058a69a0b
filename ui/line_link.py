"""What the web application needs of the process that it runs in: what is asked of the line, and what it tells."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from sorter.runtime.clock import Clock
from sorter.runtime.topics import Topic
from ui.alarm_desk import AlarmDesk
from ui.explanations import Explanations
from ui.streams import NewestEvent, StreamPlaces


class LineLink(NamedTuple):
    """The line, as the application sees it.

    Attributes:
        clock: the line's clock.
        states: the newest state of the line.
        places: how many streams may be open.
        say: says something to the line.
        newest: the newest message of a topic, None before the first.
        alarms: what is wrong, and what operators made of it.
        explanations: why items were ejected or left.
        is_following: whether the line's messages are still being read.
        metrics: the line's figures in Prometheus' text format.
        configuration: the file that the line was started with, None without one.
    """

    clock: Clock
    states: NewestEvent
    places: StreamPlaces
    say: Callable[[msgspec.Struct], None]
    newest: Callable[[Topic], msgspec.Struct | None]
    alarms: AlarmDesk
    explanations: Explanations
    is_following: Callable[[], bool]
    metrics: Callable[[], bytes]
    configuration: Path | None = None
