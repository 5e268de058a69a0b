"""`farz bundle key` and `farz bundle sign`: making a signing key, and signing a bundle with it."""

import os
from pathlib import Path

import click

from sorter.errors import SignatureError
from sorter.runtime.secret_key import SecretKey, is_under_password, new_secret_key, read_secret_key, secret_key_file
from sorter.runtime.signature import public_key_file
from training.release.sealing import seal

SECRET_NAME, PUBLIC_NAME = "farz-signing.key", "farz-signing.pub"
_OWNER_ALONE = 0o600


@click.command("key")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the two key files.")
@click.option("--password", "asks_password", is_flag=True, help="Ask for a password and lock the secret key with it.")
def make_key(out: Path, asks_password: bool) -> None:
    r"""Make a key pair for signing model bundles, in minisign's format.

    farz-signing.key is secret: whoever has it can make your lines run any model. Keep it off the lines and out of
    version control. farz-signing.pub goes into each line's configuration. `minisign` reads and writes both files.

    \b
    farz bundle key --out ~/farz-keys
    farz bundle sign my-model --key ~/farz-keys/farz-signing.key
    """
    password = _asked("Password", confirms=True) if asks_password else None
    key = new_secret_key()
    out.mkdir(parents=True, exist_ok=True)
    _write_secret(out / SECRET_NAME, secret_key_file(key, password))
    (out / PUBLIC_NAME).write_text(public_key_file(key.public))
    click.echo(f"{out / SECRET_NAME} (keep it secret) and {out / PUBLIC_NAME}; a line trusts it with\n")
    click.echo(f'[detector]\ntrusted_keys = ["{key.public.text}"]')


@click.command("sign")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), required=True, help="Secret key file: farz's or minisign's.")
def sign_bundle(bundle: Path, key: Path) -> None:
    """Sign the bundle in the folder BUNDLE: every file in it, by way of the hashes in its manifest.

    The signature, manifest.json.minisig, can also be checked with `minisign -Vm manifest.json -p KEY.pub`.
    """
    secret = read_key_file(key)
    sealed = seal(bundle, secret)
    click.echo(f"{bundle}: {sealed.model_id} is signed with the key {secret.public.name}")


def read_key_file(path: Path) -> SecretKey:
    """The key in a file; its password is asked for if it has one.

    Raises:
        SignatureError: if it cannot be read.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SignatureError(f"key file {path} cannot be read: {error}") from error
    return read_secret_key(text, _asked("Password of the key") if is_under_password(text) else None)


def _asked(text: str, *, confirms: bool = False) -> str:
    password: str = click.prompt(text, hide_input=True, confirmation_prompt=confirms, err=True)
    return password


def _write_secret(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ALONE)
    except OSError as error:
        raise SignatureError(f"key file {path} cannot be written: {error.strerror}; keys are never replaced") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
