"""The dossier service's calls: decode, hand over, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Final

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import DOSSIER
from casemesh.dossier.downloading import Downloading
from casemesh.dossier.finalizing import Finalizing
from casemesh.dossier.policy import DRAFT_CREATED, VERSION_GRANTED
from casemesh.dossier.resources import document_message, dossier_message, version_message
from casemesh.dossier.store import DossierStore, StoredDossier, StoredVersion
from casemesh.dossier.uploading.uploads import Uploads
from casemesh.dossier.v1 import dossier_handover_service_pb2 as handover_pb
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.dossier.v1.dossier_handover_service_pb2_grpc import DossierHandoverServiceServicer
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceServicer
from casemesh.dossier.v1.dossier_service_pb2_grpc import DossierServiceServicer
from casemesh.errors import not_found
from casemesh.runtime.call import current_call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.paging import invalid_token
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember

_FIRST_ID: Final = "00000000-0000-0000-0000-000000000000"
_UPLOAD_PAGE: Final = 1000
_DOSSIER_PAGE: Final = 100


class DossierServicer(DossierServiceServicer):
    """Makes dossiers."""

    def __init__(
        self,
        database: Database,
        store: DossierStore,
        uploads: Uploads,
        finalizing: Finalizing,
        outbox: OutboxRelay,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._uploads = uploads
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
        self, requests: AsyncIterator[pb.UploadDocumentsRequest], context: Any
    ) -> AsyncIterator[pb.UploadDocumentsResponse]:
        async with aclosing(self._uploads.run(requests, current_call())) as notices:
            async for notice in notices:
                yield notice
        self._outbox.wake()

    async def QueryUpload(self, request: pb.QueryUploadRequest, context: Any) -> pb.QueryUploadResponse:
        dossier = await self._own_dossier(request.dossier)
        limit = request.page_size or _UPLOAD_PAGE
        after = _index_of(request.page_token)
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


class DossierReadServicer(DossierReadServiceServicer):
    """Reads dossiers. What the caller's agency neither made nor was handed does not exist for it."""

    def __init__(self, store: DossierStore, downloading: Downloading, outbox: OutboxRelay) -> None:
        self._store = store
        self._downloading = downloading
        self._outbox = outbox

    async def GetDossier(self, request: read_pb.GetDossierRequest, context: Any) -> read_pb.GetDossierResponse:
        agency = current_call().require_caller().agency
        dossier = await self._store.dossier(DOSSIER.parse(request.name)["dossier"], agency)
        if dossier is None:
            raise not_found()
        return read_pb.GetDossierResponse(dossier=dossier_message(dossier))

    async def GetDossierVersion(
        self, request: read_pb.GetDossierVersionRequest, context: Any
    ) -> read_pb.GetDossierVersionResponse:
        return read_pb.GetDossierVersionResponse(version=version_message(await self._version(request.name)))

    async def ListDossiers(self, request: read_pb.ListDossiersRequest, context: Any) -> read_pb.ListDossiersResponse:
        agency = current_call().require_caller().agency
        limit = request.page_size or _DOSSIER_PAGE
        after = _id_of(request.page_token)
        dossiers = await self._store.dossiers(request.case, agency, after, limit)
        return read_pb.ListDossiersResponse(
            dossiers=[dossier_message(dossier) for dossier in dossiers],
            next_page_token=dossiers[-1].dossier_id if len(dossiers) == limit else "",
        )

    async def DownloadManifest(
        self, request: read_pb.DownloadManifestRequest, context: Any
    ) -> AsyncIterator[read_pb.DownloadManifestResponse]:
        version = await self._version(request.version)
        async with aclosing(self._downloading.manifest(version, current_call())) as pieces:
            async for piece in pieces:
                yield piece

    async def DownloadDocuments(
        self, request: read_pb.DownloadDocumentsRequest, context: Any
    ) -> AsyncIterator[read_pb.DownloadDocumentsResponse]:
        version = await self._version(request.version)
        start = request.first_document_index, request.first_offset_bytes
        async with aclosing(self._downloading.documents(version, *start, current_call())) as messages:
            async for message in messages:
                yield message
        self._outbox.wake()

    async def _version(self, name: str) -> StoredVersion:
        version = await self._store.version(name, current_call().require_caller().agency)
        if version is None:
            raise not_found()
        return version


class DossierHandoverServicer(DossierHandoverServiceServicer):
    """Hands versions on, for routing alone."""

    def __init__(self, database: Database, store: DossierStore, outbox: OutboxRelay, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._outbox = outbox
        self._clock = clock

    async def GrantVersion(
        self, request: handover_pb.GrantVersionRequest, context: Any
    ) -> handover_pb.GrantVersionResponse:
        call = current_call()
        version = await self._store.version(request.version, request.sender)
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, handover_pb.GrantVersionResponse)
            if stored is not None:
                return stored
            if version is None:
                raise not_found()
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


def _index_of(page_token: str) -> int:
    if not page_token:
        return -1
    if not page_token.isascii() or not page_token.isdigit() or len(page_token) > 9:
        raise invalid_token()
    return int(page_token)


def _id_of(page_token: str) -> str:
    if not page_token:
        return _FIRST_ID
    try:
        return DOSSIER.parse(DOSSIER.format(dossier=page_token))["dossier"]
    except ValueError:
        raise invalid_token() from None
