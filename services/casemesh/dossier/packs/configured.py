"""The store of packs that a configuration asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from obstore.store import S3Store

from casemesh.dossier.config import Config, ObjectStoreConfig
from casemesh.dossier.packs.disk import DiskPacks
from casemesh.dossier.packs.mirrored import MirroredPacks
from casemesh.dossier.packs.moving import MovingPacks
from casemesh.dossier.packs.objects import ObjectPacks
from casemesh.dossier.packs.stores import PackStore

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Credential

_READ_KEYS_EVERY: Final = timedelta(minutes=5)
# A request that hangs, and all repetitions of it together, end before an upload's lease does.
_REQUEST_TIMEOUT: Final = timedelta(seconds=15)
_RETRIES: Final[RetryConfig] = {
    "max_retries": 5,
    "retry_timeout": timedelta(seconds=10),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
}


def pack_store_of(config: Config) -> PackStore:
    """Where this deployment keeps its packs; makes the folders that are not there yet.

    Raises OSError where a folder cannot be made. Does not ask whether the object store is there, nor for its key.
    """
    objects = config.object_store
    packs: PackStore = DiskPacks(_folder(config.store)) if objects is None else object_packs_of(objects)
    if config.copy is not None:
        packs = MirroredPacks(packs, DiskPacks(_folder(config.copy)))
    if config.move_from is not None:
        packs = MovingPacks(packs, DiskPacks(config.move_from))
    return packs


def object_packs_of(
    config: ObjectStoreConfig, timeout: timedelta = _REQUEST_TIMEOUT, retries: RetryConfig = _RETRIES
) -> ObjectPacks:
    """Packs in an S3 bucket. Every object is sent with its SHA-256, for the store to check too."""
    client: ClientConfig = {"allow_http": config.allow_http, "timeout": timeout}
    if config.ca_file is not None:
        client["root_certificate"] = config.ca_file.read_bytes()

    bucket = S3Store(
        config.bucket,
        endpoint=config.endpoint,
        region=config.region,
        virtual_hosted_style_request=False,
        conditional_put="etag",
        checksum_algorithm="SHA256",
        # Not all makers have the request that deletes many at once.
        disable_bulk_delete=True,
        credential_provider=KeyFiles(config),
        client_options=client,
        retry_config=retries,
    )
    return ObjectPacks(bucket, config.prefix)


class KeyFiles:
    """The key of an object store, from its files each time it is asked for, valid long enough to be asked seldom."""

    def __init__(self, config: ObjectStoreConfig) -> None:
        self._config = config

    def __call__(self) -> S3Credential:
        return {
            "access_key_id": _secret(self._config.access_key_file),
            "secret_access_key": _secret(self._config.secret_key_file),
            "token": None,
            "expires_at": datetime.now(UTC) + _READ_KEYS_EVERY,
        }


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _secret(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()
