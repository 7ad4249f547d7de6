"""The schedule of token keys: which signs, which are published, and what a rotation leaves behind."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from casemesh.identity.token_keyring import KEPT_AFTER, PUBLISHED_AHEAD, TokenKeyring, rotate
from casemesh.runtime.config import ConfigError
from casemesh.runtime.tokens import KEYS_MAX_AGE_SECONDS, LEEWAY_SECONDS, MAX_LIFE_SECONDS, REFRESH_COOLDOWN_SECONDS
from tests.support.clock import FakeClock

AHEAD, KEPT = PUBLISHED_AHEAD.total_seconds(), KEPT_AFTER.total_seconds()


def published(ring: TokenKeyring) -> list[str]:
    return [key["kid"] for key in json.loads(ring.key_set())["keys"]]


def test_a_key_is_published_longer_than_any_verifier_goes_without_asking_and_kept_longer_than_any_token_lives() -> None:
    assert AHEAD > KEYS_MAX_AGE_SECONDS + REFRESH_COOLDOWN_SECONDS
    assert KEPT > MAX_LIFE_SECONDS + LEEWAY_SECONDS


def test_the_first_key_signs_at_once_and_the_next_takes_its_turn_after_it_was_published(tmp_path: Path) -> None:
    clock = FakeClock()
    first = rotate(tmp_path, clock.now())
    ring = TokenKeyring(tmp_path, clock)
    assert (first.key.kid, [first.key.kid]) == (ring.signer().kid, published(ring))
    clock.move(10)
    second = rotate(tmp_path, clock.now())
    clock.move(1)
    assert (first.key.kid, [first.key.kid, second.key.kid]) == (ring.signer().kid, published(ring))
    clock.move(AHEAD - 3)
    assert first.key.kid == ring.signer().kid
    clock.move(3)
    assert (second.key.kid, [first.key.kid, second.key.kid]) == (ring.signer().kid, published(ring))
    clock.move(KEPT - 3)
    assert [first.key.kid, second.key.kid] == published(ring)
    clock.move(3)
    assert [second.key.kid] == published(ring)


def test_a_second_rotation_waits_for_the_first_and_removes_only_what_nobody_needs(tmp_path: Path) -> None:
    clock = FakeClock()
    first = rotate(tmp_path, clock.now())
    clock.move(10)
    second = rotate(tmp_path, clock.now())
    with pytest.raises(ConfigError, match="wait for it"):
        rotate(tmp_path, clock.now())
    clock.move(AHEAD)
    third = rotate(tmp_path, clock.now())
    assert sorted(tmp_path.iterdir()) == [first.path, second.path, third.path]
    clock.move(AHEAD + KEPT)
    fourth = rotate(tmp_path, clock.now())
    assert sorted(tmp_path.iterdir()) == [third.path, fourth.path]


def test_a_folder_that_does_not_read_any_more_leaves_the_last_good_keys(tmp_path: Path) -> None:
    clock = FakeClock()
    first = rotate(tmp_path, clock.now())
    ring = TokenKeyring(tmp_path, clock)
    (tmp_path / "20990101T000000Z.pem").write_text("not a key")
    clock.move(2)
    assert (first.key.kid, [first.key.kid]) == (ring.signer().kid, published(ring))
    (tmp_path / "20990101T000000Z.pem").unlink()
    first.path.unlink()
    clock.move(2)
    assert first.key.kid == ring.signer().kid


def test_a_key_withdrawn_by_hand_is_published_no_more(tmp_path: Path) -> None:
    clock = FakeClock()
    first = rotate(tmp_path, clock.now())
    clock.move(10)
    second = rotate(tmp_path, clock.now())
    ring = TokenKeyring(tmp_path, clock)
    first.path.unlink()
    clock.move(2)
    assert (second.key.kid, [second.key.kid]) == (ring.signer().kid, published(ring))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (None, "", "no token key"),
        ("next.pem", "key", "named for when it begins"),
        ("20261301T000000Z.pem", "key", "is no time"),
        ("20260301T080000Z.pem", "junk", "must be an Ed25519 key"),
        ("20260301T080000Z.pem", "ec", "must be an Ed25519 key"),
    ],
)
def test_a_folder_that_cannot_be_used_refuses_the_start_and_names_the_file(
    tmp_path: Path, name: str | None, content: str, said: str
) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    if name is not None:
        if content == "key":
            (folder / name).write_bytes(rotate(tmp_path / "made", FakeClock().now()).path.read_bytes())
        elif content == "ec":
            pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (folder / name).write_bytes(pem)
        else:
            (folder / name).write_text(content)
    with pytest.raises(ConfigError, match=said) as refused:
        TokenKeyring(folder, FakeClock())
    assert str(folder / name if name else folder) in str(refused.value)


def test_a_single_key_file_signs_for_good(tmp_path: Path) -> None:
    clock = FakeClock()
    path = rotate(tmp_path / "made", clock.now() + timedelta(days=400)).path
    ring = TokenKeyring(path, clock)
    kid = ring.signer().kid
    clock.move(86_400)
    assert (kid, [kid]) == (ring.signer().kid, published(ring))
