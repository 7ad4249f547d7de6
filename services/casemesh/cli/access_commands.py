"""`casemesh access`: which officers of your agency work on a case."""

from __future__ import annotations

from typing import Annotated

import typer

from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.invocation import Invocation, RequestId, command

app = typer.Typer(help="Who works on a case.  办案权限。", no_args_is_help=True)

Officer = Annotated[str, typer.Argument(help="agencies/../officers/..; see `casemesh agency officers`.  人员。")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the log.  理由。")]


@command(app, "list", example="casemesh access list cases/0199e3f0-...")
async def list_access(run: Invocation, case: CaseName) -> None:
    """List the agencies that take part, and your own officers on the case.  列出权限。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import access_admin_service_pb2

    request = access_admin_service_pb2.ListCaseAccessRequest(case=case_name(case), page_size=1000)
    async with run.session() as session:
        facts = [fact async for fact in paged(session.access_admin.ListCaseAccess, request, "access")]
    run.output.table(
        [plain(fact) for fact in facts],
        ["WHO 主体", "SINCE 起", "CAUSE 依据"],
        [(fact.officer or fact.agency, fact.valid_from.ToJsonString(), fact.cause) for fact in facts],
    )


@command(app, "assign", example="casemesh access assign cases/0199e3f0-... agencies/.../officers/... --reason 主办")
async def assign(
    run: Invocation, case: CaseName, officer: Officer, reason: Reason = "", request_id: RequestId = ""
) -> None:
    """Assign an officer of your agency to a case.  指派办案人员。"""
    from casemesh.cli.message_json import plain
    from casemesh.identity.v1 import access_admin_service_pb2

    request = access_admin_service_pb2.AssignOfficerRequest(
        request_id=run.use_request_id(request_id), case=case_name(case), officer=officer, reason=reason
    )
    async with run.session() as session:
        access = (await session.access_admin.AssignOfficer(request)).access
    run.output.result(plain(access), run.output.text("access.assigned", officer=access.officer))


@command(app, "end", example="casemesh access end cases/0199e3f0-... agencies/.../officers/... --reason 回避")
async def end(
    run: Invocation, case: CaseName, officer: Officer, reason: Reason = "", request_id: RequestId = ""
) -> None:
    """End an officer's assignment at once.  终止指派。"""
    from casemesh.cli.message_json import plain
    from casemesh.identity.v1 import access_admin_service_pb2

    request = access_admin_service_pb2.EndAssignmentRequest(
        request_id=run.use_request_id(request_id), case=case_name(case), officer=officer, reason=reason
    )
    async with run.session() as session:
        access = (await session.access_admin.EndAssignment(request)).access
    run.output.result(plain(access), run.output.text("access.ended", officer=access.officer))
