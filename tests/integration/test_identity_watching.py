"""Reading over real mTLS asks for a purpose, counts against the officer's limits, raises alerts; decoys; marks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import grpc.aio
import pytest

from casemesh.audit.v1 import audit_query_service_pb2 as query_pb
from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceStub
from casemesh.audit.v1.event_pb2 import Event
from casemesh.client.purpose import KIND_KEY, Purpose
from casemesh.core.clock import CHINA
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceStub
from casemesh.errors import CaseMeshError, InvalidArgument, NotFound, ResourceExhausted, from_rpc_error
from casemesh.identity.config import BrowsingConfig
from casemesh.identity.v1.access_monitoring_service_pb2 import AccessAlertRule
from casemesh.identity.v1.access_service_pb2 import CheckAccessRequest, RecordReadingSizeRequest
from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceStub
from casemesh.runtime.config import Size
from tests.support.access import PERMISSIONS, TIMEOUT, Person, actions, add_participation, new_case, refusal, sql
from tests.support.clock import FakeClock
from tests.support.dossiers import AsCaller, DossierDesk, documents_of
from tests.support.mesh import Mesh, MeshOf
from tests.support.pki import COURT, POLICE

EXPLAINED = 1


@dataclass
class Watched:
    """A version of two documents that officer lin reads, and who supervises."""

    desk: DossierDesk
    version: dossier_pb2.DossierVersion
    chief: Person

    @property
    def lin(self) -> Person:
        return Person(self.desk.mesh, self.desk.police, "lin")

    async def reading(self, purpose: Purpose | None) -> Any:
        metadata = [
            (key, value)
            for key, value in await self.desk.mesh.metadata(self.desk.police, "lin")
            if not key.startswith(KIND_KEY)
        ]
        stated = purpose.metadata() if purpose is not None else []
        return AsCaller(self.desk.mesh.agency_stub("dossier", DossierReadServiceStub), [*metadata, *stated])

    def read(self, index: int = 0) -> read_pb.ReadDocumentRequest:
        return read_pb.ReadDocumentRequest(version=self.version.name, document_index=index)

    async def logged(self, action: str) -> list[Any]:
        connection = await asyncpg.connect(self.desk.mesh.databases["audit"].owner_dsn)
        try:
            rows = await connection.fetch("SELECT canonical_json FROM event ORDER BY log_index")
        finally:
            await connection.close()
        events = [json.loads(row["canonical_json"]) for row in rows]
        return [event for event in events if event["action"] == action]


@pytest.fixture
async def watched(dossier_desk: DossierDesk, tmp_path: Path) -> Watched:
    police = dossier_desk.police
    version = await dossier_desk.version(documents_of(tmp_path, [100, 200]))
    await Person(dossier_desk.mesh, police, None).protect.AppointSupervisor(officer=police.officers["zhao"])
    return Watched(dossier_desk, version, Person(dossier_desk.mesh, police, "zhao"))


def kinds(alerts: Any) -> list[str]:
    return [AccessAlertRule.Name(one.rule).removeprefix("ACCESS_ALERT_RULE_") for one in alerts]


async def alerts_of(person: Person, **fields: Any) -> Any:
    return (await person.monitoring.ListAccessAlerts(**fields)).alerts


async def raised(mesh: Mesh) -> list[Event]:
    events = [Event.FromString(row["event"]) for row in await sql(mesh, "SELECT event FROM outbox ORDER BY id")]
    return [event for event in events if event.action == "access.alert.raised"]


@dataclass
class Reader:
    """An officer for whom the dossier service asks before each reading."""

    stub: Any
    metadata: list[tuple[str, str]]

    async def begin(self, case: str) -> Any:
        request = CheckAccessRequest(case=case, permission=PERMISSIONS["VIEW_DOSSIER"], purpose="handling")
        return await self.stub.CheckAccess(request, metadata=self.metadata, timeout=TIMEOUT)

    async def refused(self, case: str) -> ResourceExhausted:
        with pytest.raises(ResourceExhausted) as refused:
            await self.begin(case)
        assert refused.value.reason == "READING_LIMIT_REACHED"
        return refused.value


async def reader_of(person: Person) -> Reader:
    return Reader(AccessServiceStub(person.mesh.channel("identity", "dossier")), await person.relayed())


async def bureau(mesh: Mesh) -> tuple[Person, Person, str]:
    """An officer on a case, the supervisor, and the case."""
    police = await mesh.enrol(POLICE, "GA", ["甲某", "丙某"])
    officer, chief, case = Person(mesh, police, "甲某"), Person(mesh, police, "丙某"), new_case()
    await Person(mesh, police, None).protect.AppointSupervisor(officer=chief.name)
    await add_participation(mesh, case, police, "甲某")
    return officer, chief, case


async def cases_with(person: Person, count: int) -> list[str]:
    found = [new_case() for _ in range(count)]
    for case in found:
        await add_participation(person.mesh, case, person.agency, person.officer or "")
    return found


async def test_content_is_not_read_without_a_purpose_and_the_refusal_names_the_remedy(watched: Watched) -> None:
    silent = await watched.reading(None)
    asked = [silent.ReadDocument(watched.read())]
    asked += [
        anext(aiter(stream))
        for stream in (
            silent.DownloadManifest(read_pb.DownloadManifestRequest(version=watched.version.name)),
            silent.DownloadDocuments(read_pb.DownloadDocumentsRequest(version=watched.version.name)),
            silent.DownloadArchive(read_pb.DownloadArchiveRequest(version=watched.version.name)),
        )
    ]
    audit = AsCaller(watched.desk.mesh.agency_stub("audit", AuditQueryServiceStub), silent._metadata)
    asked.append(audit.ListCaseEvents(query_pb.ListCaseEventsRequest(case=watched.desk.case)))
    for call in asked:
        with pytest.raises((CaseMeshError, grpc.aio.AioRpcError)) as refused:
            await call
        error = refused.value if isinstance(refused.value, CaseMeshError) else from_rpc_error(refused.value)
        assert (InvalidArgument, "PURPOSE_MISSING") == (type(error), error.reason)
        assert "handling" in error.metadata["kinds"]
        assert KIND_KEY in error.message
    # Lists and facts show no content.
    await silent.ListDossiers(read_pb.ListDossiersRequest(case=watched.desk.case))
    assert [] == await watched.logged("dossier.version.read")
    assert [] == await sql(watched.desk.mesh, "SELECT 1 FROM reading")


async def test_the_event_of_a_reading_has_its_purpose_and_the_identifier_it_was_counted_under(
    watched: Watched,
) -> None:
    reading = await watched.reading(Purpose("other", "领导交办核查"))
    await reading.ReadDocument(watched.read())
    (event,) = await watched.logged("dossier.version.read")
    assert ("other", "领导交办核查") == (event["details"]["purpose"], event["details"]["purpose_text"])
    (row,) = await sql(watched.desk.mesh, "SELECT id, purpose, case_id FROM reading")
    assert (event["event_id"], "other") == (str(row["id"]), row["purpose"])
    assert watched.desk.case == f"cases/{row['case_id']}"
    audit = AsCaller(watched.desk.mesh.agency_stub("audit", AuditQueryServiceStub), reading._metadata)
    await audit.ListCaseEvents(query_pb.ListCaseEventsRequest(case=watched.desk.case))
    (read,) = await watched.logged("audit.trail.read")
    assert "领导交办核查" == read["details"]["purpose_text"]


async def test_what_a_stream_sent_is_counted_when_it_ends(watched: Watched) -> None:
    reading = await watched.reading(Purpose("handling"))
    request = read_pb.DownloadDocumentsRequest(version=watched.version.name)
    async for _ in reading.DownloadDocuments(request):
        pass
    assert [300] == [row["size_bytes"] for row in await sql(watched.desk.mesh, "SELECT size_bytes FROM reading")]


async def test_readings_beyond_the_limit_of_an_hour_wait_for_the_oldest_to_be_an_hour_ago(mesh_of: MeshOf) -> None:
    browsing = BrowsingConfig(reads_an_hour_alert=3, reads_an_hour=4)
    async with mesh_of("identity", own={"identity": {"browsing": browsing}}) as mesh:
        officer, chief, case = await bureau(mesh)
        reader = await reader_of(officer)
        for _ in range(2):
            assert (await reader.begin(case)).reading
        assert [] == list(await alerts_of(chief))
        for _ in range(2):
            await reader.begin(case)
        (alert,) = await alerts_of(chief)
        assert (["READS_NEARED"], officer.name, "", 3, 3) == (
            kinds([alert]), alert.officer, alert.case, alert.observed_count, alert.limit_count,
        )  # fmt: skip
        refused = await reader.refused(case)
        assert {"limit": "reads_per_hour"} == refused.metadata
        assert refused.retry_after_seconds is not None
        assert 0 < refused.retry_after_seconds <= 3600
        assert ["READS_NEARED", "READS_REACHED"] == kinds(await alerts_of(chief))
        # Looking without reading goes on, and so do others.
        assert (await officer.check(case, "VIEW_DOSSIER")).allowed
        await sql(mesh, "UPDATE reading SET at = at - interval '1 hour'")
        assert (await reader.begin(case)).reading


async def test_a_case_beyond_the_limit_of_a_day_is_refused_and_those_opened_are_read_on(mesh_of: MeshOf) -> None:
    browsing = BrowsingConfig(cases_a_day_alert=2, cases_a_day=2)
    async with mesh_of("identity", own={"identity": {"browsing": browsing}}) as mesh:
        officer, chief, case = await bureau(mesh)
        second, third = await cases_with(officer, 2)
        reader = await reader_of(officer)
        for opened in (case, second, case):
            await reader.begin(opened)
        assert {"limit": "cases_per_day"} == (await reader.refused(third)).metadata
        assert (await reader.begin(second)).reading
        assert ["CASES_NEARED", "CASES_REACHED"] == kinds(await alerts_of(chief))
        assert 4 == len(await sql(mesh, "SELECT 1 FROM reading"))


async def test_bytes_beyond_the_limit_of_a_day_are_refused(mesh_of: MeshOf) -> None:
    browsing = BrowsingConfig(bytes_a_day_alert=Size(100), bytes_a_day=Size(1000))
    async with mesh_of("identity", own={"identity": {"browsing": browsing}}) as mesh:
        officer, chief, case = await bureau(mesh)
        reader = await reader_of(officer)
        first = await reader.begin(case)
        for size in (1, 1000):
            await reader.stub.RecordReadingSize(
                RecordReadingSizeRequest(reading=first.reading, size_bytes=size), timeout=TIMEOUT
            )
        assert {"limit": "bytes_per_day"} == (await reader.refused(case)).metadata
        assert ["BYTES_REACHED"] == kinds(await alerts_of(chief))


async def test_limits_hold_over_replicas_and_for_each_officer_alone(mesh_of: MeshOf) -> None:
    browsing = BrowsingConfig(reads_an_hour_alert=1, reads_an_hour=1)
    async with mesh_of("identity", own={"identity": {"browsing": browsing}}) as mesh:
        officer, chief, case = await bureau(mesh)
        other = Person(mesh, officer.agency, "丙某")
        await add_participation(mesh, case, officer.agency, "丙某")
        # As another replica counts it.
        await sql(
            mesh,
            "INSERT INTO reading (id, agency_id, officer_id, case_id, purpose) VALUES ($1, $2, $3, $4, 'handling')",
            new_id(), officer.agency.name.rpartition("/")[2], officer.name.rpartition("/")[2], case.rpartition("/")[2],
        )  # fmt: skip
        assert (await (await reader_of(other)).begin(case)).reading
        await (await reader_of(officer)).refused(case)
        # Nobody is told of himself.
        assert {officer.name} == {alert.officer for alert in await alerts_of(chief)}


async def test_a_reading_that_is_not_allowed_is_not_counted_and_answers_as_ever(mesh_of: MeshOf) -> None:
    browsing = BrowsingConfig(reads_an_hour_alert=1, reads_an_hour=1)
    async with mesh_of("identity", own={"identity": {"browsing": browsing}}) as mesh:
        _, _, case = await bureau(mesh)
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        judge = await reader_of(Person(mesh, court, "丁某"))
        answers = [await judge.begin(name) for name in (case, new_case(), case)]
        assert [(False, False, "", "", "")] * 3 == [
            (one.allowed, one.visible, one.basis, one.reading, one.through_agency) for one in answers
        ]
        assert [] == await sql(mesh, "SELECT 1 FROM reading")


async def test_a_look_at_a_decoy_raises_one_alert_and_shows_nothing_of_it(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        officer, chief, case = await bureau(mesh)
        other_case = (await cases_with(officer, 1))[0]
        reader = await reader_of(officer)
        plain = await reader.begin(other_case)
        request_id = new_id()
        marked = [await chief.monitoring.MarkDecoy(request_id=request_id, case=case) for _ in range(2)]
        assert marked[0] == marked[1] == await chief.monitoring.MarkDecoy(case=case)
        for look in (reader.begin(case), officer.check(case, "VIEW_CASE"), reader.begin(case)):
            answer = await look
            assert (plain.allowed, plain.visible) == (answer.allowed, answer.visible)
        facts = (await officer.admin.ListCaseAccess(case=case)).access
        assert {1, 2} == {fact.kind for fact in facts}
        assert sorted([case, other_case]) == sorted(await officer.cases("VIEW_CASE"))
        (alert,) = await alerts_of(chief)
        assert (["DECOY_LOOKED_AT"], officer.name, case) == (kinds([alert]), alert.officer, alert.case)
        # Neither the decoy nor the alert is in the trail of the case, which the officer may read.
        events = [Event.FromString(row["event"]) for row in await sql(mesh, "SELECT event FROM outbox ORDER BY id")]
        told = [event for event in events if "decoy" in event.action or "alert" in event.action]
        assert [("access.decoy.marked", ""), ("access.alert.raised", "")] == [(one.action, one.case) for one in told]
        assert not any(case in str(one) for one in told)


async def test_an_attempt_on_a_decoy_that_one_may_not_see_is_told_and_answered_like_any_other(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        _, chief, case = await bureau(mesh)
        court = await mesh.enrol(COURT, "FY", ["丁某", "戊某"])
        judge, court_chief = Person(mesh, court, "丁某"), Person(mesh, court, "戊某")
        await Person(mesh, court, None).protect.AppointSupervisor(officer=court_chief.name)
        await chief.monitoring.MarkDecoy(case=case)
        reader = await reader_of(judge)
        assert await reader.begin(new_case()) == await reader.begin(case)
        assert [(judge.name, case)] == [(one.officer, one.case) for one in await alerts_of(chief)]
        # The officer's own supervisors learn of the officer, not of another agency's decoy.
        assert [(judge.name, "")] == [(one.officer, one.case) for one in await alerts_of(court_chief)]


async def test_who_works_on_a_case_for_another_agency_is_not_watched_by_marking_it_a_decoy(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        officer, chief, case = await bureau(mesh)
        court = await mesh.enrol(COURT, "FY", ["丁某", "戊某"])
        judge, court_chief = Person(mesh, court, "丁某"), Person(mesh, court, "戊某")
        await Person(mesh, court, None).protect.AppointSupervisor(officer=court_chief.name)
        await add_participation(mesh, case, court, "丁某")
        await chief.monitoring.MarkDecoy(case=case)
        await judge.check(case, "VIEW_CASE")
        assert ([], []) == (list(await alerts_of(chief)), list(await alerts_of(court_chief)))
        # Each agency's decoy is one to its own officers, whichever agency marked first.
        await court_chief.monitoring.MarkDecoy(case=case)
        for person in (judge, officer):
            await person.check(case, "VIEW_CASE")
        assert [(judge.name, case)] == [(one.officer, one.case) for one in await alerts_of(court_chief)]
        assert [(officer.name, case)] == [(one.officer, one.case) for one in await alerts_of(chief)]


async def test_a_case_that_is_no_decoy_any_more_raises_nothing(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        officer, chief, case = await bureau(mesh)
        decoy = (await chief.monitoring.MarkDecoy(case=case)).decoy
        assert [decoy] == list((await chief.monitoring.ListDecoys()).decoys)
        assert [] == list((await officer.monitoring.ListDecoys()).decoys)
        ended = [(await chief.monitoring.UnmarkDecoy(case=case)).decoy for _ in range(2)]
        assert ended[0] == ended[1]
        assert ended[0].HasField("valid_until")
        assert [] == list((await chief.monitoring.ListDecoys()).decoys)
        await (await reader_of(officer)).begin(case)
        assert [] == list(await alerts_of(chief))
        for person, name, expected in (
            (officer, case, "PERMISSION_MISSING"),
            (officer, new_case(), "NOT_FOUND"),
            (chief, new_case(), "NOT_FOUND"),
        ):
            assert expected == await refusal(person.monitoring.UnmarkDecoy(case=name))
            assert expected == await refusal(person.monitoring.MarkDecoy(case=name))
        assert ["access.decoy.marked", "access.decoy.unmarked"] == (await actions(mesh))[-2:]


async def test_many_refusals_in_quick_succession_are_told_and_slow_ones_are_not(mesh_of: MeshOf) -> None:
    clock = FakeClock(datetime.now(UTC))
    async with mesh_of("identity", clock=clock, own={"identity": {"browsing": BrowsingConfig(refusals=5)}}) as mesh:
        officer, chief, _ = await bureau(mesh)
        reader = await reader_of(officer)
        for _ in range(8):
            await reader.begin(new_case())
            clock.move(160)
            reader.metadata = await officer.relayed()
        assert [] == list(await alerts_of(chief))
        for _ in range(5):
            await reader.begin(new_case())
        (alert,) = await alerts_of(chief)
        assert (["REFUSALS"], 5) == (kinds([alert]), alert.limit_count)


@pytest.mark.parametrize(("begin", "end", "expected"), [(-1, 1, []), (2, 4, ["UNUSUAL_HOUR"])], ids=["usual", "not"])
async def test_reading_outside_the_usual_hours_is_told_once_a_day(
    mesh_of: MeshOf, begin: int, end: int, expected: list[str]
) -> None:
    clock = FakeClock(datetime.now(UTC))
    local = clock.now().astimezone(CHINA)
    hours = f"{local + timedelta(hours=begin):%H:%M}-{local + timedelta(hours=end):%H:%M}"
    own = {"identity": {"browsing": BrowsingConfig(usual_hours=hours)}}
    async with mesh_of("identity", clock=clock, own=own) as mesh:
        officer, chief, case = await bureau(mesh)
        reader = await reader_of(officer)
        for _ in range(2):
            await reader.begin(case)
        assert expected == kinds(await alerts_of(chief))
        assert len(expected) == len(await raised(mesh))


async def test_an_emergency_is_told_with_its_case(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        officer, chief, case = await bureau(mesh)
        for _ in range(2):
            await officer.protect.BreakGlass(case=case)
        (alert,) = await alerts_of(chief)
        assert (["BREAK_GLASS"], case) == (kinds([alert]), alert.case)


async def test_a_supervisor_says_what_came_of_an_alert_and_others_have_none(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        officer, chief, case = await bureau(mesh)
        court = await mesh.enrol(COURT, "FY", ["丁某"])
        await officer.protect.BreakGlass(case=case)
        await chief.protect.BreakGlass(case=case)
        (alert,) = await alerts_of(chief)
        assert officer.name == alert.officer
        for person in (officer, Person(mesh, court, "丁某")):
            assert [] == list(await alerts_of(person))
            for name in (alert.alert, new_id()):
                resolving = person.monitoring.ResolveAccessAlert(alert=name, resolution=EXPLAINED)
                assert "NOT_FOUND" == await refusal(resolving)
        own = await sql(mesh, "SELECT id FROM access_alert WHERE officer_id = $1", chief.name.rpartition("/")[2])
        resolving = chief.monitoring.ResolveAccessAlert(alert=str(own[0]["id"]), resolution=EXPLAINED)
        assert "NOT_FOUND" == await refusal(resolving)
        fields = {"request_id": new_id(), "alert": alert.alert, "resolution": EXPLAINED}
        first = (await chief.monitoring.ResolveAccessAlert(**fields)).alert
        assert first == (await chief.monitoring.ResolveAccessAlert(**fields)).alert
        assert (EXPLAINED, chief.name) == (first.resolution, first.resolved_by)
        fields["request_id"] = new_id()
        assert "ALERT_RESOLVED" == await refusal(chief.monitoring.ResolveAccessAlert(**fields))
        assert [] == list(await alerts_of(chief))
        assert [first] == list(await alerts_of(chief, include_resolved=True))


async def test_a_mark_leads_back_to_the_reading_and_to_nobody_elses(watched: Watched) -> None:
    mesh, case, version = watched.desk.mesh, watched.desk.case, watched.version.name
    assert "NOTHING_READ" == await refusal(watched.lin.marks.CreateExportMark(case=case, version=version))
    await (await watched.reading(Purpose("hearing"))).ReadDocument(watched.read())
    request_id = new_id()
    first, again = [
        (await watched.lin.marks.CreateExportMark(request_id=request_id, case=case, version=version)).mark
        for _ in range(2)
    ]
    assert first == again
    (event,) = await watched.logged("dossier.version.read")
    assert (event["event_id"], "hearing", "lin", POLICE) == (
        first.reading, first.purpose, first.officer_display_name, first.agency_display_name,
    )  # fmt: skip
    for person in (watched.lin, watched.chief):
        assert first == (await person.marks.GetExportMark(mark=first.mark)).mark
    await add_participation(mesh, case, watched.desk.procuratorate, "chen")
    stranger = Person(mesh, watched.desk.procuratorate, "chen")
    for mark in (first.mark, new_id()):
        with pytest.raises(NotFound):
            await stranger.marks.GetExportMark(mark=mark)
    # Whoever watches over access to the case may ask, of whatever agency.
    await Person(mesh, watched.desk.procuratorate, None).protect.AppointSupervisor(officer=stranger.name)
    assert first == (await stranger.marks.GetExportMark(mark=first.mark)).mark
