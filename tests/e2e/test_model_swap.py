"""A running line whose shelf is rolled back by the command: it takes the model up and goes on."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sorter.model.condition import Fault
from sorter.model.tracks import TrackBatch
from sorter.runtime.bundle import MANIFEST_NAME, default_bundle_folder
from sorter.runtime.bus import Subscriber
from sorter.runtime.model_shelf import Champion, ModelShelf
from sorter.runtime.secret_key import new_secret_key
from sorter.runtime.topics import FAULT, TRACKS
from training.release.sealing import seal

FARZ = Path(sys.executable).with_name("farz")
KEY = new_secret_key()


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    """The shipped model under two versions, the second in use, and a third that nobody trusted has signed."""
    shelf = ModelShelf(tmp_path / "shelf")
    for version in ("1", "2", "3"):
        source = tmp_path / version
        shutil.copytree(default_bundle_folder(), source)
        manifest = json.loads((source / MANIFEST_NAME).read_text()) | {"version": version}
        (source / MANIFEST_NAME).write_text(json.dumps(manifest))
        sealed = seal(source, new_secret_key() if version == "3" else KEY)
        with shelf.changing(), shelf.taking_in(source) as part:
            shelf.shelve(part, sealed.model_id)
    first, second, _ = shelf.model_ids()
    shelf.point_to(Champion(second, (first,), "site", "now"))
    return shelf


@contextmanager
def running_line(tmp_path: Path, shelf: ModelShelf) -> Iterator["subprocess.Popen[str]"]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "line.toml"
    config.write_text(f'[detector]\nmodel = "{shelf.folder}"\ntrusted_keys = ["{KEY.public.text}"]\n')
    command = [str(FARZ), "run", "--config", str(config), "--port", str(port), "--speed", "0.5", "--json"]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    with (tmp_path / "log").open("w") as log:
        line = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    try:
        yield line
    finally:
        if line.poll() is None:
            line.kill()
        line.wait()
        line.stdout.close()


class Listener:
    """What the vision process says."""

    def __init__(self, tmp_path: Path) -> None:
        until(lambda: bool(list(tmp_path.glob("farz-*/run.json"))), "the run folder is there")
        self.reader = Subscriber(next(tmp_path.glob("farz-*")), [TRACKS, FAULT])
        self.batches: list[TrackBatch] = []
        self.faults: list[Fault] = []
        self.boot_ids: set[str] = set()

    def hears(self, condition: Callable[[], bool]) -> bool:
        for received in self.reader.receive(20):
            if isinstance(received.message, TrackBatch):
                self.batches.append(received.message)
                self.boot_ids.add(received.boot_id)
            elif isinstance(received.message, Fault):
                self.faults.append(received.message)
        return condition()

    def item_ids(self) -> list[int]:
        """Items in the order of their first view."""
        seen = (track_id for batch in self.batches for track_id in sorted(one.track_id for one in batch.tracks))
        return list(dict.fromkeys(seen))

    def hears_version(self, version: str) -> bool:
        return self.hears(lambda: bool(self.batches) and f"-{version}-" in self.batches[-1].model_id)


def until(condition: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
    ends_at_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends_at_s, f"{what} within {timeout_s} s"


def test_a_rollback_reaches_the_running_line_which_goes_on(tmp_path: Path, shelf: ModelShelf) -> None:
    log = tmp_path / "log"
    with running_line(tmp_path, shelf) as line:
        listener = Listener(tmp_path)
        until(lambda: listener.hears_version("2"), "the champion sees")
        until(lambda: "execute:" in log.read_text() and listener.hears_version("2"), "the line executes")
        subprocess.run([FARZ, "bundle", "rollback", "--shelf", shelf.folder], check=True, capture_output=True)
        until(lambda: listener.hears_version("1"), "the earlier champion sees")
        shelf.point_to(Champion(shelf.model_ids()[2], (), "site", "now"))
        until(lambda: listener.hears(lambda: bool(listener.faults)), "the line says that it does not trust that model")
        seen_count = len(listener.batches)
        until(lambda: listener.hears(lambda: len(listener.batches) >= seen_count + 3), "the line goes on")
        line.send_signal(signal.SIGINT)
        out, _ = line.communicate(timeout=30)
        listener.reader.close()
    # how many views a busy machine misses is no matter here; in virtual time it is none
    assert len(listener.boot_ids) == 1, "the vision process lived through it"
    assert listener.item_ids() == sorted(listener.item_ids()), "tracks were numbered on, not anew"
    assert [fault.code for fault in listener.faults] == ["model_not_swapped"]
    assert "is not trusted" in listener.faults[0].detail
    assert "-1-" in listener.batches[-1].model_id
    assert "held:" not in log.read_text()
    assert "-1-" in json.loads(out)["model_id"]
