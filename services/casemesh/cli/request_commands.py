"""The commands of `casemesh access` that ask another agency for access, and that decide on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.access_input import permissions_of
from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.invocation import Invocation, RequestId, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casemesh.identity.v1.access_request_pb2 import AccessRequest

_RIGHTS = "view_progress, view_case or view_dossier; any number of times"
_HEADINGS = (
    "REQUEST 编号",
    "STATE 状态",
    "OFFICER 人员",
    "CASE 案件",
    "RIGHTS 权限",
    "PURPOSE 目的",
    "UNTIL 至",
    "REASON 理由",
)
Request = Annotated[str, typer.Argument(help="The request's id; see `casemesh access pending`.  申请编号。")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the log.  理由。")]
Days = Annotated[int, typer.Option("--days", min=1, max=30, help="For how many days.  天数。")]


def register(app: typer.Typer) -> None:
    """Add the commands to `casemesh access`."""
    command(app, "purposes", example="casemesh access purposes")(purposes)
    command(
        app,
        "request",
        example="casemesh access request cases/0199e3f0-... --agency agencies/... --may view_case --purpose hearing "
        "--reason 庭前核对",
    )(request)
    command(app, "requests", example="casemesh access requests")(requests)
    command(app, "pending", example="casemesh access pending")(pending)
    command(app, "grant", example="casemesh access grant 0199e3f1-... --may view_case --days 3")(grant)
    command(app, "refuse", example="casemesh access refuse 0199e3f1-... --reason 与本案无关")(refuse)
    command(app, "end-grant", example="casemesh access end-grant cases/0199e3f0-... 0199e3f2-... --reason 已查阅完毕")(
        end_grant
    )


def purposes(run: Invocation) -> None:
    """List the purposes for which dossiers and trails are read; needs no connection.  查阅目的种类。"""
    from casemesh.data.viewing_purposes import viewing_purposes

    known = viewing_purposes().values()
    run.output.table(
        [
            {"code": one.code, "zh": one.name_zh, "en": one.name_en, "asks_for_words": one.asks_for_text}
            for one in known
        ],
        ("KIND 种类", "名称", "NAME", "WORDS 须说明"),
        [(one.code, one.name_zh, one.name_en, f"{one.code}:..." if one.asks_for_text else "") for one in known],
    )


async def request(
    run: Invocation,
    case: CaseName,
    agency: Annotated[str, typer.Option("--agency", help="The agency to ask, agencies/...  被申请单位。")],
    may: Annotated[list[str], typer.Option("--may", help=f"{_RIGHTS}.  权限。")],
    purpose: Annotated[str, typer.Option("--purpose", help="Its kind; see `casemesh access purposes`.  目的。")],
    reason: Reason,
    days: Days = 7,
    request_id: RequestId = "",
) -> None:
    """Ask another agency to let you see one of its cases, for some days.  申请查阅外单位案件。"""
    from casemesh.identity.v1 import access_request_service_pb2

    asking = access_request_service_pb2.FileAccessRequestRequest(
        request_id=run.use_request_id(request_id),
        case=case_name(case),
        agency=agency,
        permissions=permissions_of(may),
        purpose=purpose,
        reason=reason,
        until_time=_until(days),
    )
    async with run.session() as session:
        filed = (await session.access_requests.FileAccessRequest(asking)).access_request
    _print(run, filed, run.output.text("access.request_filed", request=filed.request))


async def requests(run: Invocation) -> None:
    """List what you asked for, newest first, and what became of it.  本人的申请。"""
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import access_request_service_pb2

    asking = access_request_service_pb2.ListAccessRequestsRequest(page_size=1000)
    async with run.session() as session:
        own = [one async for one in paged(session.access_requests.ListAccessRequests, asking, "access_requests")]
    _table(run, own)


async def pending(run: Invocation) -> None:
    """List what other agencies' officers ask for and you may decide.  待审批的申请。"""
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import access_decision_service_pb2

    asking = access_decision_service_pb2.ListPendingAccessRequestsRequest(page_size=1000)
    async with run.session() as session:
        waiting = [
            one async for one in paged(session.access_decisions.ListPendingAccessRequests, asking, "access_requests")
        ]
    _table(run, waiting)


