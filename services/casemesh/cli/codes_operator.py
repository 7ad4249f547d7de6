"""What the commands of `casemeshd codes` share: the operator's connection and the files that packs come in."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.exit_codes import ExitCode
from casemesh.cli.invocation import Failure

if TYPE_CHECKING:
    from casemesh.translation.v1.translation_admin_service_pb2 import PackSource
    from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceAsyncStub

DataFolder = Annotated[Path, typer.Option("--data", help="The running platform's folder.  平台数据目录。")]
Administrator = Annotated[
    str, typer.Option("--as", help="The administrator who acts, see `enrol administrator`.  管理员。", metavar="NAME")
]
MapName = Annotated[str, typer.Argument(help="The map's identifier.  映射标识。", metavar="MAP")]
Version = Annotated[str, typer.Argument(help="Its version.  版本。", metavar="VERSION")]
Day = Annotated[str, typer.Option("--date", help="As of which day; else today.  日期。", metavar="DAY")]
CsvFile = Annotated[
    Path | None,
    typer.Option("--csv", help="Write all of it for spreadsheets, too.  另存为 CSV。", metavar="FILE"),
]

_MAX_SENT_BYTES = 3 << 20
_MAX_FILE_BYTES = 64 << 20


@asynccontextmanager
async def operating(data: Path, administrator: str) -> AsyncIterator[TranslationAdminServiceAsyncStub]:
    """Connect to the translation service of the platform that runs on `data`. Raises Failure when none does."""
    from casemesh.client.session import OperatorSession
    from casemesh.local.platform import PlatformError, running_addresses
    from casemesh.pki.authority import Pki
    from casemesh.pki.errors import PkiError

    try:
        addresses = running_addresses(data)
        layout = Pki(Path(addresses.pki)).layout
        files = layout.administrator(administrator) if administrator else layout.service("operator")
    except (PlatformError, PkiError) as error:
        raise Failure(ExitCode.INVALID_INPUT, "codes.platform", message=error) from error
    async with OperatorSession(addresses.services, files.certificate.parent) as operator:
        yield operator.translation_admin


def read_pack(file: Path) -> bytes:
    """Return the bytes of a pack's file. Raises Failure for one that is larger than any pack may be."""
    size = file.stat().st_size
    if size > _MAX_FILE_BYTES:
        raise Failure(ExitCode.INVALID_INPUT, "codes.too_large", path=file, size=size, most=_MAX_FILE_BYTES)
    return file.read_bytes()


def pack_message(
    file: Path, content: bytes, statement: Path | None, *, unsigned: bool, draft: bool
) -> tuple[bytes, PackSource]:
    """Return what is sent of a pack and what is said of it; large ones are compressed.

    Raises Failure for one that does not fit into a call.
    """
    from casemesh.translation.v1 import translation_admin_service_pb2 as pb

    compressed = len(content) > _MAX_SENT_BYTES
    sent = gzip.compress(content, mtime=0) if compressed else content
    if len(sent) > _MAX_SENT_BYTES:
        raise Failure(ExitCode.INVALID_INPUT, "codes.too_large", path=file, size=len(sent), most=_MAX_SENT_BYTES)
    source = pb.PackSource(
        format=pb.PACK_FORMAT_JSON if file.suffix == ".json" else pb.PACK_FORMAT_CSV,
        gzip=compressed,
        statement=statement.read_bytes() if statement is not None else b"",
        accept_unsigned=unsigned,
        draft=draft,
    )
    return sent, source


async def is_map(admin: TranslationAdminServiceAsyncStub, identifier: str, version: str) -> bool:
    """Return whether a version that is loaded is of a map. Raises Failure when none of the name is loaded."""
    from casemesh.client.paging import paged
    from casemesh.translation.v1 import translation_admin_service_pb2 as pb

    request = pb.ListVersionsRequest(identifier=identifier, page_size=1000)
    async for each in paged(admin.ListVersions, request, "versions"):
        described: Any = getattr(each, each.WhichOneof("version"))
        if described.version == version:
            return bool(each.WhichOneof("version") == "concept_map")
    raise Failure(ExitCode.NOT_FOUND_OR_DENIED, "codes.no_version", identifier=identifier, version=version)
