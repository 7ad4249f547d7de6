"""Rotating the wrapping key: every case key is wrapped anew, and not a byte of a pack is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from casemesh.core.clock import Clock
from casemesh.dossier.care.operator import BY_OPERATOR, KEY_REWRAPPED, record_care
from casemesh.dossier.keys.provider import KeyProvider, KeyProviderError
from casemesh.runtime.postgres import Database

_PAGE = "SELECT case_name, wrapped_key FROM case_key WHERE case_name > $1 ORDER BY case_name LIMIT $2"
_REWRAP = "UPDATE case_key SET wrapped_key = $3 WHERE case_name = $1 AND wrapped_key = $2"
_BATCH: Final = 100


@dataclass(slots=True)
class KeyRotation:
    """How the case keys stand: wrapped anew, under the active key already, erased. ``failed`` cases keep the key they
    had and cannot be unwrapped by anything at hand."""

    rewrapped: int = 0
    current: int = 0
    erased: int = 0
    failed: list[str] = field(default_factory=list)


async def rotate_keys(
    database: Database, provider: KeyProvider, clock: Clock, progress: Callable[[KeyRotation], None]
) -> KeyRotation:
    """Wrap every case key under the provider's active key, while the service goes on.

    Each new form is unwrapped again before it takes the old one's place, and only if that is still there. What is under
    the active key is left alone but for a trial, so that a run that broke off is repeated. ``database`` must be open
    as a role that may change case keys. Raises KeyProviderUnavailable.
    """
    rotation, after = KeyRotation(), ""
    while rows := await database.fetch(_PAGE, after, _BATCH):
        for row in rows:
            after = row["case_name"]
            if row["wrapped_key"] is None:
                rotation.erased += 1
                continue
            try:
                await _rotate(database, provider, clock, after, row["wrapped_key"], rotation)
            except KeyProviderError:
                rotation.failed.append(after)
        progress(rotation)
    return rotation


async def _rotate(
    database: Database, provider: KeyProvider, clock: Clock, case: str, wrapped: bytes, rotation: KeyRotation
) -> None:
    key = await provider.unwrap(case, wrapped)
    if provider.is_current(wrapped):
        rotation.current += 1
        return
    rewrapped = await provider.wrap(case, key)
    if await provider.unwrap(case, rewrapped) != key:
        raise KeyProviderError("what the provider wrapped does not unwrap to the same key")
    async with database.transaction() as transaction:
        if await transaction.execute(_REWRAP, case, wrapped, rewrapped):
            rotation.rewrapped += 1
            await record_care(transaction, clock, BY_OPERATOR, KEY_REWRAPPED, case, case)
