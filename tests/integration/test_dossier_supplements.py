"""Supplements over real mTLS: drafts of what is there, each change made once, and versions that none of it touches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casemesh.client.dossier_download import download_dossier, fetch_manifest
from casemesh.client.download_frames import read_stub
from casemesh.client.manifest import Manifest, ManifestError
from casemesh.client.version_lineage import DocumentName
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceStub
from casemesh.dossier.v1.dossier_service_pb2_grpc import DossierServiceStub
from casemesh.errors import AlreadyExists, CaseMeshError, Conflict, FailedPrecondition, NotFound, OutOfRange
from tests.integration.test_dossier_versions import actions
from tests.support.dossiers import DossierDesk, documents_of, frames, notices_of, opening, whole


async def supplement(desk: DossierDesk, dossier: str) -> dossier_pb2.Dossier:
    request = pb.SupplementDossierRequest(request_id=new_id(), dossier=dossier)
    answer: dossier_pb2.Dossier = (await desk.dossiers.SupplementDossier(request)).dossier
    return answer


async def held(desk: DossierDesk, dossier: str) -> list[dossier_pb2.Document]:
    answer = await desk.dossiers.QueryUpload(pb.QueryUploadRequest(dossier=dossier))
    return list(answer.documents)


async def listed(reading: Any, version: str) -> list[dossier_pb2.Document]:
    return list((await reading.ListDocuments(read_pb.ListDocumentsRequest(version=version))).documents)


async def finalized(desk: DossierDesk, dossier: str, **changes: Any) -> dossier_pb2.DossierVersion:
    """Fix a draft as it is held."""
    documents = await held(desk, dossier)
    request = pb.FinalizeDossierRequest(
        request_id=new_id(), dossier=dossier, document_count=len(documents),
        page_count=sum(document.page_count for document in documents),
        size_bytes=sum(document.size_bytes for document in documents), **changes,
    )  # fmt: skip
    version: dossier_pb2.DossierVersion = (await desk.dossiers.FinalizeDossier(request)).version
    return version


async def taken(desk: DossierDesk, dossier: str, version: str, **which: Any) -> pb.TakeDocumentsResponse:
    request = pb.TakeDocumentsRequest(request_id=new_id(), dossier=dossier, version=version, **which)
    answer: pb.TakeDocumentsResponse = await desk.dossiers.TakeDocuments(request)
    return answer


async def manifest_of(desk: DossierDesk, version: str) -> Manifest:
    return Manifest.verify(await fetch_manifest(desk.reading, version), desk.signing_roots)


def dossier_of(version: str) -> str:
    return version.partition("/versions/")[0]


async def test_a_supplement_names_its_parent_shows_the_difference_and_leaves_the_parent_as_it_was(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    documents = documents_of(tmp_path / "first", [10, 20, 30])
    first = await dossier_desk.version(documents)
    theirs = await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    await dossier_desk.grant(first.name)
    procuratorate = dossier_desk.as_caller(DossierReadServiceStub, theirs)
    before = await listed(procuratorate, first.name)
    dossier = dossier_of(first.name)

    draft = await supplement(dossier_desk, dossier)
    assert (dossier_pb2.DOSSIER_STATE_DRAFT, 2, 3) == (draft.state, draft.revision, draft.document_count)
    assert first.name == draft.version
    removal = pb.RemoveDocumentsRequest(
        request_id=new_id(), dossier=dossier, documents=[(await held(dossier_desk, dossier))[1].name]
    )
    assert 2 == (await dossier_desk.dossiers.RemoveDocuments(removal)).document_count
    new = replace(documents_of(tmp_path / "new", [40], seed=2)[0], file_name="新证据.pdf")
    replacement = replace(documents_of(tmp_path / "other", [50], seed=3)[0], volume=documents[1].volume)
    other = await dossier_desk.version([new, replace(replacement, file_name=documents[1].file_name)])
    await taken(dossier_desk, dossier, other.name)
    second = await finalized(dossier_desk, dossier)

    assert (first.name, 2, 4) == (second.parent, second.revision, second.document_count)
    child, parent = await manifest_of(dossier_desk, second.name), await manifest_of(dossier_desk, first.name)
    assert child.lineage is not None
    assert child.lineage.parent is not None
    assert (first.name, first.root_hash) == (child.lineage.parent.version, child.lineage.parent.root_hash)
    assert child.lineage.changes is not None
    assert (DocumentName(new.volume, new.file_name),) == child.lineage.changes.added
    assert (DocumentName(documents[1].volume, documents[1].file_name),) == child.lineage.changes.replaced
    assert () == child.lineage.changes.removed
    child.verify_changes(parent)
    with pytest.raises(ManifestError):
        parent.verify_changes(child)
    changes = await dossier_desk.reading.ListVersionChanges(read_pb.ListVersionChangesRequest(version=second.name))
    assert [
        (read_pb.DOCUMENT_CHANGE_KIND_REPLACED, documents[1].file_name),
        (read_pb.DOCUMENT_CHANGE_KIND_ADDED, new.file_name),
    ] == sorted(((change.kind, change.after.file_name) for change in changes.changes), reverse=True)

    assert before == await listed(procuratorate, first.name)
    got = await download_dossier(
        dossier_desk.as_caller(read_stub, theirs), first.name, tmp_path / "got", dossier_desk.signing_roots
    )
    assert got.folder.verify(dossier_desk.signing_roots).document_count == 3
    # What was handed over is the first version alone, and so is all that one learns of the dossier.
    versions = await procuratorate.ListDossierVersions(read_pb.ListDossierVersionsRequest(dossier=dossier))
    assert [first.name] == [version.name for version in versions.versions]
    seen = (await procuratorate.GetDossier(read_pb.GetDossierRequest(name=dossier))).dossier
    assert (first.name, 1, 3) == (seen.version, seen.revision, seen.document_count)
    for question in (
        procuratorate.ListDocuments(read_pb.ListDocumentsRequest(version=second.name)),
        procuratorate.ListVersionChanges(read_pb.ListVersionChangesRequest(version=second.name)),
    ):
        with pytest.raises(NotFound):
            await question
    mine = await dossier_desk.reading.ListDossierVersions(read_pb.ListDossierVersionsRequest(dossier=dossier))
    assert [first.name, second.name] == [version.name for version in mine.versions]


async def test_a_dossier_supplemented_by_an_upload_waits_for_its_finish(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    first = await dossier_desk.version(documents_of(tmp_path, [10]))
    dossier = dossier_of(first.name)
    await supplement(dossier_desk, dossier)
    await notices_of(dossier_desk.dossiers, [opening(dossier), frames(*whole(1, b"more", file_name="补.pdf"))])
    with pytest.raises(FailedPrecondition) as caught:
        await finalized(dossier_desk, dossier)
    assert "UPLOAD_NOT_FINISHED" == caught.value.reason


async def test_each_change_of_a_draft_has_one_effect_for_one_request_id(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path, [1, 2, 3]))).name
    dossier, into = dossier_of(version), await dossier_desk.draft()
    names = [document.name for document in await listed(dossier_desk.reading, version)]
    party = f"{dossier_desk.case}/parties/{new_id()}"
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("SupplementDossier", lambda: pb.SupplementDossierRequest(dossier=dossier)),
        ("TakeDocuments", lambda: pb.TakeDocumentsRequest(dossier=into, version=version)),
        (
            "SetDocumentParties",
            lambda: pb.SetDocumentPartiesRequest(dossier=into, document_indexes=[0], parties=[party]),
        ),
        ("RemoveDocuments", lambda: pb.RemoveDocumentsRequest(dossier=into, documents=removed)),
        ("AbandonDraft", lambda: pb.AbandonDraftRequest(dossier=into)),
        ("AbandonDraft", lambda: pb.AbandonDraftRequest(dossier=dossier)),
    ]
    removed: list[str] = []
    for method, make in calls:
        request = make()
        request.request_id = new_id()
        call = getattr(dossier_desk.dossiers, method)
        assert await call(request) == await call(request)
        if method == "TakeDocuments":
            removed = [document.name for document in (await held(dossier_desk, into))[1:]]
    told = [action for action in await actions(dossier_desk) if action.startswith("dossier.d")]
    assert [
        "dossier.draft.created", "dossier.draft.created", "dossier.draft.supplements", "dossier.documents.taken",
        "dossier.documents.parties_set", "dossier.documents.removed", "dossier.draft.abandoned",
        "dossier.draft.abandoned",
    ] == told  # fmt: skip
    assert names == [document.name for document in await listed(dossier_desk.reading, version)]


async def test_an_abandoned_supplement_leaves_the_version_before_and_a_first_draft_leaves_nothing(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path, [1, 2]))).name
    dossier, draft = dossier_of(version), await dossier_desk.draft()
    with pytest.raises(FailedPrecondition) as caught:
        await dossier_desk.dossiers.AbandonDraft(pb.AbandonDraftRequest(request_id=new_id(), dossier=dossier))
    assert "DOSSIER_FINAL" == caught.value.reason
    await supplement(dossier_desk, dossier)
    with pytest.raises(FailedPrecondition) as caught:
        await supplement(dossier_desk, dossier)
    assert "DOSSIER_NOT_FINAL" == caught.value.reason
    for given_up in (dossier, draft):
        await dossier_desk.dossiers.AbandonDraft(pb.AbandonDraftRequest(request_id=new_id(), dossier=given_up))
    found = (await dossier_desk.reading.GetDossier(read_pb.GetDossierRequest(name=dossier))).dossier
    assert (dossier_pb2.DOSSIER_STATE_FINAL, version, 1, 2) == (
        found.state, found.version, found.revision, found.document_count,
    )  # fmt: skip
    request = read_pb.ListDossiersRequest(case=dossier_desk.case)
    assert [dossier] == [item.name for item in (await dossier_desk.reading.ListDossiers(request)).dossiers]
    for question in (
        dossier_desk.reading.GetDossier(read_pb.GetDossierRequest(name=draft)),
        dossier_desk.dossiers.QueryUpload(pb.QueryUploadRequest(dossier=draft)),
        dossier_desk.dossiers.AbandonDraft(pb.AbandonDraftRequest(request_id=new_id(), dossier=draft)),
    ):
        with pytest.raises(NotFound):
            await question
    assert 2 == (await supplement(dossier_desk, dossier)).revision


async def test_a_package_may_be_cut_to_some_of_the_parties(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path, [1, 2, 3, 4]))).name
    zhang, li = (f"{dossier_desk.case}/parties/{new_id()}" for _ in range(2))
    dossier = dossier_of(version)
    await supplement(dossier_desk, dossier)
    for indexes, parties in (([0], [zhang]), ([1], [li]), ([2], [zhang, li])):
        request = pb.SetDocumentPartiesRequest(
            request_id=new_id(), dossier=dossier, document_indexes=indexes, parties=parties
        )  # fmt: skip
        assert 1 == (await dossier_desk.dossiers.SetDocumentParties(request)).document_count
    whole_case = (await finalized(dossier_desk, dossier)).name
    package = await dossier_desk.draft()
    answer = await taken(dossier_desk, package, whole_case, parties=[zhang])
    assert (0, 3) == (answer.first_document_index, answer.document_count)
    cut = await finalized(dossier_desk, package)
    assert [1, 3, 4] == [document.size_bytes for document in await listed(dossier_desk.reading, cut.name)]
    assert [[zhang], sorted([zhang, li]), []] == [
        list(document.parties) for document in await listed(dossier_desk.reading, cut.name)
    ]
    packs = sum(path.stat().st_size for path in dossier_desk.store.rglob("*.pack"))
    got = await download_dossier(dossier_desk.downloading, cut.name, tmp_path / "got", dossier_desk.signing_roots)
    assert got.folder.verify(dossier_desk.signing_roots).size_bytes == 8
    assert packs == sum(path.stat().st_size for path in dossier_desk.store.rglob("*.pack"))


async def test_documents_taken_come_behind_and_those_removed_let_the_others_move_up(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path, range(10)))).name
    draft = await dossier_desk.draft()
    await taken(dossier_desk, draft, version, document_indexes=[7, 1])
    answer = await taken(dossier_desk, draft, version, document_indexes=[9, 3, 5])
    assert (2, 3) == (answer.first_document_index, answer.document_count)
    documents = await held(dossier_desk, draft)
    assert [(0, 1), (1, 7), (2, 3), (3, 5), (4, 9)] == [(item.document_index, item.size_bytes) for item in documents]
    request = pb.RemoveDocumentsRequest(
        request_id=new_id(), dossier=draft, documents=[documents[0].name, documents[3].name]
    )  # fmt: skip
    assert 3 == (await dossier_desk.dossiers.RemoveDocuments(request)).document_count
    left = await held(dossier_desk, draft)
    assert [(0, 7), (1, 3), (2, 9)] == [(item.document_index, item.size_bytes) for item in left]
    assert [documents[1].name, documents[2].name, documents[4].name] == [item.name for item in left]


async def test_what_cannot_be_taken_or_removed_changes_nothing(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path, [1, 2]))).name
    draft = await dossier_desk.draft()
    elsewhere = replace(dossier_desk, case=f"cases/{new_id()}")
    elsewhere.police_metadata = await elsewhere.participate(dossier_desk.police, "lin")
    foreign = (await elsewhere.version(documents_of(tmp_path / "elsewhere", [3]))).name
    await taken(dossier_desk, draft, version, document_indexes=[0])
    kept = await held(dossier_desk, draft)
    (document,) = kept
    other = (await listed(dossier_desk.reading, version))[1]
    nowhere = f"{elsewhere.case}/parties/{new_id()}"
    refusals: list[tuple[type[CaseMeshError], str, Any]] = [
        (AlreadyExists, "TakeDocuments", pb.TakeDocumentsRequest(version=version)),
        (OutOfRange, "TakeDocuments", pb.TakeDocumentsRequest(version=version, document_indexes=[2])),
        (NotFound, "TakeDocuments", pb.TakeDocumentsRequest(version=foreign)),
        (NotFound, "TakeDocuments", pb.TakeDocumentsRequest(version=f"{draft}/versions/{new_id()}")),
        (NotFound, "RemoveDocuments", pb.RemoveDocumentsRequest(documents=[document.name, other.name])),
        (OutOfRange, "SetDocumentParties", pb.SetDocumentPartiesRequest(document_indexes=[0, 1])),
        (NotFound, "SetDocumentParties", pb.SetDocumentPartiesRequest(document_indexes=[0], parties=[nowhere])),
    ]
    for expected, method, request in refusals:
        request.request_id, request.dossier = new_id(), draft
        with pytest.raises(expected):
            await getattr(dossier_desk.dossiers, method)(request)
        assert kept == await held(dossier_desk, draft)


async def test_only_the_makers_officers_change_a_draft(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path, [1]))).name
    await dossier_desk.grant(version)
    theirs = await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    unassigned = await dossier_desk.mesh.metadata(dossier_desk.police, "zhao")
    dossier = dossier_of(version)
    draft = (await supplement(dossier_desk, dossier)).name
    document = (await held(dossier_desk, draft))[0].name
    for metadata in (theirs, unassigned):
        dossiers = dossier_desk.as_caller(DossierServiceStub, metadata)
        for method, request in (
            ("SupplementDossier", pb.SupplementDossierRequest(dossier=dossier)),
            ("AbandonDraft", pb.AbandonDraftRequest(dossier=draft)),
            ("TakeDocuments", pb.TakeDocumentsRequest(dossier=draft, version=version)),
            ("RemoveDocuments", pb.RemoveDocumentsRequest(dossier=draft, documents=[document])),
            ("SetDocumentParties", pb.SetDocumentPartiesRequest(dossier=draft, document_indexes=[0])),
        ):
            request.request_id = new_id()  # type: ignore[attr-defined]
            with pytest.raises(NotFound):
                await getattr(dossiers, method)(request)


async def test_a_draft_that_is_being_uploaded_to_is_left_alone(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    version = (await dossier_desk.version(documents_of(tmp_path, [1]))).name
    draft = await dossier_desk.draft()
    told = asyncio.Event()

    async def stays_open() -> AsyncIterator[pb.UploadDocumentsRequest]:
        yield opening(draft)
        await told.wait()

    stream = dossier_desk.dossiers.UploadDocuments(stays_open())
    try:
        assert (await anext(aiter(stream))).HasField("opened")
        with pytest.raises(Conflict) as caught:
            await taken(dossier_desk, draft, version)
        assert "UPLOAD_LEASE_HELD" == caught.value.reason
    finally:
        told.set()
        stream.cancel()


async def test_an_internal_version_says_so_under_its_signature(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    uploaded = await dossier_desk.send(documents_of(tmp_path, [1]))
    version = await finalized(dossier_desk, uploaded.dossier, internal=True)
    assert version.internal
    manifest = await manifest_of(dossier_desk, version.name)
    assert manifest.lineage is not None
    assert manifest.lineage.internal
