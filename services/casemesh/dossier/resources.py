"""Stored rows as the messages of the contract."""

from __future__ import annotations

from casemesh.core.names import DOCUMENT, DOSSIER, DOSSIER_VERSION
from casemesh.dossier.delivering.store import StoredDelivery
from casemesh.dossier.store import StoredDossier, StoredVersion, UploadedDocument
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
from casemesh.dossier.version_store import Change

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
        revision=dossier.revision,
    )
    if dossier.version_id is not None:
        message.version = DOSSIER_VERSION.format(dossier=dossier.dossier_id, version=dossier.version_id)
    message.create_time.FromDatetime(dossier.created_at)
    if dossier.expires_at is not None:
        message.expire_time.FromDatetime(dossier.expires_at)
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
        revision=version.revision,
        internal=version.internal,
        root_statement=version.root_statement or b"",
    )
    if version.parent_name is not None:
        message.parent = version.parent_name
    message.finalize_time.FromDatetime(version.finalized_at)
    return message


def document_message(dossier_id: str, document: UploadedDocument) -> dossier_pb2.Document:
    """A document of a draft or a version as the contract has it."""
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
        parties=document.parties,
    )


def change_message(dossier_id: str, change: Change) -> read_pb.DocumentChange:
    """A difference between two versions of one dossier as the contract has it."""
    message = read_pb.DocumentChange(kind=read_pb.DOCUMENT_CHANGE_KIND_REPLACED)
    if change.before is None:
        message.kind = read_pb.DOCUMENT_CHANGE_KIND_ADDED
    else:
        message.before.CopyFrom(document_message(dossier_id, change.before))
    if change.after is None:
        message.kind = read_pb.DOCUMENT_CHANGE_KIND_REMOVED
    else:
        message.after.CopyFrom(document_message(dossier_id, change.after))
    return message


def delivery_message(version: StoredVersion, delivery: StoredDelivery) -> dossier_pb2.VersionDelivery:
    """A recipient's state as the contract has it."""
    message = dossier_pb2.VersionDelivery(
        version=version.name, recipient=delivery.agency, state=dossier_pb2.DELIVERY_STATE_GRANTED
    )
    message.grant_time.FromDatetime(delivery.granted_at)
    if delivery.started_at is not None:
        message.state = dossier_pb2.DELIVERY_STATE_STARTED
        message.start_time.FromDatetime(delivery.started_at)
    if delivery.confirmed_at is not None:
        message.state = dossier_pb2.DELIVERY_STATE_CONFIRMED
        message.confirm_time.FromDatetime(delivery.confirmed_at)
        message.confirmation = delivery.confirmation or b""
    return message
