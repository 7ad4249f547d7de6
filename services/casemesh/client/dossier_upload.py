"""Sends the documents of a dossier: many documents on one stream or several, gone on with after any break.

Reading, hashing and building messages run in a thread for each stream, a few messages ahead. What the platform holds
already, where the sender may read it, and what occurs twice among the files, is added by reference and not sent.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from casemesh.client import manifest
from casemesh.client.manifest import ManifestDocument
from casemesh.client.upload_attempt import UploadAttempt
from casemesh.client.upload_messages import LocalDocument, LocalFileChanged, Source
from casemesh.client.upload_stream import Pace
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import CaseMeshError, Unavailable

if TYPE_CHECKING:
    from casemesh.dossier.v1.dossier_service_pb2_grpc import DossierServiceAsyncStub

__all__ = [
    "LocalDocument", "LocalFileChanged", "TransferProgress", "UploadedDossier", "finalize_dossier", "upload_documents",
]  # fmt: skip

MAX_STREAMS: Final = 8
_CALL_SECONDS: Final = 30.0
_LONGEST_PAUSE_SECONDS: Final = 5.0
# What a later attempt may cure: the service restarted, the gateway is gone, the lease of a stream that died still runs,
# a stream of this very upload that was thought dead has written meanwhile.
_TRANSIENT_REASONS: Final = frozenset({"UPLOAD_LEASE_HELD", "CHUNK_OFFSET_MISMATCH", "DOCUMENT_WRITTEN_ELSEWHERE"})


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """How far a transfer is, in bytes of documents. ``received`` is written, ``committed`` durable at the service."""

    total_bytes: int
    received_bytes: int
    committed_bytes: int


@dataclass(frozen=True, slots=True)
class UploadedDossier:
    """A finished upload: what the service holds, with the digests this side computed.

    ``sent_bytes`` are document bytes that left here in this call, over all attempts.
    """

    dossier: str
    documents: tuple[ManifestDocument, ...]
    sent_bytes: int
    attempts: int

    @property
    def page_count(self) -> int:
        return sum(document.page_count for document in self.documents)

    @property
    def size_bytes(self) -> int:
        return sum(document.size_bytes for document in self.documents)


async def upload_documents(
    dossiers: DossierServiceAsyncStub,
    dossier: str,
    documents: Sequence[LocalDocument],
    *,
    upload_id: str,
    progress: Callable[[TransferProgress], None] | None = None,
    patience_seconds: float = 120.0,
    streams: int = 1,
    bytes_per_second: float | None = None,
    reference_first: bool = False,
) -> UploadedDossier:
    """Send what the service does not hold yet, until it has confirmed that everything is durable and verified.

    Call it again with the same arguments after a crash: it goes on where the service is. ``upload_id`` is a UUID of the
    caller's, kept across its restarts; with another one the upload may have to wait 30 seconds for the old lease.
    Breaks are repaired for as long as no ``patience_seconds`` pass without a byte received. ``dossiers`` is a session's
    stub, or another made by `upload_frames.dossier_stub`. ``streams`` run side by side, at most 8; all together keep
    to ``bytes_per_second``. With ``reference_first`` every file is hashed before anything is sent, and content that
    the sender may read in the case already is referenced: worth it where the case has dossiers.

    Raises CaseMeshError (the reasons of UploadDocuments), LocalFileChanged, OSError for a file that cannot be read.
    """
    if not 1 <= streams <= MAX_STREAMS:
        raise ValueError(f"streams is 1 to {MAX_STREAMS}, not {streams}")
    source, pace = await asyncio.to_thread(Source, documents), Pace(bytes_per_second)

    def tell(received: int, committed: int) -> None:
        if progress is not None:
            progress(TransferProgress(source.size_bytes, received, committed))

    pause, deadline, best = 0.2, time.monotonic() + patience_seconds, -1
    sent = attempts = 0
    while True:
        attempt = UploadAttempt(dossiers, dossier, upload_id, source, streams, pace, tell, reference_first)
        attempts += 1
        try:
            await attempt.run()
        except CaseMeshError as error:
            if attempt.received_bytes > best:
                pause, deadline, best = 0.2, time.monotonic() + patience_seconds, attempt.received_bytes
            if not _transient(error) or time.monotonic() + pause > deadline:
                raise
        else:
            break
        finally:
            sent += attempt.sent_bytes
        await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - spreads load, guards nothing
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
    return UploadedDossier(dossier, _manifest_documents(source), sent, attempts)


async def finalize_dossier(
    dossiers: DossierServiceAsyncStub, uploaded: UploadedDossier, *, request_id: str
) -> dossier_pb2.DossierVersion:
    """Fix an uploaded dossier as a version, stating count, pages, size and root as this side has them.

    Raises CaseMeshError, among them the mismatches of FinalizeDossier.
    """
    root = await asyncio.to_thread(manifest.root_hash, uploaded.documents)
    request = pb.FinalizeDossierRequest(
        request_id=request_id,
        dossier=uploaded.dossier,
        document_count=len(uploaded.documents),
        page_count=uploaded.page_count,
        size_bytes=uploaded.size_bytes,
        root_hash=root,
    )
    return (await dossiers.FinalizeDossier(request, timeout=_CALL_SECONDS)).version


def _manifest_documents(source: Source) -> tuple[ManifestDocument, ...]:
    return tuple(
        ManifestDocument(
            index, item.volume, item.file_name, item.media_type, item.page_count, source.sizes[index],
            source.digests[index],
        )
        for index, item in enumerate(source.documents)
    )  # fmt: skip


def _transient(error: CaseMeshError) -> bool:
    # A stream cut by a restart, or at the gateway, may reach the sender as INTERNAL or CANCELLED without a reason.
    cut = type(error) is CaseMeshError and error.reason == "UNKNOWN"
    return cut or isinstance(error, Unavailable) or error.reason in _TRANSIENT_REASONS
