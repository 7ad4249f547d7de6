"""Stored rows as the messages of the contract."""

from __future__ import annotations

from casemesh.core.names import DOCUMENT, DOSSIER, DOSSIER_VERSION
from casemesh.dossier.store import StoredDossier, StoredVersion, UploadedDocument
from casemesh.dossier.v1 import dossier_pb2

_STATES = {"draft": dossier_pb2.DOSSIER_STATE_DRAFT, "final": dossier_pb2.DOSSIER_STATE_FINAL}


def dossier_message(dossier: StoredDossier) -> dossier_pb2.Dossier:
    """A dossier as the contract has it."""
    message = dossier_pb2.Dossier(
        name=DOSSIER.format(dossier=dossier.dossier_id),
        case=dossier.case_name,
        agency=dossier.agency,
        title=dossier.title,
        state=_STATES[dossier.state],
        document_count=dossier.document_count,
        page_count=dossier.page_count,
        size_bytes=dossier.size_bytes,
    )
    if dossier.version_id is not None:
        message.version = DOSSIER_VERSION.format(dossier=dossier.dossier_id, version=dossier.version_id)
    message.create_time.FromDatetime(dossier.created_at)
    return message


def version_message(version: StoredVersion) -> dossier_pb2.DossierVersion:
    """A version as the contract has it."""
    message = dossier_pb2.DossierVersion(
        name=version.name,
        case=version.case_name,
        agency=version.agency,
        document_count=version.document_count,
        page_count=version.page_count,
        size_bytes=version.size_bytes,
        root_hash=version.root_hash,
    )
    message.finalize_time.FromDatetime(version.finalized_at)
    return message


def document_message(dossier_id: str, document: UploadedDocument) -> dossier_pb2.Document:
    """A document of a draft as the contract has it."""
    return dossier_pb2.Document(
        name=DOCUMENT.format(dossier=dossier_id, document=document.document_id),
        document_index=document.head.index,
        volume=document.head.volume,
        file_name=document.head.file_name,
        media_type=document.head.media_type,
        page_count=document.head.page_count,
        size_bytes=document.head.size_bytes,
        committed_bytes=document.committed_bytes,
        sha256=document.sha256 or b"",
    )
