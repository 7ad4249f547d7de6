"""Case data keys are kept wrapped, bound to their case, by keys nobody else can read."""

import secrets
from pathlib import Path

import pytest

from casemesh.dossier.key_provider import FileKeyProvider, KeyProviderError, new_case_key

CASE = "cases/01890000-0000-7000-8000-000000000001"
OTHER = "cases/01890000-0000-7000-8000-000000000002"


def key_file(folder: Path, name: str = "wrapping.key") -> Path:
    path = folder / name
    path.write_bytes(secrets.token_bytes(32))
    path.chmod(0o600)
    return path


def test_a_wrapped_key_unwraps_to_itself_and_does_not_show(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    key = new_case_key()
    wrapped = FileKeyProvider(path).wrap(CASE, key)
    assert FileKeyProvider(path).unwrap(CASE, wrapped) == key
    assert key not in wrapped


def test_a_wrapped_key_moved_to_another_case_does_not_unwrap(tmp_path: Path) -> None:
    provider = FileKeyProvider(key_file(tmp_path))
    wrapped = provider.wrap(CASE, new_case_key())
    with pytest.raises(KeyProviderError, match="does not belong"):
        provider.unwrap(OTHER, wrapped)


@pytest.mark.parametrize("position", [0, 1, 9, 21, 40, -1])
def test_an_altered_wrapped_key_does_not_unwrap(tmp_path: Path, position: int) -> None:
    provider = FileKeyProvider(key_file(tmp_path))
    wrapped = bytearray(provider.wrap(CASE, new_case_key()))
    wrapped[position] ^= 1
    with pytest.raises(KeyProviderError):
        provider.unwrap(CASE, bytes(wrapped))


def test_after_rotation_the_retired_key_still_unwraps_and_the_new_one_wraps(tmp_path: Path) -> None:
    old, new = key_file(tmp_path, "old.key"), key_file(tmp_path, "new.key")
    key = new_case_key()
    wrapped_before = FileKeyProvider(old).wrap(CASE, key)
    rotated = FileKeyProvider(new, [old])
    assert rotated.unwrap(CASE, wrapped_before) == key
    assert FileKeyProvider(new).unwrap(CASE, rotated.wrap(CASE, key)) == key
    with pytest.raises(KeyProviderError, match="not at hand"):
        FileKeyProvider(new).unwrap(CASE, wrapped_before)


def test_a_key_file_others_can_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    path.chmod(0o640)
    with pytest.raises(KeyProviderError, match="chmod 600"):
        FileKeyProvider(path)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_file_of_another_length_is_no_wrapping_key(tmp_path: Path, length: int) -> None:
    path = key_file(tmp_path, "broken.key")
    path.write_bytes(bytes(length))
    with pytest.raises(KeyProviderError, match=r"broken\.key"):
        FileKeyProvider(path)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyProviderError, match=r"absent\.key"):
        FileKeyProvider(tmp_path / "absent.key")
