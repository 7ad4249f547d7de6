"""Versions over real mTLS: fixed once, the same for the same request, readable by whom they were handed to alone."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path

import asyncpg
import grpc
import pytest

from casemesh.audit.v1 import event_pb2
from casemesh.client.dossier_download import download_dossier, fetch_manifest
from casemesh.client.dossier_upload import finalize_dossier
from casemesh.client.manifest import Manifest
from casemesh.client.statements import StatementError
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_handover_service_pb2 as handover_pb
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.dossier.v1.dossier_handover_service_pb2_grpc import DossierHandoverServiceStub
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceStub
from casemesh.errors import CaseMeshError, FailedPrecondition, NotFound, OutOfRange, PermissionDenied, from_rpc_error
from tests.support.dossiers import TIMEOUT, DossierDesk, documents_of
from tests.support.signing import make_authority


async def actions(desk: DossierDesk) -> list[str]:
    """The actions in the dossier service's outbox, in order."""
    connection = await asyncpg.connect(desk.mesh.databases["dossier"].owner_dsn)
    try:
        rows = await connection.fetch("SELECT event FROM outbox ORDER BY id")
    finally:
        await connection.close()
    return [event_pb2.Event.FromString(row["event"]).action for row in rows]


async def received(desk: DossierDesk, version: str, start: tuple[int, int] = (0, 0)) -> tuple[dict[int, bytes], bool]:
    """Bytes by document index, and whether the stream said that it was all."""
    request = read_pb.DownloadDocumentsRequest(
        version=version, first_document_index=start[0], first_offset_bytes=start[1]
    )
    documents: dict[int, bytes] = {}
    finished, index = False, -1
    async for message in desk.reading.DownloadDocuments(request):
        assert sum(len(frame.chunk.data) for frame in message.frames) <= 1 << 20
        for frame in message.frames:
            match frame.WhichOneof("frame"):
                case "header":
                    index = frame.header.document_index
                    documents[index] = b""
                case "chunk":
                    documents[index] += frame.chunk.data
                case "finish":
                    finished = True
    return documents, finished


async def test_a_draft_is_made_once_for_one_request_id(dossier_desk: DossierDesk) -> None:
    request = pb.CreateDossierRequest(request_id=new_id(), case=dossier_desk.case, title="盗窃案卷宗")
    first = await dossier_desk.dossiers.CreateDossier(request)
    again = await dossier_desk.dossiers.CreateDossier(request)
    assert first == again
    assert first.dossier.state == dossier_pb2.DOSSIER_STATE_DRAFT
    assert await actions(dossier_desk) == ["dossier.draft.created"]
    request.title = "另一份"
    with pytest.raises(FailedPrecondition) as caught:
        await dossier_desk.dossiers.CreateDossier(request)
    assert caught.value.reason == "REQUEST_ID_REUSED"


