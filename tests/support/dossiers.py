"""A case with a police bureau in it, and what it takes to send a dossier into the case.

    async def test_x(dossier_desk):
        dossier = await dossier_desk.draft()
        ...

Identity, audit and dossier run for real; participation, which routing would bring about, is said as routing says it.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from casemesh.client.dossier_upload import LocalDocument, UploadedDossier, finalize_dossier, upload_documents
from casemesh.client.download_frames import read_stub
from casemesh.client.upload_frames import dossier_stub
from casemesh.core.ids import new_id
from casemesh.dossier.uploading.session import tree_hash
from casemesh.dossier.v1 import dossier_handover_service_pb2 as handover_pb
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.dossier.v1.dossier_handover_service_pb2_grpc import DossierHandoverServiceStub
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceStub
from casemesh.identity.v1 import case_participation_service_pb2 as participation_pb
from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceStub
from tests.support.mesh import Agency, Mesh, MeshOf
from tests.support.pki import POLICE, PROCURATORATE

TIMEOUT = 20.0
Metadata = list[tuple[str, str]]


class AsCaller:
    """A stub whose calls carry a caller's metadata, as a session's would."""

    def __init__(self, stub: Any, metadata: Metadata) -> None:
        self._stub = stub
        self._metadata = metadata

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._stub, method)

        def invoke(request: Any, timeout: float | None = None) -> Any:
            # Streams have no deadline; a unary call without one is refused.
            streams = method in ("UploadDocuments", "DownloadDocuments", "DownloadManifest", "DownloadArchive")
            return call(request, timeout=timeout if timeout or streams else TIMEOUT, metadata=self._metadata)

        return invoke


@dataclass
class DossierDesk:
    """The police in one case, with officer `lin` assigned and `zhao` not; the procuratorate is not in it yet."""

    mesh: Mesh
    police: Agency
    procuratorate: Agency
    police_metadata: Metadata
    case: str = field(default_factory=lambda: f"cases/{new_id()}")

    @property
    def store(self) -> Path:
        """Where the packs lie."""
        return self.mesh.directory / "dossiers"

    @property
    def signing_roots(self) -> list[x509.Certificate]:
        """What a recipient trusts manifests by."""
        return x509.load_pem_x509_certificates((self.mesh.pki.layout.root / "signing" / "ca.pem").read_bytes())

    def as_caller(self, stub: Any, metadata: Metadata | None = None) -> Any:
        """A stub on the gateway's place, for officer lin unless told otherwise."""
        return AsCaller(self.mesh.agency_stub("dossier", stub), metadata or self.police_metadata)

    @property
    def dossiers(self) -> Any:
        return self.as_caller(dossier_stub)

    @property
    def reading(self) -> Any:
        return self.as_caller(DossierReadServiceStub)

    @property
    def downloading(self) -> Any:
        """As `reading`, but as a session has it: documents' bytes are not copied."""
        return self.as_caller(read_stub)

    async def draft(self, title: str = "盗窃案卷宗") -> str:
        """Make an empty draft in the case."""
        request = pb.CreateDossierRequest(request_id=new_id(), case=self.case, title=title)
        name: str = (await self.dossiers.CreateDossier(request)).dossier.name
        return name

    async def send(self, documents: Sequence[LocalDocument], dossier: str | None = None) -> UploadedDossier:
        """Upload documents into a draft, a new one unless told otherwise."""
        return await upload_documents(
            self.dossiers, dossier or await self.draft(), documents, upload_id=new_id(), patience_seconds=20
        )

    async def version(self, documents: Sequence[LocalDocument]) -> dossier_pb2.DossierVersion:
        """Upload and finalise documents as a dossier of their own."""
        return await finalize_dossier(self.dossiers, await self.send(documents), request_id=new_id())

    async def participate(self, agency: Agency, officer: str) -> Metadata:
        """Bring an agency with one officer into the case, as routing does; returns what that officer's calls carry."""
        stub = CaseParticipationServiceStub(self.mesh.channel("identity", "routing"))
        await stub.AddParticipation(
            participation_pb.AddParticipationRequest(
                request_id=new_id(), case=self.case, agency=agency.name, officer=agency.officers[officer],
                cause=self.case,
            ),
            timeout=TIMEOUT,
        )  # fmt: skip
        return await self.mesh.metadata(agency, officer)

    async def grant(self, version: str, request_id: str | None = None, **changes: str) -> str:
        """Hand a version to the procuratorate, as routing does."""
        stub = DossierHandoverServiceStub(self.mesh.channel("dossier", "routing"))
        fields = {
            "version": version,
            "sender": self.police.name,
            "recipient": self.procuratorate.name,
            "exchange": f"exchanges/{new_id()}",
            **changes,
        }
        request = handover_pb.GrantVersionRequest(request_id=request_id or new_id(), **fields)
        answer = await stub.GrantVersion(request, timeout=TIMEOUT)
        return str(answer.version)


