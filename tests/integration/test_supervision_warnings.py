"""Warnings over real mTLS: a real exchange that goes past its time raises one, and whom it concerns deal with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from casemesh.audit.v1 import audit_feed_service_pb2 as feed_pb2
from casemesh.audit.v1.audit_feed_service_pb2_grpc import AuditFeedServiceStub
from casemesh.core.ids import new_id
from casemesh.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from casemesh.identity.v1 import case_protection_service_pb2
from casemesh.identity.v1.case_protection_service_pb2_grpc import CaseProtectionServiceStub
from casemesh.routing.v1 import case_facts_service_pb2 as facts_pb2
from casemesh.routing.v1 import case_pb2
from casemesh.routing.v1.case_facts_service_pb2_grpc import CaseFactsServiceStub
from casemesh.runtime.config import Duration
from casemesh.supervision.v1 import supervision_admin_service_pb2 as admin_pb2
from casemesh.supervision.v1 import supervision_service_pb2 as pb2
from casemesh.supervision.v1 import warning_pb2
from casemesh.supervision.v1.supervision_admin_service_pb2_grpc import SupervisionAdminServiceStub
from casemesh.supervision.v1.supervision_service_pb2_grpc import SupervisionServiceStub
from tests.support.clock import FakeClock
from tests.support.mesh import Agency, MeshOf
from tests.support.routing import TIMEOUT, ThreeOrgans, running_three_organs

HOUR = 3600.0
# Guarantee 7 as a rule: an exchange that nobody has stored a day after it was submitted.
UNDELIVERED = "CK072"
# The clock stands still while a case would wait for what else happens in it.
OWN = {"supervision": {"settle": Duration(0)}}


@dataclass
class Watched:
    """The agencies with supervision beside them, on a clock that the test moves."""

    organs: ThreeOrgans
    clock: FakeClock

    def __post_init__(self) -> None:
        self.warnings = self.organs.mesh.agency_stub("supervision", SupervisionServiceStub)
        self.rules = self.organs.mesh.operator("supervision", SupervisionAdminServiceStub)

    def pass_time(self, seconds: float) -> None:
        """Move the clock; tokens of before have ended."""
        self.clock.move(seconds)
        self.organs._metadata.clear()

    async def listed(self, agency: Agency, officer: str | None = "lin", **only: Any) -> list[warning_pb2.Warning]:
        metadata = await (
            self.organs.as_officer(agency, officer) if officer is not None else self.organs.as_system(agency)
        )
        response = await self.warnings.ListWarnings(
            pb2.ListWarningsRequest(**{"rule": UNDELIVERED, **only}), metadata=metadata, timeout=TIMEOUT
        )
        return list(response.warnings)

    async def appears(self, agency: Agency, **only: Any) -> warning_pb2.Warning:
        """Wait for the one warning that an agency sees."""
        async with asyncio.timeout(TIMEOUT):
            while not (found := await self.listed(agency, **only)):
                await asyncio.sleep(0.05)
        (warning,) = found
        return warning

    async def up_to_date(self) -> None:
        """Wait until supervision has followed all that was logged and evaluated all that changed."""
        metadata = await self.organs.as_system(self.organs.police)
        async with asyncio.timeout(TIMEOUT):
            while True:
                status = await self.warnings.GetSupervisionStatus(
                    pb2.GetSupervisionStatusRequest(), metadata=metadata, timeout=TIMEOUT
                )
                waiting = await self.organs.sql("SELECT count(*) AS count FROM outbox WHERE sent_at IS NULL")
                if not waiting[0]["count"] and status.followed_size == status.log_size and not status.waiting_count:
                    return
                await asyncio.sleep(0.05)

    async def got(self, name: str, agency: Agency, officer: str | None = "lin") -> warning_pb2.Warning:
        metadata = await (
            self.organs.as_officer(agency, officer) if officer is not None else self.organs.as_system(agency)
        )
        response = await self.warnings.GetWarning(pb2.GetWarningRequest(name=name), metadata=metadata, timeout=TIMEOUT)
        return response.warning  # type: ignore[no-any-return]

    async def streamed(self, token: str, name: str, state: int) -> pb2.WatchWarningsResponse:
        """Return the first message of a police officer's stream that shows the warning in this state."""
        metadata = await self.organs.as_officer(self.organs.police)
        stream = self.warnings.WatchWarnings(pb2.WatchWarningsRequest(resume_token=token), metadata=metadata)
        try:
            async with asyncio.timeout(TIMEOUT):
                async for message in stream:
                    if message.warning.name == name and message.warning.state == state:
                        return message  # type: ignore[no-any-return]
        finally:
            stream.cancel()
        raise AssertionError("the stream ended")

    async def overdue(self) -> tuple[case_pb2.Case, str]:
        """Return a case and its exchange that was submitted a day and an hour ago and that nobody has stored."""
        case = await self.organs.register()
        exchange = await self.organs.submit(case)
        await self.organs.assign(case.name, self.organs.procuratorate)
        await self.up_to_date()
        self.pass_time(25 * HOUR)
        return case, exchange.name


