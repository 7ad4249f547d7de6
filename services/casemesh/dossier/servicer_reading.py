"""Reading's calls: decode, hand over, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Final

import grpc
import grpc.aio

from casemesh.core.names import DOSSIER
from casemesh.dossier.downloading.downloads import Downloads
from casemesh.dossier.page_tokens import id_of, index_of
from casemesh.dossier.policy import READ_SERVICE
from casemesh.dossier.resources import change_message, document_message, dossier_message, version_message
from casemesh.dossier.store import DossierStore, StoredVersion
from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import (
    DossierReadServiceServicer,
    add_DossierReadServiceServicer_to_server,
)
from casemesh.dossier.version_store import VersionStore
from casemesh.errors import not_found
from casemesh.runtime.call import current_call
from casemesh.runtime.outbox import OutboxRelay
from casemesh.runtime.paging import page_size_of

_DOCUMENT_PAGE: Final = 1000


class DossierReadServicer(DossierReadServiceServicer):
    """Reads dossiers. What the caller's agency neither made nor was handed does not exist for it."""

    def __init__(self, store: DossierStore, versions: VersionStore, downloads: Downloads, outbox: OutboxRelay) -> None:
        self._store = store
        self._versions = versions
        self._downloads = downloads
        self._outbox = outbox

    async def GetDossier(self, request: pb.GetDossierRequest, context: Any) -> pb.GetDossierResponse:
        dossier = await self._store.dossier(DOSSIER.parse(request.name)["dossier"], _agency())
        if dossier is None:
            raise not_found()
        return pb.GetDossierResponse(dossier=dossier_message(dossier))

    async def GetDossierVersion(
        self, request: pb.GetDossierVersionRequest, context: Any
    ) -> pb.GetDossierVersionResponse:  # fmt: skip
        return pb.GetDossierVersionResponse(version=version_message(await self._version(request.name)))

    async def ListDossiers(self, request: pb.ListDossiersRequest, context: Any) -> pb.ListDossiersResponse:
        limit = page_size_of(request.page_size)
        dossiers = await self._store.dossiers(request.case, _agency(), id_of(request.page_token), limit)
        return pb.ListDossiersResponse(
            dossiers=[dossier_message(dossier) for dossier in dossiers],
            next_page_token=dossiers[-1].dossier_id if len(dossiers) == limit else "",
        )

    async def DownloadManifest(
        self, request: pb.DownloadManifestRequest, context: Any
    ) -> AsyncIterator[pb.DownloadManifestResponse]:
        version = await self._version(request.version)
        async with aclosing(self._downloads.manifest(version, current_call())) as pieces:
            async for piece in pieces:
                yield piece

    async def DownloadDocuments(  # type: ignore[override]  # encoded already, see `add_reading_to_server`
        self, request: pb.DownloadDocumentsRequest, context: Any
    ) -> AsyncIterator[bytes]:
        version = await self._version(request.version)
        async with aclosing(self._downloads.documents(version, request, current_call())) as messages:
            async for message in messages:
                yield message
        self._outbox.wake()

    async def ReadDocument(self, request: pb.ReadDocumentRequest, context: Any) -> pb.ReadDocumentResponse:
        version = await self._version(request.version)
        return await self._downloads.read_document(version, request, current_call())

    async def DownloadArchive(
        self, request: pb.DownloadArchiveRequest, context: Any
    ) -> AsyncIterator[pb.DownloadArchiveResponse]:
        version = await self._version(request.version)
        async with aclosing(self._downloads.archive(version, request, current_call())) as pieces:
            async for piece in pieces:
                yield piece
        self._outbox.wake()

    async def ListDocuments(self, request: pb.ListDocumentsRequest, context: Any) -> pb.ListDocumentsResponse:
        version = await self._version(request.version)
        limit = request.page_size or _DOCUMENT_PAGE
        documents = await self._versions.documents(version, index_of(request.page_token), limit)
        return pb.ListDocumentsResponse(
            documents=[document_message(version.dossier_id, document) for document in documents],
            next_page_token=str(documents[-1].head.index) if len(documents) == limit else "",
        )

    async def ListDossierVersions(
        self, request: pb.ListDossierVersionsRequest, context: Any
    ) -> pb.ListDossierVersionsResponse:
        dossier_id = DOSSIER.parse(request.dossier)["dossier"]
        if await self._store.dossier(dossier_id, _agency()) is None:
            raise not_found()
        limit = page_size_of(request.page_size)
        versions = await self._versions.versions(dossier_id, _agency(), index_of(request.page_token), limit)
        return pb.ListDossierVersionsResponse(
            versions=[version_message(version) for version in versions],
            next_page_token=str(versions[-1].revision) if len(versions) == limit else "",
        )

    async def ListVersionChanges(
        self, request: pb.ListVersionChangesRequest, context: Any
    ) -> pb.ListVersionChangesResponse:
        version = await self._version(request.version)
        if version.parent_name is None:
            raise not_found()
        parent = await self._version(version.parent_name)
        limit, skip = request.page_size or _DOCUMENT_PAGE, index_of(request.page_token) + 1
        changes = await self._versions.changes(version, parent, skip, limit)
        return pb.ListVersionChangesResponse(
            changes=[change_message(version.dossier_id, change) for change in changes],
            next_page_token=str(skip + limit - 1) if len(changes) == limit else "",
        )

    async def _version(self, name: str) -> StoredVersion:
        version = await self._store.version(name, _agency())
        if version is None:
            raise not_found()
        return version


def add_reading_to_server(servicer: DossierReadServicer, server: grpc.aio.Server) -> None:
    """As the generated function does, but messages of DownloadDocuments come encoded by `downloading.messages`."""
    download = grpc.unary_stream_rpc_method_handler(
        servicer.DownloadDocuments, pb.DownloadDocumentsRequest.FromString, bytes
    )
    # Before the generated handlers, of which the first to know a method has it; behind them for a server that keeps
    # registered methods, where the last one has it.
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(READ_SERVICE, {"DownloadDocuments": download}),)
    )
    add_DossierReadServiceServicer_to_server(servicer, server)
    server.add_registered_method_handlers(READ_SERVICE, {"DownloadDocuments": download})


def _agency() -> str:
    return current_call().viewing_agency
