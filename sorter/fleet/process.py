"""The fleet process: one thread sends what the store holds, this one says how that goes.

Nothing of the line waits for it. A hub that cannot be reached is shown and is no fault of the line: it sorts on, and
the store remembers.
"""

import contextlib
import logging
import os
import secrets
import threading

from sorter.errors import StoreError
from sorter.extras import need_extra
from sorter.fleet.hub_protocol import Hub
from sorter.fleet.outbox import Outbox, OutboxState
from sorter.model.condition import HealthStatus
from sorter.model.units import NS_PER_S
from sorter.runtime.process import RESTART_COUNT_VARIABLE, ProcessContext
from sorter.store.place import store_path
from sorter.store.sqlite_reader import SqliteReader

_HEALTH_PERIOD_S = 0.25
# a line that has only just been set up has no store yet
_STORE_RETRY_S = 2.0


def fill_hub(context: ProcessContext) -> None:
    """Body of the process; returns when it is asked to stop.

    Raises:
        ConfigurationError: if the key or the certificates cannot be read, or the packages for it are missing.
    """
    need_extra("fleet", "urllib3", "configuration: fleet.hub_url")
    from sorter.fleet.https_hub import HttpsHub, check_files

    # a line that has begun once is not ended by a key that has gone missing since
    if os.environ.get(RESTART_COUNT_VARIABLE, "0") == "0":
        check_files(context.settings.fleet)
    sender = _Sender(context, HttpsHub(context.settings.fleet))
    sender.thread.start()
    while context.is_running() and sender.thread.is_alive():
        sender.say(context)
        context.stop_requested.wait(_HEALTH_PERIOD_S)
    context.stop_requested.set()
    sender.thread.join(_HEALTH_PERIOD_S)


class _Sender:
    """The sending thread; a request that is under way at the end is cut off, and what it sent counts once."""

    def __init__(self, context: ProcessContext, hub: Hub) -> None:
        self._settings = context.settings
        self._clock = context.clock
        self._stop_requested = context.stop_requested
        self._hub = hub
        self._outbox: Outbox | None = None
        self.thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def say(self, context: ProcessContext) -> None:
        """Publish how the outbox stands."""
        outbox = self._outbox
        if outbox is None:
            context.set_health(HealthStatus.STARTING, "waiting for the store")
        elif outbox.failure is not None:
            context.set_health(HealthStatus.DEGRADED, f"{outbox.failure.trouble.value}: {outbox.failure.detail}")
        else:
            context.set_health(HealthStatus.OK, outbox.state.value)
        context.publish_health({} if outbox is None else outbox.figures.as_numbers())

    def _run(self) -> None:
        while not self._stop_requested.is_set():
            self._send_from_store()
            self._stop_requested.wait(_STORE_RETRY_S)
        self._hub.close()

    def _send_from_store(self) -> None:
        try:
            reader = SqliteReader(store_path(self._settings))
            with contextlib.closing(reader):
                self._send_all(reader)
        except StoreError as error:
            logging.getLogger("fleet").warning("%s", error)

    def _send_all(self, reader: SqliteReader) -> None:
        """Send until asked to stop.

        Raises:
            StoreError: if the store cannot be read (any longer).
        """
        outbox = Outbox(self._settings.line_name, reader, self._hub, secrets.randbits(32))
        self._outbox = outbox
        while not self._stop_requested.is_set():
            was = outbox.state
            due_ns = outbox.step(self._clock.now_ns())
            if outbox.state is not was and OutboxState.WAITING in {outbox.state, was}:
                logging.getLogger("fleet").info("%s", outbox.failure.detail if outbox.failure else "sending again")
            waited_ns = due_ns - self._clock.now_ns()
            if waited_ns > 0:
                self._stop_requested.wait(waited_ns / NS_PER_S)