@asynccontextmanager
async def watched_agencies(mesh_of: MeshOf) -> AsyncIterator[Watched]:
    clock = FakeClock()
    async with running_three_organs(mesh_of, "audit", "supervision", clock=clock, own=OWN) as organs:
        yield Watched(organs, clock)


@pytest.fixture
async def watched(mesh_of: MeshOf) -> AsyncIterator[Watched]:
    async with watched_agencies(mesh_of) as agencies:
        yield agencies


async def only_supervision_is_fed(watched: Watched, case: str) -> None:
    """Hold what the log and routing tell supervision against what they may: to it alone, and nothing that was said."""
    mesh = watched.organs.mesh
    feed_request, facts_request = feed_pb2.FeedEventsRequest(), facts_pb2.GetCaseFactsRequest(case=case)
    for peer in ("routing", "identity", "gateway", "operator", "monitor"):
        with pytest.raises(PermissionDenied):
            await AuditFeedServiceStub(mesh.channel("audit", peer)).FeedEvents(feed_request, timeout=TIMEOUT)
        with pytest.raises(PermissionDenied):
            await CaseFactsServiceStub(mesh.channel("routing", peer)).GetCaseFacts(facts_request, timeout=TIMEOUT)
    page = await AuditFeedServiceStub(mesh.channel("audit", "supervision")).FeedEvents(feed_request, timeout=TIMEOUT)
    assert list(range(len(page.events))) == [fed.log_index for fed in page.events]
    assert {"exchange.submitted", "warning.raised"} <= {fed.event.action for fed in page.events}
    assert [""] * len(page.events) == [fed.event.actor.officer + fed.event.basis for fed in page.events]
    # Of what was said, codes, counts and agencies alone, which figures are counted from.
    told = {
        "node",
        "sender",
        "recipient",
        "paper",
        "single_track",
        "purpose",
        "codes",
        "page_count",
        "stages",
        "agency",
        "rule",
    }
    assert set() == {key for fed in page.events for key in fed.event.details} - told
    facts = CaseFactsServiceStub(mesh.channel("routing", "supervision"))
    told = (await facts.GetCaseFacts(facts_request, timeout=TIMEOUT)).facts
    assert ["DELIVERED"] == [exchange.state for exchange in told.exchanges]
    assert {"GA", "JCY"} == {agency.organ for agency in told.agencies}
    assert "ARRESTED" in {said.value for person in told.persons for said in person.statements}
    assert [] == [
        word for word in ("某甲", "北湖看守所") if word in str(told.SerializeToString().decode(errors="ignore"))
    ]
    with pytest.raises(NotFound):
        await facts.GetCaseFacts(facts_pb2.GetCaseFactsRequest(case=f"cases/{new_id()}"), timeout=TIMEOUT)


async def test_an_exchange_past_its_time_raises_one_warning_for_those_it_concerns_until_it_is_stored(
    watched: Watched,
) -> None:
    organs = watched.organs
    case, exchange = await watched.overdue()
    warning = await watched.appears(organs.police)

    assert (case.name, exchange, UNDELIVERED) == (warning.case, warning.subject, warning.rule)
    assert (warning_pb2.WARNING_STATE_OPEN, warning_pb2.WARNING_STANDING_OVER) == (warning.state, warning.standing)
    assert {organs.police.name, organs.procuratorate.name} == set(warning.concerned)
    assert warning.explanation_zh
    assert warning.explanation_en
    assert [warning.name] == [seen.name for seen in await watched.listed(organs.procuratorate)]
    assert [warning.name] == [seen.name for seen in await watched.listed(organs.police, None)]
    # One who does not work on the case, and an agency that is not on it.
    for agency, officer in ((organs.police, "wu"), (organs.court, "lin"), (organs.court, None)):
        assert [] == await watched.listed(agency, officer)
        for name in (warning.name, f"warnings/{new_id()}"):
            with pytest.raises(NotFound):
                await watched.got(name, agency, officer)

    watched.pass_time(5 * HOUR)
    await watched.up_to_date()
    assert [warning.name] == [seen.name for seen in await watched.listed(organs.police)]
    seen = await watched.streamed("", warning.name, warning_pb2.WARNING_STATE_OPEN)
    await organs.deliver(organs.procuratorate)
    closed = await watched.streamed(seen.resume_token, warning.name, warning_pb2.WARNING_STATE_SUPERSEDED)
    assert closed.warning.close_reason
    assert [] == await watched.listed(organs.police)
    life = (await watched.got(warning.name, organs.police)).moves
    assert ["raised", "superseded"] == [move.kind for move in life]
    await only_supervision_is_fed(watched, case.name)


