"""Precedence is asked for, and its refusal is told, not fatal."""

import os
import sys

import pytest

from actuators.scheduling import take_precedence

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="real-time scheduling is asked for on Linux alone")


def test_says_what_it_was_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(os, "sched_setscheduler", lambda _pid, policy, _param: asked.append(policy))
    assert take_precedence() == "real-time priority"
    assert asked == [os.SCHED_FIFO | os.SCHED_RESET_ON_FORK]


def test_goes_on_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_pid: int, _policy: int, _param: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert take_precedence() == "ordinary priority, as CAP_SYS_NICE is not granted"
