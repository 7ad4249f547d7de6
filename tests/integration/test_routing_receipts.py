"""Receipts over real services: who gets them, and that they verify offline with their place in the log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceStub
from casemesh.client.profile import read_roots
from casemesh.client.receipt_export import export_receipt
from casemesh.client.receipts import ReceiptError, exchange_digest, verify
from casemesh.client.trail_export import export_trail
from casemesh.errors import CaseMeshError, NotFound
from casemesh.routing.v1 import receipt_pb2
from casemesh.routing.v1.receipt_service_pb2 import GetReceiptRequest, ListReceiptsRequest
from casemesh.routing.v1.receipt_service_pb2_grpc import ReceiptServiceStub
from tests.integration.test_routing_handover import finalize
from tests.support.mesh import Agency
from tests.support.routing import TIMEOUT, ThreeOrgans


class WithMetadata:
    """A stub whose calls carry what the gateway and the session would add."""

    def __init__(self, stub: Any, metadata: Any) -> None:
        self._stub = stub
        self._metadata = metadata

    def __getattr__(self, name: str) -> Any:
        def call(request: Any) -> Any:
            return getattr(self._stub, name)(request, metadata=self._metadata, timeout=TIMEOUT)

        return call


async def receipts_of(organs: ThreeOrgans, exchange: str, agency: Agency) -> list[receipt_pb2.Receipt]:
    answer = await organs.mesh.agency_stub("routing", ReceiptServiceStub).ListReceipts(
        ListReceiptsRequest(exchange=exchange), metadata=await organs.as_officer(agency), timeout=TIMEOUT
    )
    return list(answer.receipts)


async def export(organs: ThreeOrgans, name: str, agency: Agency) -> bytes:
    metadata = await organs.as_officer(agency)
    receipts = WithMetadata(organs.mesh.agency_stub("routing", ReceiptServiceStub), metadata)
    audit = WithMetadata(organs.mesh.agency_stub("audit", AuditQueryServiceStub), metadata)
    return await export_receipt(receipts, audit, name)  # type: ignore[arg-type]


async def test_each_step_is_attested_and_verifies_offline_with_its_place_in_the_log(
    three_organs_with_dossiers: ThreeOrgans,
) -> None:
    organs = three_organs_with_dossiers
    police, procuratorate = organs.police, organs.procuratorate
    case = await organs.register()
    version = await finalize(organs, case.name, police)
    submitted = await organs.submit(case, node="nodes/QS001", dossier_version=version)
    (delivery,) = await organs.deliver(procuratorate)
    await organs.assign(case.name, procuratorate)
    for _ in range(2):
        await organs.get(submitted.name, procuratorate)
    await organs.accept(submitted.name, procuratorate)
    await organs.get(submitted.name, police)

    receipts = await receipts_of(organs, submitted.name, police)
    assert receipts == await receipts_of(organs, submitted.name, procuratorate)
    kinds = ["submission", "delivery", "reading", "acceptance"]
    roots = read_roots(organs.mesh.pki.layout.signing_trust)
    verified = [verify(await export(organs, receipt.name, police), roots) for receipt in receipts]
    assert kinds == [each.receipt.kind for each in verified]
    steps = [
        (police.name, police.officers["lin"]),
        (procuratorate.name, procuratorate.system),
        (procuratorate.name, procuratorate.officers["lin"]),
        (procuratorate.name, procuratorate.officers["lin"]),
    ]
    assert steps == [(each.receipt.agency, each.receipt.by) for each in verified]
    assert {exchange_digest(submitted)} == {each.receipt.exchange_sha256 for each in verified}
    assert exchange_digest(submitted) == exchange_digest(delivery.exchange)
    assert {32} == {len(each.receipt.dossier_root) for each in verified}
    assert delivery.name == verified[1].receipt.delivery
    indexes = [each.log_index for each in verified]
    assert indexes == sorted(set(indexes)), "each in the log, in the order of the steps"

    court_case = await organs.register()
    with pytest.raises(NotFound):
        await organs.mesh.agency_stub("routing", ReceiptServiceStub).GetReceipt(
            GetReceiptRequest(name=receipts[0].name), metadata=await organs.as_officer(organs.court), timeout=TIMEOUT
        )
    other = await organs.submit(court_case)
    with pytest.raises(NotFound):
        await export(organs, f"{other.name}/receipts/{receipts[0].name.rpartition('/')[2]}", police)


async def test_a_receipt_altered_in_any_part_is_refused(three_organs_with_dossiers: ThreeOrgans) -> None:
    organs = three_organs_with_dossiers
    case = await organs.register()
    first, second = await organs.submit(case), await organs.submit(case)
    files = []
    for exchange in (first, second):
        (receipt,) = await receipts_of(organs, exchange.name, organs.police)
        files.append(json.loads(await export(organs, receipt.name, organs.police)))
    roots = read_roots(organs.mesh.pki.layout.signing_trust)
    whole, other = files
    assert verify(json.dumps(whole).encode(), roots).log_index is not None

    with pytest.raises(ReceiptError, match="digests differ"):
        verify(json.dumps(whole).encode(), roots, exchange_sha256=exchange_digest(second))
    swapped = {**whole, "log": other["log"]}
    with pytest.raises(ReceiptError, match="of another step"):
        verify(json.dumps(swapped).encode(), roots)

    # Of a chain the signer's certificate alone is vouched for by the roots here; what follows it is not needed.
    for part in (whole["receipt"]["signatures"][0], whole["log"]):
        del part["certificates"][1:]
    text = json.dumps(whole)
    assert verify(text.encode(), roots).log_index is not None
    accepted = []
    for position in range(0, len(text), 41):
        altered = text[:position] + chr(ord(text[position]) ^ 1) + text[position + 1 :]
        try:
            verify(altered.encode(), roots)
        except ReceiptError:
            continue
        accepted.append(text[max(0, position - 20) : position + 20])
    assert accepted == []


async def test_the_trail_names_each_receipt_by_its_digest(three_organs_with_dossiers: ThreeOrgans) -> None:
    organs = three_organs_with_dossiers
    case = await organs.register()
    exchange = await organs.submit(case)
    await organs.deliver(organs.procuratorate)
    receipts = await receipts_of(organs, exchange.name, organs.police)
    await export(organs, receipts[-1].name, organs.police)
    audit = WithMetadata(
        organs.mesh.agency_stub("audit", AuditQueryServiceStub), await organs.as_officer(organs.police)
    )
    try:
        bundle = json.loads(await export_trail(audit, case.name))  # type: ignore[arg-type]
    except CaseMeshError as error:
        raise AssertionError("the police read the trail of their case") from error
    named = {
        entry["event"]["event_id"]: entry["event"]["details"]["receipt_sha256"]
        for entry in bundle["entries"]
        if "receipt_sha256" in entry["event"].get("details", {})
    }
    assert {receipt.event_id for receipt in receipts} == set(named)
