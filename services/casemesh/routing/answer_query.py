"""Answering questions, closing those whose time is over, and forgetting what they said."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.errors import (
    CaseMeshError,
    FailedPrecondition,
    FieldViolation,
    InvalidArgument,
    not_found,
)
from casemesh.routing.agencies import AgencyDirectory
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.coding import Coding
from casemesh.routing.data_service_store import DataServiceStore, expire, keep_answer, lock_query
from casemesh.routing.data_services import answer_digest, require_answer
from casemesh.routing.organ_tables import OrganTables
from casemesh.routing.payload import coded_fields
from casemesh.routing.v1 import data_provider_service_pb2, data_service_pb2
from casemesh.runtime.call import Call, Caller
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.peers import Peer
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

log = structlog.get_logger(__name__)

LEASE_SECONDS = 30.0
LEASE_BATCH = 64
_CLOSING_SECONDS = 2.0
_BATCH = 256
_BY_SERVICE = Call("routing query closing", peer=Peer.ROUTING)
_PENDING = data_service_pb2.DATA_QUERY_STATE_PENDING
_FOUND = data_service_pb2.DATA_QUERY_OUTCOME_FOUND
_REFUSED = data_service_pb2.DATA_QUERY_OUTCOME_REFUSED

_Answered = data_provider_service_pb2.AnswerQueryResponse


class Answering:
    """The questions to agencies, and their answers."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        store: DataServiceStore,
        agencies: AgencyDirectory,
        coding: Coding,
        tables: OrganTables,
        answers: Arrivals,
        outbox: OutboxRelay,
        retention_seconds: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = store
        self._agencies = agencies
        self._coding = coding
        self._tables = tables
        self._answers = answers
        self._outbox = outbox
        self._retention = timedelta(seconds=retention_seconds)

    async def lease(
        self, caller: Caller, lease_id: str, limit: int, seconds: float = LEASE_SECONDS
    ) -> list[data_service_pb2.DataQuery]:
        """Take up to `limit` questions to the caller's agency, at most LEASE_BATCH."""
        return await self._store.lease(caller.agency, lease_id, seconds, min(limit, LEASE_BATCH))

    async def pull(self, caller: Caller, limit: int, seconds: float) -> list[data_service_pb2.DataQuery]:
        """As `lease`, under a lease of its own."""
        return await self.lease(caller, new_id(), limit, seconds)

    async def end_leases(self, names: list[str], lease_id: str) -> None:
        """Give back questions that were leased and not answered."""
        if names:
            await self._store.end_leases(names, lease_id)

    async def answer(self, call: Call, given: data_provider_service_pb2.QueryAnswer) -> None:
        """Answer a question to the caller's agency. The same answer again changes nothing.

        Raises NotFound; InvalidArgument (QUERY_HASH_MISMATCH, QUERY_FIELD_INVALID, PAYLOAD_CODE_UNKNOWN);
        FailedPrecondition (QUERY_CLOSED); Unavailable.
        """
        answered = await self._prepared(call.require_caller(), given)
        async with self._database.transaction() as transaction:
            await self._close(transaction, call, answered)
        self._told(given.query)

    async def answer_once(self, call: Call, request: data_provider_service_pb2.AnswerQueryRequest) -> _Answered:
        """As `answer`, under the request's id."""
        given = data_provider_service_pb2.QueryAnswer(
            query=request.query,
            question_sha256=request.question_sha256,
            outcome=request.outcome,
            fields=request.fields,
            refusal=request.refusal,
        )
        answered = await self._prepared(call.require_caller(), given)
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Answered)
            if stored is not None:
                return stored
            await self._close(transaction, call, answered)
            response = _Answered(query=request.query)
            await remember(transaction, call, request, response)
        self._told(request.query)
        return response

    async def run(self) -> None:
        """Close questions whose time is over, and forget what old ones said, until cancelled."""
        while True:
            try:
                while await self._expire() == _BATCH:
                    pass
                while await self._store.blank(self._clock.now() - self._retention, _BATCH) == _BATCH:
                    pass
            except CaseMeshError as error:
                log.warning("queries.waiting", reason=error.reason)
            await asyncio.sleep(_CLOSING_SECONDS)

    async def _prepared(
        self, caller: Caller, given: data_provider_service_pb2.QueryAnswer
    ) -> data_service_pb2.DataQuery:
        """Return the question with its answer filled in, checked and translated while no connection is held."""
        query = await self._store.get(given.query)
        service = await self._store.service(query.data_service, query.revision) if query is not None else None
        if query is None or service is None or service.provider != caller.agency:
            raise not_found()
        _require_form(given)
        if given.question_sha256 != query.question_sha256:
            rule = "must be the question_sha256 of this question"
            raise InvalidArgument(
                "QUERY_HASH_MISMATCH", f"question_sha256 {rule}", violations=[FieldViolation("question_sha256", rule)]
            )
        translations = []
        if given.outcome == _FOUND:
            require_answer(service, given.fields, self._tables)
            coded = coded_fields(given.fields)
            if coded:
                organ = await self._agencies.organ_of(query.asker, field="asker")
                translations = await self._coding.for_reader(coded, organ)
        answered = data_service_pb2.DataQuery(
            name=query.name,
            case=query.case,
            asker=query.asker,
            question_sha256=query.question_sha256,
            outcome=given.outcome,
            answer=given.fields,
            refusal=given.refusal,
            translations=translations,
        )
        answered.answer_sha256 = answer_digest(answered)
        return answered

    async def _close(self, transaction: Transaction, call: Call, answered: data_service_pb2.DataQuery) -> None:
        locked = await lock_query(transaction, answered.name)
        if locked is None:
            raise not_found()
        now = self._clock.now()
        answered.answer_time.FromDatetime(now)
        if locked.query.state != _PENDING or not await keep_answer(transaction, answered):
            if locked.query.answer_sha256 == answered.answer_sha256:
                return
            state = data_service_pb2.DataQueryState.Name(locked.query.state).removeprefix("DATA_QUERY_STATE_")
            raise FailedPrecondition(
                "QUERY_CLOSED", "the question was answered otherwise, or its time is over", {"state": state}
            )
        details = {
            "asker": answered.asker,
            "outcome": data_service_pb2.DataQueryOutcome.Name(answered.outcome).removeprefix("DATA_QUERY_OUTCOME_"),
            "question_sha256": answered.question_sha256.hex(),
            "answer_sha256": answered.answer_sha256.hex(),
        }
        event = event_of(call, self._clock, "query.answered", answered.name, case=answered.case, details=details)
        await record(transaction, call, event)

    def _told(self, query: str) -> None:
        self._outbox.wake()
        self._answers.announce(query)

    async def _expire(self) -> int:
        async with self._database.transaction() as transaction:
            expired = await expire(transaction, self._clock.now(), _BATCH)
            for query in expired:
                details = {"question_sha256": query.question_sha256.hex()}
                event = event_of(
                    _BY_SERVICE, self._clock, "query.expired", query.name, case=query.case, details=details
                )
                await record(transaction, _BY_SERVICE, event)
        for query in expired:
            self._told(query.name)
        return len(expired)


def _require_form(given: data_provider_service_pb2.QueryAnswer) -> None:
    violations = []
    if given.outcome not in data_service_pb2.DataQueryOutcome.values() or not given.outcome:
        violations.append(FieldViolation("outcome", "must be set"))
    if given.fields and given.outcome != _FOUND:
        violations.append(FieldViolation("fields", "must be unset unless something was found"))
    if bool(given.refusal) != (given.outcome == _REFUSED):
        violations.append(FieldViolation("refusal", "must be set where the outcome is REFUSED, and nowhere else"))
    if violations:
        named = "; ".join(f"{item.field} {item.description}" for item in violations)
        raise InvalidArgument("QUERY_FIELD_INVALID", named, violations=violations)
