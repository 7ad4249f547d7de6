"""The data keys of cases: made once, unwrapped when asked for, never made again for an erased case."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from casemesh.dossier.keys.provider import KeyProvider, KeyProviderUnavailable, new_case_key
from casemesh.errors import FailedPrecondition, Unavailable
from casemesh.runtime.postgres import Database

_KEY = "SELECT wrapped_key FROM case_key WHERE case_name = $1"
_ADD = "INSERT INTO case_key (case_name, wrapped_key) VALUES ($1, $2) ON CONFLICT DO NOTHING"

_KEPT: Final = 1000
_KEPT_SECONDS: Final = 30.0


class CaseKeys:
    """Gives out unwrapped data keys.

    At most 1,000 of them are kept for 30 seconds each, so that a slow KMS is not asked for every call of a busy case.
    The row is read every time all the same: once a case is erased, no later call gets its key, kept or not. Python does
    not overwrite memory: a key that was let go may be found in a memory image until its place is used again.
    """

    def __init__(
        self,
        database: Database,
        provider: KeyProvider,
        *,
        kept: int = _KEPT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._provider = provider
        self._most = kept
        self._monotonic = monotonic
        self._kept: OrderedDict[tuple[str, bytes], tuple[float, bytes]] = OrderedDict()

    async def of(self, case: str) -> bytes:
        """The case's data key of 32 bytes, made when it is first asked for.

        Raises FailedPrecondition (CASE_ERASED), Unavailable (DEPENDENCY_UNAVAILABLE) while the key provider does not
        answer, KeyProviderError where its wrapping key is not at hand or the row was altered.
        """
        row = await self._database.fetchrow(_KEY, case)
        if row is None:
            # Two at once: one insert wins, and both read what won.
            wrapped = await self._answered(self._provider.wrap(case, new_case_key()))
            await self._database.execute(_ADD, case, wrapped)
            row = await self._database.fetchrow(_KEY, case)
            assert row is not None
        if row["wrapped_key"] is None:
            self._forget(case)
            raise FailedPrecondition("CASE_ERASED", "the case's key was destroyed; nobody can read its bytes")
        return await self._unwrapped(case, row["wrapped_key"])

    async def _unwrapped(self, case: str, wrapped: bytes) -> bytes:
        now = self._monotonic()
        # Oldest first: each is kept equally long.
        while self._kept and next(iter(self._kept.values()))[0] <= now:
            self._kept.popitem(last=False)
        kept = self._kept.get((case, wrapped))
        if kept is not None:
            return kept[1]
        key = await self._answered(self._provider.unwrap(case, wrapped))
        while len(self._kept) >= self._most:
            self._kept.popitem(last=False)
        self._kept[case, wrapped] = (self._monotonic() + _KEPT_SECONDS, key)
        return key

    def _forget(self, case: str) -> None:
        for entry in [entry for entry in self._kept if entry[0] == case]:
            del self._kept[entry]

    async def _answered(self, asked: Awaitable[bytes]) -> bytes:
        try:
            return await asked
        except KeyProviderUnavailable as error:
            raise Unavailable(
                "DEPENDENCY_UNAVAILABLE", "the key provider does not answer; try again", {"dependency": "keys"}
            ) from error
