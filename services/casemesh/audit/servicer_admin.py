"""The operator's calls to the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from casemesh.audit.shredding import Shredding, message_of
from casemesh.audit.shredding_store import ShreddingStore
from casemesh.audit.source_store import SourceProgress, list_sources
from casemesh.audit.v1 import audit_admin_service_pb2 as pb
from casemesh.audit.v1.audit_admin_service_pb2_grpc import AuditAdminServiceServicer
from casemesh.core.ids import is_uuid
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import invalid_token, page_size_of
from casemesh.runtime.postgres import Database


class AdminServicer(AuditAdminServiceServicer):
    """Shows sources, takes proposals to shred and decisions on them."""

    def __init__(self, database: Database, store: ShreddingStore, shredding: Shredding) -> None:
        self._database = database
        self._store = store
        self._shredding = shredding

    async def ListEventSources(self, request: pb.ListEventSourcesRequest, context: Any) -> pb.ListEventSourcesResponse:
        return pb.ListEventSourcesResponse(sources=[_source(known) for known in await list_sources(self._database)])

    async def ProposeShredding(self, request: pb.ProposeShreddingRequest, context: Any) -> pb.ProposeShreddingResponse:
        return await self._shredding.propose(current_call(), request)

    async def ApproveShredding(self, request: pb.ApproveShreddingRequest, context: Any) -> pb.ApproveShreddingResponse:
        return await self._shredding.approve(current_call(), request)

    async def RejectShredding(self, request: pb.RejectShreddingRequest, context: Any) -> pb.RejectShreddingResponse:
        return await self._shredding.reject(current_call(), request)

    async def ListShreddings(self, request: pb.ListShreddingsRequest, context: Any) -> pb.ListShreddingsResponse:
        if request.page_token and not is_uuid(request.page_token):
            raise invalid_token()
        limit = page_size_of(request.page_size)
        proposals = await self._store.page(request.page_token, limit)
        return pb.ListShreddingsResponse(
            shreddings=[message_of(proposal) for proposal in proposals],
            next_page_token=proposals[-1].shredding_id if len(proposals) == limit else "",
        )


def _source(known: SourceProgress) -> pb.EventSource:
    message = pb.EventSource(
        source=known.source,
        last_sequence=known.last_sequence,
        missing=_runs(known.missing),
        repeated_numbers=_runs(known.repeated),
        lag_millis=known.lag_millis,
    )
    message.append_time.FromDatetime(known.append_time)
    return message


def _runs(runs: Iterable[tuple[int, int]]) -> list[pb.NumberRun]:
    return [pb.NumberRun(first=first, last=last) for first, last in runs]