async def test_an_officer_takes_a_warning_up_gives_it_on_and_says_what_was_done(watched: Watched) -> None:
    organs, stub = watched.organs, watched.warnings
    await watched.overdue()
    warning = await watched.appears(organs.police)
    lin = await organs.as_officer(organs.police)

    def assigning(owner: str) -> pb2.AssignWarningRequest:
        return pb2.AssignWarningRequest(request_id=new_id(), name=warning.name, owner=owner)

    acknowledge = pb2.AcknowledgeWarningRequest(request_id=new_id(), name=warning.name)
    taken = (await stub.AcknowledgeWarning(acknowledge, metadata=lin, timeout=TIMEOUT)).warning
    again = (await stub.AcknowledgeWarning(acknowledge, metadata=lin, timeout=TIMEOUT)).warning
    assert (taken, organs.police.officers["lin"]) == (again, taken.owner)
    with pytest.raises(FailedPrecondition) as refused:
        await stub.AssignWarning(assigning(organs.procuratorate.officers["lin"]), metadata=lin, timeout=TIMEOUT)
    assert "WARNING_OWNER_WRONG" == refused.value.reason
    given = await stub.AssignWarning(assigning(organs.police.officers["wu"]), metadata=lin, timeout=TIMEOUT)
    assert organs.police.officers["wu"] == given.warning.owner
    resolve = pb2.ResolveWarningRequest(request_id=new_id(), name=warning.name, reason="线路已恢复")
    # A system binds nobody.
    with pytest.raises(PermissionDenied):
        await stub.ResolveWarning(resolve, metadata=await organs.as_system(organs.police), timeout=TIMEOUT)
    resolved = (await stub.ResolveWarning(resolve, metadata=lin, timeout=TIMEOUT)).warning
    assert (warning_pb2.WARNING_STATE_RESOLVED, "线路已恢复") == (resolved.state, resolved.close_reason)
    with pytest.raises(FailedPrecondition) as refused:
        await stub.MarkNotApplicable(
            pb2.MarkNotApplicableRequest(request_id=new_id(), name=warning.name, reason="不适用"),
            metadata=lin,
            timeout=TIMEOUT,
        )
    assert ("WARNING_STATE_WRONG", "RESOLVED") == (refused.value.reason, refused.value.metadata["state"])


async def test_what_nobody_takes_up_reaches_supervisors_and_a_changed_rule_is_tried_before_it_holds(
    watched: Watched,
) -> None:
    organs, rules = watched.organs, watched.rules
    await watched.overdue()
    warning = await watched.appears(organs.police)
    await organs.mesh.agency_stub("identity", CaseProtectionServiceStub).AppointSupervisor(
        case_protection_service_pb2.AppointSupervisorRequest(
            request_id=new_id(), officer=organs.police.officers["wu"], reason="督察"
        ),
        metadata=await organs.as_system(organs.police),
        timeout=TIMEOUT,
    )
    assert [] == await watched.listed(organs.police, "wu", escalated=True)
    watched.pass_time(25 * HOUR)
    async with asyncio.timeout(TIMEOUT):
        while not (found := await watched.listed(organs.police, "wu", escalated=True)):
            await asyncio.sleep(0.05)
    assert [warning.name] == [one.name for one in found]
    life = (await watched.got(warning.name, organs.police, "wu")).moves
    assert ["raised", "escalated"] == [move.kind for move in life]

    page = await rules.ListRules(admin_pb2.ListRulesRequest(page_size=3), timeout=TIMEOUT)
    assert (3, True) == (len(page.rules), bool(page.next_page_token))
    rule = (await rules.GetRule(admin_pb2.GetRuleRequest(rule=UNDELIVERED), timeout=TIMEOUT)).rule
    overlay = f'[[rule]]\nid = "{UNDELIVERED}"\nversion = "site-1"\nenabled = false\n'
    tried = await rules.DryRunRules(admin_pb2.DryRunRulesRequest(overlay=overlay), timeout=TIMEOUT)
    assert (0, 1) == (tried.appearing_count, tried.disappearing_count)
    assert [(warning.case, UNDELIVERED)] == [(change.case, change.rule) for change in tried.disappearing]
    assert [warning.name] == [one.name for one in await watched.listed(organs.police)]

    def reviewing(version: str) -> admin_pb2.ReviewRuleRequest:
        return admin_pb2.ReviewRuleRequest(request_id=new_id(), rule=UNDELIVERED, version=version, note="已核")

    with pytest.raises(FailedPrecondition) as refused:
        await rules.ReviewRule(reviewing("none"), timeout=TIMEOUT)
    assert "RULE_VERSION_WRONG" == refused.value.reason
    reviewed = await rules.ReviewRule(reviewing(rule.version), timeout=TIMEOUT)
    assert "operator" == reviewed.rule.reviewed_by
    with pytest.raises(InvalidArgument) as unread:
        await rules.DryRunRules(admin_pb2.DryRunRulesRequest(overlay="not a table"), timeout=TIMEOUT)
    assert "RULES_INVALID" == unread.value.reason
    await rules.ImportRules(
        admin_pb2.ImportRulesRequest(request_id=new_id(), overlay=overlay, note="本地不用"), timeout=TIMEOUT
    )
    gone = await watched.appears(organs.police, states=[warning_pb2.WARNING_STATE_SUPERSEDED])
    assert warning.name == gone.name
