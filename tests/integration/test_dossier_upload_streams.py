"""Streams side by side, documents by reference, pieces by plain calls and quotas, over real mTLS."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from casemesh.client.dossier_upload import LocalDocument, TransferProgress, finalize_dossier, upload_documents
from casemesh.client.upload_frames import dossier_stub
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import (
    CaseMeshError,
    Conflict,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    from_status,
)
from tests.support.dossiers import (
    TIMEOUT,
    DossierDesk,
    documents_of,
    frames,
    header,
    notices_of,
    upload_finish,
    whole,
)

ONE, TWO = b"one" * 1000, b"two" * 500
MIB = 1 << 20


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


async def held(desk: DossierDesk, dossier: str) -> dict[int, tuple[int, bool]]:
    """(committed bytes, whole) by index."""
    answer = await desk.dossiers.QueryUpload(pb.QueryUploadRequest(dossier=dossier))
    return {item.document_index: (item.committed_bytes, bool(item.sha256)) for item in answer.documents}


class Sending:
    """One stream of an attempt, driven by hand."""

    def __init__(self, desk: DossierDesk, opening: pb.UploadOpen) -> None:
        self._messages: asyncio.Queue[pb.UploadDocumentsRequest | None] = asyncio.Queue()
        self._messages.put_nowait(pb.UploadDocumentsRequest(open=opening))
        self._stream = desk.dossiers.UploadDocuments(self._requests())
        self._notices = aiter(self._stream)

    async def _requests(self) -> AsyncIterator[pb.UploadDocumentsRequest]:
        while (message := await self._messages.get()) is not None:
            yield message

    def send(self, *parts: Any) -> None:
        self._messages.put_nowait(frames(*parts))

    async def notice(self) -> pb.UploadDocumentsResponse:
        async with asyncio.timeout(TIMEOUT):
            return await anext(self._notices)

    async def end(self) -> list[pb.UploadDocumentsResponse]:
        """Half-close; the notices that were left."""
        self._messages.put_nowait(None)
        async with asyncio.timeout(TIMEOUT):
            return [notice async for notice in self._notices]


async def opened(desk: DossierDesk, dossier: str, upload_id: str, attempt_id: str, count: int) -> Sending:
    sending = Sending(
        desk, pb.UploadOpen(dossier=dossier, upload_id=upload_id, attempt_id=attempt_id, stream_count=count)
    )
    notice = await sending.notice()
    assert (16 * MIB // count) == notice.opened.window_bytes
    return sending


async def test_several_streams_bring_what_one_would_have_brought(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    documents = documents_of(tmp_path, [0, 10, 3 * MIB, 700_000, *range(1000, 1040), 2 * MIB])
    told: list[TransferProgress] = []
    uploaded = await upload_documents(
        dossier_desk.dossiers,
        await dossier_desk.draft(),
        documents,
        upload_id=new_id(),
        streams=4,
        progress=told.append,
    )
    assert (uploaded.attempts, uploaded.size_bytes) == (1, uploaded.sent_bytes)
    assert [digest(item.path.read_bytes()) for item in documents] == [item.sha256 for item in uploaded.documents]
    assert uploaded.size_bytes == told[-1].committed_bytes
    version = await finalize_dossier(dossier_desk.dossiers, uploaded, request_id=new_id())
    assert len(documents) == version.document_count


async def test_the_finish_counts_what_all_streams_have_committed(dossier_desk: DossierDesk) -> None:
    dossier, upload_id, attempt_id = await dossier_desk.draft(), new_id(), new_id()
    first = await opened(dossier_desk, dossier, upload_id, attempt_id, 2)
    second = await opened(dossier_desk, dossier, upload_id, attempt_id, 2)
    second.send(*whole(1, TWO))
    assert [notice.WhichOneof("notice") for notice in await second.end()] == ["progress"]
    first.send(*whole(0, ONE), upload_finish(ONE, TWO))
    assert 2 == (await first.end())[-1].finished.document_count


async def test_of_two_streams_that_write_one_document_the_slower_is_told(dossier_desk: DossierDesk) -> None:
    dossier, upload_id, attempt_id = await dossier_desk.draft(), new_id(), new_id()
    first = await opened(dossier_desk, dossier, upload_id, attempt_id, 2)
    second = await opened(dossier_desk, dossier, upload_id, attempt_id, 2)
    first.send(*whole(0, ONE))
    assert len(ONE) == (await first.notice()).progress.committed_bytes
    second.send(*whole(1, TWO), *whole(0, ONE[::-1]))
    error = from_status((await second.end())[-1].error)
    assert ("DOCUMENT_WRITTEN_ELSEWHERE", {"document_index": "0"}) == (error.reason, error.metadata)
    await first.end()
    later = await opened(dossier_desk, dossier, upload_id, new_id(), 1)
    # What the slower one wrote of other documents is adopted, and what it wrote of this one is passed over.
    assert {0: (3000, True), 1: (1500, True)} == await held(dossier_desk, dossier)
    later.send(upload_finish(ONE, TWO))
    assert 2 == (await later.end())[-1].finished.document_count


async def test_a_later_attempt_ends_every_stream_of_the_one_before(dossier_desk: DossierDesk) -> None:
    dossier, upload_id, attempt_id = await dossier_desk.draft(), new_id(), new_id()
    streams = [await opened(dossier_desk, dossier, upload_id, attempt_id, 2) for _ in range(2)]
    streams[0].send(*whole(0, ONE))
    await streams[0].notice()
    later = await opened(dossier_desk, dossier, upload_id, new_id(), 1)
    for stream in streams:
        assert "UPLOAD_LEASE_LOST" == from_status((await stream.end())[-1].error).reason
    assert {0: (3000, True)} == await held(dossier_desk, dossier)
    await later.end()


async def test_files_with_the_same_content_are_sent_once(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    documents = documents_of(tmp_path, [5000, 5000, 200_000, 200_000, 5000])
    for copy, original in ((1, 0), (3, 2)):
        documents[copy].path.write_bytes(documents[original].path.read_bytes())
    for streams in (1, 2):
        uploaded = await upload_documents(
            dossier_desk.dossiers, await dossier_desk.draft(), documents, upload_id=new_id(), streams=streams
        )
        assert 210_000 == uploaded.sent_bytes
        version = await finalize_dossier(dossier_desk.dossiers, uploaded, request_id=new_id())
        assert (5, 415_000) == (version.document_count, version.size_bytes)


async def test_what_the_case_has_and_the_sender_may_read_is_not_sent_again(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    documents = documents_of(tmp_path, [5000, 70_000, 0])
    version = await dossier_desk.version(documents)
    await dossier_desk.grant(version.name)
    metadata = await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    received = dossier_desk.as_caller(dossier_stub, metadata)
    request = pb.CreateDossierRequest(request_id=new_id(), case=dossier_desk.case, title="诉讼文书卷")
    more = [*documents, *documents_of(tmp_path / "more", [300], seed=2)]
    more[3] = LocalDocument(more[3].path, "证据卷二", "新材料.pdf", "application/pdf", 1)
    for stub in (dossier_desk.dossiers, received):
        request.request_id = new_id()
        dossier = (await stub.CreateDossier(request)).dossier.name
        uploaded = await upload_documents(stub, dossier, more, upload_id=new_id(), reference_first=True)
        assert (300, 75_300) == (uploaded.sent_bytes, uploaded.size_bytes)
        assert 4 == (await finalize_dossier(stub, uploaded, request_id=new_id())).document_count


def referenced(index: int, data: bytes, **changes: Any) -> pb.ReferencedDocument:
    return pb.ReferencedDocument(header=header(index, len(data), **changes), sha256=digest(data))


async def reference(stub: Any, dossier: str, *documents: pb.ReferencedDocument, **changes: str) -> list[int]:
    fields = {"request_id": new_id(), "upload_id": new_id(), **changes}
    request = pb.ReferenceDocumentsRequest(dossier=dossier, documents=documents, **fields)
    return list((await stub.ReferenceDocuments(request)).document_indexes)


async def test_a_digest_opens_nothing(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    documents = documents_of(tmp_path, [5000])
    secret = documents[0].path.read_bytes()
    version = await dossier_desk.version(documents)
    chen = dossier_desk.as_caller(
        dossier_stub, await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    )  # fmt: skip
    request = pb.CreateDossierRequest(request_id=new_id(), case=dossier_desk.case, title="诉讼文书卷")
    own = (await chen.CreateDossier(request)).dossier.name
    asked = [referenced(0, secret), referenced(1, b"never stored")]
    assert [] == await reference(chen, own, *asked)
    assert [0] == await reference(dossier_desk.dossiers, await dossier_desk.draft(), *asked)
    await dossier_desk.grant(version.name)
    wrong_size = pb.ReferencedDocument(header=header(2, 4999), sha256=digest(secret))
    assert [0] == await reference(chen, own, *asked, wrong_size)
    with pytest.raises(NotFound):
        await reference(chen, await dossier_desk.draft(), *asked)
    elsewhere = DossierDesk(
        dossier_desk.mesh, dossier_desk.police, dossier_desk.procuratorate, dossier_desk.police_metadata
    )
    await elsewhere.participate(dossier_desk.police, "lin")
    assert [] == await reference(elsewhere.dossiers, await elsewhere.draft(), *asked)


async def test_references_have_one_effect_and_need_the_lease(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    documents = documents_of(tmp_path, [5000])
    await dossier_desk.version(documents)
    content, dossier, upload_id = documents[0].path.read_bytes(), await dossier_desk.draft(), new_id()
    request_id = new_id()
    for _ in range(2):
        answer = await reference(
            dossier_desk.dossiers, dossier, referenced(0, content), request_id=request_id, upload_id=upload_id
        )
        assert [0] == answer
    assert [0] == await reference(dossier_desk.dossiers, dossier, referenced(0, content), upload_id=upload_id)
    assert {0: (5000, True)} == await held(dossier_desk, dossier)
    stream = await opened(dossier_desk, dossier, upload_id, new_id(), 1)
    with pytest.raises(Conflict) as caught:
        await reference(dossier_desk.dossiers, dossier, referenced(1, content, file_name="又一.pdf"))
    assert "UPLOAD_LEASE_HELD" == caught.value.reason
    again = referenced(1, content, file_name="又一.pdf")
    assert [1] == await reference(dossier_desk.dossiers, dossier, again, upload_id=upload_id)
    stream.send(*whole(2, ONE), upload_finish(content, content, ONE))
    assert 3 == (await stream.end())[-1].finished.document_count
    with pytest.raises(CaseMeshError) as refused:
        await reference(dossier_desk.dossiers, dossier, referenced(3, content), referenced(4, content, file_name="/x"))
    assert "DOCUMENT_NAME_INVALID" == refused.value.reason
    await reference(dossier_desk.dossiers, dossier, referenced(3, content))
    finalize = pb.FinalizeDossierRequest(
        request_id=new_id(), dossier=dossier, document_count=4, page_count=4, size_bytes=18_000
    )
    with pytest.raises(FailedPrecondition) as unfinished:
        await dossier_desk.dossiers.FinalizeDossier(finalize)
    assert "UPLOAD_NOT_FINISHED" == unfinished.value.reason


def piece(dossier: str, upload_id: str, data: bytes, begin: int, end: int, **fields: Any) -> pb.UploadDocumentRequest:
    """Bytes of document 0 from ``begin`` to ``end``; the last piece finishes it."""
    head = header(0, len(data))
    head.offset_bytes = begin
    request = pb.UploadDocumentRequest(
        request_id=new_id(), dossier=dossier, upload_id=upload_id, header=head, data=data[begin:end], **fields
    )
    if end == len(data):
        request.finish.CopyFrom(pb.DocumentFinish(document_index=0, size_bytes=len(data), sha256=digest(data)))
    return request


async def test_a_document_comes_in_pieces_by_plain_calls_and_each_may_be_repeated(dossier_desk: DossierDesk) -> None:
    dossier, upload_id, data = await dossier_desk.draft(), new_id(), bytes(range(250)) * 16_000
    first, last = piece(dossier, upload_id, data, 0, 2_500_000), piece(dossier, upload_id, data, 2_500_000, 4_000_000)
    upload = dossier_desk.dossiers.UploadDocument
    assert 2_500_000 == (await upload(first)).committed_bytes
    with pytest.raises(Conflict) as gap:
        await upload(piece(dossier, upload_id, data, 2_600_000, 4_000_000))
    assert "CHUNK_OFFSET_MISMATCH" == gap.value.reason
    for request in (last, last, first, piece(dossier, upload_id, data, 2_500_000, 4_000_000)):
        answer = await upload(request)
        assert (request.header.offset_bytes + len(request.data), False) == (answer.committed_bytes, answer.finished)
    assert {0: (4_000_000, True)} == await held(dossier_desk, dossier)
    assert 4_000_000 == (await upload(piece(dossier, upload_id, data, 0, 1_000_000))).committed_bytes
    end = pb.UploadDocumentRequest(
        request_id=new_id(), dossier=dossier, upload_id=upload_id, finish_upload=upload_finish(data)
    )
    for _ in range(2):
        assert (await upload(end)).finished
    finalize = pb.FinalizeDossierRequest(
        request_id=new_id(), dossier=dossier, document_count=1, page_count=1, size_bytes=len(data)
    )
    assert 1 == (await dossier_desk.dossiers.FinalizeDossier(finalize)).version.document_count


async def test_a_plain_call_is_refused_as_a_stream_would_be(dossier_desk: DossierDesk) -> None:
    dossier, upload_id = await dossier_desk.draft(), new_id()
    upload = dossier_desk.dossiers.UploadDocument
    wrong = piece(dossier, upload_id, ONE, 0, 3000)
    wrong.finish.sha256 = bytes(32)
    with pytest.raises(InvalidArgument) as caught:
        await upload(wrong)
    assert "DOCUMENT_DIGEST_MISMATCH" == caught.value.reason
    assert {} == await held(dossier_desk, dossier)
    headless = piece(dossier, upload_id, ONE, 0, 3000)
    headless.ClearField("header")
    with pytest.raises(InvalidArgument) as caught:
        await upload(headless)
    assert {"field": "header"} == caught.value.metadata
    chen = dossier_desk.as_caller(
        dossier_stub, await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    )  # fmt: skip
    with pytest.raises(NotFound):
        await chen.UploadDocument(piece(dossier, upload_id, ONE, 0, 3000))
    stream = await opened(dossier_desk, dossier, new_id(), new_id(), 1)
    with pytest.raises(Conflict) as held_by_other:
        await upload(piece(dossier, upload_id, ONE, 0, 3000))
    assert "UPLOAD_LEASE_HELD" == held_by_other.value.reason
    await stream.end()


async def test_an_agency_takes_no_more_than_its_quota_however_it_sends(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    owner = await asyncpg.connect(dossier_desk.mesh.databases["dossier"].owner_dsn)
    await owner.execute(
        "INSERT INTO agency_quota (agency, limit_bytes) VALUES ($1, 10000)", dossier_desk.police.name
    )  # fmt: skip
    await owner.close()
    await dossier_desk.version(documents_of(tmp_path, [8000]))
    dossier, upload_id = await dossier_desk.draft(), new_id()
    with pytest.raises(ResourceExhausted) as caught:
        await dossier_desk.send(documents_of(tmp_path / "more", [1500, 501], seed=2), dossier)
    assert ("QUOTA_EXCEEDED", {"limit": "agency"}) == (caught.value.reason, caught.value.metadata)
    assert {0: (1500, True)} == await held(dossier_desk, dossier)
    other = await dossier_desk.draft()
    with pytest.raises(ResourceExhausted):
        await dossier_desk.dossiers.UploadDocument(piece(other, upload_id, bytes(501), 0, 501))
    assert (
        500 == (await dossier_desk.dossiers.UploadDocument(piece(other, upload_id, ONE[:500], 0, 500))).committed_bytes
    )


async def test_what_comes_by_reference_counts_against_the_quota_unless_the_agency_has_it_already(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    documents = documents_of(tmp_path, [6000, 5000])
    contents = [item.path.read_bytes() for item in documents]
    version = (await dossier_desk.version(documents)).name
    await dossier_desk.grant(version)
    chen = dossier_desk.as_caller(
        dossier_stub, await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    )  # fmt: skip
    owner = await asyncpg.connect(dossier_desk.mesh.databases["dossier"].owner_dsn)
    await owner.execute(
        "INSERT INTO agency_quota (agency, limit_bytes) VALUES ($1, 10999)", dossier_desk.procuratorate.name
    )  # fmt: skip
    await owner.close()

    async def draft() -> str:
        request = pb.CreateDossierRequest(request_id=new_id(), case=dossier_desk.case, title="诉讼文书卷")
        name: str = (await chen.CreateDossier(request)).dossier.name
        return name

    async def take(dossier: str, *indexes: int) -> int:
        request = pb.TakeDocumentsRequest(
            request_id=new_id(), dossier=dossier, version=version, document_indexes=indexes
        )
        count: int = (await chen.TakeDocuments(request)).document_count
        return count

    first = await draft()
    for refused in (
        take(first),
        reference(chen, first, referenced(0, contents[0]), referenced(1, contents[1])),
    ):
        with pytest.raises(ResourceExhausted) as caught:
            await refused
        assert ("QUOTA_EXCEEDED", {"limit": "agency"}) == (caught.value.reason, caught.value.metadata)
    assert 1 == await take(first, 0)
    second = await draft()
    assert 1 == await take(second, 0)
    with pytest.raises(ResourceExhausted):
        await reference(chen, second, referenced(1, contents[1]))
    assert [0] == await reference(chen, await draft(), referenced(0, contents[0]))


async def test_a_stream_whose_first_message_is_a_large_chunk_is_refused(dossier_desk: DossierDesk) -> None:
    chunk = frames(pb.DocumentChunk(data=bytes(100_000)))
    with pytest.raises(Exception, match="open"):
        await notices_of(dossier_desk.dossiers, [chunk])
