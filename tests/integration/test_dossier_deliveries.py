"""Each recipient's state with a version over real mTLS: granted, started, confirmed under a signature, seen by whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casemesh.client import delivery_confirmation
from casemesh.client.dossier_download import download_dossier
from casemesh.client.download_frames import read_stub
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_delivery_service_pb2 as pb
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
from casemesh.dossier.v1.dossier_delivery_service_pb2_grpc import DossierDeliveryServiceStub
from casemesh.errors import FailedPrecondition, NotFound
from tests.integration.test_dossier_versions import actions
from tests.support.dossiers import DossierDesk, documents_of


async def states(deliveries: Any, version: str) -> dict[str, str]:
    answer = await deliveries.ListDeliveries(pb.ListDeliveriesRequest(version=version))
    return {
        item.recipient: dossier_pb2.DeliveryState.Name(item.state).removeprefix("DELIVERY_STATE_")
        for item in answer.deliveries
    }


async def test_a_recipient_goes_from_granted_over_started_to_confirmed(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    version = await dossier_desk.version(documents_of(tmp_path / "sent", [10, 2_000_000]))
    theirs = await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    recipient = dossier_desk.procuratorate.name
    police = dossier_desk.as_caller(DossierDeliveryServiceStub)
    procuratorate = dossier_desk.as_caller(DossierDeliveryServiceStub, theirs)
    assert {} == await states(police, version.name)
    await dossier_desk.grant(version.name)
    assert {recipient: "GRANTED"} == await states(police, version.name)
    reading = dossier_desk.as_caller(read_stub, theirs)
    await reading.ListDocuments(read_pb.ListDocumentsRequest(version=version.name))
    assert {recipient: "GRANTED"} == await states(police, version.name)
    async for _ in reading.DownloadDocuments(read_pb.DownloadDocumentsRequest(version=version.name)):
        assert {recipient: "STARTED"} == await states(police, version.name)
    got = await download_dossier(reading, version.name, tmp_path / "got", dossier_desk.signing_roots)
    request = pb.ConfirmDownloadRequest(
        request_id=new_id(), version=version.name, root_hash=got.manifest.root_hash
    )  # fmt: skip
    first = await procuratorate.ConfirmDownload(request)
    assert first == await procuratorate.ConfirmDownload(request)
    request.request_id = new_id()
    assert first.delivery == (await procuratorate.ConfirmDownload(request)).delivery
    assert 1 == (await actions(dossier_desk)).count("dossier.version.confirmed")
    assert {recipient: "CONFIRMED"} == await states(police, version.name)

    confirmed = delivery_confirmation.verify(first.delivery.confirmation, dossier_desk.signing_roots)
    assert (version.name, dossier_desk.case, recipient, version.root_hash) == (
        confirmed.version, confirmed.case, confirmed.recipient, confirmed.root_hash,
    )  # fmt: skip
    assert dossier_desk.procuratorate.officers["chen"] == confirmed.confirmed_by
    assert first.delivery.confirm_time.ToDatetime(tzinfo=confirmed.confirm_time.tzinfo) == confirmed.confirm_time


async def test_another_root_confirms_nothing(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    version = await dossier_desk.version(documents_of(tmp_path, [10]))
    theirs = await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    await dossier_desk.grant(version.name)
    procuratorate = dossier_desk.as_caller(DossierDeliveryServiceStub, theirs)
    with pytest.raises(FailedPrecondition) as caught:
        await procuratorate.ConfirmDownload(
            pb.ConfirmDownloadRequest(request_id=new_id(), version=version.name, root_hash=bytes(32))
        )
    assert "DOSSIER_ROOT_MISMATCH" == caught.value.reason
    assert {dossier_desk.procuratorate.name: "GRANTED"} == await states(procuratorate, version.name)


async def test_the_maker_sees_all_recipients_and_each_of_them_itself_alone(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    version = await dossier_desk.version(documents_of(tmp_path, [10]))
    theirs = await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    others = sorted(f"agencies/{new_id()}" for _ in range(3))
    for recipient in (*others, dossier_desk.procuratorate.name):
        await dossier_desk.grant(version.name, recipient=recipient)
    police = dossier_desk.as_caller(DossierDeliveryServiceStub)
    assert {*others, dossier_desk.procuratorate.name} == set(await states(police, version.name))
    procuratorate = dossier_desk.as_caller(DossierDeliveryServiceStub, theirs)
    assert {dossier_desk.procuratorate.name: "GRANTED"} == await states(procuratorate, version.name)
    seen: list[str] = []
    request = pb.ListDeliveriesRequest(version=version.name, page_size=3)
    while True:
        page = await police.ListDeliveries(request)
        seen += [item.recipient for item in page.deliveries]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert sorted([*others, dossier_desk.procuratorate.name]) == seen


async def test_who_may_not_read_a_version_confirms_and_learns_nothing(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    version = await dossier_desk.version(documents_of(tmp_path, [10]))
    theirs = await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    unassigned = await dossier_desk.mesh.metadata(dossier_desk.police, "zhao")
    for metadata in (theirs, unassigned):
        deliveries = dossier_desk.as_caller(DossierDeliveryServiceStub, metadata)
        with pytest.raises(NotFound):
            await deliveries.ListDeliveries(pb.ListDeliveriesRequest(version=version.name))
        with pytest.raises(NotFound):
            await deliveries.ConfirmDownload(
                pb.ConfirmDownloadRequest(request_id=new_id(), version=version.name, root_hash=version.root_hash)
            )
