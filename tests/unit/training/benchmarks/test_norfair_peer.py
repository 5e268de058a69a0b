"""Norfair in a Python of its own: driven where it is, named missing where it is not."""

import sys
from pathlib import Path

import numpy as np
import pytest

from sorter.errors import FarzError
from training.benchmarks.course import lay_course
from training.benchmarks.footage import bench_settings
from training.benchmarks.identity_score import identity_score
from training.benchmarks.norfair_peer import norfair_version, peers_python, run_norfair


def test_without_a_peers_python_there_is_no_version(tmp_path: Path) -> None:
    assert norfair_version(tmp_path / "python") is None


def test_a_python_without_norfair_has_no_version_and_its_death_is_an_error(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E "$@"\n')
    python.chmod(0o700)
    assert norfair_version(python) is None
    with pytest.raises(FarzError, match="norfair has died"):
        run_norfair(lay_course(bench_settings(), 5, 3, step_mm=20.0), python)


@pytest.mark.skipif(norfair_version(peers_python()) is None, reason="make bench makes the peers' environment")
def test_norfair_follows_slow_items() -> None:
    course = lay_course(bench_settings(), 10, 60, step_mm=20.0)
    found = run_norfair(course, peers_python())
    identities = [np.array(one, np.int64) for one in found.identities]
    assert found.median_ms > 0.0
    assert identity_score(course.item_ids, identities, 2).switches_per_100_items < 10.0
