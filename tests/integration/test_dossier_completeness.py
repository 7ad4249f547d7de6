"""The completeness check over real mTLS, and the refusal of what never crosses at finalising and at the grant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from casemesh.client.dossier_upload import LocalDocument
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as catalogue_pb
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import DossierCatalogueServiceStub
from casemesh.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from tests.support.dossiers import DossierDesk
from tests.support.routing import ThreeOrgans

MISSING = catalogue_pb.FINDING_KIND_MISSING
NEVER_CROSSES = catalogue_pb.FINDING_KIND_NEVER_CROSSES
DUPLICATE = catalogue_pb.FINDING_KIND_DUPLICATE
EMPTY = catalogue_pb.FINDING_KIND_EMPTY


def files(folder: Path, names: Sequence[str]) -> list[LocalDocument]:
    """A file of its own content for each `volume/name`."""
    made = []
    for number, name in enumerate(names):
        volume, _, file_name = name.partition("/")
        path = folder / f"{number}.txt"
        path.write_text(f"invented {number}")
        made.append(LocalDocument(path, volume, file_name, "text/plain", 1))
    return made


def finalizing(dossier: str, documents: Sequence[LocalDocument], **changes: Any) -> pb.FinalizeDossierRequest:
    return pb.FinalizeDossierRequest(
        request_id=new_id(), dossier=dossier, document_count=len(documents), page_count=len(documents),
        size_bytes=sum(document.path.stat().st_size for document in documents), **changes,
    )  # fmt: skip


async def sent(desk: DossierDesk, documents: Sequence[LocalDocument]) -> str:
    """A draft that holds these documents."""
    return (await desk.send(documents)).dossier


async def finalized(desk: DossierDesk, documents: Sequence[LocalDocument]) -> dossier_pb2.DossierVersion:
    request = finalizing(await sent(desk, documents), documents)
    version: dossier_pb2.DossierVersion = (await desk.dossiers.FinalizeDossier(request)).version
    return version


async def checked(
    desk: DossierDesk, parent: str, node: str = "", parties: Sequence[str] = (), **metadata: Any
) -> catalogue_pb.CheckCompletenessResponse:
    request = catalogue_pb.CheckCompletenessRequest(
        parent=parent, node=f"nodes/{node}" if node else "", parties=parties
    )
    stub = desk.as_caller(DossierCatalogueServiceStub, **metadata)
    answer: catalogue_pb.CheckCompletenessResponse = await stub.CheckCompleteness(request)
    return answer


async def document_of(desk: DossierDesk, dossier: str, index: int) -> str:
    answer = await desk.dossiers.QueryUpload(pb.QueryUploadRequest(dossier=dossier))
    name: str = answer.documents[index].name
    return name


async def correct(desk: DossierDesk, document: str, type_code: str) -> None:
    request = catalogue_pb.CorrectDocumentRequest(
        request_id=new_id(), document=document, type_code=type_code, only_this=True
    )
    await desk.as_caller(DossierCatalogueServiceStub).CorrectDocument(request)


@pytest.mark.parametrize(
    ("name", "type_code"),
    [("侦查工作卷/立案决定书.pdf", "A003"), ("诉讼文书卷/合议庭评议笔录.pdf", "G031"), ("证人保护卷/甲.pdf", "")],
)
async def test_what_never_crosses_is_refused_at_finalising(
    dossier_desk: DossierDesk, tmp_path: Path, name: str, type_code: str
) -> None:
    documents = files(tmp_path, ["诉讼文书卷/起诉意见书.pdf", name])
    dossier = await sent(dossier_desk, documents)
    with pytest.raises(FailedPrecondition) as caught:
        await dossier_desk.dossiers.FinalizeDossier(finalizing(dossier, documents))
    assert "DOCUMENT_NEVER_CROSSES" == caught.value.reason
    assert {"document_index": "1", "type_code": type_code, "document_count": "1"} == caught.value.metadata


async def test_an_internal_version_may_hold_it_and_is_handed_to_nobody(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    documents = files(tmp_path, ["侦查工作卷/呈请立案报告书.pdf"])
    request = finalizing(await sent(dossier_desk, documents), documents, internal=True)
    version = (await dossier_desk.dossiers.FinalizeDossier(request)).version
    assert version.internal
    with pytest.raises(FailedPrecondition) as caught:
        await dossier_desk.grant(version.name)
    assert "VERSION_INTERNAL" == caught.value.reason


async def test_an_exchange_does_not_take_an_internal_version_along(
    three_organs_with_dossiers: ThreeOrgans, tmp_path: Path
) -> None:
    organs = three_organs_with_dossiers
    case = await organs.register()
    desk = DossierDesk(
        organs.mesh, organs.police, organs.procuratorate, await organs.as_officer(organs.police), case=case.name
    )
    documents = files(tmp_path, ["侦查工作卷/呈请立案报告书.pdf"])
    request = finalizing(await sent(desk, documents), documents, internal=True)
    version = (await desk.dossiers.FinalizeDossier(request)).version
    with pytest.raises(FailedPrecondition) as caught:
        await organs.submit(case, node="nodes/QS001", dossier_version=version.name)
    assert "VERSION_INTERNAL" == caught.value.reason


async def test_a_correction_after_finalising_stops_the_grant_until_it_is_taken_back(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    version = await finalized(dossier_desk, files(tmp_path, ["诉讼文书卷/会议记录.txt"]))
    dossier = version.name.partition("/versions/")[0]
    request_id, exchange = new_id(), f"exchanges/{new_id()}"
    assert version.name == await dossier_desk.grant(version.name, request_id, exchange=exchange)
    document = await document_of(dossier_desk, dossier, 0)
    await correct(dossier_desk, document, "G032")
    with pytest.raises(FailedPrecondition) as caught:
        await dossier_desk.grant(version.name)
    assert "DOCUMENT_NEVER_CROSSES" == caught.value.reason
    assert {"document_index": "0", "type_code": "G032", "document_count": "1"} == caught.value.metadata
    # What had its effect before is told again.
    assert version.name == await dossier_desk.grant(version.name, request_id, exchange=exchange)
    await correct(dossier_desk, document, "")
    assert version.name == await dossier_desk.grant(version.name)


async def test_an_officers_word_goes_along_into_a_supplement(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    documents = files(tmp_path, ["诉讼文书卷/会议记录.txt"])
    version = await finalized(dossier_desk, documents)
    dossier = version.name.partition("/versions/")[0]
    await correct(dossier_desk, await document_of(dossier_desk, dossier, 0), "G032")
    await dossier_desk.dossiers.SupplementDossier(pb.SupplementDossierRequest(request_id=new_id(), dossier=dossier))
    with pytest.raises(FailedPrecondition) as caught:
        await dossier_desk.dossiers.FinalizeDossier(finalizing(dossier, documents))
    assert "DOCUMENT_NEVER_CROSSES" == caught.value.reason


async def test_a_correction_frees_a_document_that_was_taken_for_something_else(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    documents = files(tmp_path, ["诉讼文书卷/审查报告.txt"])
    dossier = await sent(dossier_desk, documents)
    with pytest.raises(FailedPrecondition):
        await dossier_desk.dossiers.FinalizeDossier(finalizing(dossier, documents))
    await correct(dossier_desk, await document_of(dossier_desk, dossier, 0), "B026")
    assert (await dossier_desk.dossiers.FinalizeDossier(finalizing(dossier, documents))).version.name


async def test_the_check_says_what_a_node_lacks_and_what_is_wrong(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    documents = files(
        tmp_path, ["文书卷/起诉意见书.pdf", "文书卷/立案决定书.pdf", "文书卷/拘留证.pdf", "副卷/合议庭评议笔录.pdf"]
    )
    documents[2].path.write_bytes(documents[1].path.read_bytes())
    documents[3].path.write_bytes(b"")
    dossier = await sent(dossier_desk, documents)
    parties = [f"{dossier_desk.case}/parties/{new_id()}" for _ in range(2)]
    answer = await checked(dossier_desk, dossier, "QS001", parties)
    found = [(finding.kind, finding.blocking, finding.type_name, finding.party) for finding in answer.findings]
    assert [(NEVER_CROSSES, True), (EMPTY, True)] == [entry[:2] for entry in found[:2]]
    assert (2, len(found)) == (answer.blocking_count, answer.finding_count)
    lacking = {(name, party) for kind, _, name, party in found if kind == MISSING}
    assert {("犯罪嫌疑人讯问笔录", party) for party in parties} <= lacking
    assert ("卷内文书目录", "") in lacking
    assert not {"起诉意见书", "立案决定书", "拘留证 或 逮捕证(被拘留、逮捕的)"} & {name for name, _ in lacking}
    (twice,) = [finding for finding in answer.findings if finding.kind == DUPLICATE]
    assert await document_of(dossier_desk, dossier, 2) == twice.document
    assert all(finding.detail and finding.remedy for finding in answer.findings)
    assert answer.required_count > 10


async def test_without_a_node_nothing_is_missing(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    answer = await checked(dossier_desk, await sent(dossier_desk, files(tmp_path, ["文书卷/立案决定书.pdf"])))
    assert 0 == answer.required_count
    assert MISSING not in [finding.kind for finding in answer.findings]


async def test_the_check_changes_nothing_and_answers_for_a_version_as_for_its_dossier(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    version = await finalized(dossier_desk, files(tmp_path, ["文书卷/立案决定书.pdf"]))
    dossier = version.name.partition("/versions/")[0]
    of_version, of_dossier = [await checked(dossier_desk, name, "DB001") for name in (version.name, dossier)]
    lacking = [
        [finding for finding in answer.findings if finding.kind == MISSING] for answer in (of_version, of_dossier)
    ]
    assert lacking[0] == lacking[1] != []


async def test_who_may_not_read_a_dossier_learns_nothing_of_it(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    version = await finalized(dossier_desk, files(tmp_path, ["文书卷/立案决定书.pdf"]))
    other = await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    unassigned = await dossier_desk.mesh.metadata(dossier_desk.police, "zhao")
    for parent in (version.name, version.name.partition("/versions/")[0]):
        with pytest.raises(NotFound):
            await checked(dossier_desk, parent, metadata=other)
        with pytest.raises((NotFound, PermissionDenied)):
            await checked(dossier_desk, parent, metadata=unassigned)
    await dossier_desk.grant(version.name)
    assert (await checked(dossier_desk, version.name, "DB001", metadata=other)).required_count


async def test_an_unknown_node_and_what_is_no_dossier_are_refused(dossier_desk: DossierDesk) -> None:
    dossier = await dossier_desk.draft()
    with pytest.raises(NotFound) as caught:
        await checked(dossier_desk, dossier, "QS999")
    assert "NODE_UNKNOWN" == caught.value.reason
    for parent in (f"dossiers/{new_id()}", "dossiers/x", f"{dossier}/versions/{new_id()}"):
        with pytest.raises((NotFound, InvalidArgument)):
            await checked(dossier_desk, parent)


async def test_a_dossier_of_thousands_of_faults_tells_the_first_thousand(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    documents = files(tmp_path, [f"卷一/无名{n}.xyz" for n in range(600)])
    answer = await checked(dossier_desk, await sent(dossier_desk, documents), "DB001")
    assert min(1000, answer.finding_count) == len(answer.findings)
    assert answer.finding_count >= 600
