"""Kills writers of a store at random moments: forks one, reads what it says was acknowledged, kills it, looks.

Run as a script, since forking needs a process without threads: FOLDER, number of kills, seed. Prints one JSON object.
"""

import json
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

from sorter.model.condition import Mode
from sorter.model.events import AnyEvent, FaultNoted, ModeTime
from sorter.model.rollups import Period, Resolution, rolled_up
from sorter.runtime.clock import SystemClock
from sorter.store.protocol import Position
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter

NOW_MS = 1_780_000_000_000
ALL_TIME = Period(0, 2 * NOW_MS)
LONGEST_NS = 60_000_000
CLOCK = SystemClock()


def event(life: int, seq: int) -> AnyEvent:
    common: dict[str, Any] = {"device_id": "n", "boot_id": f"b{life}", "seq": seq, "at_ms": NOW_MS + seq * 977}
    if seq % 7 == 0:
        return FaultNoted(process="vision", code="x", detail="y", is_cleared=False, **common)
    return ModeTime(mode=Mode.EXECUTE, duration_ms=500 + seq % 100, **common)


def write_for_good(path: Path, life: int, seed: int, pipe: int) -> None:
    """Write batches and say each time up to which number they are acknowledged, until killed."""
    choice, seq = random.Random(seed), 0
    writer = SqliteWriter(path)
    while True:
        count = choice.randint(1, 40)
        writer.record([event(life, seq + number) for number in range(1, count + 1)])
        seq += count
        os.write(pipe, f"{seq}\n".encode())


def kill_one(path: Path, life: int, choice: random.Random) -> int:
    """Start a writer, kill it at a random moment; up to which number it was acknowledged."""
    reading, writing = os.pipe()
    seed = choice.randrange(2**30)
    child = os.fork()
    if child == 0:
        os.close(reading)
        write_for_good(path, life, seed, writing)
    os.close(writing)
    with os.fdopen(reading) as said:
        first = said.readline() if choice.random() < 0.9 else ""
        CLOCK.wait_until_ns(CLOCK.now_ns() + choice.randrange(LONGEST_NS))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        lines = (first + said.read()).splitlines(keepends=True)
    return max((int(line) for line in lines if line.endswith("\n")), default=0)


def look(path: Path, acknowledged: dict[str, int]) -> dict[str, Any]:
    """What is wrong with the store, and what of the acknowledged is missing."""
    SqliteWriter(path).close()
    reader = SqliteReader(path)
    stored = [written.event for written in reader.written_after(Position(), 10**7)]
    found = {(one.boot_id, one.seq) for one in stored}
    lost = sum((boot_id, seq) not in found for boot_id, last in acknowledged.items() for seq in range(1, last + 1))
    faults = reader.integrity_faults()
    is_equal = reader.series(ALL_TIME, Resolution.MINUTE) == rolled_up(stored)
    reader.close()
    return {"lost_count": lost, "fault_count": len(faults), "is_equal": is_equal, "stored_count": len(stored)}


def main() -> None:
    folder, kill_count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    choice, acknowledged = random.Random(seed), {}
    path = folder / "events.sqlite"
    report: dict[str, Any] = {"lost_count": 0, "fault_count": 0, "unequal_count": 0, "kill_count": kill_count}
    for life in range(kill_count):
        acknowledged[f"b{life}"] = kill_one(path, life, choice)
        # each tenth time is enough: what was lost earlier stays lost
        if life % 10 == 9 or life == kill_count - 1:
            seen = look(path, acknowledged)
            report["lost_count"] += seen["lost_count"]
            report["fault_count"] += seen["fault_count"]
            report["unequal_count"] += not seen["is_equal"]
            report["stored_count"] = seen["stored_count"]
    report["acknowledged_count"] = sum(acknowledged.values())
    print(json.dumps(report))


if __name__ == "__main__":
    main()
