"""How a document's header is kept in a pack, so that a pack alone says what its bytes are."""

from __future__ import annotations

from casemesh.dossier.uploading.session import DocumentHead
from casemesh.dossier.v1.dossier_service_pb2 import DocumentHeader


def head_of(header: DocumentHeader) -> DocumentHead:
    """What a sender's header states, without the place where its bytes go on."""
    return DocumentHead(
        header.document_index,
        header.volume,
        header.file_name,
        header.media_type,
        header.page_count,
        header.size_bytes,
    )


def encode_head(head: DocumentHead) -> bytes:
    """The payload of a DOCUMENT record: the contract's own message, so that old packs read as the contract grows."""
    return DocumentHeader(
        document_index=head.index,
        volume=head.volume,
        file_name=head.file_name,
        media_type=head.media_type,
        page_count=head.page_count,
        size_bytes=head.size_bytes,
    ).SerializeToString()


def decode_head(payload: bytes) -> DocumentHead:
    """What `encode_head` encoded."""
    return head_of(DocumentHeader.FromString(payload))
