"""`casemeshd enrol`: agencies, their systems and officers, on a platform of this machine.

Certificates come from the platform's own PKI folder, registrations go to identity as the operator.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from casemesh.client.session import OperatorSession
    from casemesh.local.platform import Addresses
    from casemesh.pki.authority import Pki

app = typer.Typer(help="Enrol agencies, systems and officers.  单位、系统与人员登记。", no_args_is_help=True)

DataFolder = Annotated[Path, typer.Option("--data", help="The running platform's folder.  平台数据目录。")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.  输出 JSON。")]
Parent = Annotated[str, typer.Argument(help="agencies/ID, as `enrol agency` prints it.  单位。", metavar="AGENCY")]

Work = Callable[["Addresses", "Pki", "OperatorSession"], Awaitable[dict[str, Any]]]


@app.command(epilog="Example: casemeshd enrol agency beihu-police --name 北湖市公安局 --organ GA")
def agency(
    code: Annotated[str, typer.Argument(help="Its short name: a-z, 0-9 and '-'.  单位代码。")],
    name: Annotated[str, typer.Option("--name", help="What people read.  单位名称。")],
    organ: Annotated[str, typer.Option("--organ", help="Kind of organ, e.g. GA, JCY, FY.  单位类别。")],
    data: DataFolder = Path("data"),
    as_json: JsonFlag = False,
) -> None:
    """Make an agency's CA and register it; the running gateway takes it up.  登记单位。"""
    from casemesh.core.ids import new_id
    from casemesh.identity.v1.directory_admin_service_pb2 import CreateAgencyRequest

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        await asyncio.to_thread(pki.add_agency, code)
        request = CreateAgencyRequest(request_id=new_id(), code=code, display_name=name, organ=organ)
        made = (await operator.directory_admin.CreateAgency(request)).agency
        return {"agency": made.name, "trust_domain": made.trust_domain}

    _run(data, work, as_json)


@app.command(epilog="Example: casemeshd enrol system agencies/0199... beihu-police cms --name 办案系统")
def system(
    parent: Parent,
    code: Annotated[str, typer.Argument(help="The agency's short name.  单位代码。")],
    system_name: Annotated[str, typer.Argument(help="The certificate's name: a-z, 0-9 and '-'.  系统代码。")],
    name: Annotated[str, typer.Option("--name", help="What people read.  系统名称。")] = "",
    data: DataFolder = Path("data"),
    as_json: JsonFlag = False,
) -> None:
    """Make the certificate of an agency's case system and register it.  登记办案系统。"""
    from casemesh.core.ids import new_id
    from casemesh.identity.v1.directory_admin_service_pb2 import CreateSystemRequest

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        credential = await asyncio.to_thread(pki.issue_system, code, system_name)
        request = CreateSystemRequest(
            request_id=new_id(),
            parent=parent,
            display_name=name or system_name,
            certificate_sha256=bytes.fromhex(credential.fingerprint),
        )
        made = (await operator.directory_admin.CreateSystem(request)).system
        return {
            "system": made.name,
            "certificate": str(credential.files.certificate.parent),
            "gateway": addresses.gateway,
            "signing_roots": str(pki.layout.signing_trust),
        }

    _run(data, work, as_json)


@app.command(epilog="Example: casemeshd enrol officer agencies/0199... --name 侦查员甲")
def officer(
    parent: Parent,
    name: Annotated[str, typer.Option("--name", help="The officer's name.  姓名。")],
    data: DataFolder = Path("data"),
    as_json: JsonFlag = False,
) -> None:
    """Register an officer.  登记办案人员。"""
    from casemesh.core.ids import new_id
    from casemesh.identity.v1.directory_admin_service_pb2 import CreateOfficerRequest

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        request = CreateOfficerRequest(request_id=new_id(), parent=parent, display_name=name)
        return {"officer": (await operator.directory_admin.CreateOfficer(request)).officer.name}

    _run(data, work, as_json)


def _run(data: Path, work: Work, as_json: bool) -> None:
    from casemesh.client.session import OperatorSession
    from casemesh.client.trace_context import tracing
    from casemesh.errors import CaseMeshError
    from casemesh.local.platform import PlatformError, running_addresses
    from casemesh.pki.authority import Pki
    from casemesh.pki.errors import PkiError

    async def run() -> dict[str, Any]:
        addresses = running_addresses(data)
        pki = Pki(Path(addresses.pki))
        certificate = pki.layout.service("operator").certificate.parent
        async with OperatorSession(addresses.services, certificate) as operator:
            return await work(addresses, pki, operator)

    with tracing() as trace:
        try:
            made = asyncio.run(run())
        except (PlatformError, PkiError) as error:
            typer.echo(f"casemeshd: {error}", err=True)
            raise typer.Exit(4) from error
        except CaseMeshError as error:
            typer.echo(f"casemeshd: {error}\ntrace {trace.trace_id}", err=True)
            raise typer.Exit(1) from error
    typer.echo(json.dumps(made, ensure_ascii=False) if as_json else "\n".join(f"{k:<14}{v}" for k, v in made.items()))
