"""Case data keys are kept wrapped, bound to their case, by keys nobody else can read."""

import json
import secrets
from pathlib import Path

import pytest

from casemesh.dossier.keys.local import (
    LocalKeyProvider,
    ScryptParameters,
    make_scrypt_parameters,
    wrapping_key_from_file,
    wrapping_key_from_passphrase,
)
from casemesh.dossier.keys.provider import KeyProviderError, KeyRing, new_case_key

CASE = "cases/01890000-0000-7000-8000-000000000001"
OTHER = "cases/01890000-0000-7000-8000-000000000002"
PASSPHRASE = "three invented words and a number 7"


def private_file(folder: Path, content: bytes, name: str = "wrapping.key") -> Path:
    path = folder / name
    path.write_bytes(content)
    path.chmod(0o600)
    return path


async def test_a_wrapped_key_unwraps_to_itself_and_does_not_show(tmp_path: Path) -> None:
    path = private_file(tmp_path, secrets.token_bytes(32))
    key = new_case_key()
    wrapped = await LocalKeyProvider(wrapping_key_from_file(path)).wrap(CASE, key)
    assert await LocalKeyProvider(wrapping_key_from_file(path)).unwrap(CASE, wrapped) == key
    assert key not in wrapped


async def test_a_wrapped_key_moved_to_another_case_does_not_unwrap() -> None:
    provider = LocalKeyProvider(secrets.token_bytes(32))
    wrapped = await provider.wrap(CASE, new_case_key())
    with pytest.raises(KeyProviderError, match="does not belong"):
        await provider.unwrap(OTHER, wrapped)


@pytest.mark.parametrize("position", [0, 1, 9, 21, 40, -1])
async def test_an_altered_wrapped_key_does_not_unwrap(position: int) -> None:
    provider = LocalKeyProvider(secrets.token_bytes(32))
    wrapped = bytearray(await provider.wrap(CASE, new_case_key()))
    wrapped[position] ^= 1
    with pytest.raises(KeyProviderError):
        await provider.unwrap(CASE, bytes(wrapped))


async def test_after_rotation_the_retired_key_still_unwraps_and_the_new_one_wraps() -> None:
    old, new = secrets.token_bytes(32), secrets.token_bytes(32)
    key = new_case_key()
    wrapped_before = await LocalKeyProvider(old).wrap(CASE, key)
    rotated = LocalKeyProvider(new, [old])
    assert await rotated.unwrap(CASE, wrapped_before) == key
    wrapped_after = await rotated.wrap(CASE, key)
    assert await LocalKeyProvider(new).unwrap(CASE, wrapped_after) == key
    assert (rotated.is_current(wrapped_before), rotated.is_current(wrapped_after)) == (False, True)
    with pytest.raises(KeyProviderError, match="not at hand"):
        await LocalKeyProvider(new).unwrap(CASE, wrapped_before)


async def test_a_ring_wraps_with_its_first_provider_and_unwraps_with_the_one_that_wrapped() -> None:
    old, new = LocalKeyProvider(secrets.token_bytes(32)), LocalKeyProvider(secrets.token_bytes(32))
    key = new_case_key()
    ring = KeyRing(new, [old])
    assert await ring.unwrap(CASE, await old.wrap(CASE, key)) == key
    assert await new.unwrap(CASE, await ring.wrap(CASE, key)) == key
    with pytest.raises(KeyProviderError, match="not at hand"):
        await KeyRing(new).unwrap(CASE, await old.wrap(CASE, key))


def test_a_key_file_others_can_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = private_file(tmp_path, bytes(32))
    path.chmod(0o644)
    with pytest.raises(KeyProviderError, match="chmod 600"):
        wrapping_key_from_file(path)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_file_of_another_length_is_no_wrapping_key(tmp_path: Path, length: int) -> None:
    with pytest.raises(KeyProviderError, match=r"broken\.key"):
        wrapping_key_from_file(private_file(tmp_path, bytes(length), "broken.key"))


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyProviderError, match=r"absent\.key"):
        wrapping_key_from_file(tmp_path / "absent.key")


def test_scrypt_gives_the_published_key() -> None:
    # RFC 7914 section 12, the first 32 of its 64 bytes: scrypt's last step makes longer keys by going on.
    parameters = ScryptParameters(b"SodiumChloride".hex(), n=16384, r=8, p=1)
    expected = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    assert parameters.derive(b"pleaseletmein").hex() == expected


def test_a_passphrase_gives_the_same_key_again_and_another_under_another_salt(tmp_path: Path) -> None:
    passphrase = private_file(tmp_path, f"{PASSPHRASE}\n".encode(), "passphrase")
    make_scrypt_parameters(tmp_path / "salt.json")
    make_scrypt_parameters(tmp_path / "other.json")
    key = wrapping_key_from_passphrase(passphrase, tmp_path / "salt.json")
    private_file(tmp_path, PASSPHRASE.encode(), "passphrase")
    assert wrapping_key_from_passphrase(passphrase, tmp_path / "salt.json") == key
    assert wrapping_key_from_passphrase(passphrase, tmp_path / "other.json") != key


def test_a_salt_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    make_scrypt_parameters(tmp_path / "salt.json")
    before = (tmp_path / "salt.json").read_bytes()
    with pytest.raises(FileExistsError):
        make_scrypt_parameters(tmp_path / "salt.json")
    assert (tmp_path / "salt.json").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "mode", "said"), [("short", 0o600, "fewer than 16"), (PASSPHRASE, 0o644, "chmod 600")]
)
def test_a_weak_passphrase_file_is_refused(tmp_path: Path, words: str, mode: int, said: str) -> None:
    make_scrypt_parameters(tmp_path / "salt.json")
    passphrase = private_file(tmp_path, words.encode(), "passphrase")
    passphrase.chmod(mode)
    with pytest.raises(KeyProviderError, match=said):
        wrapping_key_from_passphrase(passphrase, tmp_path / "salt.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n": 1024}, "less than scrypt"),
        ({"n": (1 << 17) + 1}, "less than scrypt"),
        ({"n": 1 << 30}, "more memory"),
        ({"n": "131072"}, "does not hold"),
        ({"salt": "00"}, "does not hold"),
        ({"kdf": "md5"}, "does not hold"),
        ({"more": 1}, "does not hold"),
    ],
)
def test_parameters_that_are_weak_or_odd_are_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    make_scrypt_parameters(tmp_path / "salt.json")
    fields = json.loads((tmp_path / "salt.json").read_text()) | change
    (tmp_path / "salt.json").write_text(json.dumps(fields))
    with pytest.raises(KeyProviderError, match=said):
        wrapping_key_from_passphrase(private_file(tmp_path, PASSPHRASE.encode()), tmp_path / "salt.json")
