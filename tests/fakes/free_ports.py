"""Ports of the loopback that nobody listens on."""

import socket


def free_port() -> int:
    """The first of two free ports beside each other: the page's, and the video's."""
    while True:
        with socket.socket() as probe, socket.socket() as other:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            try:
                other.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
