"""The page by HTTPS, with a certificate of the test's own; and half a certificate is one sentence."""

import ssl
import urllib.request
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import flask
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sorter.errors import BadInputError
from sorter.model.settings import UiSettings
from ui.web_server import WebServer, listen, page_serving


@pytest.fixture
def certificate(tmp_path: Path) -> UiSettings:
    """Settings that name a certificate for this machine, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "line")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = tmp_path / "line.crt", tmp_path / "line.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
    return UiSettings(tls_certificate=str(paths[0]), tls_key=str(paths[1]))


def test_the_page_is_served_by_https(certificate: UiSettings) -> None:
    app = flask.Flask(__name__)
    app.add_url_rule("/", "page", lambda: f"{flask.request.scheme} ok")
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    server = WebServer(app, listener, page_serving(certificate))
    server.start()
    try:
        trusted = ssl.create_default_context(cafile=certificate.tls_certificate)
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/", timeout=5, context=trusted) as response:
            assert response.read() == b"https ok"
        with pytest.raises(OSError):  # noqa: PT011 - however it is refused, no page comes in the clear
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
    finally:
        server.stop()
        listener.close()


@pytest.mark.parametrize("broken", ["missing", "no key", "not PEM"])
def test_a_certificate_that_cannot_be_read_is_one_sentence(
    certificate: UiSettings, tmp_path: Path, broken: str
) -> None:
    key = Path(certificate.tls_key)
    if broken == "missing":
        key.unlink()
    elif broken == "no key":
        key.write_bytes(Path(certificate.tls_certificate).read_bytes())
    else:
        key.write_text("nonsense")
    with pytest.raises(BadInputError, match=r"ui\.tls_key") as refused:
        page_serving(certificate)
    assert "\n" not in str(refused.value)
    assert str(tmp_path) in str(refused.value)
