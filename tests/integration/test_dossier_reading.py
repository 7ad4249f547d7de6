"""Reading a version over real mTLS: single ranges, selections, lists; what a folder holds already is not sent again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import grpc.aio
import pytest

from casemesh.cli.get_dossier import prove_page
from casemesh.client.dossier_download import download_dossier
from casemesh.client.dossier_folder import DossierFolder
from casemesh.client.download_frames import Frame
from casemesh.client.manifest import ManifestError
from casemesh.client.page_proofs import verify_proof
from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceStub
from casemesh.errors import CaseMeshError, DataLoss, InvalidArgument, NotFound, OutOfRange, Unavailable, from_rpc_error
from tests.support.dossiers import DossierDesk, documents_of

MIB = 1 << 20
SIZES = [0, 10, MIB + 5, 300_000, 2 * MIB, 7]


@dataclass
class Stored:
    """A version with documents of `SIZES`, and what is in them."""

    desk: DossierDesk
    name: str
    contents: list[bytes]


@pytest.fixture
async def stored(dossier_desk: DossierDesk, tmp_path: Path) -> Stored:
    documents = documents_of(tmp_path / "sent", SIZES, pages=2)
    version = (await dossier_desk.version(documents)).name
    return Stored(dossier_desk, version, [document.path.read_bytes() for document in documents])


async def reads(desk: DossierDesk) -> int:
    """How many reads the log was told of."""
    connection = await asyncpg.connect(desk.mesh.databases["audit"].owner_dsn)
    try:
        rows = await connection.fetch("SELECT canonical_json FROM event ORDER BY 1")
    finally:
        await connection.close()
    return sum(b"dossier.version.read" in row["canonical_json"] for row in rows)


async def got(desk: DossierDesk, request: pb.DownloadDocumentsRequest) -> list[tuple[int, int, bytes]]:
    """Of each document begun: its index, the offset it began at and its bytes."""
    found: list[tuple[int, int, bytes]] = []
    async for message in desk.reading.DownloadDocuments(request):
        for frame in message.frames:
            if frame.HasField("header"):
                found.append((frame.header.document_index, frame.header.offset_bytes, b""))
            elif frame.HasField("chunk"):
                found[-1] = (*found[-1][:2], found[-1][2] + frame.chunk.data)
            else:
                assert (len(found), sum(len(data) for _, _, data in found)) == (
                    frame.finish.document_count, frame.finish.size_bytes,
                )  # fmt: skip
    return found


async def test_any_range_of_a_document_is_read_by_a_plain_call(stored: Stored) -> None:
    ranges = [(1, 0, 0), (2, 0, 0), (2, MIB - 3, 6), (2, 5, MIB), (4, MIB, MIB), (0, 0, 9), (5, 7, 1)]
    for index, offset, length in ranges:
        request = pb.ReadDocumentRequest(
            version=stored.name, document_index=index, offset_bytes=offset, length_bytes=length
        )  # fmt: skip
        before = await reads(stored.desk)
        answer = await stored.desk.reading.ReadDocument(request)
        assert stored.contents[index][offset : offset + (length or MIB)] == answer.data
        assert (index, SIZES[index], 2) == (
            answer.document.document_index, answer.document.size_bytes, answer.document.page_count,
        )  # fmt: skip
        assert before + 1 == await reads(stored.desk)
    for index, offset in [(6, 0), (5, 8)]:
        with pytest.raises(OutOfRange):
            await stored.desk.reading.ReadDocument(
                pb.ReadDocumentRequest(version=stored.name, document_index=index, offset_bytes=offset)
            )


async def test_only_what_is_selected_is_sent(stored: Stored) -> None:
    selections = [
        pb.DocumentSelection(first_document_index=0, last_document_index=1),
        pb.DocumentSelection(
            first_document_index=2, last_document_index=4, first_offset_bytes=MIB, end_offset_bytes=MIB + 1
        ),
    ]
    request = pb.DownloadDocumentsRequest(version=stored.name, selections=selections)
    assert [
        (0, 0, b""),
        (1, 0, stored.contents[1]),
        (2, MIB, stored.contents[2][MIB:]),
        (3, 0, stored.contents[3]),
        (4, 0, stored.contents[4][: MIB + 1]),
    ] == await got(stored.desk, request)
    for refused, error in (
        (pb.DocumentSelection(first_document_index=5, last_document_index=6), OutOfRange),
        (pb.DocumentSelection(first_document_index=1, last_document_index=1, first_offset_bytes=11), OutOfRange),
        (pb.DocumentSelection(first_document_index=2, last_document_index=1), InvalidArgument),
    ):
        with pytest.raises(CaseMeshError) as caught:
            await refusal_of(got(stored.desk, pb.DownloadDocumentsRequest(version=stored.name, selections=[refused])))
        assert isinstance(caught.value, error)


async def refusal_of(call: Any) -> None:
    try:
        await call
    except grpc.aio.AioRpcError as failure:
        raise from_rpc_error(failure) from failure


async def test_lists_are_paged_and_say_what_the_manifest_says(stored: Stored) -> None:
    request = pb.ListDocumentsRequest(version=stored.name, page_size=4)
    first = await stored.desk.reading.ListDocuments(request)
    request.page_token = first.next_page_token
    second = await stored.desk.reading.ListDocuments(request)
    assert (4, 2, "") == (len(first.documents), len(second.documents), second.next_page_token)
    assert SIZES == [document.size_bytes for document in [*first.documents, *second.documents]]
    dossier = stored.name.partition("/versions/")[0]
    versions = await stored.desk.reading.ListDossierVersions(
        pb.ListDossierVersionsRequest(dossier=dossier, page_size=1)
    )  # fmt: skip
    assert ([stored.name], "1") == ([version.name for version in versions.versions], versions.next_page_token)
    with pytest.raises(InvalidArgument):
        await stored.desk.reading.ListDocuments(pb.ListDocumentsRequest(version=stored.name, page_token="x"))
    # A first version has no parent to be compared with.
    with pytest.raises(NotFound):
        await stored.desk.reading.ListVersionChanges(pb.ListVersionChangesRequest(version=stored.name))


async def test_what_was_not_handed_over_does_not_exist(stored: Stored) -> None:
    theirs = await stored.desk.participate(stored.desk.procuratorate, "chen")
    unassigned = await stored.desk.mesh.metadata(stored.desk.police, "zhao")
    dossier = stored.name.partition("/versions/")[0]
    for metadata in (theirs, unassigned):
        reading = stored.desk.as_caller(DossierReadServiceStub, metadata)
        for method, request in (
            ("ReadDocument", pb.ReadDocumentRequest(version=stored.name)),
            ("ListDocuments", pb.ListDocumentsRequest(version=stored.name)),
            ("ListDossierVersions", pb.ListDossierVersionsRequest(dossier=dossier)),
            ("ListVersionChanges", pb.ListVersionChangesRequest(version=stored.name)),
        ):
            with pytest.raises(NotFound):
                await getattr(reading, method)(request)


async def test_damaged_bytes_are_not_read_by_a_plain_call_either(stored: Stored) -> None:
    for pack in stored.desk.store.rglob("*.pack"):
        data = bytearray(pack.read_bytes())
        data[len(data) // 2] ^= 1
        pack.write_bytes(data)
    refused = []
    for index, content in enumerate(stored.contents):
        try:
            answer = await stored.desk.reading.ReadDocument(
                pb.ReadDocumentRequest(version=stored.name, document_index=index, length_bytes=3 * MIB)
            )
        except DataLoss as damage:
            refused.append((str(index), damage.metadata["document_index"]))
        else:
            assert content == answer.data
    assert 1 <= len(refused) < len(SIZES)
    assert all(index == named for index, named in refused)


@pytest.mark.parametrize("streams", [1, 3])
async def test_only_what_is_missing_is_fetched_on_as_many_streams_as_asked_for(
    stored: Stored, tmp_path: Path, streams: int
) -> None:
    desk, target = stored.desk, tmp_path / "got"
    whole = await download_dossier(desk.downloading, stored.name, target, desk.signing_roots, streams=streams)
    assert sum(SIZES) == whole.received_bytes
    places = [whole.folder.document_path(document) for document in whole.manifest.documents]
    assert stored.contents == [place.read_bytes() for place in places]
    (target / "partial").mkdir()
    (target / "partial" / "4").write_bytes(stored.contents[4][:MIB])
    places[4].unlink()
    places[1].unlink()
    # The same size, but changed since: its digest decides.
    places[3].write_bytes(bytes(SIZES[3]))
    again = await download_dossier(desk.downloading, stored.name, target, desk.signing_roots, streams=streams)
    assert SIZES[1] + MIB + SIZES[3] == again.received_bytes
    assert stored.contents == [place.read_bytes() for place in places]
    assert not (target / "partial").exists()
    before = await reads(desk)
    finished = await download_dossier(desk.downloading, stored.name, target, desk.signing_roots, streams=streams)
    assert (0, before) == (finished.received_bytes, await reads(desk))
    assert finished.folder.verify(desk.signing_roots).page_count == 2 * len(SIZES)


async def test_verifying_does_not_believe_the_note_of_what_was_found(stored: Stored, tmp_path: Path) -> None:
    got = await download_dossier(stored.desk.downloading, stored.name, tmp_path / "got", stored.desk.signing_roots)
    place = got.folder.document_path(got.manifest.documents[1])
    status = os.stat(place)
    place.write_bytes(bytes(SIZES[1]))
    os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(ManifestError, match="document 1"):
        got.folder.verify(stored.desk.signing_roots)


class Broken:
    """A stub whose downloads break off after some messages, as often as told."""

    def __init__(self, stub: Any, times: int) -> None:
        self._stub = stub
        self._times = times

    def __getattr__(self, method: str) -> Any:
        return getattr(self._stub, method)

    def DownloadDocuments(self, request: pb.DownloadDocumentsRequest) -> Any:
        stream = self._stub.DownloadDocuments(request)
        if self._times == 0:
            return stream
        self._times -= 1
        return BrokenStream(stream)


class BrokenStream:
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[list[Frame]]:
        seen = 0
        async for message in self._stream:
            yield message
            seen += 1
            if seen == 2:
                raise Unavailable("UNKNOWN", "broken off")

    def cancel(self) -> None:
        self._stream.cancel()


async def test_a_download_that_breaks_goes_on_where_it_was(stored: Stored, tmp_path: Path) -> None:
    broken = Broken(stored.desk.downloading, 2)
    got = await download_dossier(broken, stored.name, tmp_path / "got", stored.desk.signing_roots)  # type: ignore[arg-type]
    assert (sum(SIZES), 3) == (got.received_bytes, got.attempts)
    assert got.folder.verify(stored.desk.signing_roots).document_count == len(SIZES)


async def test_a_page_of_a_downloaded_dossier_is_proved_with_public_keys_alone(stored: Stored, tmp_path: Path) -> None:
    folder = tmp_path / "got"
    await download_dossier(stored.desk.downloading, stored.name, folder, stored.desk.signing_roots)
    out = tmp_path / "proof.json"
    proved = await asyncio.to_thread(prove_page, folder, stored.desk.signing_roots, None, 8, out)
    assert (3, 2) == (proved.document.document_index, proved.page)
    again = verify_proof(out.read_bytes(), stored.desk.signing_roots)
    assert (stored.name, proved) == (again.version.version, again)
    assert out.stat().st_size < 8192
    assert DossierFolder(folder).root_statement_path.exists()
