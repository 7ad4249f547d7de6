"""Publishing and retiring data services."""

from __future__ import annotations

from datetime import timedelta

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.errors import not_found
from casemesh.routing.data_service_store import publish, retire
from casemesh.routing.data_services import (
    DEFAULT_ANSWER_WITHIN,
    DEFAULT_QUESTIONS_PER_DAY,
    require_publishable,
)
from casemesh.routing.v1 import data_provider_service_pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember

_Published = data_provider_service_pb2.PublishDataServiceResponse
_Retired = data_provider_service_pb2.RetireDataServiceResponse


class Publication:
    """Publishes the data services of agencies."""

    def __init__(self, database: Database, clock: Clock, outbox: OutboxRelay) -> None:
        self._database = database
        self._clock = clock
        self._outbox = outbox

    async def publish(self, call: Call, request: data_provider_service_pb2.PublishDataServiceRequest) -> _Published:
        """Publish a data service of the caller's agency, or its next revision.

        Raises InvalidArgument (DATA_SERVICE_INVALID).
        """
        response = _Published(data_service=request.data_service)
        service = response.data_service
        require_publishable(service)
        service.provider, service.retired = call.require_caller().agency, False
        service.questions_per_day = service.questions_per_day or DEFAULT_QUESTIONS_PER_DAY
        if service.answer_within.ToTimedelta() == timedelta():
            service.answer_within.FromTimedelta(DEFAULT_ANSWER_WITHIN)
        service.publish_time.FromDatetime(self._clock.now())
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Published)
            if stored is not None:
                return stored
            await publish(transaction, service, new_id())
            details = {"code": service.code, "revision": str(service.revision)}
            event = event_of(call, self._clock, "data_service.published", service.name, details=details)
            await record(transaction, call, event)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def retire(self, call: Call, request: data_provider_service_pb2.RetireDataServiceRequest) -> _Retired:
        """Take no more questions for a data service of the caller's agency. Raises NotFound."""
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Retired)
            if stored is not None:
                return stored
            service = await retire(transaction, request.name, call.require_caller().agency)
            if service is None:
                raise not_found()
            event = event_of(call, self._clock, "data_service.retired", service.name, details={"code": service.code})
            await record(transaction, call, event)
            response = _Retired(data_service=service)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response
