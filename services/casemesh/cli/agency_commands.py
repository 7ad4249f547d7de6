"""`casemesh agency`: who takes part, and whom one can name as recipient or officer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.invocation import Failure, Invocation, command

if TYPE_CHECKING:
    from casemesh.client.session import Session
    from casemesh.identity.v1.directory_pb2 import EnrolmentState

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
        ["CODE 代码", "NAME 名称", "ORGAN 类别", "STATE 状态", "AGENCY"],
        [(agency.code, agency.display_name, agency.organ, _state(agency.state), agency.name) for agency in agencies],
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
        ["NAME 姓名", "STATE 状态", "OFFICER"],
        [(officer.display_name, _state(officer.state), officer.name) for officer in officers],
    )


@command(app, "units", example="casemesh agency units")
async def list_units(run: Invocation) -> None:
    """List the units of your own agency.  列出本单位部门。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import directory_service_pb2

    request = directory_service_pb2.ListUnitsRequest(page_size=1000)
    async with run.session() as session:
        units = [unit async for unit in paged(session.directory.ListUnits, request, "units")]
    names = {unit.name: unit.display_name for unit in units}
    run.output.table(
        [plain(unit) for unit in units],
        ["NAME 名称", "ABOVE 上级", "UNIT"],
        [(unit.display_name, names.get(unit.parent, ""), unit.name) for unit in units],
    )


@command(app, "directory", example="casemesh agency directory --out directory.json")
async def directory(
    run: Invocation,
    out: Annotated[Path, typer.Option("--out", help="Where it is kept; an earlier one there is followed up.  文件。")],
    signing_roots: Annotated[
        Path | None, typer.Option("--signing-roots", help="Roots of document signing, PEM.  签名根证书。")
    ] = None,
) -> None:
    """Fetch the signed directory and verify it, from the version kept to the newest.  下载并验证签名目录。"""
    from casemesh.cli.get_dossier import roots_of
    from casemesh.client.signed_directory import fetch_directory
    from casemesh.core.clock import SystemClock
    from casemesh.identity.v1.directory_service_pb2 import DownloadDirectoryRequest
    from casemesh.pki.files import replace_file

    roots = roots_of(run, signing_roots)
    held = out.read_bytes() if out.exists() else None
    async with run.session() as session:

        async def download(version: int) -> bytes:
            parts = session.directory.DownloadDirectory(DownloadDirectoryRequest(version=version))
            return b"".join([part.data async for part in parts])

        envelope, fetched = await fetch_directory(download, roots, held, now=SystemClock().now())
    replace_file(out, envelope)
    plainly = {"path": str(out), "version": fetched.version, "time": fetched.issue_time, "sha256": fetched.sha256}
    said = run.output.text(
        "agency.directory",
        path=out,
        version=fetched.version,
        time=fetched.issue_time,
        agencies=len(fetched.agencies),
    )
    run.output.result({**plainly, "agencies": list(fetched.agencies)}, said)


@command(app, "whoami", example="casemesh agency whoami")
async def whoami(run: Invocation) -> None:
    """Say for whom the profile speaks; fails when the platform does not know it.  当前身份。"""
    async with run.session() as session:
        token = await session.identity()
    run.output.fields(
        {"agency": token.agency, "subject": token.subject, "gateway": session.profile.gateway},
        [("agency 单位", token.agency), ("subject 主体", token.subject), ("gateway 网关", session.profile.gateway)],
    )


@command(app, "renew", example="casemesh agency renew new/tls.csr new/tls.pem")
async def renew(
    run: Invocation,
    request: Annotated[Path, typer.Argument(help="The certificate request, PEM.  证书请求。")],
    certificate: Annotated[Path, typer.Argument(help="The new certificate, PEM.  新证书。")],
) -> None:
    """Register a further certificate of your system; the present one stays valid beside it.  更换证书。"""
    from cryptography.hazmat.primitives.serialization import Encoding

    from casemesh.core.ids import new_id
    from casemesh.identity.v1.enrolment_service_pb2 import RenewCertificateRequest
    from casemesh.pki.errors import PkiError
    from casemesh.pki.requests import read_certificate_der, read_request

    try:
        asked, issued = read_request(request).public_bytes(Encoding.DER), read_certificate_der(certificate)
    except PkiError as error:
        raise Failure(4, "failure.file", message=str(error)) from error
    async with run.session() as session:
        answer = await session.enrolment.RenewCertificate(
            RenewCertificateRequest(request_id=new_id(), certificate_request=asked, certificate=issued)
        )
    renewed = answer.certificate
    until = renewed.expire_time.ToJsonString()
    run.output.fields(
        {"certificate": renewed.name, "until": until}, [("certificate 证书", renewed.name), ("until 有效期至", until)]
    )


def _state(state: EnrolmentState) -> str:
    from casemesh.identity.v1.directory_pb2 import EnrolmentState

    return EnrolmentState.Name(state).removeprefix("ENROLMENT_STATE_").lower()
