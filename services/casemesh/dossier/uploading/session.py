"""The rules of an upload, without any input or output.

A session is fed the frames of one stream in order and answers each with what is to be done, or raises the error the
sender is to see. It decides nothing about storage and nothing about time. After an error it answers nothing more: what
follows the frame at fault must not be stored.

    session = UploadSession(what the store holds)
    session.header(...)          -> the document's state; the caller hashes what it holds of it before going on
    session.chunk(...)           -> which chunk of the document these bytes are
    session.document_finish(...) <- with the digest that the caller computed over all bytes
    session.upload_finish()      -> nothing may follow; `finished_totals` then holds the whole against what was stated
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from casemesh.client.document_names import check_name, name_key
from casemesh.core import merkle
from casemesh.dossier.packs.format import MAX_CHUNK_BYTES
from casemesh.errors import (
    AlreadyExists,
    CaseMeshError,
    Conflict,
    FailedPrecondition,
    FieldViolation,
    InvalidArgument,
    ResourceExhausted,
)

MAX_DOSSIER_BYTES: Final = 20 * 10**9
MAX_DOSSIER_PAGES: Final = 100_000
MAX_DOCUMENTS: Final = 100_000
MAX_OPEN_DOCUMENTS: Final = 16


@dataclass(frozen=True, slots=True)
class DocumentHead:
    """What a sender states of a document before its bytes."""

    index: int
    volume: str
    file_name: str
    media_type: str
    page_count: int
    size_bytes: int


@dataclass(slots=True)
class DocumentState:
    """What is held of a document. ``sha256`` is set once it has arrived whole and been verified."""

    head: DocumentHead
    received_bytes: int = 0
    chunks: int = 0
    sha256: bytes | None = None


class ChunkPlace(NamedTuple):
    """Where a chunk belongs: ``chunk_index`` counts the document's chunks from 0; ``last`` ends the document."""

    chunk_index: int
    last: bool


@dataclass(frozen=True, slots=True)
class StatedTotals:
    """What a sender says at the upload's finish that the dossier holds."""

    document_count: int
    size_bytes: int
    tree_hash: bytes


@dataclass(frozen=True, slots=True)
class UploadTotals:
    """What a finished upload holds. ``tree_hash`` is the RFC 6962 root over the documents' digests by index."""

    document_count: int
    page_count: int
    size_bytes: int
    tree_hash: bytes


def tree_hash(digests: Iterable[bytes]) -> bytes:
    """The RFC 6962 root over the digests in order."""
    return merkle.root_of(merkle.leaf_hash(digest) for digest in digests)


