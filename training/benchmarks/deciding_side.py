"""The deciding end of the latency bench, a process of its own as on the line: tracks in, commands packed.

Run as `python -m training.benchmarks.deciding_side RUN_FOLDER`; writes READY, and at the end one JSON object to
standard output.
"""

import sys
from pathlib import Path

import msgspec

from sorter.model.tracks import BeltState, TrackBatch
from sorter.policy.evidence import no_calibration
from sorter.runtime.bus import Subscriber
from sorter.runtime.clock import SystemClock
from sorter.runtime.envelope import pack
from sorter.runtime.run_folder import read_run_plan
from sorter.runtime.topics import BELT, TRACKS
from sorter.sorting import Ruling, Sorting

READY = "ready"
# a batch of this model is the last one
LAST_MODEL_ID = "last"
_BOOT_ID = "bench"
_WAIT_MS = 10.0


class Decided(msgspec.Struct, frozen=True):
    """What the deciding end has seen.

    Attributes:
        commanded_at_ns: by frame, when all commands that it led to were packed for sending.
        command_count: commands altogether.
    """

    commanded_at_ns: dict[int, int]
    command_count: int


def decide_until_last(run_folder: Path) -> Decided:
    """Follow tracks and belt until the last batch."""
    plan, clock = read_run_plan(run_folder, None), SystemClock()
    sorting = Sorting(plan.settings, no_calibration(len(plan.settings.recipe.classes)), _BOOT_ID)
    sorting.is_executing = True
    reader = Subscriber(plan.run_folder, [TRACKS, BELT])
    commanded_at_ns: dict[int, int] = {}
    command_count = 0
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    while True:
        for received in reader.receive(_WAIT_MS):
            match received.message:
                case BeltState() as belt:
                    command_count += _pack_commands(sorting.take_belt(belt, clock.now_ns()), clock)
                case TrackBatch(model_id=model_id) if model_id == LAST_MODEL_ID:
                    reader.close()
                    return Decided(commanded_at_ns, command_count)
                case TrackBatch() as batch:
                    command_count += _pack_commands(sorting.take_tracks(batch, clock.now_ns()), clock)
                    commanded_at_ns[batch.frame_id] = clock.now_ns()


def _pack_commands(rulings: list[Ruling], clock: SystemClock) -> int:
    commands = [ruling.command for ruling in rulings if ruling.command is not None]
    for command in commands:
        pack(command, _BOOT_ID, command.seq, clock.now_ns())
    return len(commands)


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(decide_until_last(Path(sys.argv[1]))).decode())
