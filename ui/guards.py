"""What a request must look like before anybody asks who sends it, and what every answer says about itself.

The browser of somebody who visits another site must not be made to act or to look:

- the Host must be an address, this machine's name or the configured one (against DNS rebinding);
- whoever asks the line to act must do it from the page itself (Sec-Fetch-Site, Origin).
"""

import ipaddress
import re
import socket
from typing import TypeVar
from urllib.parse import urlsplit

import flask
from werkzeug.wrappers import Request, Response

from sorter.model.settings import UiSettings

_Answer = TypeVar("_Answer", bound=Response)
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self' {video}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def protect(response: _Answer, ui: UiSettings | None = None) -> _Answer:
    """Say in an answer's headers what a browser may do with it: nothing that is not ours, nowhere but here.

    Args:
        response: the answer.
        ui: names the address of the video process, which pages may read from, too; None where there is none.
    """
    response.headers.update(_HEADERS)
    video = "" if ui is None else _video_origin(ui)
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY.format(video=video)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


def _video_origin(ui: UiSettings) -> str:
    """The video process's address, under the name by which the browser knows this machine."""
    name = urlsplit(f"//{flask.request.host}").hostname or ""
    if re.fullmatch(r"[\w.:-]+", name) is None:
        return ""
    scheme = "https" if ui.tls_certificate else "http"
    return f"{scheme}://{f'[{name}]' if ':' in name else name}:{ui.video_port or ui.port + 1}"


def is_host_known(request: Request, configured_host: str) -> bool:
    """Whether the name that the browser thinks it talks to can be this machine's."""
    name = urlsplit(f"//{request.host}").hostname or ""
    own_name = socket.gethostname().lower()
    return _is_address(name) or name in {"localhost", configured_host.lower(), own_name, f"{own_name}.local"}


def is_from_page(request: Request) -> bool:
    """Whether a request comes from our own page, or from no browser at all.

    Every browser sends Origin with a POST, and current ones Sec-Fetch-Site; a tool that sends neither is nobody's dupe.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def is_on_this_machine(request: Request) -> bool:
    """Whether the other end of the connection is this machine."""
    address = request.remote_addr or ""
    return _is_address(address) and ipaddress.ip_address(address).is_loopback


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
