"""`casemeshd enrol`: agencies, their systems and officers, and whether they may act, on a platform of this machine.

Certificates come from the platform's own PKI folder, registrations go to identity as the operator.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from casemesh.client.session import OperatorSession
    from casemesh.identity.v1.directory_pb2 import EnrolmentState, Standing
    from casemesh.local.platform import Addresses
    from casemesh.pki.authority import Pki

app = typer.Typer(help="Enrol agencies, systems and officers.  单位、系统与人员登记。", no_args_is_help=True)

DataFolder = Annotated[Path, typer.Option("--data", help="The running platform's folder.  平台数据目录。")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.  输出 JSON。")]
Parent = Annotated[str, typer.Argument(help="agencies/ID, as `enrol agency` prints it.  单位。", metavar="AGENCY")]

Name = Annotated[str, typer.Argument(help="Resource name, e.g. agencies/ID/officers/ID.  资源名称。", metavar="NAME")]
Reason = Annotated[
    str, typer.Option("--reason", help="Why; it stays in the log, so no personal data.  原因, 不得含个人信息。")
]

Administrator = Annotated[
    str, typer.Option("--as", help="The administrator who acts, see `enrol administrator`.  管理员。")
]


class Level(StrEnum):
    """Where an agency stands in its tree."""

    CENTRAL = "central"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"


Work = Callable[["Addresses", "Pki", "OperatorSession"], Awaitable[dict[str, Any]]]


@app.command(epilog="Example: casemeshd enrol agency beihu-police --name 北湖市公安局 --organ GA")
def agency(
    code: Annotated[str, typer.Argument(help="Its short name: a-z, 0-9 and '-'.  单位代码。")],
    name: Annotated[str, typer.Option("--name", help="What people read.  单位名称。")],
    organ: Annotated[str, typer.Option("--organ", help="Kind of organ, e.g. GA, JCY, FY.  单位类别。")],
    level: Annotated[Level | None, typer.Option("--level", help="central, province, city or county.  层级。")] = None,
    parent: Annotated[str, typer.Option("--parent", help="The agency above it, agencies/ID.  上级单位。")] = "",
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    as_json: JsonFlag = False,
) -> None:
    """Make an agency's CA and register it; the running gateway takes it up.  登记单位。"""
    from casemesh.core.ids import new_id
    from casemesh.identity.v1.directory_admin_service_pb2 import CreateAgencyRequest

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        await asyncio.to_thread(pki.add_agency, code)
        request = CreateAgencyRequest(
            request_id=new_id(),
            code=code,
            display_name=name,
            organ=organ,
            level=f"AGENCY_LEVEL_{level.value.upper()}" if level else None,
            parent=parent,
            authority_certificate=_der(pki.layout.agency(code).certificate),
        )
        made = (await operator.directory_admin.CreateAgency(request)).agency
        return {"agency": made.name, "trust_domain": made.trust_domain}

    _run(data, work, as_json, administrator)


@app.command(epilog="Example: casemeshd enrol system agencies/0199... beihu-police cms --name 办案系统")
def system(
    parent: Parent,
    code: Annotated[str, typer.Argument(help="The agency's short name.  单位代码。")],
    system_name: Annotated[str, typer.Argument(help="The certificate's name: a-z, 0-9 and '-'.  系统代码。")],
    name: Annotated[str, typer.Option("--name", help="What people read.  系统名称。")] = "",
    administrator: Administrator = "",
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
            "registered_as": f"{parent}/certificates/{credential.fingerprint}",
            "gateway": addresses.gateway,
            "signing_roots": str(pki.layout.signing_trust),
        }

    _run(data, work, as_json, administrator)


@app.command(epilog="Example: casemeshd enrol officer agencies/0199... --name 侦查员甲")
def officer(
    parent: Parent,
    name: Annotated[str, typer.Option("--name", help="The officer's name.  姓名。")],
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    as_json: JsonFlag = False,
) -> None:
    """Register an officer.  登记办案人员。"""
    from casemesh.core.ids import new_id
    from casemesh.identity.v1.directory_admin_service_pb2 import CreateOfficerRequest

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        request = CreateOfficerRequest(request_id=new_id(), parent=parent, display_name=name)
        return {"officer": (await operator.directory_admin.CreateOfficer(request)).officer.name}

    _run(data, work, as_json, administrator)


