"""`casemesh dossier`: send, get, verify and look at dossiers (电子卷宗)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.draft_commands import DossierName, VersionName, dossier_name
from casemesh.cli.invocation import Invocation, PurposeOption, command
from casemesh.cli.proof_commands import SigningRoots

if TYPE_CHECKING:
    from casemesh.client.dossier_folder import VerifiedDossier
    from casemesh.dossier.v1.dossier_pb2 import DossierVersion

app = typer.Typer(help="Send, get and verify dossiers.  电子卷宗。", no_args_is_help=True)


@command(app, "send", example="casemesh dossier send ./卷宗 --case cases/0199e3f0-...")
async def send(
    run: Invocation,
    folder: Annotated[
        Path, typer.Argument(help="Sub-folders are volumes, files documents.  卷宗目录。", metavar="DIR")
    ],
    case: Annotated[str, typer.Option("--case", help="The case.  案件。")],
    title: Annotated[str, typer.Option("--title", help="Its title; else the folder's name.  卷宗名称。")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="A new dossier, whatever was sent before.  重新建卷。")
    ] = False,
    streams: Annotated[int, typer.Option("--streams", help="Side by side.  并行数据流数。", min=1, max=8)] = 1,
    limit_rate: Annotated[
        str, typer.Option("--limit-rate", metavar="SIZE", help="At most so much a second, e.g. 20MB.  每秒上传上限。")
    ] = "",
) -> None:
    """Upload a folder and finalise it. The same command goes on where it stopped.  上传卷宗并定稿。"""
    import asyncio

    from casemesh.cli import get_dossier, send_dossier
    from casemesh.cli.send_journal import journal_path, only_sender, state_folder
    from casemesh.cli.transfer_progress import transfer_progress

    rate = send_dossier.bytes_per_second(limit_rate)
    journal_file = journal_path(state_folder(), run.profile().gateway, case_name(case), folder)
    with only_sender(journal_file):
        journal, found = send_dossier.prepare(folder, case_name(case), title, journal_file, again=again)
        async with run.session() as session:
            if journal.version:
                run.output.notice("send.already", version=journal.version)
                _print_version(run, await get_dossier.read_version(session, journal.version), {"sent_bytes": 0})
                return
            if journal.dossier:
                run.output.notice("send.resuming", dossier=journal.dossier)
            run.output.notice("send.counting")
            documents, unreadable = await asyncio.to_thread(send_dossier.count_pages, found)
            for path in unreadable:
                run.output.notice("send.unreadable", path=path)
            with transfer_progress(run.output, "progress.send", sum(item.size_bytes for item in found)) as advance:
                sent = await send_dossier.send(
                    session, journal, journal_file, documents, lambda progress: advance(progress.committed_bytes),
                    streams=streams, bytes_per_second=rate,
                )  # fmt: skip
    _print_version(run, sent.version, {"sent_bytes": sent.sent_bytes, "upload_seconds": round(sent.upload_seconds, 3)})


@command(app, "get", example="casemesh dossier get dossiers/../versions/.. --to ./received")
async def get(
    run: Invocation,
    version: VersionName,
    to: Annotated[Path, typer.Option("--to", help="Folder to put it in.  存放目录。", metavar="DIR")],
    streams: Annotated[int, typer.Option("--streams", help="Side by side.  并行数据流数。", min=1, max=8)] = 1,
    no_confirm: Annotated[
        bool, typer.Option("--no-confirm", help="Do not confirm that it is held here.  不作送达确认。")
    ] = False,
    marked: Annotated[
        bool, typer.Option("--marked", help="Also copies with your name on every page.  另存带水印的阅卷副本。")
    ] = False,
    purpose: PurposeOption = "",
) -> None:
    """Download a version, verify it page by page, confirm it; goes on where it stopped.  下载卷宗, 逐页验证并确认。"""
    import asyncio

    from casemesh.cli import get_dossier, marked_copies
    from casemesh.cli.transfer_progress import transfer_progress
    from casemesh.client.dossier_download import download_dossier
    from casemesh.client.dossier_folder import verified_pages

    roots = get_dossier.require_roots(run.profile().trusted_roots())
    async with run.session(purpose=purpose) as session:
        facts = await get_dossier.read_version(session, version)
        with transfer_progress(run.output, "progress.get", facts.size_bytes) as advance:
            downloaded = await download_dossier(
                session.dossier_read, version, to, roots, streams=streams,
                progress=lambda progress: advance(progress.received_bytes),
            )  # fmt: skip
        # Digests were compared when the files were written; `verify` reads them again.
        verified = await asyncio.to_thread(verified_pages, downloaded.manifest)
        more: dict[str, Any] = {"received_bytes": downloaded.received_bytes}
        if not no_confirm:
            delivery = await get_dossier.confirm(session, downloaded)
            more["confirm_time"] = delivery.confirm_time.ToJsonString()
        if marked:
            more["marked"] = await marked_copies.make(run, session, to, downloaded.manifest)
    _print_verified(run, to, verified, more)


@command(app, "verify", example="casemesh dossier verify ./received --signing-roots ./signing-ca.pem")
async def verify(
    run: Invocation,
    folder: Annotated[Path, typer.Argument(help="Where `dossier get` put it.  已下载的目录。", metavar="DIR")],
    signing_roots: SigningRoots = None,
) -> None:
    """Verify a downloaded dossier: signature, every document, every page. Needs no connection.  离线验证卷宗。"""
    from casemesh.cli import get_dossier
    from casemesh.client.dossier_folder import DossierFolder

    verified = await get_dossier.verify_pages(DossierFolder(folder), get_dossier.roots_of(run, signing_roots))
    _print_verified(run, folder, verified, {})


@command(app, "list", example="casemesh dossier list cases/0199e3f0-...")
async def list_dossiers(run: Invocation, case: CaseName) -> None:
    """List the dossiers of a case that you may read.  列出卷宗。"""
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.client.paging import paged
    from casemesh.core.units import format_size
    from casemesh.dossier.v1 import dossier_pb2, dossier_read_service_pb2

    request = dossier_read_service_pb2.ListDossiersRequest(case=case_name(case), page_size=1000)
    async with run.session() as session:
        found = [item async for item in paged(session.dossier_read.ListDossiers, request, "dossiers")]
    run.output.table(
        [plain(item) for item in found],
        ["DOSSIER", "TITLE 名称", "STATE 状态", "PAGES 页数", "SIZE 大小", "VERSION 版本"],
        [
            (
                item.name,
                item.title,
                enum_name(dossier_pb2.DossierState.DESCRIPTOR, item.state),
                item.page_count,
                format_size(item.size_bytes),
                item.version or "-",
            )
            for item in found
        ],
    )


@command(app, "status", example="casemesh dossier status dossiers/0199e3f0-...")
async def status(
    run: Invocation,
    dossier: DossierName,
) -> None:
    """Show how much of a dossier has arrived.  查看上传进度。"""
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.client.paging import paged
    from casemesh.core.units import format_size
    from casemesh.dossier.v1 import dossier_pb2, dossier_read_service_pb2, dossier_service_pb2

    name = dossier_name(dossier)
    async with run.session() as session:
        found = (await session.dossier_read.GetDossier(dossier_read_service_pb2.GetDossierRequest(name=name))).dossier
        held = []
        if found.state == dossier_pb2.DOSSIER_STATE_DRAFT:
            request = dossier_service_pb2.QueryUploadRequest(dossier=name, page_size=5000)
            held = [item async for item in paged(session.dossiers.QueryUpload, request, "documents")]
    committed = sum(item.committed_bytes for item in held) if held else found.size_bytes
    announced = sum(item.size_bytes for item in held) if held else found.size_bytes
    run.output.fields(
        {**plain(found), "committed_bytes": committed, "announced_bytes": announced},
        [
            ("dossier 卷宗", found.name),
            ("title 名称", found.title),
            ("case 案件", found.case),
            ("state 状态", enum_name(dossier_pb2.DossierState.DESCRIPTOR, found.state)),
            ("version 版本", found.version),
            ("documents 文件", found.document_count),
            ("pages 页数", found.page_count),
            ("durable 已存", f"{format_size(committed)} / {format_size(announced)}"),
        ],
    )


def _print_version(run: Invocation, version: DossierVersion, more: dict[str, Any]) -> None:
    from casemesh.cli.message_json import plain
    from casemesh.core.units import format_size

    run.output.result(
        {**plain(version), **more},
        run.output.text(
            "send.done",
            version=version.name,
            documents=version.document_count,
            pages=version.page_count,
            size=format_size(version.size_bytes),
        ),
    )


def _print_verified(run: Invocation, folder: Path, verified: VerifiedDossier, more: dict[str, Any]) -> None:
    from casemesh.core.units import format_size

    value = {
        "folder": str(folder),
        "version": verified.manifest.facts.version,
        "document_count": verified.document_count,
        "page_count": verified.page_count,
        "size_bytes": verified.size_bytes,
        "root_hash": verified.manifest.root_hash.hex(),
        "verified": True,
        **more,
    }
    human = run.output.text(
        "get.verified",
        path=folder,
        documents=verified.document_count,
        pages=verified.page_count,
        size=format_size(verified.size_bytes),
        root=verified.manifest.root_hash.hex(),
    )
    run.output.result(value, human)
