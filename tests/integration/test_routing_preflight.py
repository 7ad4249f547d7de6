"""Exchanges before they leave: preflight and drafts, over real mTLS."""

import asyncio
from typing import Any

import pytest
from google.type.date_pb2 import Date

from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, InvalidArgument, NotFound, PermissionDenied
from casemesh.routing.v1 import exchange_draft_service_pb2 as draft_pb2
from casemesh.routing.v1 import exchange_pb2
from casemesh.routing.v1 import exchange_preflight_service_pb2 as preflight_pb2
from casemesh.routing.v1.collaboration_node_service_pb2 import GetNodeChainRequest, GetNodeSchemaRequest
from casemesh.routing.v1.exchange_draft_service_pb2_grpc import ExchangeDraftServiceStub
from casemesh.routing.v1.exchange_pb2 import PaperRecord, PayloadField
from casemesh.routing.v1.exchange_preflight_service_pb2_grpc import ExchangePreflightServiceStub
from tests.support.mesh import Agency
from tests.support.routing import THEFT, TIMEOUT, UNMAPPED, ThreeOrgans, person

TABLES = ("exchange", "delivery", "delivery_counter", "obligation", "receipt", "exchange_draft")


async def preflight(organs: ThreeOrgans, agency: Agency | None = None, **fields: Any) -> Any:
    stub = organs.mesh.agency_stub("routing", ExchangePreflightServiceStub)
    return await stub.PreflightExchange(
        preflight_pb2.PreflightExchangeRequest(
            **{"node": "nodes/LA001", "recipient": organs.procuratorate.name, **fields}
        ),
        metadata=await organs.as_officer(agency or organs.police),
        timeout=TIMEOUT,
    )


async def rows(organs: ThreeOrgans) -> list[int]:
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in TABLES)
    (row,) = await organs.sql(f"SELECT {counts}")
    return list(row)