async def test_a_version_is_fixed_once_and_told_again_for_the_same_request(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    uploaded = await dossier_desk.send(documents_of(tmp_path, [10, 20], pages=3))
    request_id = new_id()
    version = await finalize_dossier(dossier_desk.dossiers, uploaded, request_id=request_id)
    assert (version.document_count, version.page_count, version.size_bytes) == (2, 6, 30)
    assert await finalize_dossier(dossier_desk.dossiers, uploaded, request_id=request_id) == version
    with pytest.raises(FailedPrecondition) as caught:
        await finalize_dossier(dossier_desk.dossiers, uploaded, request_id=new_id())
    assert caught.value.reason == "DOSSIER_FINAL"
    assert await actions(dossier_desk) == [
        "dossier.draft.created", "dossier.upload.finished", "dossier.version.finalized",
    ]  # fmt: skip
    dossier = await dossier_desk.reading.GetDossier(read_pb.GetDossierRequest(name=uploaded.dossier))
    assert dossier.dossier.state == dossier_pb2.DOSSIER_STATE_FINAL
    assert dossier.dossier.version == version.name
    got = await dossier_desk.reading.GetDossierVersion(read_pb.GetDossierVersionRequest(name=version.name))
    assert got.version == version


async def test_two_requests_at_once_fix_one_version(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    uploaded = await dossier_desk.send(documents_of(tmp_path, [10]))
    outcomes = await asyncio.gather(
        *(finalize_dossier(dossier_desk.dossiers, uploaded, request_id=new_id()) for _ in range(4)),
        return_exceptions=True,
    )
    versions = [outcome for outcome in outcomes if isinstance(outcome, dossier_pb2.DossierVersion)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, CaseMeshError)]
    assert (len(versions), len(refused)) == (1, 3)
    assert {error.reason for error in refused} <= {"DOSSIER_FINAL", "UPLOAD_LEASE_LOST"}


async def test_a_dossier_is_not_fixed_as_something_else_than_it_is(
    dossier_desk: DossierDesk, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    uploaded = await dossier_desk.send(documents_of(tmp_path, [10, 20]))
    for field, value, reason in (
        ("document_count", 3, "DOCUMENT_COUNT_MISMATCH"),
        ("page_count", 3, "PAGE_COUNT_MISMATCH"),
        ("size_bytes", 31, "DOSSIER_SIZE_MISMATCH"),
        ("root_hash", bytes(32), "DOSSIER_ROOT_MISMATCH"),
    ):
        with subtests.test(field):
            request = pb.FinalizeDossierRequest(
                request_id=new_id(), dossier=uploaded.dossier, document_count=2, page_count=2, size_bytes=30
            )
            setattr(request, field, value)
            with pytest.raises(FailedPrecondition) as caught:
                await dossier_desk.dossiers.FinalizeDossier(request)
            assert caught.value.reason == reason
    dossier = await dossier_desk.reading.GetDossier(read_pb.GetDossierRequest(name=uploaded.dossier))
    assert (dossier.dossier.state, dossier.dossier.version) == (dossier_pb2.DOSSIER_STATE_DRAFT, "")


async def test_what_is_held_of_an_upload_comes_in_pages(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    uploaded = await dossier_desk.send(documents_of(tmp_path, range(1, 8)))
    seen, token = [], ""
    while True:
        request = pb.QueryUploadRequest(dossier=uploaded.dossier, page_size=3, page_token=token)
        page = await dossier_desk.dossiers.QueryUpload(request)
        assert page.finished
        seen += [(item.document_index, item.committed_bytes, item.sha256) for item in page.documents]
        token = page.next_page_token
        if not token:
            break
    assert [(n, n + 1, uploaded.documents[n].sha256) for n in range(7)] == seen
    with pytest.raises(CaseMeshError) as caught:
        await dossier_desk.dossiers.QueryUpload(pb.QueryUploadRequest(dossier=uploaded.dossier, page_token="x"))
    assert caught.value.reason == "FIELD_INVALID"


async def test_dossiers_of_a_case_are_listed_in_pages_oldest_first(dossier_desk: DossierDesk) -> None:
    names = [await dossier_desk.draft(f"卷宗{n}") for n in range(5)]
    listed, token = [], ""
    while True:
        request = read_pb.ListDossiersRequest(case=dossier_desk.case, page_size=2, page_token=token)
        page = await dossier_desk.reading.ListDossiers(request)
        listed += [dossier.name for dossier in page.dossiers]
        token = page.next_page_token
        if not token:
            break
    assert sorted(names) == listed


async def test_the_manifest_is_signed_and_says_what_was_sent(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    documents = documents_of(tmp_path, [10, 0, 2_000_000], pages=2)
    version = await dossier_desk.version(documents)
    envelope = await fetch_manifest(dossier_desk.reading, version.name)
    pieces = dossier_desk.reading.DownloadManifest(read_pb.DownloadManifestRequest(version=version.name))
    assert b"".join([piece.data async for piece in pieces]) == envelope
    manifest = await asyncio.to_thread(
        Manifest.verify, envelope, dossier_desk.signing_roots, signer="spiffe://mesh.casemesh/signing/dossier"
    )
    assert version.root_hash == manifest.root_hash
    assert (version.name, version.case, version.agency) == (
        manifest.facts.version, manifest.facts.case, manifest.facts.agency,
    )  # fmt: skip
    for sent, listed in zip(documents, manifest.documents, strict=True):
        data = sent.path.read_bytes()
        assert (sent.volume, sent.file_name, 2) == (listed.volume, listed.file_name, listed.page_count)
        assert (len(data), hashlib.sha256(data).digest()) == (listed.size_bytes, listed.sha256)


async def test_a_download_begins_anywhere_and_ends_with_the_last_byte(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    documents = documents_of(tmp_path, [700_000, 0, 2_500_000, 1])
    contents = [document.path.read_bytes() for document in documents]
    version = (await dossier_desk.version(documents)).name
    for start in [(0, 0), (0, 699_999), (0, 700_000), (1, 0), (2, 1), (2, 1 << 20), (2, 2_499_999), (3, 0), (3, 1)]:
        expected = {n: content for n, content in enumerate(contents) if n >= start[0]}
        expected[start[0]] = expected[start[0]][start[1] :]
        assert (expected, True) == await received(dossier_desk, version, start)


async def test_a_position_beyond_the_dossier_is_refused_naming_the_field(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path, [10, 10, 10, 10]))).name
    for start, field in (
        ((4, 0), "first_document_index"), ((99, 5), "first_document_index"), ((0, 11), "first_offset_bytes"),
    ):  # fmt: skip
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await received(dossier_desk, version, start)
        error = from_rpc_error(caught.value)
        assert isinstance(error, OutOfRange)
        assert (error.reason, error.metadata) == ("POSITION_OUT_OF_RANGE", {"field": field})


async def test_a_version_handed_on_is_readable_there_and_nowhere_else(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    version = await dossier_desk.version(documents_of(tmp_path / "sent", [1000, 2000]))
    chen = await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    theirs = dossier_desk.as_caller(DossierReadServiceStub, chen)
    request = read_pb.GetDossierVersionRequest(name=version.name)
    with pytest.raises(NotFound):
        await theirs.GetDossierVersion(request)
    with pytest.raises(NotFound):
        await theirs.GetDossier(read_pb.GetDossierRequest(name=version.name.partition("/versions/")[0]))
    assert not (await theirs.ListDossiers(read_pb.ListDossiersRequest(case=dossier_desk.case))).dossiers
    packs = sorted(dossier_desk.store.rglob("*.pack"))
    assert await dossier_desk.grant(version.name) == version.name
    assert (await theirs.GetDossierVersion(request)).version == version
    listed = await theirs.ListDossiers(read_pb.ListDossiersRequest(case=dossier_desk.case))
    assert [dossier.version for dossier in listed.dossiers] == [version.name]
    assert sorted(dossier_desk.store.rglob("*.pack")) == packs
    download = await download_dossier(theirs, version.name, tmp_path / "got", dossier_desk.signing_roots)
    assert download.folder.verify(dossier_desk.signing_roots).document_count == 2


async def test_granting_again_changes_nothing_and_tells_nothing_twice(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path, [1]))).name
    request_id, exchange = new_id(), f"exchanges/{new_id()}"
    await dossier_desk.grant(version, request_id, exchange=exchange)
    await dossier_desk.grant(version, request_id, exchange=exchange)
    await dossier_desk.grant(version, exchange=exchange)
    assert (await actions(dossier_desk)).count("dossier.version.granted") == 1


async def test_an_agency_hands_on_only_what_it_may_read(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path, [1]))).name
    with pytest.raises(NotFound):
        await dossier_desk.grant(
            version, sender=dossier_desk.procuratorate.name, recipient=dossier_desk.police.name
        )  # fmt: skip
    await dossier_desk.grant(version)
    await dossier_desk.grant(version, sender=dossier_desk.procuratorate.name, recipient=f"agencies/{new_id()}")


