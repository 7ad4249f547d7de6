"""Exchanges held for a code (暂存待定): what has no counterpart in the recipient's table waits for a person to decide.

The site says at which nodes; anywhere else the original goes on, marked. A held exchange is its sender's alone: it
states nothing of persons, brings nobody into the case and is put before nobody. It goes on by itself once each of its
codes has a counterpart or was decided to have none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from casemesh.client.paging import paged
from casemesh.core.clock import Clock
from casemesh.errors import CaseMeshError
from casemesh.routing.agencies import AgencyDirectory
from casemesh.routing.dependencies import TIMEOUT_SECONDS, asking
from casemesh.routing.exchange_store import ExchangeStore, digest_of, lock_exchange, mark_released
from casemesh.routing.held_store import HeldStore, wait_no_more
from casemesh.routing.organ_tables import OrganTables
from casemesh.routing.submit import Submission, owed_by, set_out, waits
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.peers import Peer
from casemesh.runtime.postgres import Database, Writes
from casemesh.translation.v1 import translation_admin_service_pb2, translation_service_pb2

if TYPE_CHECKING:
    from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceAsyncStub
    from casemesh.translation.v1.translation_service_pb2_grpc import TranslationServiceAsyncStub

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 2.0
# A decision may hold from a later day on, which nothing tells of when it comes.
_PAUSE = timedelta(hours=1)
_BATCH = 16
_MOST_CODES = 500
"""Most coded values in one question to translation."""
_BY_SERVICE = Call("routing held exchanges", peer=Peer.ROUTING)


class Holding:
    """Lets held exchanges go on, on any number of replicas: compare-and-set lets one of them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        store: HeldStore,
        exchanges: ExchangeStore,
        agencies: AgencyDirectory,
        tables: OrganTables,
        translation: TranslationServiceAsyncStub,
        resolutions: TranslationAdminServiceAsyncStub,
        submission: Submission,
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = store
        self._exchanges = exchanges
        self._agencies = agencies
        self._tables = tables
        self._translation = translation
        self._resolutions = resolutions
        self._submission = submission

    async def run(self) -> None:
        """Look for what may go on until cancelled. Who does not answer is asked again."""
        while True:
            try:
                found = await self.look()
            except CaseMeshError as error:
                log.warning("holding.waiting", reason=error.reason)
                found = 0
            if found < _BATCH:
                await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self) -> int:
        """Try what was decided on since it was last tried, a batch of it; return how many were tried."""
        oldest = await self._store.oldest_revision()
        if oldest is not None and (newest := await self._newest_resolution(oldest)) > oldest:
            await self._store.wake(newest)
        taken = await self._store.take(_BATCH)
        for name in taken:
            try:
                await self._try(name)
            except CaseMeshError as error:
                # It is due again soon, and keeps no other waiting.
                log.warning("holding.failed", exchange=name, reason=error.reason)
        return len(taken)

    async def _newest_resolution(self, after: int) -> int:
        async def page(
            request: translation_admin_service_pb2.ListResolvedCodesRequest,
        ) -> translation_admin_service_pb2.ListResolvedCodesResponse:
            with asking("translation"):
                return await self._resolutions.ListResolvedCodes(request, timeout=TIMEOUT_SECONDS)

        newest = after
        request = translation_admin_service_pb2.ListResolvedCodesRequest(after_revision=after, page_size=1000)
        async for code in paged(page, request, "unmapped_codes"):
            newest = max(newest, code.resolved_revision)
        return newest

    async def _try(self, name: str) -> None:
        exchange = await self._exchanges.get(name)
        if exchange is None or exchange.state != exchange_pb2.EXCHANGE_STATE_HELD:
            async with self._database.transaction() as transaction:
                await wait_no_more(transaction, name)
            return
        waiting = [entry for entry in exchange.translations if waits(entry)]
        revision = 0
        for start in range(0, len(waiting), _MOST_CODES):
            revision = await self._translate(exchange, waiting[start : start + _MOST_CODES])
        if any(waits(entry) for entry in exchange.translations):
            await self._store.wait(name, revision, _PAUSE)
        else:
            await self._release(exchange)

    async def _translate(
        self, exchange: exchange_pb2.Exchange, waiting: Sequence[exchange_pb2.FieldTranslation]
    ) -> int:
        """Put into `waiting` what its codes become now, and return by which state of the maps."""
        organ = await self._agencies.organ_of(exchange.recipient, field="recipient")
        request = translation_service_pb2.TranslateRecordRequest(resource=exchange.name)
        for entry in waiting:
            original = entry.translation.original
            request.record.add(field=entry.field, coded=original)
            request.schema.add(
                field=entry.field,
                target_code_system=self._tables.target(original.code_system, organ),
                unmapped_action=translation_service_pb2.UNMAPPED_ACTION_HOLD,
            )
        with asking("translation"):
            response = await self._translation.TranslateRecord(request, timeout=TIMEOUT_SECONDS)
        for entry, answer in zip(waiting, response.translations, strict=True):
            # As it was written, with the words beside the code.
            answer.translation.original.CopyFrom(entry.translation.original)
            entry.translation.CopyFrom(answer.translation)
        return response.catalogue_revision

    async def _release(self, exchange: exchange_pb2.Exchange) -> None:
        """Send a held exchange on its way as if it were submitted now."""
        exchange.state = exchange_pb2.EXCHANGE_STATE_SUBMITTED
        owed = owed_by(exchange, _BY_SERVICE, joins=True)
        async with self._database.transaction() as transaction:
            current = await lock_exchange(transaction, exchange.name)
            assert current is not None
            await wait_no_more(transaction, exchange.name)
            if current.state != exchange_pb2.EXCHANGE_STATE_HELD:
                return
            now = self._clock.now()
            await mark_released(transaction, exchange, now)
            writes = Writes()
            answer = set_out(writes, exchange, owed, now)
            details = {
                "node": exchange.node,
                "sender": exchange.sender,
                "recipient": exchange.recipient,
                "sha256": digest_of(exchange).hex(),
            }
            event = event_of(
                _BY_SERVICE, self._clock, "exchange.released", exchange.name, case=exchange.case, details=details
            )
            await record(writes, _BY_SERVICE, event)
            still_owed = await transaction.write(writes, answer)
        await self._submission.follow_up(exchange, owed if still_owed is not None else None)
