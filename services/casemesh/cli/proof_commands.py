"""`casemesh dossier` for recipients: one ZIP file, deliveries, proofs of single pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casemesh.cli.draft_commands import VersionName
from casemesh.cli.invocation import Invocation, command

SigningRoots = Annotated[
    Path | None, typer.Option("--signing-roots", help="Roots of document signing, PEM.  签名根证书。")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `casemesh dossier`."""
    command(app, "archive", example="casemesh dossier archive dossiers/../versions/.. --out ./卷宗.zip")(_archive)
    command(app, "deliveries", example="casemesh dossier deliveries dossiers/../versions/..")(_deliveries)
    command(app, "prove-page", example="casemesh dossier prove-page ./received --page 3117 --out ./page-3117.json")(
        _prove_page
    )
    command(app, "verify-page", example="casemesh dossier verify-page ./page-3117.json --file ./笔录.pdf")(_verify_page)


async def _archive(
    run: Invocation,
    version: VersionName,
    out: Annotated[Path, typer.Option("--out", help="The file to write.  输出文件。", metavar="ZIP")],
) -> None:
    """Download a version as one ZIP file; goes on where it stopped.  下载为 ZIP 文件。"""
    from casemesh.cli import get_dossier
    from casemesh.cli.transfer_progress import transfer_progress
    from casemesh.client.archive_download import download_archive
    from casemesh.core.units import format_size

    async with run.session() as session:
        facts = await get_dossier.read_version(session, version)
        with transfer_progress(run.output, "progress.get", facts.size_bytes) as advance:
            size = await download_archive(session.dossier_read, version, out, progress=advance)
    run.output.result(
        {"version": version, "file": str(out), "size_bytes": size},
        run.output.text("archive.done", path=out, size=format_size(size)),
    )


async def _deliveries(run: Invocation, version: VersionName) -> None:
    """Show how far each recipient has come; others than the maker see their own.  送达情况。"""
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.client.paging import paged
    from casemesh.dossier.v1 import dossier_delivery_service_pb2 as pb
    from casemesh.dossier.v1 import dossier_pb2

    request = pb.ListDeliveriesRequest(version=version, page_size=1000)
    async with run.session() as session:
        found = [item async for item in paged(session.dossier_delivery.ListDeliveries, request, "deliveries")]
    run.output.table(
        [plain(item) for item in found],
        ["RECIPIENT 接收单位", "STATE 状态", "GRANTED 授权", "STARTED 开始", "CONFIRMED 确认"],
        [
            (
                item.recipient,
                enum_name(dossier_pb2.DeliveryState.DESCRIPTOR, item.state),
                *(
                    getattr(item, field).ToJsonString() if item.HasField(field) else "-"
                    for field in ("grant_time", "start_time", "confirm_time")
                ),
            )
            for item in found
        ],
    )


async def _prove_page(
    run: Invocation,
    folder: Annotated[Path, typer.Argument(help="Where `dossier get` put it.  已下载的目录。", metavar="DIR")],
    page: Annotated[int, typer.Option("--page", help="Of the dossier, or with --document of that.  页码。", min=1)],
    out: Annotated[Path, typer.Option("--out", help="The proof.  证明文件。", metavar="FILE")],
    document: Annotated[
        int | None, typer.Option("--document", help="The document's number, from 0.  文件序号。", min=0)
    ] = None,
    signing_roots: SigningRoots = None,
) -> None:
    """Make a proof that a page is in the version as it was finalised. Needs no connection.  生成页面证明。"""
    from casemesh.cli import get_dossier

    roots = get_dossier.roots_of(run, signing_roots)
    proved = get_dossier.prove_page(folder, roots, document, page, out)
    run.output.result(
        {
            "file": str(out),
            "version": proved.version.version,
            "document_index": proved.document.document_index,
            "page": proved.page,
        },
        run.output.text(
            "proof.made", path=out, page=proved.page, volume=proved.document.volume, name=proved.document.file_name
        ),
    )


async def _verify_page(
    run: Invocation,
    proof: Annotated[Path, typer.Argument(help="The proof.  证明文件。", metavar="FILE")],
    file: Annotated[
        Path | None,
        typer.Option("--file", help="The document, to compare.  待核对的文件。", metavar="FILE"),
    ] = None,
    signing_roots: SigningRoots = None,
) -> None:
    """Verify a proof of a page. Needs no connection, nothing but the signing roots.  离线验证页面证明。"""
    from casemesh.cli import get_dossier
    from casemesh.cli.invocation import Failure
    from casemesh.client.dossier_folder import file_digest
    from casemesh.client.page_proofs import MAX_PROOF_BYTES, verify_proof

    roots = get_dossier.roots_of(run, signing_roots)
    with proof.open("rb") as opened:
        proved = verify_proof(opened.read(MAX_PROOF_BYTES + 1), roots)
    document = proved.document
    if file is not None and file_digest(file, document.document_index) != document.sha256:
        raise Failure(6, "proof.other_file", path=file, name=document.file_name)
    run.output.result(
        {
            "version": proved.version.version,
            "case": proved.version.case,
            "agency": proved.version.agency,
            "finalize_time": proved.version.finalize_time,
            "document_index": document.document_index,
            "volume": document.volume,
            "file_name": document.file_name,
            "sha256": document.sha256.hex(),
            "page": proved.page,
            "page_count": document.page_count,
            "file_compared": file is not None,
            "verified": True,
        },
        run.output.text(
            "proof.holds", page=proved.page, pages=document.page_count, volume=document.volume,
            name=document.file_name, version=proved.version.version, agency=proved.version.agency,
            time=proved.version.finalize_time, digest=document.sha256.hex(),
        ),
    )  # fmt: skip