@app.command(epilog="Example: casemeshd enrol unit agencies/0199... --name 刑侦一中队")
def unit(
    parent: Parent,
    name: Annotated[str, typer.Option("--name", help="The unit's name.  部门名称。")],
    above: Annotated[str, typer.Option("--above", help="The unit above it, agencies/ID/units/ID.  上级部门。")] = "",
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    as_json: JsonFlag = False,
) -> None:
    """Register a unit of an agency.  登记内设部门。"""
    from casemesh.core.ids import new_id
    from casemesh.identity.v1.directory_admin_service_pb2 import CreateUnitRequest

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        request = CreateUnitRequest(request_id=new_id(), parent=parent, display_name=name, parent_unit=above)
        return {"unit": (await operator.directory_admin.CreateUnit(request)).unit.name}

    _run(data, work, as_json, administrator)


@app.command(epilog="Example: casemeshd enrol place agencies/0199.../officers/0199... agencies/0199.../units/0199...")
def place(
    officer: Annotated[str, typer.Argument(help="agencies/ID/officers/ID.  人员。")],
    unit: Annotated[str, typer.Argument(help="agencies/ID/units/ID.  部门。")],
    supervisor: Annotated[bool, typer.Option("--supervisor", help="As its supervisor.  负责人。")] = False,
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    as_json: JsonFlag = False,
) -> None:
    """Put an officer into a unit from now on; the former place ends.  调入部门。"""
    from casemesh.core.ids import new_id
    from casemesh.identity.v1.directory_admin_service_pb2 import PlaceOfficerRequest
    from casemesh.identity.v1.directory_pb2 import UnitRole

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        role = UnitRole.UNIT_ROLE_SUPERVISOR if supervisor else UnitRole.UNIT_ROLE_MEMBER
        request = PlaceOfficerRequest(request_id=new_id(), officer=officer, unit=unit, role=role)
        placed = (await operator.directory_admin.PlaceOfficer(request)).placement
        return {"officer": placed.officer, "unit": placed.unit, "since": placed.valid_from.ToJsonString()}

    _run(data, work, as_json, administrator)


@app.command(epilog="Example: casemeshd enrol administrator liu --data ./data")
def administrator(
    name: Annotated[str, typer.Argument(help="Short name: a-z, 0-9 and '-'.  管理员代码。")],
    data: DataFolder = Path("data"),
    as_json: JsonFlag = False,
) -> None:
    """Make the certificate of one administrator; the log tells administrators apart by it.  管理员证书。"""

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        credential = await asyncio.to_thread(pki.issue_administrator, name)
        return {"administrator": credential.identity, "certificate": str(credential.files.certificate.parent)}

    _run(data, work, as_json)


