"""Case data keys, and what a provider that wraps them owes.

A case's data key encrypts all its packs. It is kept only wrapped; the wrapping keys stay with a provider, so that
whoever holds the database and the disk but not the provider reads nothing, and dropping a case's wrapped key makes
its bytes unreadable for good.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Protocol

from casemesh.dossier.packs.suites import CASE_KEY_BYTES


class KeyProviderError(Exception):
    """A wrapping key is missing, unreadable, too widely readable, or did not make this wrapped key."""


class KeyProviderUnavailable(Exception):
    """The provider does not answer, or not in time; asking again later may help."""


class KeyProvider(Protocol):
    """Wraps case data keys. Implementations keep their wrapping keys to themselves.

    ``case`` is bound into the wrapped form: a wrapped key moved to another case does not unwrap. Both directions may
    take as long as a call over the network, so nobody holds a database connection meanwhile.
    """

    async def wrap(self, case: str, data_key: bytes) -> bytes:
        """The wrapped form of ``data_key``; it names the wrapping key used.

        Raises KeyProviderError, KeyProviderUnavailable.
        """

    async def unwrap(self, case: str, wrapped: bytes) -> bytes:
        """The data key again. Raises KeyProviderError, KeyProviderUnavailable."""

    def made(self, wrapped: bytes) -> bool:
        """Whether ``wrapped`` has this provider's form and names a key of it; says nothing of its integrity."""

    def is_current(self, wrapped: bytes) -> bool:
        """Whether ``wrap`` would use the wrapping key that ``wrapped`` names; a rotation passes it over then."""


class KeyRing:
    """Several providers as one: the first wraps, each unwraps what it made. How keys move from one to another."""

    def __init__(self, active: KeyProvider, others: Sequence[KeyProvider] = ()) -> None:
        self._active = active
        self._all = (active, *others)

    async def wrap(self, case: str, data_key: bytes) -> bytes:
        return await self._active.wrap(case, data_key)

    async def unwrap(self, case: str, wrapped: bytes) -> bytes:
        for provider in self._all:
            if provider.made(wrapped):
                return await provider.unwrap(case, wrapped)
        raise KeyProviderError("the wrapping key is not at hand, or the wrapped key has an unknown form")

    def made(self, wrapped: bytes) -> bool:
        return any(provider.made(wrapped) for provider in self._all)

    def is_current(self, wrapped: bytes) -> bool:
        return self._active.is_current(wrapped)


def new_case_key() -> bytes:
    """A fresh random data key of 32 bytes."""
    return secrets.token_bytes(CASE_KEY_BYTES)
