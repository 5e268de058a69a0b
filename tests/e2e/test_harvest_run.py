"""The whole line with a place for pictures: they are there when it has stopped, each with its sidecar."""

import socket
import subprocess
import sys
from pathlib import Path

import cv2

from vision.harvest.choice import Reason
from vision.harvest.sidecar import read_sidecar

FARZ = [sys.executable, "-c", "from sorter.cli import main; main()"]
CONFIGURATION = """
line_name = "hall 3"
[camera]
width_px = 96
height_px = 96
[detector]
runtime = "oracle"
[detector.oracle]
confusion_ratio = 0.1
[harvest]
folder = "{folder}"
min_free_mib = 0
shift_h = 0.001
[ui]
port = {port}
"""


def test_a_line_keeps_pictures_only_where_it_is_told_to(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    for folder in ("", "kept"):
        (tmp_path / "line.toml").write_text(CONFIGURATION.format(folder=folder, port=port))
        command = [*FARZ, "run", "--config", "line.toml", "--for", "4s"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
        if not folder:
            assert [path.name for path in tmp_path.iterdir()] == ["line.toml"]
    sidecars = list((tmp_path / "kept").glob("*/*.json"))
    assert Reason.RANDOM in {read_sidecar(path).reason for path in sidecars}
    for path in sidecars:
        kept = read_sidecar(path)
        assert cv2.imread(str(path.with_name(kept.picture))).shape == (96, 96, 3)
        assert kept.line_name == "hall 3"
        assert kept.session.startswith("hall-3_")
    assert not list((tmp_path / "kept").rglob("*.part"))


def test_shares_above_one_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "line.toml").write_text("[harvest]\nrandom_share = 0.9\n")
    command = [*FARZ, "check-config", "line.toml"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 2
    assert finished.stderr.count("\n") == 1
    assert "add up to 1" in finished.stderr