async def test_preflight_tells_everything_at_once_and_leaves_nothing(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case, other = await organs.register(parties=[person(charges=[UNMAPPED])]), await organs.register()
    before = await rows(organs)
    answer = await preflight(
        organs,
        case=case.name,
        node="nodes/YS037",
        parties=[case.parties[0].name, other.parties[0].name],
        fields=[PayloadField(key="outcom", text="x"), PayloadField(key="judgment_number", text="某号")],
    )
    told = {finding.reason: finding for finding in answer.findings}
    assert {
        "FIELD_UNKNOWN": "PAYLOAD_INVALID",
        "FIELD_MISSING": "PAYLOAD_INVALID",
        "NODE_ORGAN_MISMATCH": "NODE_ORGAN_MISMATCH",
        "PARTY_NOT_OF_CASE": "PARTY_NOT_OF_CASE",
    } == {reason: finding.error_reason for reason, finding in told.items() if finding.blocking}
    assert {"NUMBER_FORM_UNKNOWN", "FIELD_EXPECTED"} <= {name for name, finding in told.items() if not finding.blocking}
    assert all(finding.remedy_zh and finding.remedy_en and finding.field for finding in answer.findings)
    blocking = [finding.blocking for finding in answer.findings]
    assert sorted(blocking, reverse=True) == blocking
    assert answer.blocking_count == sum(blocking)
    assert before == await rows(organs)


async def test_what_passes_preflight_is_submitted_with_the_same_translations(three_organs: ThreeOrgans) -> None:
    case = await three_organs.register(parties=[person(charges=[THEFT, UNMAPPED])])
    asked = {"parties": [case.parties[0].name], "fields": [PayloadField(key="charge", coded=THEFT)]}
    answer = await preflight(three_organs, case=case.name, **asked)
    assert answer.blocking_count == 0
    assert [finding.field for finding in answer.findings if finding.reason == "CODE_UNMAPPED"]
    exchange = await three_organs.submit(case, **asked)
    assert list(exchange.translations) == list(answer.translations)


async def test_submission_refuses_with_what_preflight_told(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register()
    parties = [case.parties[0].name]
    for fields in (
        {"fields": [PayloadField(key="urgent", text="x"), PayloadField(key="a", text="y")]},
        {"recipient": organs.court.name},
        {"node": "nodes/QS001"},
        {"node": "nodes/QS002"},
        {"paper": PaperRecord(ground="线路故障", handed_over_on=Date(year=2999, month=1, day=1))},
    ):
        answer = await preflight(organs, case=case.name, parties=parties, **fields)
        with pytest.raises(CaseMeshError) as refusal:
            await organs.submit(case, **fields)
        assert answer.findings[0].error_reason == refusal.value.reason
        if isinstance(refusal.value, InvalidArgument):
            told = [item.field for item in answer.findings if item.error_reason == refusal.value.reason]
            assert told == [violation.field for violation in refusal.value.violations]


async def test_preflight_is_for_who_may_submit(three_organs: ThreeOrgans) -> None:
    case = await three_organs.register()
    for agency in (three_organs.procuratorate, three_organs.court):
        with pytest.raises(NotFound):
            await preflight(three_organs, agency, case=case.name, parties=[case.parties[0].name])


async def test_what_was_done_on_paper_is_entered_later_and_says_so(three_organs: ThreeOrgans) -> None:
    case = await three_organs.register()
    paper = PaperRecord(ground="线路故障", handed_over_on=Date(year=2026, month=3, day=9), kept_at="案卷第1册")
    exchange = await three_organs.submit(case, paper=paper)
    (delivery,) = await three_organs.deliver(three_organs.procuratorate)
    assert paper == exchange.paper == delivery.exchange.paper
    (event,) = [event for event in await three_organs.events() if event.action == "exchange.submitted"]
    assert event.details["paper"] == "yes"


class Drafts:
    """The drafts of an agency."""

    def __init__(self, organs: ThreeOrgans, agency: Agency) -> None:
        self.organs, self.agency = organs, agency
        self.stub = organs.mesh.agency_stub("routing", ExchangeDraftServiceStub)

    async def by(self) -> dict[str, Any]:
        """Return what a call takes besides its request."""
        return {"metadata": await self.organs.as_officer(self.agency), "timeout": TIMEOUT}

    async def save(self, case: str, **fields: Any) -> exchange_pb2.Exchange:
        request = draft_pb2.SaveExchangeDraftRequest(
            **{"request_id": new_id(), "case": case, "node": "nodes/LA001", **fields}
        )
        return (await self.stub.SaveExchangeDraft(request, **await self.by())).exchange  # type: ignore[no-any-return]

    async def submit(self, name: str, request_id: str = "") -> exchange_pb2.Exchange:
        request = draft_pb2.SubmitExchangeDraftRequest(request_id=request_id or new_id(), exchange=name)
        return (await self.stub.SubmitExchangeDraft(request, **await self.by())).exchange  # type: ignore[no-any-return]

    async def discard(self, name: str) -> str:
        request = draft_pb2.DiscardExchangeDraftRequest(request_id=new_id(), exchange=name)
        return str((await self.stub.DiscardExchangeDraft(request, **await self.by())).exchange)

    async def listed(self, case: str, size: int = 0) -> list[list[str]]:
        pages, token = [], ""
        while True:
            request = draft_pb2.ListExchangeDraftsRequest(case=case, page_size=size, page_token=token)
            page = await self.stub.ListExchangeDrafts(request, **await self.by())
            pages.append([draft.name for draft in page.exchanges])
            if not (token := page.next_page_token):
                return pages


async def test_a_draft_grows_is_submitted_under_its_name_and_is_gone(three_organs: ThreeOrgans) -> None:
    organs, drafts = three_organs, Drafts(three_organs, three_organs.police)
    case = await organs.register()
    draft = await drafts.save(case.name, fields=[PayloadField(key="a", text="not yet right")])
    assert draft.state == exchange_pb2.EXCHANGE_STATE_DRAFT
    with pytest.raises(InvalidArgument):
        await drafts.submit(draft.name)
    grown = await drafts.save(
        case.name, exchange=draft.name, recipient=organs.procuratorate.name, parties=[case.parties[0].name]
    )
    assert draft.name == grown.name
    assert await drafts.listed(case.name) == [[draft.name]]

    request_id = new_id()
    exchange = await drafts.submit(draft.name, request_id)
    assert (draft.name, exchange_pb2.EXCHANGE_STATE_SUBMITTED) == (exchange.name, exchange.state)
    assert exchange == await drafts.submit(draft.name, request_id)
    assert await drafts.listed(case.name) == [[]]
    with pytest.raises(NotFound):
        await drafts.submit(draft.name)
    with pytest.raises(NotFound):
        await drafts.save(case.name, exchange=draft.name)
    (delivery,) = await organs.deliver(organs.procuratorate)
    assert exchange == delivery.exchange


async def test_a_draft_is_its_agencys_alone(three_organs: ThreeOrgans) -> None:
    organs, own = three_organs, Drafts(three_organs, three_organs.police)
    case = await organs.register()
    exchange = await organs.submit(case)
    await organs.deliver(organs.procuratorate)
    await organs.assign(case.name, organs.procuratorate)
    theirs = Drafts(organs, organs.procuratorate)
    draft = await own.save(case.name)
    assert await theirs.listed(case.name) == [[]]
    for name in (draft.name, f"exchanges/{new_id()}"):
        for step in (theirs.submit(name), theirs.discard(name), theirs.save(case.name, exchange=name)):
            with pytest.raises((NotFound, PermissionDenied)):
                await step
        with pytest.raises(NotFound):
            await organs.get(name, organs.procuratorate)
    assert await own.listed(case.name) == [[draft.name]]
    assert exchange.name not in (await own.listed(case.name))[0]


async def test_drafts_are_listed_in_pages_and_discarded(three_organs: ThreeOrgans) -> None:
    drafts = Drafts(three_organs, three_organs.police)
    case = await three_organs.register()
    names = [(await drafts.save(case.name)).name for _ in range(3)]
    assert [names[:2], names[2:]] == await drafts.listed(case.name, 2)
    assert names[1] == await drafts.discard(names[1])
    with pytest.raises(NotFound):
        await drafts.discard(names[1])
    assert [[names[0], names[2]]] == await drafts.listed(case.name)


async def test_of_two_that_submit_one_draft_one_does(three_organs: ThreeOrgans) -> None:
    drafts = Drafts(three_organs, three_organs.police)
    case = await three_organs.register()
    draft = await drafts.save(case.name, recipient=three_organs.procuratorate.name, parties=[case.parties[0].name])
    outcomes = await asyncio.gather(*(drafts.submit(draft.name) for _ in range(3)), return_exceptions=True)
    assert [True, False, False] == sorted((isinstance(each, exchange_pb2.Exchange) for each in outcomes), reverse=True)
    assert {type(each) for each in outcomes if isinstance(each, BaseException)} == {NotFound}


async def test_a_schema_and_a_chain_are_shown(three_organs: ThreeOrgans) -> None:
    metadata = await three_organs.as_officer(three_organs.court)
    answer = await three_organs.nodes.GetNodeSchema(
        GetNodeSchemaRequest(node="nodes/YS037"), metadata=metadata, timeout=TIMEOUT
    )
    assert [field.key for field in answer.schema.fields if field.required] == ["outcome"]
    chain = await three_organs.nodes.GetNodeChain(
        GetNodeChainRequest(node="nodes/QS002"), metadata=metadata, timeout=TIMEOUT
    )
    assert chain.nodes[0].name == "nodes/QS001"
    with pytest.raises(NotFound):
        await three_organs.nodes.GetNodeSchema(
            GetNodeSchemaRequest(node="nodes/XX999"), metadata=metadata, timeout=TIMEOUT
        )
