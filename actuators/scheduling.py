"""Asking the operating system to run the controller before everything else, and saying whether it does.

Beside busy processes an ordinary thread wakes milliseconds late; at 3 m/s that is a centimetre. A page that must be
fetched from disk and a long garbage collection cost as much. What is not granted is told, not fatal: a line on a
developer's machine runs without any of it.
"""

import ctypes
import gc
import os
import sys

from sorter.model.settings import ControllerSettings

_LOCK_PRESENT_AND_FUTURE_PAGES = 1 | 2


def take_precedence(settings: ControllerSettings) -> str:
    """Set this process up for real time as far as the system allows; says in words for the health what it got."""
    findings = [_priority(settings.real_time_priority), _memory(), _processor(settings.cpu)]
    _quieten_collector()
    return ", ".join(finding for finding in findings if finding)


def collect_garbage() -> None:
    """Collect young objects, which takes well below a millisecond; for moments in which nothing is due."""
    gc.collect(0)


def _quieten_collector() -> None:
    """What was loaded so far stays, so no collection needs to look at it; later ones come when we say so."""
    gc.collect()
    gc.freeze()
    gc.disable()


def _priority(priority: int) -> str:
    if sys.platform != "linux":
        return "ordinary priority"
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except PermissionError:
        return "ordinary priority, as CAP_SYS_NICE is not granted"
    return f"real-time priority {priority}"


def _memory() -> str:
    if sys.platform != "linux":
        return "memory not locked"
    # -1: not allowed, or more than RLIMIT_MEMLOCK bears
    if ctypes.CDLL(None, use_errno=True).mlockall(_LOCK_PRESENT_AND_FUTURE_PAGES) != 0:
        return f"memory not locked ({os.strerror(ctypes.get_errno())})"
    return "memory locked"


def _processor(cpu: int | None) -> str:
    if cpu is None or sys.platform != "linux":
        return ""
    try:
        os.sched_setaffinity(0, {cpu})
    except OSError as error:
        return f"not on CPU {cpu} ({error.strerror})"
    return f"on CPU {cpu}"
