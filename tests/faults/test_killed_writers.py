"""Writers killed with SIGKILL at random moments: what was acknowledged is there, nothing is broken, sums are right."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed_writer.py")


def kill_writers(folder: Path, kill_count: int) -> None:
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), str(kill_count), "1"], capture_output=True, text=True, timeout=1200
    )
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["kill_count"] == kill_count
    assert report["acknowledged_count"] > 10 * kill_count
    assert report["stored_count"] >= report["acknowledged_count"]
    assert (report["lost_count"], report["fault_count"], report["unequal_count"]) == (0, 0, 0)


def test_twenty_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    kill_writers(tmp_path, 20)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_two_hundred_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    kill_writers(tmp_path, 200)
