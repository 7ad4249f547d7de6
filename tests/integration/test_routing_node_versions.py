"""The node catalogue changed by an administrator, provincial overlays, and single tracks, over real mTLS."""

import csv
import io
from typing import Any

import pytest
from google.type.date_pb2 import Date

from casemesh.core.ids import new_id
from casemesh.data import nodes
from casemesh.data.catalogue import NODE_COLUMNS, OVERLAY_COLUMNS, cells_of
from casemesh.errors import (
    CaseMeshError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from casemesh.routing.v1 import collaboration_node_admin_service_pb2 as admin_pb2
from casemesh.routing.v1 import single_track_service_pb2 as track_pb2
from casemesh.routing.v1.collaboration_node_admin_service_pb2_grpc import CollaborationNodeAdminServiceStub
from casemesh.routing.v1.collaboration_node_service_pb2 import GetNodeRequest, ListNodesRequest
from casemesh.routing.v1.exchange_pb2 import PaperRecord
from casemesh.routing.v1.single_track_service_pb2_grpc import SingleTrackServiceStub
from tests.integration.test_routing_preflight import preflight
from tests.support.mesh import Agency, MeshOf
from tests.support.routing import TIMEOUT, ThreeOrgans, running_three_organs

LONG_AGO, FAR_AHEAD = Date(year=2020, month=1, day=1), Date(year=2999, month=1, day=1)
ADDED = {**cells_of(next(node for node in nodes() if node.code == "LA020")), "from_organ": "GA", "to_organ": "JCY"}


def whole(**changes: dict[str, str]) -> bytes:
    """Return the shipped catalogue with some rows changed, or added where there is no such code."""
    rows = {node.code: cells_of(node) for node in nodes()}
    for code, cells in changes.items():
        rows[code] = {**rows.get(code, {}), **cells, "code": code}
    return file_of(rows.values(), NODE_COLUMNS)


def file_of(rows: Any, columns: list[str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


class Administration:
    """The operator's calls."""

    def __init__(self, organs: ThreeOrgans) -> None:
        self.organs = organs
        self.stub = organs.mesh.operator("routing", CollaborationNodeAdminServiceStub)

    async def load(self, content: bytes, **fields: Any) -> admin_pb2.ImportNodeCatalogueResponse:
        request = admin_pb2.ImportNodeCatalogueRequest(
            **{"request_id": new_id(), "csv": content, "effective_from": LONG_AGO, **fields}
        )
        answer = await self.stub.ImportNodeCatalogue(request, timeout=TIMEOUT)
        return admin_pb2.ImportNodeCatalogueResponse.FromString(answer.SerializeToString())

    async def activate(self, version: str) -> admin_pb2.NodeCatalogueVersion:
        request = admin_pb2.ActivateNodeCatalogueRequest(request_id=new_id(), version=version)
        answer = await self.stub.ActivateNodeCatalogue(request, timeout=TIMEOUT)
        return admin_pb2.NodeCatalogueVersion.FromString(answer.version.SerializeToString())

    async def in_force(self, content: bytes, **fields: Any) -> str:
        version = (await self.load(content, **fields)).version.version
        await self.activate(version)
        return version

    async def place(self, agency: Agency, province: str) -> None:
        request = admin_pb2.SetAgencyProvinceRequest(request_id=new_id(), agency=agency.name, province=province)
        await self.stub.SetAgencyProvince(request, timeout=TIMEOUT)

    async def node(self, name: str, agency: Agency) -> Any:
        metadata = await self.organs.as_officer(agency)
        answer = await self.organs.nodes.GetNode(GetNodeRequest(name=name), metadata=metadata, timeout=TIMEOUT)
        return answer.node


async def test_an_administrator_adds_a_node_without_a_release(three_organs: ThreeOrgans) -> None:
    organs, admin = three_organs, Administration(three_organs)
    case = await organs.register()
    before = await organs.submit(case)
    imported = await admin.load(whole(ZZ001=ADDED, QS001={"note": "另有说明"}), note="试行")
    assert [("nodes/QS001", "NODE_CHANGE_KIND_CHANGED"), ("nodes/ZZ001", "NODE_CHANGE_KIND_ADDED")] == [
        (change.node, admin_pb2.NodeChangeKind.Name(change.kind)) for change in imported.changes
    ]
    assert [("note", "另有说明")] == [(cell.column, cell.after) for cell in imported.changes[0].cells]
    # Nothing is in force by an import.
    with pytest.raises(NotFound):
        await organs.submit(case, node="nodes/ZZ001")

    version = imported.version.version
    assert (await admin.activate(version)).state == admin_pb2.NODE_CATALOGUE_STATE_ACTIVE
    exchange = await organs.submit(case, node="nodes/ZZ001")
    assert (version, True) == (exchange.catalogue_version, before.catalogue_version.startswith("shipped-"))
    # What was checked under the version before goes on under it.
    await organs.deliver(organs.procuratorate)
    await organs.assign(case.name, organs.procuratorate)
    answer = await organs.answer(before.name, "nodes/LA002", organs.procuratorate)
    assert answer.catalogue_version == before.catalogue_version
    with pytest.raises(FailedPrecondition) as refusal:
        await admin.activate(version)
    assert refusal.value.reason == "NODE_CATALOGUE_STATE_WRONG"

    compared = await admin.stub.CompareNodeCatalogue(
        admin_pb2.CompareNodeCatalogueRequest(version=version), timeout=TIMEOUT
    )
    assert list(compared.changes) == []
    listed = await admin.stub.ListNodeCatalogues(admin_pb2.ListNodeCataloguesRequest(), timeout=TIMEOUT)
    assert ([version], before.catalogue_version) == (
        [each.version for each in listed.versions],
        listed.shipped_version,
    )
    actions = [event.action for event in await organs.events()]
    assert (1, 1) == (actions.count("node_catalogue.imported"), actions.count("node_catalogue.activated"))


async def test_a_version_waits_for_its_day_and_a_later_one_replaces_it(three_organs: ThreeOrgans) -> None:
    organs, admin = three_organs, Administration(three_organs)
    first = await admin.in_force(whole(QS001={"note": "一"}))
    await admin.in_force(whole(QS001={"note": "尚未"}), effective_from=FAR_AHEAD)
    shown = await admin.node("nodes/QS001", organs.police)
    assert ("一", first) == (shown.note, shown.catalogue_version)
    await admin.in_force(whole(QS001={"note": "二"}), effective_from=Date(year=2020, month=1, day=2))
    assert (await admin.node("nodes/QS001", organs.police)).note == "二"


async def test_a_file_that_breaks_a_rule_is_refused_with_line_and_column(three_organs: ThreeOrgans) -> None:
    admin = Administration(three_organs)
    for content, line, column in (
        (whole(QS001={"from_organ": "NOBODY"}), "", "from_organ"),
        (whole(ZZ001={"name_zh": "只有名称"}), "748", "stage"),
        (b"code,name_zh\nQS001,x\n", "1", "header"),
        (b"\xff\xfe", "1", "line"),
    ):
        with pytest.raises(InvalidArgument) as refusal:
            await admin.load(content)
        assert refusal.value.reason == "NODE_CATALOGUE_INVALID"
        assert column == refusal.value.metadata["column"]
        assert line in ("", refusal.value.metadata["line"])
    assert await three_organs.sql("SELECT 1 FROM node_catalogue") == []
    with pytest.raises(NotFound):
        await admin.activate("nothing")


async def test_a_provinces_overlay_holds_for_its_agencies_alone(three_organs: ThreeOrgans) -> None:
    organs, admin = three_organs, Administration(three_organs)
    overlay = file_of(
        [{"code": "QS001", "name_zh": "移送起诉(闽)", "external_code": "0104A"}, {**ADDED, "code": "FJ001"}],
        OVERLAY_COLUMNS,
    )
    await admin.in_force(overlay, province="35")
    assert (await admin.node("nodes/QS001", organs.police)).external_code == ""
    await admin.place(organs.police, "35")
    shown = await admin.node("nodes/QS001", organs.police)
    assert ("移送起诉(闽)", "0104A", "35") == (shown.title_zh, shown.external_code, shown.province)
    found = await organs.nodes.ListNodes(
        ListNodesRequest(external_code="0104A"), metadata=await organs.as_officer(organs.police), timeout=TIMEOUT
    )
    assert [node.name for node in found.nodes] == ["nodes/QS001"]
    with pytest.raises(NotFound):
        await admin.node("nodes/FJ001", organs.court)
    # It goes to whoever it names, whatever that agency's province is.
    case = await organs.register()
    exchange = await organs.submit(case, node="nodes/FJ001")
    (delivery,) = await organs.deliver(organs.procuratorate)
    assert (exchange, True) == (delivery.exchange, "+" in exchange.catalogue_version)
    await admin.place(organs.police, "")
    assert (await admin.node("nodes/QS001", organs.police)).province == ""


async def test_a_nation_that_breaks_an_overlay_is_not_activated(three_organs: ThreeOrgans) -> None:
    admin = Administration(three_organs)
    await admin.in_force(file_of([{"code": "LA020", "external_code": "0001A"}], OVERLAY_COLUMNS), province="35")
    without = file_of([cells_of(node) for node in nodes() if node.code != "LA020"], NODE_COLUMNS)
    imported = await admin.load(without)
    assert [admin_pb2.NODE_CHANGE_KIND_REMOVED] == [change.kind for change in imported.changes]
    with pytest.raises(InvalidArgument) as refusal:
        await admin.activate(imported.version.version)
    assert refusal.value.reason == "NODE_CATALOGUE_INVALID"


async def test_with_a_second_look_nobody_activates_what_he_imported(mesh_of: MeshOf) -> None:
    async with running_three_organs(mesh_of, own={"routing": {"second_look_on_nodes": True}}) as organs:
        admin = Administration(organs)
        imported = await admin.load(whole())
        with pytest.raises(PermissionDenied) as refusal:
            await admin.activate(imported.version.version)
        assert refusal.value.reason == "SECOND_ADMINISTRATOR_NEEDED"


class Tracks:
    """The calls of agencies' systems about single tracks."""

    def __init__(self, organs: ThreeOrgans) -> None:
        self.organs = organs
        self.stub = organs.mesh.agency_stub("routing", SingleTrackServiceStub)

    async def by(self, agency: Agency) -> dict[str, Any]:
        """Return what a call of an agency's system takes besides its request."""
        return {"metadata": await self.organs.as_system(agency), "timeout": TIMEOUT}

    async def propose(self, agency: Agency, recipient: Agency, **fields: Any) -> track_pb2.SingleTrack:
        request = track_pb2.ProposeSingleTrackRequest(
            **{
                "request_id": new_id(),
                "node": "nodes/LA001",
                "recipient": recipient.name,
                "effective_from": LONG_AGO,
                "basis": "会签通知",
                **fields,
            }
        )
        answer = await self.stub.ProposeSingleTrack(request, **await self.by(agency))
        return track_pb2.SingleTrack.FromString(answer.single_track.SerializeToString())

    async def agree(self, name: str, agency: Agency) -> Any:
        request = track_pb2.AgreeSingleTrackRequest(request_id=new_id(), name=name)
        return (await self.stub.AgreeSingleTrack(request, **await self.by(agency))).single_track

    async def end(self, name: str, agency: Agency) -> Any:
        request = track_pb2.EndSingleTrackRequest(request_id=new_id(), name=name)
        return (await self.stub.EndSingleTrack(request, **await self.by(agency))).single_track

    async def listed(self, agency: Agency) -> list[str]:
        answer = await self.stub.ListSingleTracks(track_pb2.ListSingleTracksRequest(), **await self.by(agency))
        return [track.name for track in answer.single_tracks]


async def test_a_single_track_holds_once_both_have_agreed_and_until_one_ends_it(three_organs: ThreeOrgans) -> None:
    organs, tracks = three_organs, Tracks(three_organs)
    case = await organs.register()
    track = await tracks.propose(organs.police, organs.procuratorate)
    assert (await organs.submit(case)).single_track == ""
    for agency in (organs.police, organs.court):
        with pytest.raises(NotFound):
            await tracks.agree(track.name, agency)
    assert (await tracks.agree(track.name, organs.procuratorate)).state == track_pb2.SINGLE_TRACK_STATE_AGREED
    assert (await organs.submit(case)).single_track == track.name
    assert [track.name] == await tracks.listed(organs.police) == await tracks.listed(organs.procuratorate)
    assert await tracks.listed(organs.court) == []
    # Paper stays possible, says why, and does not claim the agreement.
    paper = PaperRecord(ground="线路故障", handed_over_on=LONG_AGO)
    told = await preflight(organs, case=case.name, parties=[case.parties[0].name], paper=paper)
    assert "PAPER_AGAINST_SINGLE_TRACK" in {finding.reason for finding in told.findings if not finding.blocking}
    assert (await organs.submit(case, paper=paper)).single_track == ""

    with pytest.raises(NotFound):
        await tracks.end(track.name, organs.court)
    await tracks.end(track.name, organs.procuratorate)
    assert (await organs.submit(case)).single_track == ""
    told = [event.details for event in await organs.events() if event.action == "exchange.submitted"]
    assert ["", "yes", "", ""] == [details.get("single_track", "") for details in told]
    for step in (tracks.agree(track.name, organs.procuratorate), tracks.end(track.name, organs.police)):
        with pytest.raises(FailedPrecondition) as refusal:
            await step
        assert (refusal.value.reason, refusal.value.metadata) == ("SINGLE_TRACK_STATE_WRONG", {"state": "ENDED"})


async def test_a_single_track_is_dated_and_there_is_one_at_a_time(three_organs: ThreeOrgans) -> None:
    organs, tracks = three_organs, Tracks(three_organs)
    track = await tracks.propose(organs.police, organs.procuratorate, effective_from=FAR_AHEAD)
    await tracks.agree(track.name, organs.procuratorate)
    assert (await organs.submit(await organs.register())).single_track == ""
    faults: list[tuple[dict[str, Any], str]] = [
        ({}, "SINGLE_TRACK_STATE_WRONG"),
        ({"effective_from": Date(year=2026)}, "FIELD_INVALID"),
        ({"node": "nodes/XX999"}, "NODE_UNKNOWN"),
    ]
    for fields, reason in faults:
        with pytest.raises(CaseMeshError) as refusal:
            await tracks.propose(organs.police, organs.procuratorate, **fields)
        assert reason == refusal.value.reason
    with pytest.raises(InvalidArgument):
        await tracks.propose(organs.police, organs.police)


async def test_a_custody_change_without_a_single_track_asks_for_paper(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    house = organs.court
    case = await organs.register()
    told = await preflight(
        organs, case=case.name, node="nodes/HY001", recipient=house.name, parties=[case.parties[0].name]
    )
    assert "PAPER_REQUIRED" in {finding.reason for finding in told.findings if not finding.blocking}


async def test_only_an_agencys_system_speaks_for_it(three_organs: ThreeOrgans) -> None:
    stub = Tracks(three_organs).stub
    request = track_pb2.EndSingleTrackRequest(request_id=new_id(), name=f"singleTracks/{new_id()}")
    with pytest.raises(PermissionDenied):
        await stub.EndSingleTrack(request, metadata=await three_organs.as_officer(three_organs.police), timeout=TIMEOUT)
