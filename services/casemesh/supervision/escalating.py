"""Putting warnings before supervisors that nobody took up in time: once each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from casemesh.core.clock import Clock
from casemesh.errors import CaseMeshError
from casemesh.runtime.call import Call
from casemesh.runtime.peers import Peer
from casemesh.runtime.postgres import Database
from casemesh.supervision.handling import record_move
from casemesh.supervision.warning_store import Move, keep, lock_to_escalate

log = structlog.get_logger(__name__)

_LOOK_EVERY_SECONDS = 1.0
_BATCH = 100
_BY_SERVICE = Call("supervision escalation", peer=Peer.SUPERVISION)


class Escalating:
    """Escalates on any number of replicas: each warning is in the hands of one of them. `on_commit` is called when
    warnings changed."""

    def __init__(self, database: Database, clock: Clock, on_commit: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._on_commit = on_commit

    async def run(self) -> None:
        """Escalate until cancelled. A database that does not answer is asked again."""
        while True:
            try:
                found = await self.escalate_due()
            except CaseMeshError as error:
                log.warning("escalation.waiting", reason=error.reason)
                found = 0
            if found < _BATCH:
                await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def escalate_due(self) -> int:
        """Escalate a batch of what is due and return how many. Raises Unavailable."""
        now, move = self._clock.now(), Move("escalated")
        async with self._database.transaction() as transaction:
            warnings = await lock_to_escalate(transaction, now, _BATCH)
            for warning in warnings:
                kept = await keep(transaction, replace(warning, escalate_time=now, update_time=now), move)
                await record_move(transaction, _BY_SERVICE, self._clock, kept, move)
        if warnings:
            self._on_commit()
        return len(warnings)