class UploadSession:
    """One stream's upload into one dossier.

    ``held`` is what the store holds of each document; ``room_bytes`` how many more the agency may announce, None where
    there is no limit. Not safe for use from several threads.
    """

    def __init__(self, held: Iterable[DocumentState] = (), room_bytes: int | None = None) -> None:
        self._room = room_bytes
        self._documents = {state.head.index: copy.copy(state) for state in held}
        self._names = {name_key(s.head.volume, s.head.file_name): i for i, s in self._documents.items()}
        self._size = sum(state.head.size_bytes for state in self._documents.values())
        self._pages = sum(state.head.page_count for state in self._documents.values())
        self._open: set[int] = set()
        self._finished = False
        self._failed = False

    def document(self, index: int) -> DocumentState:
        """The state of a document that had a header, now or before."""
        return self._documents[index]

    def digest_of(self, index: int) -> bytes:
        """The digest of a document that is whole; empty for every other."""
        state = self._documents.get(index)
        return (state.sha256 if state is not None else None) or b""

    def fail(self, error: CaseMeshError) -> CaseMeshError:
        """End the session for ``error``; returns it to be raised."""
        self._failed = True
        return error

    def announce(self, head: DocumentHead) -> DocumentState:
        """Make a document part of the upload, if it may be; says what is held of it."""
        self._require_live()
        state = self._documents.get(head.index)
        if state is None:
            state = self._new_document(head)
        elif state.head != head:
            field = next(f for f in DocumentHead.__slots__ if getattr(state.head, f) != getattr(head, f))
            raise self.fail(
                InvalidArgument(
                    "DOCUMENT_HEADER_CONFLICT",
                    f"document {head.index} was announced with another {field}",
                    {"field": field, "document_index": head.index},
                )
            )
        return state

    def header(self, head: DocumentHead, offset_bytes: int) -> DocumentState:
        """Begin a document, or go on with it where the store's bytes end. Says what is held of it."""
        state = self.announce(head)
        if offset_bytes != state.received_bytes:
            raise self.fail(_offset_mismatch(state))
        if head.index not in self._open and len(self._open) >= MAX_OPEN_DOCUMENTS:
            raise self.fail(_limit("open documents of one stream", MAX_OPEN_DOCUMENTS))
        self._open.add(head.index)
        return state

    def chunk(self, index: int, offset_bytes: int, length: int) -> ChunkPlace:
        """Take ``length`` bytes at ``offset_bytes``. They count as received from here on."""
        state = self._opened(index)
        if not 1 <= length <= MAX_CHUNK_BYTES:
            raise self.fail(
                InvalidArgument("CHUNK_SIZE_INVALID", "a chunk has 1 byte to 1 MiB", {"document_index": index})
            )
        if offset_bytes != state.received_bytes:
            raise self.fail(_offset_mismatch(state))
        end = offset_bytes + length
        if end > state.head.size_bytes:
            raise self.fail(_size_mismatch(index, state.head.size_bytes, end))
        place = ChunkPlace(state.chunks, end == state.head.size_bytes)
        state.received_bytes = end
        state.chunks += 1
        return place

    def document_finish(self, index: int, size_bytes: int, sha256: bytes, computed: bytes) -> DocumentState:
        """End a document whose bytes have the digest ``computed``.

        A wrong digest leaves nothing of the document: the caller must drop its bytes as well.
        """
        state = self._opened(index)
        if size_bytes != state.head.size_bytes or state.received_bytes != size_bytes:
            wrong = size_bytes if size_bytes != state.head.size_bytes else state.received_bytes
            raise self.fail(_size_mismatch(index, state.head.size_bytes, wrong))
        if sha256 != computed or (state.sha256 is not None and state.sha256 != computed):
            raise self.fail(
                InvalidArgument(
                    "DOCUMENT_DIGEST_MISMATCH",
                    f"the bytes of document {index} do not have the stated SHA-256; send it anew",
                    {"document_index": index},
                )
            )
        state.sha256 = computed
        self._open.discard(index)
        return state

    def upload_finish(self) -> None:
        """End the upload. Other streams may have brought the rest, so that what it states is checked by the caller."""
        self._require_live()
        self._finished = True

    def _new_document(self, head: DocumentHead) -> DocumentState:
        try:
            _check_head(head)
        except CaseMeshError as error:
            raise self.fail(error) from None
        key = name_key(head.volume, head.file_name)
        if key in self._names:
            raise self.fail(name_duplicate(head.index, self._names[key]))
        if len(self._documents) >= MAX_DOCUMENTS:
            raise self.fail(_too_large("documents", MAX_DOCUMENTS))
        if self._size + head.size_bytes > MAX_DOSSIER_BYTES:
            raise self.fail(_too_large("bytes", MAX_DOSSIER_BYTES))
        if self._pages + head.page_count > MAX_DOSSIER_PAGES:
            raise self.fail(_too_large("pages", MAX_DOSSIER_PAGES))
        if self._room is not None:
            if head.size_bytes > self._room:
                raise self.fail(_quota_exceeded(head.index))
            self._room -= head.size_bytes
        self._names[key] = head.index
        self._size += head.size_bytes
        self._pages += head.page_count
        state = self._documents[head.index] = DocumentState(head)
        return state

    def _opened(self, index: int) -> DocumentState:
        self._require_live()
        if index not in self._open:
            raise self.fail(
                InvalidArgument(
                    "DOCUMENT_NOT_OPENED",
                    f"document {index} has no header on this stream",
                    {"document_index": index},
                )
            )
        return self._documents[index]

    def _require_live(self) -> None:
        if self._failed:
            raise RuntimeError("the session has failed; drain the stream")
        if self._finished:
            raise self.fail(
                InvalidArgument(
                    "FIELD_INVALID",
                    "no frame may follow upload_finish",
                    {"field": "frames"},
                    [FieldViolation("frames", "nothing may follow upload_finish")],
                )
            )


def whole_documents(states: Iterable[DocumentState], document_count: int) -> Sequence[DocumentState]:
    """The documents by index, if there are ``document_count``, numbered from 0 without gaps, and all are whole.

    Raises FailedPrecondition (DOCUMENT_COUNT_MISMATCH, UPLOAD_NOT_FINISHED).
    """
    documents = sorted(states, key=lambda state: state.head.index)
    if len(documents) != document_count:
        raise FailedPrecondition(
            "DOCUMENT_COUNT_MISMATCH",
            "document_count is not the number of documents held",
            {"expected_count": document_count, "actual_count": len(documents)},
        )
    for index, state in enumerate(documents):
        if state.head.index != index or state.sha256 is None:
            raise FailedPrecondition(
                "UPLOAD_NOT_FINISHED", f"document {index} has not arrived whole", {"document_index": index}
            )
    return documents


