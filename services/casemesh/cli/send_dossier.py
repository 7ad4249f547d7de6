"""Sends a folder as a dossier, from wherever an earlier try of the same command stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from casemesh.cli.exit_codes import ExitCode
from casemesh.cli.get_dossier import read_version
from casemesh.cli.invocation import Failure
from casemesh.cli.page_counts import PageCounter
from casemesh.cli.send_journal import SendJournal, load, save
from casemesh.cli.source_folder import SourceDocument, fingerprint, read_folder
from casemesh.client.dossier_upload import (
    LocalDocument,
    LocalFileChanged,
    TransferProgress,
    finalize_dossier,
    upload_documents,
)
from casemesh.client.paging import paged
from casemesh.core.units import parse_size
from casemesh.dossier.v1 import dossier_read_service_pb2, dossier_service_pb2
from casemesh.errors import FailedPrecondition

if TYPE_CHECKING:
    from casemesh.client.session import Session
    from casemesh.dossier.v1.dossier_pb2 import DossierVersion


@dataclass(frozen=True)
class Sent:
    """A finalised dossier. `sent_bytes` left here in this run; it is 0 when everything was there before."""

    version: DossierVersion
    sent_bytes: int
    upload_seconds: float
    finalize_seconds: float


def prepare(
    folder: Path, case: str, title: str, journal_file: Path, *, again: bool
) -> tuple[SendJournal, list[SourceDocument]]:
    """Return the journal to go on with, an earlier one or a new one that is saved, and the folder's documents.

    Raises Failure (exit code 4) when the folder changed since an unfinished sending began, unless `again`.
    """
    documents = read_folder(folder)
    seen = fingerprint(documents)
    journal = None if again else load(journal_file)
    if journal is not None and journal.fingerprint != seen:
        if not journal.version:
            raise Failure(4, "send.changed", path=folder)
        journal = None
    if journal is None:
        journal = SendJournal(str(folder.resolve()), case, title or folder.resolve().name, seen)
        save(journal_file, journal)
    return journal, documents


def count_pages(documents: Sequence[SourceDocument]) -> tuple[list[LocalDocument], list[Path]]:
    """Return the documents with their numbers of pages, and the PDFs that could not be read."""
    with PageCounter() as counter:
        counted = [
            LocalDocument(item.path, item.volume, item.file_name, item.media_type, counter.count(item.path))
            for item in documents
        ]
        return counted, counter.unreadable


async def send(
    session: Session,
    journal: SendJournal,
    journal_file: Path,
    documents: Sequence[LocalDocument],
    progress: Callable[[TransferProgress], None],
    *,
    streams: int = 1,
    bytes_per_second: int | None = None,
) -> Sent:
    """Create the dossier, upload what is missing and finalise; each step has one effect however often it is tried.

    What the case holds already, where the sender may read it, is not sent again. Raises CaseMeshError; Failure (exit
    code 4) when a file changes meanwhile.
    """
    if not journal.dossier:
        request = dossier_service_pb2.CreateDossierRequest(
            request_id=journal.create_request_id, case=journal.case, title=journal.title
        )
        journal.dossier = (await session.dossiers.CreateDossier(request)).dossier.name
        await asyncio.to_thread(save, journal_file, journal)
    began = time.monotonic()
    try:
        uploaded = await upload_documents(
            session.dossiers, journal.dossier, documents, upload_id=journal.upload_id, progress=progress,
            streams=streams, bytes_per_second=bytes_per_second,
            reference_first=await _case_has_versions(session, journal.case),
        )  # fmt: skip
        uploaded_at = time.monotonic()
        version = await finalize_dossier(session.dossiers, uploaded, request_id=journal.finalize_request_id)
        sent = Sent(version, uploaded.sent_bytes, uploaded_at - began, time.monotonic() - uploaded_at)
    except LocalFileChanged as error:
        raise Failure(4, "send.file_changed", why=error) from None
    except FailedPrecondition as error:
        if error.reason != "DOSSIER_FINAL":
            raise
        # An earlier run was killed after it had finalised and before it could note that.
        sent = Sent(await _final_version(session, journal.dossier), 0, 0.0, 0.0)
    journal.version = sent.version.name
    await asyncio.to_thread(save, journal_file, journal)
    return sent


def bytes_per_second(limit_rate: str) -> int | None:
    """The rate that an option such as `20MB` asks for; None without one. Raises Failure (exit code 2)."""
    if not limit_rate:
        return None
    try:
        rate = parse_size(limit_rate)
    except ValueError as error:
        raise Failure(ExitCode.USAGE, "send.rate", why=error) from None
    if rate <= 0:
        raise Failure(ExitCode.USAGE, "send.rate", why=limit_rate)
    return rate


async def _case_has_versions(session: Session, case: str) -> bool:
    request = dossier_read_service_pb2.ListDossiersRequest(case=case)
    async for dossier in paged(session.dossier_read.ListDossiers, request, "dossiers"):
        if dossier.version:
            return True
    return False


async def _final_version(session: Session, dossier: str) -> DossierVersion:
    found = await session.dossier_read.GetDossier(dossier_read_service_pb2.GetDossierRequest(name=dossier))
    return await read_version(session, found.dossier.version)
