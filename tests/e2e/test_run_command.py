"""The line as a user starts it: real processes, sockets and signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from free_ports import free_port

from sorter.runtime.bundle import default_bundle_folder, lighter_of, load_bundle

FARZ = Path(sys.executable).with_name("farz")
START_TIMEOUT_S = 40.0


@contextmanager
def running_line(tmp_path: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", int, Path]]:
    """`farz run` with the oracle, in a run folder below tmp_path; killed at the end whatever happened."""
    port = free_port()
    command = [str(FARZ), "run", "--detector", "oracle", "--port", str(port), *options]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    log = tmp_path / "log"
    with log.open("w") as stderr:
        line = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)
    try:
        yield line, port, log
    finally:
        if line.poll() is None:
            line.kill()
        line.wait()
        line.stdout.close()


def wait_until(condition, what: str, timeout_s: float = START_TIMEOUT_S) -> None:
    ends_at_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends_at_s, f"{what} within {timeout_s} s"
        time.sleep(0.05)


def children(run_root: Path) -> dict[str, int]:
    """Process ids of the line whose run folder lies below a folder, by module name."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode().replace("\0", " ").split()
            except OSError:
                continue
            if "--run-folder" in words and words[words.index("--run-folder") + 1].startswith(str(run_root)):
                found[words[words.index("-m") + 1]] = int(entry.name)
    return found


def is_executing(log: Path) -> bool:
    return "execute:" in log.read_text()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return int(answer.status) == 200
    except urllib.error.URLError:
        return False


def metrics(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def test_a_run_sorts_and_says_how_well(tmp_path: Path) -> None:
    with running_line(tmp_path, "--for", "6s", "--json", "--stages") as (line, port, log):
        wait_until(lambda: is_executing(log), "the line executes")
        wait_until(lambda: answers(port), "the page answers")
        wait_until(lambda: 'stage="exposure_to_command"' in metrics(port), "stage times are told")
        out, _ = line.communicate(timeout=60)
    report = json.loads(out)
    assert line.returncode == 0
    assert report["overall"]["presented_count"] > 5
    # a busy machine may miss shots; purity does not depend on it
    assert report["overall"]["purity"]["value"] >= 0.9
    assert report["detector"] == "oracle"
    assert report["frame_to_command_basis"] == "measured"
    assert set(report["stages"]["vision"]) >= {"retrieve", "detect", "track", "preview", "exposure_to_tracks"}
    assert set(report["stages"]["sorter"]) == {"decide", "exposure_to_command"}
    assert report["stages"]["vision"]["detect"]["count"] > 20
    assert 0.0 < report["stages"]["vision"]["detect"]["p50_ms"] <= report["stages"]["vision"]["detect"]["p99_ms"]
    assert children(tmp_path) == {}
    assert list(tmp_path.glob("farz-*")) == [], "the run folder is removed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_every_process_within_three_seconds(tmp_path: Path, number: int) -> None:
    with running_line(tmp_path) as (line, _, log):
        wait_until(lambda: is_executing(log), "the line executes")
        assert set(children(tmp_path)) == {"sorter", "vision", "actuators", "ui", "ui.video"}
        sent_at_s = time.monotonic()
        line.send_signal(number)
        line.communicate(timeout=20)
        stopped_after_s = time.monotonic() - sent_at_s
    assert line.returncode == 0
    assert stopped_after_s < 3.0
    assert children(tmp_path) == {}


def test_a_killed_process_is_started_again_and_the_line_goes_on(tmp_path: Path) -> None:
    with running_line(tmp_path) as (line, _, log):
        wait_until(lambda: is_executing(log), "the line executes")
        first = children(tmp_path)["vision"]
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: children(tmp_path).get("vision", first) != first, "vision is started again")
        wait_until(lambda: log.read_text().count("execute:") >= 2, "the line executes again")
        line.send_signal(signal.SIGINT)
        line.communicate(timeout=20)
    text = log.read_text()
    assert "held: " in text
    assert "restart 1" in text


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    with running_line(tmp_path) as (line, _, log):
        wait_until(lambda: is_executing(log), "the line executes")
        line.kill()
        wait_until(lambda: children(tmp_path) == {}, "all processes end", 5.0)


def test_nothing_outlives_a_supervisor_killed_while_its_processes_start(tmp_path: Path) -> None:
    with running_line(tmp_path) as (line, _, _):
        wait_until(lambda: len(children(tmp_path)) == 5, "all processes are there, still importing")
        line.kill()
        line.wait()
        wait_until(lambda: children(tmp_path) == {}, "all processes end", 10.0)
        assert line.returncode == -signal.SIGKILL


def test_a_port_in_use_is_one_sentence_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = subprocess.run(
            [FARZ, "run", "--detector", "oracle", "--port", str(port)], capture_output=True, text=True
        )
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr
    assert children(tmp_path) == {}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--source", "video:/nowhere.mp4"], "/nowhere.mp4"),
        (["--source", "folder:{empty}"], "no readable picture"),
        (["--source", "strip:{empty}"], "images/"),
        (["--source", "camera:/dev/video99"], "/dev/video99"),
        (["--source", "radar"], "radar"),
        (["--model", "{empty}"], "manifest.json"),
        (["--speed", "fast"], "fast"),
        (["--speed", "99"], "belt.speed_m_s"),
        (["--for", "soon"], "soon"),
        (["--config", "{empty}/none.toml"], "none.toml"),
        (["--drop", "1.5"], "source.drop_ratio"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path: Path, options: list[str], words: str) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    command = [str(FARZ), "run", "--port", str(free_port()), *(option.format(empty=empty) for option in options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    sentences = [row for row in done.stderr.splitlines() if row.startswith("farz: ")]
    assert done.returncode == 2, done.stderr
    assert len(sentences) == 1
    assert words in sentences[0]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_two_cameras_sort_one_belt(tmp_path: Path) -> None:
    config = tmp_path / "line.toml"
    config.write_text(
        "[camera]\nwidth_px = 320\nheight_px = 320\nview_width_mm = 900\n"
        '[[cameras]]\nid = "left"\n[[cameras]]\nid = "right"\nleft_edge_mm = 500\n'
    )
    with running_line(tmp_path, "--for", "8s", "--json", "--config", str(config)) as (line, _, log):
        wait_until(lambda: is_executing(log), "the line executes")
        out, _ = line.communicate(timeout=60)
    report = json.loads(out)
    assert line.returncode == 0, log.read_text()
    # an item that only one of the two saw would be missed, one counted by both ejected in vain
    assert report["overall"]["ejected_count"] > 5
    assert report["overall"]["purity"]["value"] >= 0.9
    assert "not rethrown" not in log.read_text()


def test_where_the_shipped_model_does_not_keep_up_its_lighter_one_sorts(tmp_path: Path) -> None:
    config = tmp_path / "line.toml"
    # a view every 10 ms is more than any processor bears
    config.write_text("[camera]\nview_step_mm = 20.0\n")
    lighter = lighter_of(load_bundle(default_bundle_folder()))
    assert lighter is not None
    options = ["--detector", "openvino", "--config", str(config), "--for", "6s", "--json"]
    with running_line(tmp_path, *options) as (line, _port, log):
        output, _ = line.communicate(timeout=START_TIMEOUT_S + 30)
    assert line.returncode == 0, log.read_text()
    report = json.loads(output)
    assert report["model_id"] == lighter.model_id
    assert report["overall"]["ejected_count"] > 0
    assert f"the lighter model: with {load_bundle(default_bundle_folder()).model_id} a view takes" in log.read_text()
