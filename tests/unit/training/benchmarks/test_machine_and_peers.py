"""What is said of the machine, and of peers that are not there."""

import os

import numpy as np

from training.benchmarks.machine import machine_facts, resident_mb
from training.benchmarks.peers import is_installed, peer_state


def test_the_machine_is_named() -> None:
    facts = machine_facts()
    assert facts["cpu"]
    assert facts["core_count"] >= 1


def test_memory_that_is_touched_is_resident() -> None:
    before_mb = resident_mb()
    held = np.ones(50_000_000, np.uint8)
    assert resident_mb() - before_mb > 25.0
    assert resident_mb(os.getpid()) > before_mb
    assert held[-1] == 1


def test_a_missing_peer_is_named_missing_with_what_would_install_it() -> None:
    packages = ("numpy", "a_tracker_nobody_wrote")
    assert not is_installed(packages)
    assert peer_state(packages) == "not installed: a_tracker_nobody_wrote; pip install 'farz[bench]'"
    assert is_installed(["numpy"])
    assert peer_state(["numpy"]) == np.__version__