async def test_handing_on_is_for_routing_alone(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path, [1]))).name
    request = handover_pb.GrantVersionRequest(
        request_id=new_id(), version=version, sender=dossier_desk.police.name,
        recipient=dossier_desk.procuratorate.name, exchange=f"exchanges/{new_id()}",
    )  # fmt: skip
    for peer in ("gateway", "operator", "identity", "audit"):
        stub = DossierHandoverServiceStub(dossier_desk.mesh.channel("dossier", peer))
        with pytest.raises(PermissionDenied) as caught:
            await stub.GrantVersion(request, timeout=TIMEOUT, metadata=dossier_desk.police_metadata)
        assert caught.value.reason == "CALLER_NOT_ALLOWED"


async def test_every_download_is_in_the_log_before_its_first_byte(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path, [5000]))).name
    connection = await asyncpg.connect(dossier_desk.mesh.databases["audit"].owner_dsn)
    try:

        async def reads() -> int:
            rows = await connection.fetch("SELECT canonical_json FROM event")
            return sum(b"dossier.version.read" in row["canonical_json"] for row in rows)

        assert await reads() == 0
        stream = dossier_desk.reading.DownloadDocuments(read_pb.DownloadDocumentsRequest(version=version))
        async for _ in stream:
            assert await reads() == 1
            break
        stream.cancel()
    finally:
        await connection.close()


