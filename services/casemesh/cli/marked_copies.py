"""`dossier get --marked`: copies with a mark on every page, in a folder beside the download."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemesh.cli.invocation import Failure, Invocation
from casemesh.core.ids import new_id

if TYPE_CHECKING:
    from casemesh.client.manifest import Manifest
    from casemesh.client.session import Session


async def make(run: Invocation, session: Session, folder: Path, manifest: Manifest) -> dict[str, Any]:
    """Get a mark, make the copies below `FOLDER-marked`, and return what was made, for JSON.

    Raises Failure (exit code 2) without the packages that draw, CaseMeshError, OSError.
    """
    from casemesh.cli.transfer_progress import transfer_progress
    from casemesh.client.dossier_folder import DossierFolder
    from casemesh.client.marking.copies import make_copies, mark_lines
    from casemesh.identity.v1 import export_mark_service_pb2

    try:
        import reportlab  # noqa: F401 - what the process that draws needs
    except ModuleNotFoundError as missing:
        raise Failure(2, "access.no_copies", package=missing.name) from missing
    request = export_mark_service_pb2.CreateExportMarkRequest(
        request_id=new_id(), case=manifest.facts.case, version=manifest.facts.version
    )
    mark = (await session.export_marks.CreateExportMark(request)).mark
    held, target = DossierFolder(folder), folder.with_name(f"{folder.name}-marked")
    documents = [held.document_path(document) for document in manifest.documents]
    with transfer_progress(run.output, "progress.mark", manifest.size_bytes) as advance:
        made = await asyncio.to_thread(
            make_copies, documents, folder / "documents", target, mark_lines(mark), progress=advance
        )
    for path in made.unmarked:
        run.output.notice("access.copies_not_made", path=path)
    run.output.notice("access.copies_made", copies=len(made.copies), pages=made.page_count, path=target, mark=mark.mark)
    return {
        "mark": mark.mark,
        "folder": str(target),
        "copies": len(made.copies),
        "pages": made.page_count,
        "unmarked": [str(path) for path in made.unmarked],
    }
