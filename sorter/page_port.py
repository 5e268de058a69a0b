"""Whether the page can be served where the configuration says, asked before anything is started."""

import socket

from sorter.model.settings import UiSettings


def page_port_fault(settings: UiSettings) -> str | None:
    """Why nobody could serve at `ui.host` and `ui.port` now, in the system's words; None if one could."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return error.strerror or str(error)
    return None
