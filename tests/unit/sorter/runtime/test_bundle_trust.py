"""Trust in bundles: whoever is trusted must have signed the manifest as it is."""

from pathlib import Path

import pytest

from sorter.errors import BundleError, ConfigurationError
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle_trust import require_trusted, signature_path, trusted_keys
from sorter.runtime.secret_key import SecretKey, new_secret_key, sign
from sorter.runtime.signature import signature_file

OURS, THEIRS = new_secret_key(), new_secret_key()
TRUSTING_US = DetectorSettings(trusted_keys=(OURS.public.text,))


@pytest.fixture
def manifest_path(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.json"
    path.write_text('{"name": "tiny"}')
    return path


def put_signature(manifest_path: Path, key: SecretKey) -> None:
    text = signature_file(sign(manifest_path.read_bytes(), key, "tiny"), "a bundle")
    signature_path(manifest_path).write_text(text)


def expect_refusal(manifest_path: Path, settings: DetectorSettings = TRUSTING_US) -> str:
    with pytest.raises(BundleError) as caught:
        require_trusted(manifest_path, settings)
    text = str(caught.value)
    assert "\n" not in text
    assert "detector.trusted_keys" in text, "the ways out are named"
    assert "detector.allow_unsigned" in text
    return text


def test_a_bundle_that_a_trusted_key_signed_is_used(manifest_path: Path) -> None:
    put_signature(manifest_path, OURS)
    require_trusted(manifest_path, TRUSTING_US)
    require_trusted(manifest_path, DetectorSettings(trusted_keys=(THEIRS.public.text, OURS.public.text)))


def test_an_unsigned_bundle_is_refused(manifest_path: Path) -> None:
    assert "not signed" in expect_refusal(manifest_path)


def test_a_bundle_that_somebody_else_signed_is_refused_by_the_key_s_name(manifest_path: Path) -> None:
    put_signature(manifest_path, THEIRS)
    assert THEIRS.public.name in expect_refusal(manifest_path)


def test_an_altered_manifest_is_refused(manifest_path: Path) -> None:
    put_signature(manifest_path, OURS)
    manifest_path.write_text('{"name": "tine"}')
    assert "changed since" in expect_refusal(manifest_path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"hello"])
def test_a_broken_signature_is_refused(manifest_path: Path, content: bytes) -> None:
    signature_path(manifest_path).write_bytes(content)
    expect_refusal(manifest_path)


def test_nobody_is_trusted_when_no_key_is(manifest_path: Path) -> None:
    put_signature(manifest_path, OURS)
    expect_refusal(manifest_path, DetectorSettings(trusted_keys=()))


def test_the_configuration_may_say_otherwise(manifest_path: Path) -> None:
    require_trusted(manifest_path, DetectorSettings(allow_unsigned=True))


def test_by_default_farz_s_own_key_is_trusted_and_signatures_are_asked_for() -> None:
    assert not DetectorSettings().allow_unsigned
    assert len(trusted_keys(DetectorSettings())) == 1


def test_a_malformed_key_is_refused_by_its_place(manifest_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"detector\.trusted_keys\[1\]"):
        require_trusted(manifest_path, DetectorSettings(trusted_keys=(OURS.public.text, "RWhello")))
