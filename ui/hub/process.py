"""The hub process: one web server, so many connections to the database, and forgetting once an hour."""

import logging
import threading
from pathlib import Path

from sorter.errors import ConfigurationError, FarzError
from sorter.model.settings import ApiSettings, HubSettings, Settings
from sorter.runtime.clock import SystemClock, wall_ms
from sorter.store.postgres_reader import PostgresReader
from ui.api.readers import Readers
from ui.hub.app import create_hub, with_figures
from ui.hub.forgetting import Forgetting
from ui.hub.line_keys import FileLineKeys
from ui.hub.writers import Writers
from ui.web_server import Serving, WebServer, listen, require_certificate

# a line asks every few seconds; longer, so that its connection lives on
_KEEP_ALIVE_S = 30
_SILENCE_LIMIT_S = 20
_ALIVE_CHECK_S = 1.0
_READING_THREAD_COUNT = 16


def serve_hub(settings: Settings, stop_requested: threading.Event) -> None:
    """Serve until told to stop.

    Raises:
        ConfigurationError: if there is no key file, or the certificate cannot be used.
        BadInputError: if the address cannot be had.
        StoreError: if the database cannot be had.
        FarzError: if the web server has died.
    """
    hub_settings, keys = settings.hub, _keys(settings.api)
    serving = _serving(hub_settings)
    listener = listen(hub_settings.host, hub_settings.port, "hub.port")
    writers = Writers(hub_settings.database, hub_settings.writer_count)
    readers = Readers(lambda: PostgresReader(hub_settings.database))
    application = with_figures(create_hub(writers, keys), settings, readers, SystemClock())
    server = WebServer(application, listener, serving)
    server.start()
    scheme = "https" if serving.certificate_file else "http"
    logging.getLogger("hub").info("lines send to %s://%s:%s", scheme, *listener.getsockname()[:2])
    forgetting = Forgetting(hub_settings)
    while server.is_alive() and not stop_requested.wait(_ALIVE_CHECK_S):
        forgetting.step(SystemClock().now_ns(), wall_ms())
    server.stop()
    writers.close()
    readers.close()
    if not stop_requested.is_set():
        raise FarzError("the web server has died")


def _keys(api: ApiSettings) -> FileLineKeys:
    if not api.keys_file:
        raise ConfigurationError("configuration: api.keys_file = '': no line could be let in; farz keys api add FILE …")
    return FileLineKeys(Path(api.keys_file))


def _serving(settings: HubSettings) -> Serving:
    # some wait for a place to write or read while the others take in what is sent
    thread_count = 4 * settings.writer_count + _READING_THREAD_COUNT
    if not settings.certificate_file:
        return Serving(thread_count, _KEEP_ALIVE_S, silence_limit_s=_SILENCE_LIMIT_S)
    certificate, key = settings.certificate_file, settings.certificate_key_file
    require_certificate(certificate, key, f"configuration: hub.certificate_file = {certificate!r}: cannot be used")
    return Serving(thread_count, _KEEP_ALIVE_S, certificate, key, _SILENCE_LIMIT_S)
