"""The dossier service's calls: decode, hand over, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Final

import grpc
import grpc.aio

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import DOSSIER
from casemesh.dossier.completeness.checking import Checking
from casemesh.dossier.drafting.drafts import Drafts
from casemesh.dossier.finalizing import Finalizing
from casemesh.dossier.page_tokens import index_of
from casemesh.dossier.policy import DOSSIER_SERVICE, DRAFT_CREATED, VERSION_GRANTED
from casemesh.dossier.resources import document_message, dossier_message
from casemesh.dossier.store import DossierStore, StoredDossier
from casemesh.dossier.uploading.pieces import Pieces
from casemesh.dossier.uploading.referencing import Referencing
from casemesh.dossier.uploading.uploads import Uploads
from casemesh.dossier.uploading.wire import UploadMessage, parse
from casemesh.dossier.v1 import dossier_handover_service_pb2 as handover_pb
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.dossier.v1.dossier_handover_service_pb2_grpc import DossierHandoverServiceServicer
from casemesh.dossier.v1.dossier_service_pb2_grpc import (
    DossierServiceServicer,
    add_DossierServiceServicer_to_server,
)
from casemesh.errors import not_found
from casemesh.runtime.call import current_call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember

_UPLOAD_PAGE: Final = 1000


class DossierServicer(DossierServiceServicer):
    """Makes dossiers."""

    def __init__(
        self,
        database: Database,
        store: DossierStore,
        uploads: Uploads,
        drafts: Drafts,
        finalizing: Finalizing,
        outbox: OutboxRelay,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._uploads = uploads
        self._pieces = Pieces(database, uploads)
        self._referencing = Referencing(database, clock, uploads.quota)
        self._drafts = drafts
        self._finalizing = finalizing
        self._outbox = outbox
        self._clock = clock

    async def CreateDossier(self, request: pb.CreateDossierRequest, context: Any) -> pb.CreateDossierResponse:
        call = current_call()
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb.CreateDossierResponse)
            if stored is not None:
                return stored
            agency = call.require_caller().agency
            dossier = await self._store.add(
                transaction, new_id(), request.case, agency, request.title, self._clock.now()
            )  # fmt: skip
            response = pb.CreateDossierResponse(dossier=dossier_message(dossier))
            event = event_of(call, self._clock, DRAFT_CREATED, response.dossier.name, case=request.case)
            await record(transaction, call, event)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def UploadDocuments(
        self, requests: AsyncIterator[UploadMessage], context: Any
    ) -> AsyncIterator[pb.UploadDocumentsResponse]:
        async with aclosing(self._uploads.run(requests, current_call())) as notices:
            async for notice in notices:
                yield notice
        self._outbox.wake()

    async def UploadDocument(self, request: pb.UploadDocumentRequest, context: Any) -> pb.UploadDocumentResponse:
        response = await self._pieces.upload(request, current_call())
        self._outbox.wake()
        return response

    async def ReferenceDocuments(
        self, request: pb.ReferenceDocumentsRequest, context: Any
    ) -> pb.ReferenceDocumentsResponse:
        response = await self._referencing.reference(request, current_call())
        self._outbox.wake()
        return response

    async def TakeDocuments(self, request: pb.TakeDocumentsRequest, context: Any) -> pb.TakeDocumentsResponse:
        response = await self._drafts.take(request, current_call())
        self._outbox.wake()
        return response

    async def RemoveDocuments(self, request: pb.RemoveDocumentsRequest, context: Any) -> pb.RemoveDocumentsResponse:
        response = await self._drafts.remove(request, current_call())
        self._outbox.wake()
        return response

    async def SetDocumentParties(
        self, request: pb.SetDocumentPartiesRequest, context: Any
    ) -> pb.SetDocumentPartiesResponse:
        response = await self._drafts.set_parties(request, current_call())
        self._outbox.wake()
        return response

    async def SupplementDossier(
        self, request: pb.SupplementDossierRequest, context: Any
    ) -> pb.SupplementDossierResponse:
        response = await self._drafts.supplement(request, current_call())
        self._outbox.wake()
        return response

    async def AbandonDraft(self, request: pb.AbandonDraftRequest, context: Any) -> pb.AbandonDraftResponse:
        response = await self._drafts.abandon(request, current_call())
        self._outbox.wake()
        return response

    async def QueryUpload(self, request: pb.QueryUploadRequest, context: Any) -> pb.QueryUploadResponse:
        dossier = await self._own_dossier(request.dossier)
        limit = request.page_size or _UPLOAD_PAGE
        after = index_of(request.page_token)
        documents = await self._store.uploaded(dossier.dossier_id, after, limit)
        return pb.QueryUploadResponse(
            documents=[document_message(dossier.dossier_id, document) for document in documents],
            finished=dossier.upload_finished,
            next_page_token=str(documents[-1].head.index) if len(documents) == limit else "",
        )

    async def FinalizeDossier(self, request: pb.FinalizeDossierRequest, context: Any) -> pb.FinalizeDossierResponse:
        response = await self._finalizing.finalize(request, current_call())
        self._outbox.wake()
        return response

    async def _own_dossier(self, name: str) -> StoredDossier:
        agency = current_call().require_caller().agency
        dossier = await self._store.dossier(DOSSIER.parse(name)["dossier"], agency)
        if dossier is None or dossier.agency != agency:
            raise not_found()
        return dossier


class DossierHandoverServicer(DossierHandoverServiceServicer):
    """Hands versions on, for routing alone."""

    def __init__(
        self, database: Database, store: DossierStore, checking: Checking, outbox: OutboxRelay, clock: Clock
    ) -> None:
        self._database = database
        self._store = store
        self._checking = checking
        self._outbox = outbox
        self._clock = clock

    async def GrantVersion(
        self, request: handover_pb.GrantVersionRequest, context: Any
    ) -> handover_pb.GrantVersionResponse:
        call = current_call()
        version = await self._store.version(request.version, request.sender)
        refusal = await self._checking.refusal_of(version) if version is not None else not_found()
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, handover_pb.GrantVersionResponse)
            if stored is not None:
                return stored
            if refusal is not None:
                raise refusal
            assert version is not None
            response = handover_pb.GrantVersionResponse(version=version.name)
            if await self._store.grant(
                transaction, version, request.recipient, request.exchange, request.sender
            ):  # fmt: skip
                details = {"sender": request.sender, "recipient": request.recipient, "exchange": request.exchange}
                event = event_of(
                    call, self._clock, VERSION_GRANTED, version.name, case=version.case_name, details=details
                )  # fmt: skip
                await record(transaction, call, event)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response


def add_dossiers_to_server(servicer: DossierServicer, server: grpc.aio.Server) -> None:
    """As the generated function does, but messages of an upload are taken off the wire by `uploading.wire`."""
    upload = grpc.stream_stream_rpc_method_handler(
        servicer.UploadDocuments, parse, pb.UploadDocumentsResponse.SerializeToString
    )
    # Before the generated handlers, of which the first to know a method has it; behind them for a server that keeps
    # registered methods, where the last one has it.
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(DOSSIER_SERVICE, {"UploadDocuments": upload}),)
    )
    add_DossierServiceServicer_to_server(servicer, server)
    server.add_registered_method_handlers(DOSSIER_SERVICE, {"UploadDocuments": upload})
