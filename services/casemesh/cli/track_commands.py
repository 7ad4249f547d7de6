"""`casemesh track`: agreements of two agencies to do without paper for a node (单轨)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.agency_commands import agency_name
from casemesh.cli.invocation import Invocation, RequestId, command
from casemesh.cli.node_commands import node_name

if TYPE_CHECKING:
    from casemesh.routing.v1.single_track_service_pb2 import SingleTrack

app = typer.Typer(help="Agree to do without paper for a node.  单轨约定。", no_args_is_help=True)

TrackName = Annotated[str, typer.Argument(help="singleTracks/ID or just the ID.  单轨约定。", metavar="TRACK")]


@command(app, "propose", example="casemesh track propose HY001 --to beihu-detention --from 2026-07-01 --basis 会签通知")
async def propose(
    run: Invocation,
    node: Annotated[str, typer.Argument(help="The node's code, e.g. HY001.  节点代码。")],
    to: Annotated[str, typer.Option("--to", help="The other agency.  对方单位。", metavar="AGENCY")],
    start: Annotated[str, typer.Option("--from", help="The first day, e.g. 2026-07-01.  起始日期。", metavar="DAY")],
    basis: Annotated[str, typer.Option("--basis", help="The joint notice it rests on.  依据。")],
    request_id: RequestId = "",
) -> None:
    """Propose, as the agency's system, that its exchanges of a node replace the paper.  提议单轨。"""
    from casemesh.cli.payload_fields import parse_date
    from casemesh.routing.v1 import single_track_service_pb2 as pb2

    request = pb2.ProposeSingleTrackRequest(
        request_id=run.use_request_id(request_id),
        node=node_name(node),
        effective_from=parse_date(start),
        basis=basis,
    )
    async with run.session(as_system=True) as session:
        request.recipient = await agency_name(session, to)
        _print(run, (await session.single_tracks.ProposeSingleTrack(request)).single_track)


@command(app, "agree", example="casemesh track agree singleTracks/0199e3f0-...")
async def agree(run: Invocation, track: TrackName, request_id: RequestId = "") -> None:
    """Agree to what was proposed to your agency.  同意单轨。"""
    from casemesh.routing.v1 import single_track_service_pb2 as pb2

    request = pb2.AgreeSingleTrackRequest(request_id=run.use_request_id(request_id), name=_name(track))
    async with run.session(as_system=True) as session:
        _print(run, (await session.single_tracks.AgreeSingleTrack(request)).single_track)


@command(app, "end", example="casemesh track end singleTracks/0199e3f0-...")
async def end(run: Invocation, track: TrackName, request_id: RequestId = "") -> None:
    """End an agreement at once: the paper goes along again.  终止单轨。"""
    from casemesh.routing.v1 import single_track_service_pb2 as pb2

    request = pb2.EndSingleTrackRequest(request_id=run.use_request_id(request_id), name=_name(track))
    async with run.session(as_system=True) as session:
        _print(run, (await session.single_tracks.EndSingleTrack(request)).single_track)


@command(app, "list", example="casemesh track list")
async def list_tracks(run: Invocation) -> None:
    """List your agency's agreements and proposals.  列出单轨约定。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import single_track_service_pb2 as pb2

    request = pb2.ListSingleTracksRequest(page_size=1000)
    async with run.session(as_system=True) as session:
        found = [item async for item in paged(session.single_tracks.ListSingleTracks, request, "single_tracks")]
    run.output.table(
        [plain(item) for item in found],
        ["TRACK 约定", "NODE 节点", "STATE 状态", "FROM DAY 起始", "SENDER 发送", "RECIPIENT 接收"],
        [(item.name, item.node, _state(item), _day(item), item.sender, item.recipient) for item in found],
    )


def _name(text: str) -> str:
    return text if "/" in text else f"singleTracks/{text}"


def _state(track: SingleTrack) -> str:
    from casemesh.cli.message_json import enum_name
    from casemesh.routing.v1 import single_track_service_pb2 as pb2

    return enum_name(pb2.SingleTrackState.DESCRIPTOR, track.state)


def _day(track: SingleTrack) -> str:
    day = track.effective_from
    return f"{day.year:04}-{day.month:02}-{day.day:02}"


def _print(run: Invocation, track: SingleTrack) -> None:
    from casemesh.cli.message_json import plain

    run.output.fields(
        plain(track),
        [
            ("track 约定", track.name),
            ("node 节点", track.node),
            ("state 状态", _state(track)),
            ("from day 起始", _day(track)),
            ("sender 发送", track.sender),
            ("recipient 接收", track.recipient),
            ("basis 依据", track.basis),
        ],
    )
