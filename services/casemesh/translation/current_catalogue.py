"""The catalogue kept in memory, as new as the database at each call."""

from __future__ import annotations

import asyncio

from casemesh.translation.catalogue import EMPTY, Catalogue
from casemesh.translation.store import TranslationStore


class CurrentCatalogue:
    """Asks the database for its revision on each call, so that an import through any replica counts at once; tables
    themselves are read only when they are new."""

    def __init__(self, store: TranslationStore) -> None:
        self._store = store
        self._known = EMPTY
        self._reading = asyncio.Lock()

    async def get(self) -> Catalogue:
        """Return what is in force. Raises Unavailable when the database does not answer."""
        revision = await self._store.revision()
        if self._known.revision < revision:
            async with self._reading:
                if self._known.revision < revision:
                    self._known = await self._store.catalogue(self._known)
        return self._known
