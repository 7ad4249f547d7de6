"""`casemesh dossier` between versions: supplement (补充), take, remove, abandon; versions and what changed."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from casemesh.cli.invocation import Failure, Invocation, RequestId, command

DossierName = Annotated[str, typer.Argument(help="dossiers/ID or just the ID.  卷宗。", metavar="DOSSIER")]
VersionName = Annotated[str, typer.Argument(help="dossiers/../versions/..  卷宗版本。", metavar="VERSION")]


def dossier_name(text: str) -> str:
    """Return the resource name of a dossier given by name or by id."""
    return text if "/" in text else f"dossiers/{text}"


def register(app: typer.Typer) -> None:
    """Add the commands to `casemesh dossier`."""
    command(app, "supplement", example="casemesh dossier supplement dossiers/0199e3f0-...")(_supplement)
    command(app, "abandon", example="casemesh dossier abandon dossiers/0199e3f0-...")(_abandon)
    command(
        app,
        "take",
        example="casemesh dossier take dossiers/../versions/.. --into dossiers/0199e3f0-... --document 0-41",
    )(_take)
    command(app, "remove", example="casemesh dossier remove dossiers/0199e3f0-... --document 3 --document 7")(_remove)
    command(app, "finalize", example="casemesh dossier finalize dossiers/0199e3f0-...")(_finalize)
    command(app, "versions", example="casemesh dossier versions dossiers/0199e3f0-...")(_versions)
    command(app, "changes", example="casemesh dossier changes dossiers/../versions/..")(_changes)


def indexes_of(texts: list[str]) -> list[int]:
    """Return the document numbers in texts such as `3` and `10-20`. Raises Failure (exit code 2)."""
    found: list[int] = []
    for text in texts:
        match = re.fullmatch("([0-9]{1,5})(?:-([0-9]{1,5}))?", text)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise Failure(2, "draft.not_indexes", text=text)
        found.extend(range(int(match[1]), int(match[2] or match[1]) + 1))
    return found


async def _supplement(run: Invocation, dossier: DossierName, request_id: RequestId = "") -> None:
    """Make a final dossier a draft of its next version.  补充卷宗。"""
    from casemesh.cli.message_json import plain
    from casemesh.dossier.v1 import dossier_service_pb2 as pb

    request = pb.SupplementDossierRequest(request_id=run.use_request_id(request_id), dossier=dossier_name(dossier))
    async with run.session() as session:
        draft = (await session.dossiers.SupplementDossier(request)).dossier
    run.output.result(
        plain(draft),
        run.output.text("draft.supplements", name=draft.name, revision=draft.revision, documents=draft.document_count),
    )


async def _abandon(run: Invocation, dossier: DossierName, request_id: RequestId = "") -> None:
    """Give a draft up; versions stay as they are.  放弃草稿。"""
    from casemesh.dossier.v1 import dossier_service_pb2 as pb

    request = pb.AbandonDraftRequest(request_id=run.use_request_id(request_id), dossier=dossier_name(dossier))
    async with run.session() as session:
        await session.dossiers.AbandonDraft(request)
    run.output.result({"dossier": request.dossier}, run.output.text("draft.abandoned", name=request.dossier))


async def _take(
    run: Invocation,
    version: VersionName,
    into: Annotated[str, typer.Option("--into", help="The draft.  目标草稿。", metavar="DOSSIER")],
    document: Annotated[
        list[str] | None, typer.Option("--document", help="Its number, or from-to; else all.  文件序号。", metavar="N")
    ] = None,
    party: Annotated[
        list[str] | None,
        typer.Option("--party", help="Only what concerns this party or all.  仅涉及该当事人的材料。", metavar="PARTY"),
    ] = None,
    request_id: RequestId = "",
) -> None:
    """Add documents of a version to a draft without sending them again.  由已有版本取入文件。"""
    from casemesh.dossier.v1 import dossier_service_pb2 as pb

    request = pb.TakeDocumentsRequest(
        request_id=run.use_request_id(request_id), dossier=dossier_name(into), version=version,
        document_indexes=indexes_of(document or []), parties=party or [],
    )  # fmt: skip
    async with run.session() as session:
        taken = await session.dossiers.TakeDocuments(request)
    run.output.result(
        {
            "dossier": request.dossier,
            "document_count": taken.document_count,
            "first_document_index": taken.first_document_index,
        },
        run.output.text("draft.taken", count=taken.document_count, name=request.dossier),
    )


async def _remove(
    run: Invocation,
    dossier: DossierName,
    document: Annotated[list[str], typer.Option("--document", help="Its number, or from-to.  文件序号。", metavar="N")],
    request_id: RequestId = "",
) -> None:
    """Take documents out of a draft; those behind move up.  移出文件。"""
    from casemesh.client.paging import paged
    from casemesh.dossier.v1 import dossier_service_pb2 as pb
    from casemesh.errors import OutOfRange

    name, wanted = dossier_name(dossier), set(indexes_of(document))
    async with run.session() as session:
        query = pb.QueryUploadRequest(dossier=name, page_size=5000)
        held = [item async for item in paged(session.dossiers.QueryUpload, query, "documents")]
        chosen = [item.name for item in held if item.document_index in wanted]
        if len(chosen) != len(wanted):
            raise OutOfRange(
                "POSITION_OUT_OF_RANGE", "the draft has no such document", {"field": "document"}
            )  # fmt: skip
        request = pb.RemoveDocumentsRequest(request_id=run.use_request_id(request_id), dossier=name, documents=chosen)
        left = (await session.dossiers.RemoveDocuments(request)).document_count
    run.output.result(
        {"dossier": name, "removed_count": len(chosen), "document_count": left},
        run.output.text("draft.removed", count=len(chosen), left=left),
    )


async def _finalize(
    run: Invocation,
    dossier: DossierName,
    internal: Annotated[
        bool, typer.Option("--internal", help="Keep it inside the agency for good.  内部版本, 不得移送。")
    ] = False,
    request_id: RequestId = "",
) -> None:
    """Fix a draft as a version, as the platform holds it now.  将草稿定稿。"""
    from casemesh.cli.message_json import plain
    from casemesh.core.units import format_size
    from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
    from casemesh.dossier.v1 import dossier_service_pb2 as pb

    name = dossier_name(dossier)
    async with run.session() as session:
        held = (await session.dossier_read.GetDossier(read_pb.GetDossierRequest(name=name))).dossier
        request = pb.FinalizeDossierRequest(
            request_id=run.use_request_id(request_id), dossier=name, document_count=held.document_count,
            page_count=held.page_count, size_bytes=held.size_bytes, internal=internal,
        )  # fmt: skip
        version = (await session.dossiers.FinalizeDossier(request)).version
    run.output.result(
        plain(version),
        run.output.text(
            "send.done", version=version.name, documents=version.document_count, pages=version.page_count,
            size=format_size(version.size_bytes),
        ),
    )  # fmt: skip


async def _versions(run: Invocation, dossier: DossierName) -> None:
    """List the versions of a dossier that you may read.  列出卷宗版本。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.core.units import format_size
    from casemesh.dossier.v1 import dossier_read_service_pb2 as pb

    request = pb.ListDossierVersionsRequest(dossier=dossier_name(dossier), page_size=1000)
    async with run.session() as session:
        found = [item async for item in paged(session.dossier_read.ListDossierVersions, request, "versions")]
    run.output.table(
        [plain(item) for item in found],
        ["NO. 序号", "VERSION 版本", "DOCUMENTS 文件", "PAGES 页数", "SIZE 大小", "FINALISED 定稿", "INTERNAL 内部"],
        [
            (
                item.revision, item.name, item.document_count, item.page_count, format_size(item.size_bytes),
                item.finalize_time.ToJsonString(), "✓" if item.internal else "",
            )
            for item in found
        ],
    )  # fmt: skip


async def _changes(run: Invocation, version: VersionName) -> None:
    """Show what a version has that its parent has not, and the other way round.  与前一版本的差异。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.dossier.v1 import dossier_read_service_pb2 as pb

    request = pb.ListVersionChangesRequest(version=version, page_size=5000)
    async with run.session() as session:
        found = [item async for item in paged(session.dossier_read.ListVersionChanges, request, "changes")]
    words = {
        pb.DOCUMENT_CHANGE_KIND_ADDED: "changes.added",
        pb.DOCUMENT_CHANGE_KIND_REMOVED: "changes.removed",
        pb.DOCUMENT_CHANGE_KIND_REPLACED: "changes.replaced",
    }
    rows = []
    for item in found:
        document = item.after if item.HasField("after") else item.before
        rows.append((run.output.text(words[item.kind]), document.volume, document.file_name))
    run.output.table([plain(item) for item in found], ["CHANGE 变化", "VOLUME 卷", "DOCUMENT 文件"], rows)
