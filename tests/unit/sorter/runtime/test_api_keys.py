"""API keys: what is kept is no key, what is not kept is nobody's, and files of two makers at once are whole."""

import stat
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from sorter.errors import ConfigurationError
from sorter.keys_command import keys
from sorter.runtime.api_keys import Scope, key_of, make_api_key, read_api_keys, revoke_api_key


def test_a_key_is_known_by_its_text_and_kept_as_a_hash_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "api.json"
    key, token = make_api_key(path, "city", (Scope.FIGURES, Scope.EVENTS), 10, 20)
    assert key_of(token, read_api_keys(path)) == key
    assert token.rpartition("_")[2] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (key.rate_per_min, key.quota_per_day) == (10, 20)


def test_another_secret_under_the_same_name_is_nobodys(tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    _, token = make_api_key(path, "city", (Scope.FIGURES,))
    _, other = make_api_key(path, "lab", (Scope.FIGURES,))
    mixed = f"farz_{token.split('_')[1]}_{other.split('_', 2)[2]}"
    assert key_of(mixed, read_api_keys(path)) is None


@given(st.text())
def test_no_text_but_a_key_is_a_key(text: str) -> None:
    assert key_of(text, ()) is None


def test_a_revoked_key_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    key, token = make_api_key(path, "city", (Scope.FIGURES,))
    _, kept = make_api_key(path, "lab", (Scope.FIGURES,))
    revoke_api_key(path, key.key_id)
    assert key_of(token, read_api_keys(path)) is None
    assert key_of(kept, read_api_keys(path)) is not None
    with pytest.raises(ConfigurationError, match="KEY_ID"):
        revoke_api_key(path, key.key_id)


def test_keys_made_at_once_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    makers = [threading.Thread(target=make_api_key, args=(path, f"maker {n}", (Scope.FIGURES,))) for n in range(8)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len(read_api_keys(path)) == 8


@pytest.mark.parametrize("content", ["nonsense", "{}", '[{"key_id": "x"}]'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "api.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"api\.json"):
        read_api_keys(path)


def test_the_command_makes_lists_and_revokes(tmp_path: Path) -> None:
    path = str(tmp_path / "api.json")
    made = CliRunner().invoke(keys, ["api", "add", path, "city", "--scope", "events:read"], catch_exceptions=False)
    token = made.stdout.splitlines()[0]
    key = key_of(token, read_api_keys(Path(path)))
    assert key is not None
    assert key.scopes == (Scope.EVENTS,)
    listed = CliRunner().invoke(keys, ["api", "list", path], catch_exceptions=False).stdout
    assert key.key_id in listed
    assert token not in listed
    CliRunner().invoke(keys, ["api", "revoke", path, key.key_id], catch_exceptions=False)
    assert read_api_keys(Path(path)) == ()


def test_a_controllers_keys_are_made_with_and_without_the_word(tmp_path: Path) -> None:
    for words, name in ((["controller"], "north"), ([], "south")):
        CliRunner().invoke(keys, [*words, str(tmp_path / "keys"), name], catch_exceptions=False)
        assert (tmp_path / "keys" / name / "sorter.key").is_file()