def documents_of(folder: Path, sizes: Iterable[int], *, seed: int = 1, pages: int = 1) -> list[LocalDocument]:
    """Files of these sizes, reproducible content, in two volumes."""
    source = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    documents = []
    for number, size in enumerate(sizes):
        path = folder / f"{number}.bin"
        path.write_bytes(source.randbytes(size))
        volume = "诉讼文书卷" if number % 2 else "证据卷一"
        documents.append(LocalDocument(path, volume, f"讯问笔录{number}.pdf", "application/pdf", pages))
    return documents


@pytest.fixture
async def dossier_desk(mesh_of: MeshOf) -> AsyncIterator[DossierDesk]:
    """See the module."""
    async with mesh_of("identity", "audit", "dossier") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["lin", "zhao"])
        procuratorate = await mesh.enrol(PROCURATORATE, "JCY", ["chen"])
        desk = DossierDesk(mesh, police, procuratorate, [])
        desk.police_metadata = await desk.participate(police, "lin")
        yield desk


async def notices_of(
    dossiers: Any, messages: Iterable[pb.UploadDocumentsRequest], *, half_close: bool = True
) -> list[pb.UploadDocumentsResponse]:
    """Send messages on one upload stream and return all notices; the stream is left open unless `half_close`."""
    answered = asyncio.Event()

    async def requests() -> AsyncIterator[pb.UploadDocumentsRequest]:
        for message in messages:
            yield message
        if not half_close:
            await answered.wait()

    stream = dossiers.UploadDocuments(requests())
    try:
        async with asyncio.timeout(TIMEOUT):
            return [notice async for notice in stream]
    finally:
        answered.set()
        stream.cancel()


def opening(dossier: str, upload_id: str | None = None) -> pb.UploadDocumentsRequest:
    """The first message of a stream."""
    return pb.UploadDocumentsRequest(open=pb.UploadOpen(dossier=dossier, upload_id=upload_id or new_id()))


def frames(*parts: Any) -> pb.UploadDocumentsRequest:
    """A message of frames, from headers, chunks and finishes."""
    names = {
        pb.DocumentHeader: "header",
        pb.DocumentChunk: "chunk",
        pb.DocumentFinish: "document_finish",
        pb.UploadFinish: "upload_finish",
    }
    return pb.UploadDocumentsRequest(frames=[pb.UploadFrame(**{names[type(part)]: part}) for part in parts])


def header(index: int, size: int, **changes: Any) -> pb.DocumentHeader:
    """A header of an invented document."""
    fields = {
        "volume": "证据卷一", "file_name": f"笔录{index}.pdf", "media_type": "application/pdf", "page_count": 1,
        **changes,
    }  # fmt: skip
    return pb.DocumentHeader(document_index=index, size_bytes=size, **fields)


def whole(index: int, data: bytes, **changes: Any) -> list[Any]:
    """All frames of a document that fits into one chunk."""
    chunk = [pb.DocumentChunk(document_index=index, data=data)] if data else []
    digest = hashlib.sha256(data).digest()
    finish = pb.DocumentFinish(document_index=index, size_bytes=len(data), sha256=digest)
    return [header(index, len(data), **changes), *chunk, finish]


def upload_finish(*contents: bytes) -> pb.UploadFinish:
    """The finish of an upload of these contents."""
    digests = [hashlib.sha256(data).digest() for data in contents]
    return pb.UploadFinish(
        document_count=len(contents), size_bytes=sum(map(len, contents)), tree_hash=tree_hash(digests)
    )  # fmt: skip
