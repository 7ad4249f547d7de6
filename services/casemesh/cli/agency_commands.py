"""`casemesh agency`: who takes part, and whom one can name as recipient or officer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from casemesh.cli.invocation import Failure, Invocation, command

if TYPE_CHECKING:
    from casemesh.client.session import Session

app = typer.Typer(help="Agencies and your own officers.  单位与人员。", no_args_is_help=True)


async def agency_name(session: Session, text: str) -> str:
    """Return the resource name of an agency given by name or by code.

    Raises Failure (exit code 3) for a code that no agency has.
    """
    if "/" in text:
        return text
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import directory_service_pb2

    request = directory_service_pb2.ListAgenciesRequest(page_size=1000)
    async for agency in paged(session.directory.ListAgencies, request, "agencies"):
        if agency.code == text:
            return str(agency.name)
    raise Failure(3, "agency.unknown", code=text)


@command(app, "list", example="casemesh agency list")
async def list_agencies(run: Invocation) -> None:
    """List all agencies by code.  列出单位。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import directory_service_pb2

    request = directory_service_pb2.ListAgenciesRequest(page_size=1000)
    async with run.session() as session:
        agencies = [agency async for agency in paged(session.directory.ListAgencies, request, "agencies")]
    run.output.table(
        [plain(agency) for agency in agencies],
        ["CODE 代码", "NAME 名称", "ORGAN 类别", "AGENCY"],
        [(agency.code, agency.display_name, agency.organ, agency.name) for agency in agencies],
    )


@command(app, "officers", example="casemesh agency officers")
async def list_officers(run: Invocation) -> None:
    """List the officers of your own agency.  列出本单位人员。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import directory_service_pb2

    request = directory_service_pb2.ListOfficersRequest(page_size=1000)
    async with run.session() as session:
        officers = [officer async for officer in paged(session.directory.ListOfficers, request, "officers")]
    run.output.table(
        [plain(officer) for officer in officers],
        ["NAME 姓名", "OFFICER"],
        [(officer.display_name, officer.name) for officer in officers],
    )


@command(app, "whoami", example="casemesh agency whoami")
async def whoami(run: Invocation) -> None:
    """Say for whom the profile speaks; fails when the platform does not know it.  当前身份。"""
    async with run.session() as session:
        token = await session.identity()
    run.output.fields(
        {"agency": token.agency, "subject": token.subject, "gateway": session.profile.gateway},
        [("agency 单位", token.agency), ("subject 主体", token.subject), ("gateway 网关", session.profile.gateway)],
    )
