"""Where the command link is and who may use it: the run folder's own socket, or TCP between boxes with CURVE keys.

Keys are ZeroMQ certificates. The sorter's box holds its own pair and the public half of each controller it lets in; a
controller's box holds its own pair and the sorter's public half. `farz keys` makes both folders.
"""

from pathlib import Path

import msgspec
import zmq
import zmq.auth
import zmq.auth.thread

from sorter.errors import ConfigurationError
from sorter.model.settings import LinkSettings
from sorter.runtime.bus import endpoint

_ENDPOINT_NAME = "command.link"
SORTER, CONTROLLER, ADMITTED_FOLDER = "sorter", "controller", "admitted"
_PUBLIC, _SECRET = ".key", ".key_secret"


def link_endpoint(run_folder: Path, settings: LinkSettings) -> str:
    """The link's ZeroMQ address."""
    return settings.address or endpoint(run_folder, _ENDPOINT_NAME)


class SorterKeys(msgspec.Struct, frozen=True):
    """The sorter's own pair, and the folder of public keys that it lets in."""

    public: bytes
    secret: bytes
    admitted: Path


class ControllerKeys(msgspec.Struct, frozen=True):
    """The controller's own pair, and the one sorter that it speaks to."""

    public: bytes
    secret: bytes
    sorter: bytes


def sorter_keys(settings: LinkSettings) -> SorterKeys | None:
    """The keys of the sorter's box; None on one box, where file permissions decide who may speak.

    Raises:
        ConfigurationError: if the keys cannot be read.
    """
    if not settings.address:
        return None
    folder = Path(settings.keys_folder)
    public, secret = _load(folder / f"{SORTER}{_SECRET}")
    admitted = folder / ADMITTED_FOLDER
    if not any(admitted.glob(f"*{_PUBLIC}")):
        raise ConfigurationError(
            f"configuration: link.keys_folder = {settings.keys_folder!r}: no controller's public key is in "
            f"{admitted}; farz keys makes one"
        )
    return SorterKeys(public, secret, admitted)


def controller_keys(settings: LinkSettings) -> ControllerKeys | None:
    """The keys of the controller's box; None on one box.

    Raises:
        ConfigurationError: if the keys cannot be read.
    """
    if not settings.address:
        return None
    folder = Path(settings.keys_folder)
    public, secret = _load(folder / f"{CONTROLLER}{_SECRET}")
    return ControllerKeys(public, secret, _load(folder / f"{SORTER}{_PUBLIC}", needs_secret=False)[0])


def serve_with_keys(
    socket: "zmq.Socket[bytes]", context: "zmq.Context[zmq.Socket[bytes]]", keys: SorterKeys
) -> zmq.auth.thread.ThreadAuthenticator:
    """Let only admitted controllers in; the authenticator is to be stopped before the context ends."""
    authenticator = zmq.auth.thread.ThreadAuthenticator(context)
    authenticator.start()
    authenticator.configure_curve(domain="*", location=str(keys.admitted))
    socket.curve_publickey, socket.curve_secretkey, socket.curve_server = keys.public, keys.secret, True
    return authenticator


def join_with_keys(socket: "zmq.Socket[bytes]", keys: ControllerKeys) -> None:
    """Show the controller's key, and speak to nobody but its sorter."""
    socket.curve_publickey, socket.curve_secretkey, socket.curve_serverkey = keys.public, keys.secret, keys.sorter


def make_key(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a key pair in a folder; returns the files of the public and the secret half, the latter for its owner."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    public, secret = zmq.auth.create_certificates(folder, name)
    Path(secret).chmod(0o600)
    return Path(public), Path(secret)


def _load(path: Path, *, needs_secret: bool = True) -> tuple[bytes, bytes]:
    try:
        public, secret = zmq.auth.load_certificate(path)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"link key {path} cannot be read: {error}; farz keys makes one") from error
    if needs_secret and secret is None:
        raise ConfigurationError(f"link key {path} has no secret half")
    return public, secret or b""
