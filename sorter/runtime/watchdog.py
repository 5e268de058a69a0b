"""Telling systemd that work goes on: pings come from the work loop alone, so that a stuck loop falls silent.

systemd then restarts the unit (`WatchdogSec`, see docker/systemd). Without a service manager nothing is sent. The
protocol is that of sd_notify(3): one datagram a message.
"""

import os
import socket
from collections.abc import Mapping

from sorter.model.condition import Health, HealthStatus
from sorter.model.units import NS_PER_S

# several pings in the shortest watchdog time that a unit should ask for, 2 s
_PING_PERIOD_NS = NS_PER_S // 2
# a process says how it is twice a second
_FRESH_NS = NS_PER_S


class Watchdog:
    """The way to the service manager that has started this process."""

    def __init__(self, environment: Mapping[str, str] = os.environ, process_id: int | None = None) -> None:
        """Find out whether a service manager waits for this very process.

        Args:
            environment: with NOTIFY_SOCKET and WATCHDOG_PID, as systemd sets them.
            process_id: this process; another one's watchdog is left alone.
        """
        path = environment.get("NOTIFY_SOCKET", "")
        watched_id = environment.get("WATCHDOG_PID", "")
        is_ours = watched_id in {"", str(process_id or os.getpid())}
        # a name in the abstract namespace is written with an @
        address = path.replace("@", "\0", 1) if path.startswith("@") else path
        self._address = address if is_ours else ""
        self._is_ready = False
        self._due_ns = 0

    def ping(self, now_ns: int) -> None:
        """Say that the loop turns, at most twice a second; the first time, that start-up is over."""
        if not self._address or (self._is_ready and now_ns < self._due_ns):
            return
        message = b"WATCHDOG=1" if self._is_ready else b"READY=1\nWATCHDOG=1"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
            way.setblocking(False)
            try:
                way.sendto(message, self._address)
            except OSError:
                return  # a manager that does not listen must not stop the line; it will miss the ping
        self._is_ready = True
        self._due_ns = now_ns + _PING_PERIOD_NS


class LineWatch:
    """Pings for a whole line that one unit runs: only while every process of it has said lately how it is."""

    def __init__(self, watchdog: Watchdog, process_names: tuple[str, ...]) -> None:
        self._watchdog = watchdog
        self._names = frozenset(process_names)
        self._heard: dict[str, tuple[int, HealthStatus]] = {}

    def take(self, health: Health, now_ns: int) -> None:
        """Note that a process has spoken."""
        if health.process in self._names:
            self._heard[health.process] = (now_ns, health.status)

    def step(self, now_ns: int) -> None:
        """Ping if nobody is stuck; a process that is starting may take its time, an engine takes minutes to build."""
        if not self.stuck(now_ns):
            self._watchdog.ping(now_ns)

    def stuck(self, now_ns: int) -> list[str]:
        """Processes that have fallen silent after their start."""
        return sorted(
            name
            for name, (heard_at_ns, status) in self._heard.items()
            if status is not HealthStatus.STARTING and now_ns - heard_at_ns > _FRESH_NS
        )
