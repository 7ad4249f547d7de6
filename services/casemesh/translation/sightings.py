"""What the platform carried: how often each code, and which ones without a counterpart.

Only what routing asks counts; an officer who looks something up carries nothing. Only codes that a loaded table has
are kept, never what somebody typed. The first sighting of an unmapped code is in the database before the caller has its
answer, since an exchange may be held for it; all further counting is written every two seconds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import date

import structlog

from casemesh.core.clock import Clock
from casemesh.errors import CaseMeshError
from casemesh.translation.periods import today
from casemesh.translation.unmapped_store import CodeKey, Sighting, UnmappedStore
from casemesh.translation.v1 import translation_pb2

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 2.0
_NOT_CARRIED = frozenset(
    {translation_pb2.TRANSLATION_OUTCOME_UNKNOWN_CODE, translation_pb2.TRANSLATION_OUTCOME_SAME_SYSTEM}
)


class Sightings:
    """Counts what was carried; see the module."""

    def __init__(self, store: UnmappedStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._carried: Counter[tuple[CodeKey, date]] = Counter()
        self._unmapped: dict[CodeKey, Sighting] = {}
        self._queued: set[CodeKey] = set()
        self._revision = -1

    async def saw(
        self,
        translations: Iterable[tuple[str, translation_pb2.Translation]],
        *,
        example: str = "",
        revision: int,
        day: date,
    ) -> bool:
        """Count translations to the tables beside them, made for a day at a revision of the catalogue.

        False, and nothing counted, when another revision came before an unmapped code could be queued: then the answer
        may be out of date, and whoever waits for the code would never hear of it. Translate anew. `example` is the
        resource name of what carried them. Raises Unavailable when an unmapped code that is not known to be queued
        cannot be written.
        """
        if revision != self._revision:
            # What was queued may have been resolved since, and would have to be opened again.
            self._queued.clear()
            self._revision = revision
        now, month = self._clock.now(), today(self._clock).replace(day=1)
        fresh: dict[CodeKey, Sighting] = {}
        again: list[Sighting] = []
        keys: list[CodeKey] = []
        for target, translation in translations:
            if translation.outcome in _NOT_CARRIED:
                continue
            key = CodeKey(translation.original.code_system, translation.original.code, target)
            keys.append(key)
            if translation.outcome == translation_pb2.TRANSLATION_OUTCOME_UNMAPPED and not translation.no_counterpart:
                sighting = Sighting(key, 1, now, example, revision, day)
                if key in self._queued:
                    again.append(sighting)
                else:
                    _join(fresh, sighting)
        if fresh:
            if not await self._store.saw_first(list(fresh.values()), revision):
                return False
            if revision == self._revision:
                self._queued.update(fresh)
        self._carried.update((key, month) for key in keys)
        for sighting in again:
            _join(self._unmapped, sighting)
        return True

    async def flush(self) -> None:
        """Write what is counted. What cannot be written now is kept for the next time."""
        carried, self._carried = self._carried, Counter()
        unmapped, self._unmapped = self._unmapped, {}
        if not carried and not unmapped:
            return
        try:
            await self._store.saw(list(unmapped.values()), carried)
        except CaseMeshError as error:
            log.warning("sightings.waiting", reason=error.reason)
            self._carried.update(carried)
            later, self._unmapped = self._unmapped, unmapped
            for sighting in later.values():
                _join(self._unmapped, sighting)

    async def run(self) -> None:
        """Flush every two seconds until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.flush()


def _join(sightings: dict[CodeKey, Sighting], later: Sighting) -> None:
    before = sightings.get(later.key)
    sightings[later.key] = before.joined(later) if before is not None else later
