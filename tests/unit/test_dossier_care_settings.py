"""What reads everything keeps to the rate it was given, and a config says which key wraps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casemesh.dossier.care.pace import Pace
from casemesh.dossier.config import Config
from casemesh.dossier.keys.configured import key_provider_of
from casemesh.dossier.keys.local import LocalKeyProvider, make_scrypt_parameters, wrapping_key_from_passphrase
from casemesh.dossier.keys.provider import new_case_key
from casemesh.runtime.config import ConfigError, decode

CASE = "cases/01890000-0000-7000-8000-000000000001"


class Moments:
    """Time that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_pace_takes_as_long_as_its_rate_says() -> None:
    moments = Moments()
    pace = Pace(1000.0, monotonic=moments, sleep=moments.sleep)
    for _ in range(10):
        pace.take(500)
    # The first is free: what is taken is paid for by the next.
    assert moments.now == pytest.approx(50.0 + 9 * 0.5)


def test_a_pace_that_fell_behind_does_not_catch_up_by_a_burst() -> None:
    moments = Moments()
    pace = Pace(1000.0, monotonic=moments, sleep=moments.sleep)
    pace.take(1000)
    moments.now += 100
    for _ in range(3):
        pace.take(1000)
    assert moments.now == pytest.approx(152.0)


def test_without_a_rate_nothing_waits() -> None:
    moments = Moments()
    pace = Pace(None, monotonic=moments, sleep=moments.sleep)
    pace.take(1 << 40)
    pace.take(1 << 40)
    assert moments.now == 50.0


def configured(folder: Path, **own: Any) -> Config:
    tables = {
        "server": {"listen": "127.0.0.1:0"}, "tls": {"directory": "tls"}, "database": {"dsn_file": "dsn"}, "peers": {},
        "store": "store", "signing": "signing",
    }  # fmt: skip
    config: Config = decode({**tables, **own}, Config, folder / "dossier.toml")
    return config


def private_file(path: Path, content: bytes) -> str:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path.name


@pytest.mark.parametrize("own", [{}, {"wrapping_key": "a", "kms": {"address": "unix:/kms", "key_name": "k"}}])
def test_exactly_one_thing_wraps(tmp_path: Path, own: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="exactly one of"):
        configured(tmp_path, **own)


def test_drafts_do_not_expire_within_a_day(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 1d"):
        configured(tmp_path, wrapping_key="a", draft_expiry="1h")


async def test_a_passphrase_takes_over_from_a_file(tmp_path: Path) -> None:
    old = private_file(tmp_path / "old.key", bytes(32))
    private_file(tmp_path / "passphrase", b"three invented words and a number 7")
    make_scrypt_parameters(tmp_path / "salt.json")
    table = {"passphrase_file": "passphrase", "scrypt_file": "salt.json"}
    provider = key_provider_of(configured(tmp_path, wrapping_passphrase=table, retired_wrapping_keys=[old]))
    key = new_case_key()
    before = await LocalKeyProvider(bytes(32)).wrap(CASE, key)
    assert (await provider.unwrap(CASE, before), provider.is_current(before)) == (key, False)
    after = await provider.wrap(CASE, key)
    derived = wrapping_key_from_passphrase(tmp_path / "passphrase", tmp_path / "salt.json")
    assert await LocalKeyProvider(derived).unwrap(CASE, after) == key