async def grant(
    run: Invocation,
    access_request: Request,
    may: Annotated[list[str] | None, typer.Option("--may", help="Less than was asked for.  仅批准部分权限。")] = None,
    days: Annotated[int, typer.Option("--days", min=0, max=30, help="0: as long as asked.  天数, 0 为照申请。")] = 0,
    request_id: RequestId = "",
) -> None:
    """Give what was asked for, or less.  批准申请。"""
    from casemesh.cli.access_tables import instant
    from casemesh.identity.v1 import access_decision_service_pb2

    approving = access_decision_service_pb2.ApproveAccessRequestRequest(
        request_id=run.use_request_id(request_id),
        access_request=access_request,
        permissions=permissions_of(may or []),
        until_time=_until(days) if days else None,
    )
    async with run.session() as session:
        approved = (await session.access_decisions.ApproveAccessRequest(approving)).access_request
    message = run.output.text(
        "access.request_approved",
        officer=approved.officer,
        until=instant(approved.access.valid_until),
        fact=approved.access.fact,
    )
    _print(run, approved, message)


async def refuse(run: Invocation, access_request: Request, reason: Reason, request_id: RequestId = "") -> None:
    """Refuse, with a reason that the asker is told; or leave it, and it expires.  驳回申请。"""
    from casemesh.identity.v1 import access_decision_service_pb2

    refusing = access_decision_service_pb2.RefuseAccessRequestRequest(
        request_id=run.use_request_id(request_id), access_request=access_request, reason=reason
    )
    async with run.session() as session:
        refused = (await session.access_decisions.RefuseAccessRequest(refusing)).access_request
    _print(run, refused, run.output.text("access.request_refused", request=refused.request))


async def end_grant(
    run: Invocation,
    case: CaseName,
    fact: Annotated[str, typer.Argument(help="The grant's id; see `casemesh access list`.  授权编号。")],
    reason: Reason,
    request_id: RequestId = "",
) -> None:
    """Take back at once what was given upon a request.  收回授权。"""
    from casemesh.cli.message_json import plain
    from casemesh.identity.v1 import access_decision_service_pb2

    ending = access_decision_service_pb2.EndAccessGrantRequest(
        request_id=run.use_request_id(request_id), case=case_name(case), fact=fact, reason=reason
    )
    async with run.session() as session:
        access = (await session.access_decisions.EndAccessGrant(ending)).access
    run.output.result(plain(access), run.output.text("access.grant_ended", officer=access.officer))


def _until(days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days) - timedelta(minutes=1)


def _print(run: Invocation, asked: AccessRequest, message: str) -> None:
    from casemesh.cli.message_json import plain

    run.output.result(plain(asked), message)


def _table(run: Invocation, found: Sequence[AccessRequest]) -> None:
    from casemesh.cli.access_tables import instant, permission_names
    from casemesh.cli.message_json import plain
    from casemesh.identity.v1.access_request_pb2 import AccessRequestState

    def state(asked: AccessRequest) -> str:
        name = AccessRequestState.Name(asked.state).removeprefix("ACCESS_REQUEST_STATE_").lower()
        return run.output.text(f"access.state_{name}")

    run.output.table(
        [plain(asked) for asked in found],
        _HEADINGS,
        [
            (
                asked.request,
                state(asked),
                asked.officer,
                asked.case,
                permission_names(asked.access.permissions or asked.permissions),
                asked.purpose,
                instant(asked.access.valid_until if asked.HasField("access") else asked.until_time),
                asked.decide_reason or asked.reason,
            )
            for asked in found
        ],
    )
