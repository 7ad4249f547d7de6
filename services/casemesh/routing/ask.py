"""Asking data services: questions are committed, then waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import DATA_QUERY
from casemesh.errors import FailedPrecondition, ResourceExhausted, not_found
from casemesh.routing.agencies import AgencyDirectory
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.coding import Coding
from casemesh.routing.data_service_store import DataServiceStore, QueryPage, ServicePage, asked_since, insert_queries
from casemesh.routing.data_services import question_digest, require_purpose, require_question
from casemesh.routing.organ_tables import OrganTables
from casemesh.routing.payload import coded_fields
from casemesh.routing.v1 import data_query_service_pb2, data_service_pb2, exchange_pb2
from casemesh.runtime.call import Call, Caller
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import first_answer, recall, remember

_DAY = timedelta(days=1)
_Asked = data_query_service_pb2.AskQueryResponse
_AskedMany = data_query_service_pb2.AskQueriesResponse
_Request = data_query_service_pb2.AskQueryRequest | data_query_service_pb2.AskQueriesRequest


class Asking:
    """Puts questions to data services on behalf of agencies."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        store: DataServiceStore,
        agencies: AgencyDirectory,
        coding: Coding,
        tables: OrganTables,
        questions: Arrivals,
        answers: Arrivals,
        outbox: OutboxRelay,
    ) -> None:
        """`questions` wakes providers by agency, `answers` wakes askers by question."""
        self._database = database
        self._clock = clock
        self._store = store
        self._agencies = agencies
        self._coding = coding
        self._tables = tables
        self._questions = questions
        self._answers = answers
        self._outbox = outbox

    async def ask(self, call: Call, request: data_query_service_pb2.AskQueryRequest) -> _Asked:
        """Commit a question and wait for its answer as long as asked to.

        Raises NotFound; InvalidArgument (QUERY_FIELD_INVALID, QUERY_PURPOSE_UNKNOWN, PAYLOAD_CODE_UNKNOWN);
        FailedPrecondition (DATA_SERVICE_RETIRED); ResourceExhausted (QUERY_LIMIT_REACHED); Unavailable.
        """
        response = await first_answer(self._database, call, request, _Asked)
        if response is None:
            service = await self._askable(call.require_caller(), request.data_service)
            query = await self._question(call, request, service, request.question, "question")
            response = _Asked(query=query)
            async with self._database.transaction() as transaction:
                earlier = await recall(transaction, call, request, _Asked)
                if earlier is None:
                    await self._commit(transaction, call, service, [query])
                    await remember(transaction, call, request, _Asked(query=_named(query)))
            if earlier is not None:
                response = earlier
            else:
                self._announce(service)
        return _Asked(query=await self.wait(response.query.name, request.wait_seconds))

    async def ask_many(self, call: Call, request: data_query_service_pb2.AskQueriesRequest) -> _AskedMany:
        """Commit many questions, all or none; a repeat returns them as they stand. Raises as `ask`."""
        stored = await first_answer(self._database, call, request, _AskedMany)
        if stored is not None:
            return await self._again(stored)
        service = await self._askable(call.require_caller(), request.data_service)
        queries = [
            await self._question(call, request, service, question.fields, f"questions[{index}].fields")
            for index, question in enumerate(request.questions)
        ]
        response = _AskedMany(queries=queries)
        async with self._database.transaction() as transaction:
            earlier = await recall(transaction, call, request, _AskedMany)
            if earlier is None:
                await self._commit(transaction, call, service, queries)
                await remember(transaction, call, request, _AskedMany(queries=map(_named, queries)))
        if earlier is not None:
            return await self._again(earlier)
        self._announce(service)
        return response

    async def wait(self, name: str, seconds: float) -> data_service_pb2.DataQuery:
        """Return a question once it is closed, or as it stands after `seconds`. Raises NotFound."""
        arrived = asyncio.Event()
        # Watched before it is looked at, so that no answer comes in between.
        with self._answers.watching(name, arrived.set):
            query = await self._store.get(name)
            if query is not None and query.state == data_service_pb2.DATA_QUERY_STATE_PENDING and seconds:
                try:
                    async with asyncio.timeout(seconds):
                        await arrived.wait()
                except TimeoutError:
                    return query
                query = await self._store.get(name)
        if query is None:
            raise not_found()
        return query

    async def get(self, caller: Caller, request: data_query_service_pb2.GetQueryRequest) -> data_service_pb2.DataQuery:
        """Return a question of the caller's agency; see `wait`. Raises NotFound."""
        query = await self._store.get(request.name)
        if query is None or query.asker != caller.agency:
            raise not_found()
        return await self.wait(request.name, request.wait_seconds)

    async def queries(self, caller: Caller, case: str, *, after: str, limit: int) -> QueryPage:
        """Return questions that the caller's agency asked for a case."""
        return await self._store.of_case(case, caller.agency, after=after, limit=limit)

    async def services(self, caller: Caller, *, after: str, limit: int) -> ServicePage:
        """Return data services that the caller's agency may ask or provides. Raises Unavailable."""
        return await self._store.services(caller.agency, await self._as(caller), after=after, limit=limit)

    async def service(self, caller: Caller, name: str) -> data_service_pb2.DataService:
        """Return a data service that the caller's agency may ask or provides. Raises NotFound, Unavailable."""
        service = await self._store.service(name)
        if service is None or (
            service.provider != caller.agency
            and (service.retired or not await self._store.may_ask(name, await self._as(caller)))
        ):
            raise not_found()
        return service

    async def _again(self, stored: _AskedMany) -> _AskedMany:
        return _AskedMany(queries=await self._store.get_all([query.name for query in stored.queries]))

    async def _askable(self, caller: Caller, name: str) -> data_service_pb2.DataService:
        service = await self._store.service(name)
        if service is None or not await self._store.may_ask(name, await self._as(caller)):
            raise not_found()
        if service.retired:
            raise FailedPrecondition(
                "DATA_SERVICE_RETIRED", "the data service takes no more questions", {"data_service": name}
            )
        return service

    async def _as(self, caller: Caller) -> list[str]:
        return [caller.agency, await self._agencies.organ_of(caller.agency, field="asker")]

    async def _question(
        self,
        call: Call,
        request: _Request,
        service: data_service_pb2.DataService,
        fields: Sequence[exchange_pb2.PayloadField],
        place: str,
    ) -> data_service_pb2.DataQuery:
        require_purpose(service, request.purpose)
        require_question(service, fields, self._tables, place)
        coded = coded_fields(fields)
        translations = []
        if coded:
            organ = await self._agencies.organ_of(service.provider, field="data_service")
            translations = await self._coding.for_reader(coded, organ)
        query = data_service_pb2.DataQuery(
            name=DATA_QUERY.format(data_query=new_id()),
            data_service=service.name,
            revision=service.revision,
            asker=call.require_caller().agency,
            case=request.case,
            purpose=request.purpose,
            question=fields,
            translations=translations,
            state=data_service_pb2.DATA_QUERY_STATE_PENDING,
        )
        now = self._clock.now()
        query.ask_time.FromDatetime(now)
        query.expire_time.FromDatetime(now + service.answer_within.ToTimedelta())
        query.question_sha256 = question_digest(query)
        return query

    async def _commit(
        self,
        transaction: Transaction,
        call: Call,
        service: data_service_pb2.DataService,
        queries: Sequence[data_service_pb2.DataQuery],
    ) -> None:
        asker, limit = call.require_caller().agency, service.questions_per_day
        asked = await asked_since(transaction, service.name, asker, self._clock.now() - _DAY)
        if asked + len(queries) > limit:
            raise ResourceExhausted(
                "QUERY_LIMIT_REACHED",
                f"{asked} of {limit} questions of the last 24 hours are asked; go on when the oldest is a day old",
                {"data_service": service.name, "limit": str(limit)},
            )
        await insert_queries(transaction, queries, service.provider, call.traceparent)
        for query in queries:
            details = {
                "data_service": service.name,
                "revision": str(service.revision),
                "provider": service.provider,
                "purpose": query.purpose,
                "question_sha256": query.question_sha256.hex(),
            }
            event = event_of(call, self._clock, "query.asked", query.name, case=query.case, details=details)
            await record(transaction, call, event)

    def _announce(self, service: data_service_pb2.DataService) -> None:
        self._outbox.wake()
        self._questions.announce(service.provider)


def _named(query: data_service_pb2.DataQuery) -> data_service_pb2.DataQuery:
    """Return what is remembered of a question under its request id, which outlives what is known of persons."""
    return data_service_pb2.DataQuery(name=query.name)
