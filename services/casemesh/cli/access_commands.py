"""`casemesh access`: who may see and do what with a case, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli import monitoring_commands, request_commands
from casemesh.cli.access_input import PERMISSIONS, at_time, permission_of, permissions_of
from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.invocation import Invocation, RequestId, command
from casemesh.cli.protection_commands import register

if TYPE_CHECKING:
    from casemesh.identity.v1.case_access_pb2 import CaseAccess

app = typer.Typer(help="Who may see a case, and why.  办案权限。", no_args_is_help=True)
register(app)
request_commands.register(app)
monitoring_commands.register(app)

Officer = Annotated[str, typer.Argument(help="agencies/../officers/..; see `casemesh agency officers`.  人员。")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the log.  理由。")]
WHEN = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]


def print_fact(run: Invocation, access: CaseAccess, message: str) -> None:
    """Print a fact that was begun or ended."""
    from casemesh.cli.message_json import plain

    run.output.result(plain(access), message)


@command(app, "list", example="casemesh access list cases/0199e3f0-...")
async def list_access(run: Invocation, case: CaseName) -> None:
    """List the agencies that take part, your own officers on the case, delegations and seals.  列出权限。"""
    from casemesh.cli.access_tables import FACTS, fact_row
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import access_admin_service_pb2

    request = access_admin_service_pb2.ListCaseAccessRequest(case=case_name(case), page_size=1000)
    async with run.session() as session:
        facts = [fact async for fact in paged(session.access_admin.ListCaseAccess, request, "access")]
    run.output.table([plain(fact) for fact in facts], FACTS, [fact_row(fact, run.output.language) for fact in facts])


@command(app, "assign", example="casemesh access assign cases/0199e3f0-... agencies/.../officers/... --reason 主办")
async def assign(
    run: Invocation, case: CaseName, officer: Officer, reason: Reason = "", request_id: RequestId = ""
) -> None:
    """Assign an officer of your agency to a case.  指派办案人员。"""
    from casemesh.identity.v1 import access_admin_service_pb2

    request = access_admin_service_pb2.AssignOfficerRequest(
        request_id=run.use_request_id(request_id), case=case_name(case), officer=officer, reason=reason
    )
    async with run.session() as session:
        access = (await session.access_admin.AssignOfficer(request)).access
    print_fact(run, access, run.output.text("access.assigned", officer=access.officer))


@command(app, "end", example="casemesh access end cases/0199e3f0-... agencies/.../officers/... --reason 回避")
async def end(
    run: Invocation, case: CaseName, officer: Officer, reason: Reason = "", request_id: RequestId = ""
) -> None:
    """End an officer's assignment at once.  终止指派。"""
    from casemesh.identity.v1 import access_admin_service_pb2

    request = access_admin_service_pb2.EndAssignmentRequest(
        request_id=run.use_request_id(request_id), case=case_name(case), officer=officer, reason=reason
    )
    async with run.session() as session:
        access = (await session.access_admin.EndAssignment(request)).access
    print_fact(run, access, run.output.text("access.ended", officer=access.officer))


@command(
    app,
    "delegate",
    example="casemesh access delegate cases/0199e3f0-... agencies/.../officers/... --may view_dossier --days 3 "
    "--reason 出差",
)
async def delegate(
    run: Invocation,
    case: CaseName,
    officer: Officer,
    may: Annotated[list[str], typer.Option("--may", help=f"{PERMISSIONS}; any number of times.  权限。")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the log.  理由。")],
    days: Annotated[int, typer.Option("--days", min=1, max=30, help="For how many days.  天数。")] = 1,
    request_id: RequestId = "",
) -> None:
    """Pass rights of your assignment on to a colleague, for some days.  委托权限。"""
    from casemesh.identity.v1 import access_admin_service_pb2

    request = access_admin_service_pb2.DelegateAccessRequest(
        request_id=run.use_request_id(request_id),
        case=case_name(case),
        officer=officer,
        permissions=permissions_of(may),
        expire_time=datetime.now(UTC) + timedelta(days=days) - timedelta(minutes=1),
        reason=reason,
    )
    async with run.session() as session:
        access = (await session.access_admin.DelegateAccess(request)).access
    print_fact(run, access, run.output.text("access.delegated", officer=access.officer, fact=access.fact))


@command(app, "end-delegation", example="casemesh access end-delegation cases/0199e3f0-... 0199e3f1-...")
async def end_delegation(
    run: Invocation,
    case: CaseName,
    fact: Annotated[str, typer.Argument(help="The delegation's id.  委托编号。")],
    reason: Reason = "",
    request_id: RequestId = "",
) -> None:
    """Take back what was passed on, at once.  收回委托。"""
    from casemesh.identity.v1 import access_admin_service_pb2

    request = access_admin_service_pb2.EndDelegationRequest(
        request_id=run.use_request_id(request_id), case=case_name(case), fact=fact, reason=reason
    )
    async with run.session() as session:
        access = (await session.access_admin.EndDelegation(request)).access
    print_fact(run, access, run.output.text("access.delegation_ended", officer=access.officer))


@command(
    app, "explain", example="casemesh access explain cases/0199e3f0-... agencies/.../officers/... --may view_dossier"
)
async def explain(
    run: Invocation,
    case: CaseName,
    officer: Annotated[str, typer.Argument(help="An officer of your agency; else its system.  人员。")] = "",
    may: Annotated[str, typer.Option("--may", help=f"{PERMISSIONS}.  权限。")] = "view_case",
) -> None:
    """Say whether an officer may do something with a case, by which rule and fact.  说明权限依据。"""
    from casemesh.cli.access_tables import FACTS, fact_row
    from casemesh.cli.message_json import plain
    from casemesh.identity.v1 import access_admin_service_pb2

    request = access_admin_service_pb2.ExplainAccessRequest(
        case=case_name(case), officer=officer, permission=permission_of(may)
    )
    async with run.session() as session:
        answer = await session.access_admin.ExplainAccess(request)
    language = run.output.language
    rows = [("+", ground.rule, *fact_row(ground.fact, language)) for ground in answer.grounds]
    if not answer.allowed:
        rows = [("", "", *fact_row(fact, language)) for fact in answer.facts]
        rows += [("-", rule, *[""] * len(FACTS)) for rule in answer.forbidden_by]
    run.output.table(plain(answer), ("", "RULE 规则", *FACTS), rows)
    if not run.output.as_json:
        run.output.notice("access.allowed" if answer.allowed else "access.denied", permission=may)


@command(app, "viewers", example="casemesh access viewers cases/0199e3f0-... --at 2026-03-01T08:00:00Z")
async def viewers(
    run: Invocation,
    case: CaseName,
    at: Annotated[
        datetime | None, typer.Option("--at", formats=WHEN, help="At which moment (UTC); else now.  时间。")
    ] = None,
) -> None:
    """List who could see a case, or its progress, at a time.  某时可查看案件的人员。"""
    from casemesh.cli.access_tables import permission_names
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import access_admin_service_pb2

    request = access_admin_service_pb2.ListCaseViewersRequest(case=case_name(case), time=at_time(at), page_size=1000)
    async with run.session() as session:
        found = [viewer async for viewer in paged(session.access_admin.ListCaseViewers, request, "viewers")]
    run.output.table(
        [plain(viewer) for viewer in found],
        ("WHO 主体", "MAY 权限", "BASIS 依据"),
        [(viewer.officer or viewer.agency, permission_names(viewer.permissions), viewer.basis) for viewer in found],
    )
