"""Carrying out what a committed case or exchange owes: the recipient's place in the case and its grant on the dossier.

These are other services' facts, so they cannot commit with ours. They follow the commit, so that nobody gets access
without a committed cause, and go before the release of the delivery, so that nothing is put before an agency that may
not open it. Each is asked for under a request id derived from its cause: repeating it, from any replica and after any
crash, has one effect. The call that committed tries at once; a worker carries out what an interrupted one left. What an
exchange owes is forgone when it is withdrawn or expires first.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import structlog
from opentelemetry import trace

from casemesh.dossier.v1 import dossier_handover_service_pb2
from casemesh.errors import CaseMeshError
from casemesh.identity.v1 import case_participation_service_pb2
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.dependencies import TIMEOUT_SECONDS, asking
from casemesh.routing.obligation_store import (
    Obligation,
    ObligationStore,
    lock_open,
    mark_fulfilled,
    mark_joined,
)
from casemesh.routing.placing import release
from casemesh.runtime.postgres import Database
from casemesh.runtime.telemetry import link_to, tracer

if TYPE_CHECKING:
    from casemesh.dossier.v1.dossier_handover_service_pb2_grpc import DossierHandoverServiceAsyncStub
    from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceAsyncStub

log = structlog.get_logger(__name__)

_NAMESPACE = uuid.UUID("5f0f8a3e-6f0a-5d0e-9c61-0d9b6c3c7a11")
_BATCH = 16
_IDLE_SECONDS = 1.0
_MOST_HELD = 3
"""Most connections held while other services are asked; a pool has ten."""


def request_id_for(resource: str, effect: str) -> str:
    """Return the request id under which an effect of `resource` is asked for, always the same (UUIDv5)."""
    return str(uuid.uuid5(_NAMESPACE, f"{resource}/{effect}"))


class Obligations:
    """Carries out obligations, at once or later."""

    def __init__(
        self,
        database: Database,
        participation: CaseParticipationServiceAsyncStub,
        handover: DossierHandoverServiceAsyncStub,
        arrivals: Arrivals,
    ) -> None:
        self._database = database
        self.store = ObligationStore(database)
        self._participation = participation
        self._handover = handover
        self._arrivals = arrivals
        self._held = asyncio.Semaphore(_MOST_HELD)

    async def carry_out(self, owed: Obligation) -> None:
        """Give the access, then release the delivery. Doing it again, or at the same time, changes nothing; nor does
        doing it once it is forgone.

        Raises Unavailable when a service does not do its part; the worker goes on later.
        """
        if _delivers(owed):
            failure = await self._carry_out_unless_forgone(owed)
        else:
            _, failure = await self._give(owed)
            if failure is None:
                async with self._database.transaction() as transaction:
                    await mark_fulfilled(transaction, owed.resource)
        if failure is not None:
            raise failure
        self._arrivals.announce(owed.agency)

    async def _carry_out_unless_forgone(self, owed: Obligation) -> BaseException | None:
        # The row stays locked while the others are asked: a withdrawal waits for their answer, so that nobody is let in
        # after it was answered.
        async with self._held, self._database.transaction() as transaction:
            if not await lock_open(transaction, owed.resource):
                return None
            joined, failure = await self._give(owed)
            if failure is None:
                await mark_fulfilled(transaction, owed.resource)
                await release(transaction, owed.resource, owed.case, owed.agency)
            elif joined:
                await mark_joined(transaction, owed.resource)
        return failure

    async def _give(self, owed: Obligation) -> tuple[bool, BaseException | None]:
        """Ask for the access; return whether the agency was brought into the case, and the first failure."""
        effects = []
        if owed.joins:
            effects.append(self._add_participation(owed))
        if owed.dossier_version:
            effects.append(self._grant_version(owed))
        outcomes = await asyncio.gather(*effects, return_exceptions=True)
        failures = [outcome for outcome in outcomes if outcome is not None]
        return owed.joins and outcomes[0] is None, failures[0] if failures else None

    async def settle(self, resource: str) -> None:
        """Carry out what `resource` still owes, if anything.

        Raises Unavailable.
        """
        owed = await self.store.open_of(resource)
        if owed is not None:
            await self.carry_out(owed)

    async def run(self) -> None:
        """Carry out what is left, until cancelled. Failures are tried again after 2 seconds, then up to a minute."""
        while True:
            try:
                taken = await self.store.take(_BATCH)
            except CaseMeshError as error:
                log.warning("obligations.waiting", reason=error.reason)
                taken = []
            await asyncio.gather(*(self._try(owed) for owed in taken))
            if len(taken) < _BATCH:
                await asyncio.sleep(_IDLE_SECONDS)

    async def _try(self, owed: Obligation) -> None:
        link = link_to(owed.traceparent)
        with tracer().start_as_current_span(
            "routing.obligation", kind=trace.SpanKind.CONSUMER, links=[link] if link is not None else []
        ):
            try:
                await self.carry_out(owed)
            except CaseMeshError as error:
                log.warning("obligation.waiting", resource=owed.resource, attempts=owed.attempts, reason=error.reason)

    async def _add_participation(self, owed: Obligation) -> None:
        request = case_participation_service_pb2.AddParticipationRequest(
            request_id=request_id_for(owed.resource, "participation"),
            case=owed.case,
            agency=owed.agency,
            officer=owed.officer,
            cause=_cause(owed),
        )
        with asking("identity"):
            await self._participation.AddParticipation(request, timeout=TIMEOUT_SECONDS)

    async def _grant_version(self, owed: Obligation) -> None:
        request = dossier_handover_service_pb2.GrantVersionRequest(
            request_id=request_id_for(owed.resource, "dossier"),
            version=owed.dossier_version,
            sender=owed.sender,
            recipient=owed.agency,
            exchange=_cause(owed),
        )
        with asking("dossier"):
            await self._handover.GrantVersion(request, timeout=TIMEOUT_SECONDS)


def _delivers(owed: Obligation) -> bool:
    return "/deliveries/" in owed.resource


def _cause(owed: Obligation) -> str:
    """The case, or the exchange that is delivered."""
    return owed.resource.partition("/deliveries/")[0]
