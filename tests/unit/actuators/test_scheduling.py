"""Precedence is asked for, and its refusal is told, not fatal."""

import ctypes
import gc
import os
import sys
import weakref
from collections.abc import Iterator

import pytest

from actuators.scheduling import collect_garbage, take_precedence
from sorter.model.settings import ControllerSettings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="real-time scheduling is asked for on Linux alone")


class Link:
    to: object = None


class PlayedSystem:
    """An operating system that grants or refuses, and notes what it was asked."""

    def __init__(self, *, grants: bool) -> None:
        self.grants = grants
        self.asked: list[object] = []

    def sched_setscheduler(self, _pid: int, policy: int, param: os.sched_param) -> None:
        self.asked.append((policy, param.sched_priority))
        if not self.grants:
            raise PermissionError

    def sched_setaffinity(self, _pid: int, cpus: set[int]) -> None:
        self.asked.append(cpus)
        if not self.grants:
            raise OSError(22, "Invalid argument")

    def mlockall(self, flags: int) -> int:
        self.asked.append(flags)
        ctypes.set_errno(12)
        return 0 if self.grants else -1


@pytest.fixture(params=[True, False])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedSystem]:
    played = PlayedSystem(grants=request.param)
    monkeypatch.setattr(os, "sched_setscheduler", played.sched_setscheduler)
    monkeypatch.setattr(os, "sched_setaffinity", played.sched_setaffinity)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_args, **_keys: played)
    yield played
    gc.enable()
    gc.unfreeze()


def test_says_what_it_was_granted(system: PlayedSystem) -> None:
    said = take_precedence(ControllerSettings(real_time_priority=30, cpu=1))
    assert system.asked == [(os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, 30), 3, {1}]
    if system.grants:
        assert said == "real-time priority 30, memory locked, on CPU 1"
    else:
        assert said == (
            "ordinary priority, as CAP_SYS_NICE is not granted, memory not locked (Cannot allocate memory), "
            "not on CPU 1 (Invalid argument)"
        )


def test_any_processor_unless_one_is_named(system: PlayedSystem) -> None:
    assert "CPU" not in take_precedence(ControllerSettings())
    assert len(system.asked) == 2


@pytest.mark.parametrize("system", [True], indirect=True)
def test_garbage_is_collected_when_we_say_so_and_only_then(system: PlayedSystem) -> None:
    take_precedence(ControllerSettings())
    assert not gc.isenabled()
    assert gc.get_freeze_count() > 0
    circle = Link()
    circle.to = circle
    circle_is_there = weakref.ref(circle)
    del circle
    assert circle_is_there() is not None
    collect_garbage()
    assert circle_is_there() is None
    assert system.asked