def finished_totals(states: Iterable[DocumentState], stated: StatedTotals) -> UploadTotals:
    """What the documents held come to, if that is what was stated and the dossier may be so.

    Raises FailedPrecondition (those of `whole_documents`, DOSSIER_SIZE_MISMATCH, DOSSIER_ROOT_MISMATCH), AlreadyExists
    (DOCUMENT_NAME_DUPLICATE), ResourceExhausted (DOSSIER_TOO_LARGE).
    """
    documents = whole_documents(states, stated.document_count)
    size = sum(state.head.size_bytes for state in documents)
    pages = sum(state.head.page_count for state in documents)
    if size != stated.size_bytes:
        raise FailedPrecondition(
            "DOSSIER_SIZE_MISMATCH",
            "size_bytes is not the sum of the documents' sizes",
            {"expected_bytes": stated.size_bytes, "actual_bytes": size},
        )
    names: dict[tuple[str, str], int] = {}
    for state in documents:
        earlier = names.setdefault(name_key(state.head.volume, state.head.file_name), state.head.index)
        if earlier != state.head.index:
            raise name_duplicate(state.head.index, earlier)
    for what, number, limit in (
        ("documents", len(documents), MAX_DOCUMENTS),
        ("bytes", size, MAX_DOSSIER_BYTES),
        ("pages", pages, MAX_DOSSIER_PAGES),
    ):
        if number > limit:
            raise _too_large(what, limit)
    root = tree_hash(state.sha256 for state in documents if state.sha256 is not None)
    if stated.tree_hash != root:
        raise FailedPrecondition(
            "DOSSIER_ROOT_MISMATCH",
            "tree_hash is not the root over the digests of the documents held",
            {"field": "tree_hash"},
        )
    return UploadTotals(len(documents), pages, size, root)


def name_duplicate(index: int, earlier: int) -> AlreadyExists:
    """Says that two documents of a volume have one name, without saying it."""
    return AlreadyExists(
        "DOCUMENT_NAME_DUPLICATE",
        f"file_name of document {index} is that of document {earlier} in the same volume",
        {"document_index": index},
    )


def _check_head(head: DocumentHead) -> None:
    check_name("volume", head.volume, head.index)
    check_name("file_name", head.file_name, head.index)
    for field, fits in (
        ("document_index", 0 <= head.index < MAX_DOCUMENTS),
        ("page_count", 1 <= head.page_count <= MAX_DOSSIER_PAGES),
        ("size_bytes", head.size_bytes >= 0),
        ("media_type", len(head.media_type) <= 100 and head.media_type.isprintable()),
    ):
        if not fits:
            raise InvalidArgument(
                "FIELD_INVALID",
                f"{field} of document {head.index} is out of range",
                {"field": field},
                [FieldViolation(field, "out of range")],
            )


def _offset_mismatch(state: DocumentState) -> Conflict:
    return Conflict(
        "CHUNK_OFFSET_MISMATCH",
        f"document {state.head.index} goes on at byte {state.received_bytes}; nothing was stored",
        {"document_index": state.head.index, "expected_offset_bytes": state.received_bytes},
    )


def _size_mismatch(index: int, expected: int, actual: int) -> InvalidArgument:
    return InvalidArgument(
        "DOCUMENT_SIZE_MISMATCH",
        f"document {index} was announced with {expected} bytes",
        {"document_index": index, "expected_bytes": expected, "actual_bytes": actual},
    )


def _quota_exceeded(index: int) -> ResourceExhausted:
    return ResourceExhausted(
        "QUOTA_EXCEEDED", f"document {index} is more than the agency's dossiers may still take", {"limit": "agency"}
    )


def _too_large(what: str, limit: int) -> ResourceExhausted:
    return ResourceExhausted("DOSSIER_TOO_LARGE", f"a dossier has at most {limit} {what}", {"limit": f"{limit} {what}"})


def _limit(what: str, limit: int) -> ResourceExhausted:
    return ResourceExhausted("LIMIT_EXCEEDED", f"at most {limit} {what}", {"limit": f"{limit} {what}"})