async def test_a_version_never_changes_even_for_its_own_service(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    await dossier_desk.version(documents_of(tmp_path, [1]))
    database = dossier_desk.mesh.databases["dossier"]
    for dsn in (database.runtime_dsn, database.owner_dsn):
        connection = await asyncpg.connect(dsn)
        try:
            for statement in ("UPDATE dossier_version SET page_count = 9", "DELETE FROM dossier_version"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
        finally:
            await connection.close()


async def test_a_download_goes_on_from_what_is_in_the_folder(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    documents = documents_of(tmp_path / "sent", [3_000_000, 3_000_000, 10])
    version = (await dossier_desk.version(documents)).name
    target = tmp_path / "got"
    whole = await download_dossier(dossier_desk.downloading, version, target, dossier_desk.signing_roots)
    first, second, third = (whole.folder.document_path(document) for document in whole.manifest.documents)
    (target / "partial").mkdir()
    (target / "partial" / "1").write_bytes(second.read_bytes()[:1_234_567])
    second.unlink()
    third.unlink()
    again = await download_dossier(dossier_desk.downloading, version, target, dossier_desk.signing_roots)
    assert again.received_bytes == 3_000_000 - 1_234_567 + 10
    assert whole.folder.verify(dossier_desk.signing_roots).document_count == 3
    assert first.read_bytes() == documents[0].path.read_bytes()


async def test_a_damaged_part_from_an_earlier_run_is_fetched_anew(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path / "sent", [2_000_000]))).name
    (tmp_path / "got" / "partial").mkdir(parents=True)
    (tmp_path / "got" / "partial" / "0").write_bytes(bytes(1_000_000))
    download = await download_dossier(dossier_desk.downloading, version, tmp_path / "got", dossier_desk.signing_roots)
    assert download.attempts == 2
    assert download.folder.verify(dossier_desk.signing_roots).size_bytes == 2_000_000


async def test_a_manifest_of_another_signer_stops_the_download(dossier_desk: DossierDesk, tmp_path: Path) -> None:

    version = (await dossier_desk.version(documents_of(tmp_path / "sent", [10]))).name
    with pytest.raises(StatementError):
        await download_dossier(dossier_desk.downloading, version, tmp_path / "got", [make_authority().certificate])
    assert not (tmp_path / "got").exists()


async def test_names_stay_exactly_as_they_were_sent(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    names = ["讯问笔录（第一次） .pdf", "cafe\u0301.pdf", "..a", "a'b\"c;--.pdf", "长" * 85]
    documents = [
        replace(document, file_name=name)
        for document, name in zip(documents_of(tmp_path, [1] * len(names)), names, strict=True)
    ]
    version = (await dossier_desk.version(documents)).name
    envelope = await fetch_manifest(dossier_desk.reading, version)
    manifest = Manifest.verify(envelope, dossier_desk.signing_roots)
    assert [document.file_name for document in manifest.documents] == names
    assert not [path for path in dossier_desk.store.rglob("*") if any(name in path.name for name in names)]
