"""The gRPC face of the log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

import grpc.aio
from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.audit.batching import Batcher
from casemesh.audit.cosigning import Cosigning
from casemesh.audit.events import submitted
from casemesh.audit.policy import TRAIL_EXPORTED, TRAIL_READ
from casemesh.audit.proofs import Proofs
from casemesh.audit.store import EventFilter
from casemesh.audit.trails import Trails
from casemesh.audit.v1 import audit_append_service_pb2 as append_pb2
from casemesh.audit.v1 import audit_query_service_pb2 as query_pb2
from casemesh.audit.v1 import event_pb2
from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceServicer
from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceServicer
from casemesh.client.notes import VerifierKey
from casemesh.core.clock import Clock
from casemesh.errors import FieldViolation, InvalidArgument
from casemesh.runtime.call import current_call
from casemesh.runtime.outbox import reading_event
from casemesh.runtime.peers import Peer

Context = grpc.aio.ServicerContext[Any, Any]


class AppendServicer(AuditAppendServiceServicer):
    """Takes events of the other services."""

    def __init__(self, batcher: Batcher) -> None:
        self._batcher = batcher

    async def AppendEvents(
        self, request: append_pb2.AppendEventsRequest, context: Context
    ) -> append_pb2.AppendEventsResponse:
        places = await self._batcher.append(submitted(request.events, _source(current_call().peer)))
        return append_pb2.AppendEventsResponse(
            places=[
                append_pb2.LogPlace(
                    event_id=place.event_id, log_index=place.log_index, case_sequence=place.case_sequence
                )
                for place in places
            ]
        )


class QueryServicer(AuditQueryServiceServicer):
    """Shows trails and proofs."""

    def __init__(
        self,
        batcher: Batcher,
        trails: Trails,
        proofs: Proofs,
        cosigning: Cosigning,
        key: VerifierKey,
        clock: Clock,
    ) -> None:
        self._batcher = batcher
        self._trails = trails
        self._proofs = proofs
        self._cosigning = cosigning
        self._key = key
        self._clock = clock

    async def ListCaseEvents(
        self, request: query_pb2.ListCaseEventsRequest, context: Context
    ) -> query_pb2.ListCaseEventsResponse:
        await self._append_reading(TRAIL_READ, request.case)
        page = await self._trails.page(request.case, request.page_size, request.page_token, _filter_of(request))
        return query_pb2.ListCaseEventsResponse(
            events=[
                event_pb2.LoggedEvent(
                    canonical_json=event.canonical_json or b"",
                    salt=event.salt or b"",
                    log_index=event.log_index,
                    case_sequence=event.case_sequence,
                    commitment=event.commitment,
                )
                for event in page.events
            ],
            next_page_token=page.next_page_token,
        )

    async def ExportTrail(
        self, request: query_pb2.ExportTrailRequest, context: Context
    ) -> AsyncIterator[query_pb2.ExportTrailResponse]:
        await self._append_reading(TRAIL_EXPORTED, request.case)
        async for piece in self._trails.bundle(request.case):
            yield query_pb2.ExportTrailResponse(data=piece)

    async def GetCheckpoint(
        self, request: query_pb2.GetCheckpointRequest, context: Context
    ) -> query_pb2.GetCheckpointResponse:
        head = await self._proofs.head()
        cosigned = await self._cosigning.state()
        return query_pb2.GetCheckpointResponse(
            note=head.note,
            verifier_key=str(self._key),
            witness_quorum=self._cosigning.policy.quorum,
            quorum_lacking=cosigned.lacking,
        )

    async def GetInclusionProof(
        self, request: query_pb2.GetInclusionProofRequest, context: Context
    ) -> query_pb2.GetInclusionProofResponse:
        leaf, hashes, size = await self._proofs.inclusion(request.log_index, request.tree_size)
        return query_pb2.GetInclusionProofResponse(hashes=hashes, tree_size=size, leaf_hash=leaf)

    async def GetConsistencyProof(
        self, request: query_pb2.GetConsistencyProofRequest, context: Context
    ) -> query_pb2.GetConsistencyProofResponse:
        hashes, size = await self._proofs.consistency(request.first_size, request.second_size)
        return query_pb2.GetConsistencyProofResponse(hashes=hashes, second_size=size)

    async def _append_reading(self, action: str, case: str) -> None:
        """Nothing is shown before the reading is in the log."""
        event = reading_event(current_call(), self._clock, action, case, case=case)
        await self._batcher.append(submitted([event], _source(Peer.AUDIT)))


def _filter_of(request: query_pb2.ListCaseEventsRequest) -> EventFilter:
    return EventFilter(
        tuple(request.actions),
        request.agency,
        request.officer,
        start=_instant(request, "start_time"),
        end=_instant(request, "end_time"),
    )


def _instant(request: query_pb2.ListCaseEventsRequest, field: str) -> datetime | None:
    if not request.HasField(field):
        return None
    try:
        return cast(Timestamp, getattr(request, field)).ToDatetime(UTC)
    except (ValueError, OverflowError):
        rule = "must be an instant between the years 1 and 9999"
        raise InvalidArgument("FIELD_INVALID", f"{field} {rule}", violations=[FieldViolation(field, rule)]) from None


def _source(peer: Peer | None) -> str:
    return str(peer).removeprefix("service/")
