"""Signatures: what was signed is known again, any change is noticed, and the minisign tool agrees both ways."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.errors import SignatureError
from sorter.runtime.secret_key import SecretKey, is_under_password, new_secret_key, read_secret_key, sign
from sorter.runtime.secret_key import secret_key_file as key_file
from sorter.runtime.signature import key_name, public_key_file, read_public_key, read_signature, signature_file, verify

MINISIGN = shutil.which("minisign")
needs_minisign = pytest.mark.skipif(MINISIGN is None, reason="the minisign tool is not installed")
KEY = new_secret_key()
DATA = b'{"name": "farz"}'
CHEAP = {"operations": 2**15, "memory_bytes": 2**20}


def signed_text(data: bytes = DATA, key: SecretKey = KEY, comment: str = "farz 1") -> str:
    return signature_file(sign(data, key, comment), "not covered")


def refusal(data: bytes, text: str, key: SecretKey = KEY) -> str:
    with pytest.raises(SignatureError) as caught:
        verify(data, read_signature(text), [key.public])
    return str(caught.value)


@given(data=st.binary(max_size=200), comment=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])))
def test_what_was_signed_is_known_again(data: bytes, comment: str) -> None:
    signature = read_signature(signed_text(data, comment=comment))
    assert verify(data, signature, [new_secret_key().public, KEY.public]) == KEY.public
    assert signature.trusted_comment == comment


@given(data=st.binary(min_size=1, max_size=60), place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_of_the_data_can_change(data: bytes, place: int, bit: int) -> None:
    altered = bytearray(data)
    altered[place % len(data)] ^= 1 << bit
    assert "changed since" in refusal(bytes(altered), signed_text(data))


@given(place=st.integers(0, 10_000), letter=st.sampled_from("AZaz09+/"))
@settings(max_examples=200)
def test_no_letter_below_the_first_comment_can_change(place: int, letter: str) -> None:
    text = signed_text()
    start = text.index("\n") + 1
    place = start + place % (len(text) - start - 1)
    altered = text[:place] + letter + text[place + 1 :]
    if altered != text:
        with pytest.raises(SignatureError):
            verify(DATA, read_signature(altered), [KEY.public])


def test_a_key_is_named_as_the_minisign_tool_names_it_without_leading_zeros() -> None:
    assert key_name(bytes.fromhex("0c03899769ff3200")) == "32FF699789030C"


def test_a_key_that_is_not_trusted_is_named() -> None:
    assert KEY.public.name in refusal(DATA, signed_text(), new_secret_key())


def test_another_key_under_the_same_name_does_not_pass() -> None:
    impostor = new_secret_key()
    forged = SecretKey(KEY.key_id, impostor.seed, impostor.point)
    assert "does not fit" in refusal(DATA, signed_text(key=forged))


@pytest.mark.parametrize("text", ["", "x", "untrusted comment: a\nRWQ=\ntrusted comment: b\nRWQ=\n", "\n\n\n\n"])
def test_what_is_no_signature_is_refused(text: str) -> None:
    with pytest.raises(SignatureError, match="malformed"):
        read_signature(text)


def test_the_old_form_without_hashing_is_refused() -> None:
    lines = signed_text().splitlines()
    lines[1] = "RW" + lines[1][2:]
    with pytest.raises(SignatureError, match="unknown form"):
        read_signature("\n".join(lines))


@pytest.mark.parametrize(
    "text", ["", "RW", "hello", KEY.public.text[:-4], "x" * 56, KEY.public.text.replace("RW", "RU")]
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(SignatureError, match="no minisign public key"):
        read_public_key(text)


def test_a_public_key_is_read_from_its_line_and_from_its_file() -> None:
    assert read_public_key(KEY.public.text) == read_public_key(public_key_file(KEY.public)) == KEY.public


@pytest.mark.parametrize("password", [None, "", "correct horse"])
def test_a_secret_key_file_is_read_back(password: str | None) -> None:
    text = key_file(KEY, password, **CHEAP)
    assert read_secret_key(text, password) == KEY
    assert is_under_password(text) is (password is not None)
    assert str(KEY.seed) not in repr(KEY)


def test_a_locked_key_needs_its_password() -> None:
    text = key_file(KEY, "right", **CHEAP)
    with pytest.raises(SignatureError, match="password is wrong"):
        read_secret_key(text, "wrong")
    with pytest.raises(SignatureError, match="needs its password"):
        read_secret_key(text)


@pytest.mark.parametrize("text", ["", "a\nb\n", public_key_file(KEY.public)])
def test_what_is_no_secret_key_is_refused(text: str) -> None:
    with pytest.raises(SignatureError, match="no minisign secret key"):
        read_secret_key(text)


def test_halves_of_two_keys_are_refused() -> None:
    with pytest.raises(SignatureError, match="halves"):
        read_secret_key(key_file(SecretKey(KEY.key_id, KEY.seed, new_secret_key().point)))


def test_the_library_is_not_loaded_before_a_signature_is_looked_at() -> None:
    code = "import sys, sorter.runtime.bundle, sorter.runtime.secret_key; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@needs_minisign
def test_the_minisign_tool_accepts_our_signature(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(DATA)
    (tmp_path / "data.minisig").write_text(signed_text(comment="bundle farz 1"))
    shown = minisign(tmp_path, "-V", "-m", "data", "-P", KEY.public.text)
    assert "bundle farz 1" in shown
    (tmp_path / "data").write_bytes(DATA + b" ")
    with pytest.raises(subprocess.CalledProcessError):
        minisign(tmp_path, "-V", "-m", "data", "-P", KEY.public.text)


@needs_minisign
def test_we_accept_the_minisign_tool_s_keys_and_signatures(tmp_path: Path) -> None:
    minisign(tmp_path, "-G", "-W", "-p", "its.pub", "-s", "its.key")
    (tmp_path / "data").write_bytes(DATA)
    minisign(tmp_path, "-S", "-s", "its.key", "-m", "data", "-t", "by the tool")
    key = read_secret_key((tmp_path / "its.key").read_text())
    public = read_public_key((tmp_path / "its.pub").read_text())
    signature = read_signature((tmp_path / "data.minisig").read_text())
    assert key.public == public == verify(DATA, signature, [public])
    assert signature.trusted_comment == "by the tool"
    assert public.name in (tmp_path / "its.pub").read_text()


@needs_minisign
@pytest.mark.parametrize("password", [None, "locked"])
def test_the_minisign_tool_signs_with_our_key_file(tmp_path: Path, password: str | None) -> None:
    (tmp_path / "our.key").write_text(key_file(KEY, password, **CHEAP))
    (tmp_path / "data").write_bytes(DATA)
    minisign(tmp_path, "-S", "-s", "our.key", "-m", "data", typed=password or "")
    verify(DATA, read_signature((tmp_path / "data.minisig").read_text()), [KEY.public])


def minisign(folder: Path, *arguments: str, typed: str = "") -> str:
    """Run the tool in a folder; what it is asked for is typed into it."""
    done = subprocess.run(
        [str(MINISIGN), *arguments], cwd=folder, input=f"{typed}\n", capture_output=True, text=True, check=True
    )
    return done.stdout
