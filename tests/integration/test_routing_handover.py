"""Exchanges with a dossier version over real mTLS, with every service behind them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import asyncpg
import pytest

from casemesh.audit.v1 import audit_query_service_pb2 as query_pb2
from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceStub
from casemesh.core.ids import new_id
from casemesh.core.merkle import leaf_hash, root_of
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb2
from casemesh.dossier.v1 import dossier_service_pb2 as dossier_pb2
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceStub
from casemesh.dossier.v1.dossier_service_pb2_grpc import DossierServiceStub
from casemesh.errors import FailedPrecondition, InvalidArgument, NotFound
from casemesh.routing.v1 import exchange_pb2
from casemesh.routing.v1.exchange_pb2 import PayloadField
from tests.support.mesh import Agency
from tests.support.routing import TIMEOUT, ThreeOrgans

PAGE = b"%PDF-1.4 one invented page"


async def finalize(organs: ThreeOrgans, case: str, agency: Agency, page: bytes = PAGE) -> str:
    """Make a dossier of one page, final, and return its version."""
    metadata = await organs.as_officer(agency)
    stub = organs.mesh.agency_stub("dossier", DossierServiceStub)
    created = await stub.CreateDossier(
        dossier_pb2.CreateDossierRequest(request_id=new_id(), case=case, title="诉讼文书卷"),
        metadata=metadata,
        timeout=TIMEOUT,
    )
    digest = hashlib.sha256(page).digest()
    frames = [
        dossier_pb2.UploadFrame(
            header=dossier_pb2.DocumentHeader(
                volume="文书卷", file_name="起诉意见书.pdf", media_type="application/pdf", page_count=1,
                size_bytes=len(page),
            )
        ),
        *([dossier_pb2.UploadFrame(chunk=dossier_pb2.DocumentChunk(data=page))] if page else []),
        dossier_pb2.UploadFrame(
            document_finish=dossier_pb2.DocumentFinish(size_bytes=len(page), sha256=digest)
        ),
        dossier_pb2.UploadFrame(
            upload_finish=dossier_pb2.UploadFinish(
                document_count=1, size_bytes=len(page), tree_hash=root_of([leaf_hash(digest)])
            )
        ),
    ]  # fmt: skip

    async def requests() -> AsyncIterator[dossier_pb2.UploadDocumentsRequest]:
        opening = dossier_pb2.UploadOpen(dossier=created.dossier.name, upload_id=new_id())
        yield dossier_pb2.UploadDocumentsRequest(open=opening)
        yield dossier_pb2.UploadDocumentsRequest(frames=frames)

    notices = [
        response.WhichOneof("notice")
        async for response in stub.UploadDocuments(requests(), metadata=metadata, timeout=TIMEOUT)
    ]
    assert "finished" in notices
    final = await stub.FinalizeDossier(
        dossier_pb2.FinalizeDossierRequest(
            request_id=new_id(), dossier=created.dossier.name, document_count=1, page_count=1, size_bytes=len(page)
        ),
        metadata=metadata,
        timeout=TIMEOUT,
    )
    return str(final.version.name)


async def reads(organs: ThreeOrgans, version: str, agency: Agency) -> bool:
    """Say whether an officer of the agency may read the version."""
    stub = organs.mesh.agency_stub("dossier", DossierReadServiceStub)
    try:
        await stub.GetDossierVersion(
            read_pb2.GetDossierVersionRequest(name=version),
            metadata=await organs.as_officer(agency),
            timeout=TIMEOUT,
        )
    except NotFound:
        return False
    return True


async def test_a_dossier_with_a_blocking_finding_does_not_leave(three_organs_with_dossiers: ThreeOrgans) -> None:
    organs = three_organs_with_dossiers
    case = await organs.register()
    empty = await finalize(organs, case.name, organs.police, page=b"")
    with pytest.raises(FailedPrecondition) as caught:
        await organs.submit(case, node="nodes/QS001", dossier_version=empty)
    assert "DOSSIER_INCOMPLETE" == caught.value.reason
    assert "FINDING_KIND_EMPTY" == caught.value.metadata["finding"]
    assert [] == await organs.deliver(organs.procuratorate)
    assert not await reads(organs, empty, organs.procuratorate)


async def test_a_dossier_goes_on_from_police_to_procuratorate_to_court(
    three_organs_with_dossiers: ThreeOrgans,
) -> None:
    organs = three_organs_with_dossiers
    police, procuratorate, court = organs.police, organs.procuratorate, organs.court
    case = await organs.register()
    version = await finalize(organs, case.name, police)
    assert not await reads(organs, version, procuratorate)

    transfer = await organs.submit(case, node="nodes/QS001", dossier_version=version)
    (delivery,) = await organs.deliver(procuratorate)
    assert version == delivery.exchange.dossier_version
    await organs.assign(case.name, procuratorate)
    assert await reads(organs, version, procuratorate)
    assert not await reads(organs, version, court)
    await organs.accept(transfer.name, procuratorate, local_number="北湖检诉[2026]1号")

    # What is missing is asked for first; that leaves the transfer open for the note of receipt.
    await organs.answer(transfer.name, "nodes/QS003", procuratorate)
    accepted = await organs.get(transfer.name, police)
    assert accepted.state == exchange_pb2.EXCHANGE_STATE_ACCEPTED
    await organs.answer(transfer.name, "nodes/QS002", procuratorate)
    assert (await organs.get(transfer.name, police)).state == exchange_pb2.EXCHANGE_STATE_ANSWERED

    prosecution = await organs.submit(
        case, procuratorate, node="nodes/YS001", recipient=court.name, dossier_version=version
    )
    await organs.deliver(court)
    await organs.assign(case.name, court)
    assert await reads(organs, version, court)
    await organs.accept(prosecution.name, court)
    await organs.answer(prosecution.name, "nodes/YS002", court)
    judgment = await organs.answer(
        prosecution.name, "nodes/YS037", court, fields=[PayloadField(key="outcome", text="有罪判决")]
    )
    assert (await organs.get(prosecution.name, court)).state == exchange_pb2.EXCHANGE_STATE_ANSWERED
    assert prosecution.name == judgment.answers

    expected = {
        ("case.registered", case.name),
        ("dossier.version.granted", version),
        ("access.participation.added", court.name),
        *((f"exchange.{step}", transfer.name) for step in ("submitted", "delivered", "accepted", "answered")),
        *((f"exchange.{step}", prosecution.name) for step in ("submitted", "delivered", "accepted", "answered")),
    }
    audit = organs.mesh.agency_stub("audit", AuditQueryServiceStub)
    async with asyncio.timeout(TIMEOUT):
        while True:
            trail = await audit.ListCaseEvents(
                query_pb2.ListCaseEventsRequest(case=case.name),
                metadata=await organs.as_officer(police),
                timeout=TIMEOUT,
            )
            logged = b"".join(event.canonical_json for event in trail.events).decode()
            if all(
                f'"action":"{action}"' in logged and f'"resource":"{resource}"' in logged
                for action, resource in expected
            ):
                break
            await asyncio.sleep(0.05)


async def test_a_dossier_of_another_case_or_one_that_is_not_readable_does_not_go_along(
    three_organs_with_dossiers: ThreeOrgans,
) -> None:
    organs = three_organs_with_dossiers
    case, other = await organs.register(), await organs.register()
    version = await finalize(organs, other.name, organs.police)
    with pytest.raises(InvalidArgument) as refusal:
        await organs.submit(case, node="nodes/QS001", dossier_version=version)
    assert [violation.field for violation in refusal.value.violations] == ["dossier_version"]
    with pytest.raises(NotFound):
        await organs.submit(case, node="nodes/QS001", dossier_version=f"dossiers/{new_id()}/versions/{new_id()}")

    # The procuratorate is on the case and reads no dossier that was not handed to it.
    await organs.submit(case)
    await organs.assign(case.name, organs.procuratorate)
    own = await finalize(organs, case.name, organs.police)
    with pytest.raises(NotFound):
        await organs.submit(
            case, organs.procuratorate, node="nodes/YS001", recipient=organs.court.name, dossier_version=own
        )
    with pytest.raises(FailedPrecondition) as missing:
        await organs.submit(case, organs.procuratorate, node="nodes/YS001", recipient=organs.court.name)
    assert missing.value.reason == "DOSSIER_REQUIRED"
    assert len(await organs.sql("SELECT 1 FROM exchange")) == 1


async def test_nothing_is_put_before_an_agency_that_may_not_open_its_dossier_yet(
    three_organs_with_dossiers: ThreeOrgans,
) -> None:
    organs = three_organs_with_dossiers
    case = await organs.register()
    version = await finalize(organs, case.name, organs.police)
    blocker = await asyncpg.connect(organs.mesh.databases["dossier"].owner_dsn)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE request IN ACCESS EXCLUSIVE MODE")
            transfer = await organs.submit(case, node="nodes/QS001", dossier_version=version)
            assert await organs.pull(organs.procuratorate) == []
    finally:
        await blocker.close()
    await organs.assign(case.name, organs.procuratorate)
    await organs.sql("UPDATE obligation SET next_attempt_at = now()")
    async with asyncio.timeout(30):
        while not (deliveries := await organs.deliver(organs.procuratorate)):
            await asyncio.sleep(0.05)
    assert [transfer.name] == [delivery.exchange.name for delivery in deliveries]
    assert await reads(organs, version, organs.procuratorate)
