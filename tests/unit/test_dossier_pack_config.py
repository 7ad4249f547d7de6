"""The store of packs is the one the configuration asks for, and a wrong one is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casemesh.dossier.config import Config
from casemesh.dossier.packs.configured import KeyFiles, pack_store_of
from casemesh.dossier.packs.disk import DiskPacks
from casemesh.dossier.packs.mirrored import MirroredPacks
from casemesh.dossier.packs.moving import MovingPacks
from casemesh.dossier.packs.objects import ObjectPacks
from casemesh.runtime.config import ConfigError, decode
from tests.support.packs import chunks_of, key_of, write_pack

OBJECTS = {
    "endpoint": "https://objects.example:9000",
    "bucket": "dossiers",
    "access_key_file": "access",
    "secret_key_file": "secret",
}


def config_of(folder: Path, **more: Any) -> Config:
    base = {
        "server": {"listen": "127.0.0.1:0"},
        "tls": {"directory": "tls"},
        "database": {"dsn_file": "dsn"},
        "peers": {},
        "store": "packs",
        "signing": "signing",
        "wrapping_key": "wrapping.key",
    }
    return decode({**base, **more}, Config, folder / "dossier.toml")


def test_packs_lie_on_disk_unless_told_otherwise(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    packs = pack_store_of(config)
    assert isinstance(packs, DiskPacks)
    assert (tmp_path / "packs", 0o700) == (packs.root, packs.root.stat().st_mode & 0o777)
    assert "AES-256-GCM" == config.suite


def test_packs_lie_in_a_bucket_where_one_is_named(tmp_path: Path) -> None:
    packs = pack_store_of(config_of(tmp_path, object_store=OBJECTS))
    assert isinstance(packs, ObjectPacks)
    assert not (tmp_path / "packs").exists()


def test_a_copy_and_a_move_are_laid_around_whatever_keeps_the_packs(tmp_path: Path) -> None:
    old = write_pack(DiskPacks(tmp_path / "packs"), key_of(), chunks_of([100]))
    packs = pack_store_of(config_of(tmp_path, object_store=OBJECTS, copy="second", move_from="packs"))
    assert isinstance(packs, MovingPacks)
    assert isinstance(packs.target, MirroredPacks)
    assert isinstance(packs.target.primary, ObjectPacks)
    assert isinstance(packs.target.copy, DiskPacks)
    assert tmp_path / "second" == packs.target.copy.root
    assert old.plain == old.read(packs)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"suite": "DES"}, "SM4-GCM"),
        ({"object_store": {**OBJECTS, "secret": "x"}}, "object_store.secret"),
        ({"object_store": {key: value for key, value in OBJECTS.items() if key != "bucket"}}, "object_store.bucket"),
        ({"object_store": {**OBJECTS, "allow_http": "yes"}}, "object_store.allow_http"),
        ({"copy": "packs"}, "copy"),
        ({"copy": "old", "move_from": "old"}, "copy"),
        ({"move_from": "packs"}, "move_from"),
    ],
)
def test_a_wrong_configuration_is_refused_by_name(tmp_path: Path, more: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        config_of(tmp_path, **more)


def test_an_object_stores_key_is_read_each_time_it_is_asked_for(tmp_path: Path) -> None:
    config = config_of(tmp_path, object_store=OBJECTS).object_store
    assert config is not None
    keys = KeyFiles(config)
    for access, secret in (("one", "first secret"), ("two", "second secret")):
        (tmp_path / "access").write_text(f"{access}\n")
        (tmp_path / "secret").write_text(f"{secret}\n")
        credential = keys()
        assert (access, secret) == (credential["access_key_id"], credential["secret_access_key"])
        assert credential["expires_at"] is not None