@app.command(epilog="Example: casemeshd enrol request beihu-police cms --out ./cms")
def request(
    code: Annotated[str, typer.Argument(help="The agency's short name.  单位代码。")],
    client: Annotated[str, typer.Argument(help="Name of the system or workstation.  系统或工作站代码。")],
    out: Annotated[Path, typer.Option("--out", help="Folder for key and request.  输出目录。")],
    workstation: Annotated[bool, typer.Option("--workstation", help="For a workstation.  工作站。")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make a key and a certificate request, where the key is to stay.  生成密钥和证书请求。"""
    from casemesh.pki.errors import PkiError
    from casemesh.pki.names import system_spiffe_id, workstation_spiffe_id
    from casemesh.pki.requests import make_request

    try:
        spiffe_id = (workstation_spiffe_id if workstation else system_spiffe_id)(code, client)
        made = {"request": str(make_request(out, spiffe_id)), "for": spiffe_id}
    except PkiError as error:
        raise _wrong_input(error) from error
    _print(made, as_json)


@app.command(epilog="Example: casemeshd enrol sign beihu-police ./cms/tls.csr --out ./cms/tls.pem")
def sign(
    code: Annotated[str, typer.Argument(help="The agency's short name.  单位代码。")],
    csr: Annotated[Path, typer.Argument(help="The certificate request, PEM.  证书请求。")],
    out: Annotated[Path, typer.Option("--out", help="Where the certificate goes, PEM.  证书文件。")],
    data: DataFolder = Path("data"),
    as_json: JsonFlag = False,
) -> None:
    """Issue a certificate with the CA of an agency that is kept on this machine.  由本机保管的单位 CA 签发证书。"""
    from casemesh.pki.files import replace_file
    from casemesh.pki.requests import read_request

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        from cryptography.hazmat.primitives.serialization import Encoding

        certificate = await asyncio.to_thread(pki.issue_requested, code, read_request(csr))
        replace_file(out, certificate.public_bytes(Encoding.PEM))
        # Whom a client trusts lies beside its certificate.
        replace_file(out.parent / "ca.pem", pki.layout.mesh_trust.read_bytes())
        return {"certificate": str(out), "until": certificate.not_valid_after_utc.isoformat()}

    _run(data, work, as_json)


@app.command(
    epilog="Example: casemeshd enrol register agencies/0199... ./cms/tls.csr ./cms/tls.pem --name 办案系统 --as liu"
)
def register(
    parent: Annotated[str, typer.Argument(help="agencies/ID; for a workstation its officer.  单位或人员。")],
    csr: Annotated[Path, typer.Argument(help="The certificate request, PEM.  证书请求。")],
    certificate: Annotated[Path, typer.Argument(help="The certificate, PEM.  证书。")],
    name: Annotated[str, typer.Option("--name", help="What people read.  系统名称。")] = "",
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    as_json: JsonFlag = False,
) -> None:
    """Register a system or workstation by its certificate request; another administrator must approve.  登记待批准。"""
    from casemesh.core.ids import new_id
    from casemesh.identity.v1 import directory_admin_service_pb2 as admin_pb2

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        asked, issued = _request_der(csr), _der(certificate)
        if "/officers/" in parent:
            desk = await operator.directory_admin.RegisterWorkstation(
                admin_pb2.RegisterWorkstationRequest(
                    request_id=new_id(), officer=parent, certificate_request=asked, certificate=issued
                )
            )
            return {"workstation": desk.workstation.name, "state": _state(desk.workstation.state)}
        made = await operator.directory_admin.RegisterSystem(
            admin_pb2.RegisterSystemRequest(
                request_id=new_id(),
                parent=parent,
                display_name=name or csr.parent.name,
                certificate_request=asked,
                certificate=issued,
            )
        )
        return {"system": made.system.name, "state": _state(made.system.state), "gateway": addresses.gateway}

    _run(data, work, as_json, administrator)


@app.command(epilog="Example: casemeshd enrol approve agencies/0199.../systems/0199... --as zhang")
def approve(
    name: Name, administrator: Administrator = "", data: DataFolder = Path("data"), as_json: JsonFlag = False
) -> None:
    """Approve what another administrator registered; it is active at once.  批准登记。"""
    from casemesh.core.ids import new_id
    from casemesh.identity.v1.directory_admin_service_pb2 import ApproveEnrolmentRequest

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        request = ApproveEnrolmentRequest(request_id=new_id(), name=name)
        return _standing((await operator.directory_admin.ApproveEnrolment(request)).standing)

    _run(data, work, as_json, administrator)


@app.command(epilog="Example: casemeshd enrol suspend agencies/0199.../officers/0199... --reason '停职核查'")
def suspend(
    name: Name,
    reason: Reason,
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    as_json: JsonFlag = False,
) -> None:
    """Stop an agency, system, workstation or officer until it is resumed; open transfers end within 10 s.  暂停。"""
    from casemesh.core.ids import new_id
    from casemesh.identity.v1.directory_admin_service_pb2 import SuspendRequest

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        request = SuspendRequest(request_id=new_id(), name=name, reason=reason)
        return _standing((await operator.directory_admin.Suspend(request)).standing)

    _run(data, work, as_json, administrator)


@app.command(epilog="Example: casemeshd enrol resume agencies/0199.../officers/0199... --reason '核查结束'")
def resume(
    name: Name,
    reason: Reason,
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    as_json: JsonFlag = False,
) -> None:
    """Let what was suspended act again.  恢复。"""
    from casemesh.core.ids import new_id
    from casemesh.identity.v1.directory_admin_service_pb2 import ResumeRequest

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        request = ResumeRequest(request_id=new_id(), name=name, reason=reason)
        return _standing((await operator.directory_admin.Resume(request)).standing)

    _run(data, work, as_json, administrator)


@app.command(epilog="Example: casemeshd enrol revoke agencies/0199.../certificates/3fa1... --reason '密钥遗失'")
def revoke(
    name: Name,
    reason: Reason,
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    as_json: JsonFlag = False,
) -> None:
    """End an agency, system, workstation, officer or one certificate for good.  撤销, 不可恢复。"""
    from casemesh.core.ids import new_id
    from casemesh.identity.v1.directory_admin_service_pb2 import RevokeRequest

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        request = RevokeRequest(request_id=new_id(), name=name, reason=reason)
        return _standing((await operator.directory_admin.Revoke(request)).standing)

    _run(data, work, as_json, administrator)


@app.command(epilog="Example: casemeshd enrol show agencies/0199.../systems/0199...")
def show(
    name: Name, administrator: Administrator = "", data: DataFolder = Path("data"), as_json: JsonFlag = False
) -> None:
    """Show a state, and the certificates of a system or workstation.  查看。"""
    from casemesh.identity.v1.directory_admin_service_pb2 import GetStandingRequest, ListCertificatesRequest

    async def work(addresses: Addresses, pki: Pki, operator: OperatorSession) -> dict[str, Any]:
        admin = operator.directory_admin
        shown = _standing((await admin.GetStanding(GetStandingRequest(name=name))).standing)
        if "/systems/" in name or "/workstations/" in name:
            found = (await admin.ListCertificates(ListCertificatesRequest(holder=name))).certificates
            shown["certificates"] = {certificate.name: _state(certificate.state) for certificate in found}
        return shown

    _run(data, work, as_json, administrator)


def _standing(standing: Standing) -> dict[str, Any]:
    shown = {"name": standing.name, "state": _state(standing.state)}
    if standing.HasField("change_time"):
        shown |= {"since": standing.change_time.ToJsonString(), "reason": standing.reason}
    return shown


def _state(state: EnrolmentState) -> str:
    from casemesh.identity.v1.directory_pb2 import EnrolmentState

    return EnrolmentState.Name(state).removeprefix("ENROLMENT_STATE_").lower()


def _run(data: Path, work: Work, as_json: bool, administrator: str = "") -> None:
    from casemesh.client.session import OperatorSession
    from casemesh.client.trace_context import tracing
    from casemesh.errors import CaseMeshError
    from casemesh.local.platform import PlatformError, running_addresses
    from casemesh.pki.authority import Pki
    from casemesh.pki.errors import PkiError

    async def run() -> dict[str, Any]:
        addresses = running_addresses(data)
        pki = Pki(Path(addresses.pki))
        files = pki.layout.administrator(administrator) if administrator else pki.layout.service("operator")
        certificate = files.certificate.parent
        async with OperatorSession(addresses.services, certificate) as operator:
            return await work(addresses, pki, operator)

    with tracing() as trace:
        try:
            made = asyncio.run(run())
        except (PlatformError, PkiError) as error:
            raise _wrong_input(error) from error
        except CaseMeshError as error:
            typer.echo(f"casemeshd: {error}\ntrace {trace.trace_id}", err=True)
            raise typer.Exit(1) from error
    _print(made, as_json)


def _wrong_input(error: Exception) -> typer.Exit:
    typer.echo(f"casemeshd: {error}", err=True)
    return typer.Exit(4)


def _print(made: dict[str, Any], as_json: bool) -> None:
    typer.echo(json.dumps(made, ensure_ascii=False) if as_json else "\n".join(_lines(made)))


def _request_der(path: Path) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    from casemesh.pki.requests import read_request

    return read_request(path).public_bytes(Encoding.DER)


def _der(path: Path) -> bytes:
    from casemesh.pki.requests import read_certificate_der

    return read_certificate_der(path)


def _lines(made: dict[str, Any]) -> Iterator[str]:
    for key, value in made.items():
        if isinstance(value, dict):
            yield key
            yield from (f"  {name}  {state}" for name, state in value.items())
        else:
            yield f"{key:<14}{value}"
