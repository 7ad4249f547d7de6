"""What an upload has put into a pack and the database does not know yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from casemesh.dossier.packs.reader import Extent
from casemesh.dossier.uploading.session import DocumentHead, UploadTotals


@dataclass(slots=True)
class DocumentProgress:
    """How one document stands after the batch. ``head`` is set where the document is new; ``sha256`` once it is whole.

    ``extents`` are those the batch adds, in order.
    """

    index: int
    blob_id: bytes
    head: DocumentHead | None = None
    received_bytes: int = 0
    chunks: int = 0
    extents: list[Extent] = field(default_factory=list)
    sha256: bytes | None = None


@dataclass(slots=True)
class Batch:
    """Everything up to byte ``end`` of a pack, its first ``records`` records, since the batch before.

    ``dropped`` are blobs whose bytes had the wrong digest: nothing of them counts any more. ``totals`` is set where
    the upload's finish came and held. Batches of one pack add up in order.
    """

    pack_id: bytes
    end: int
    records: int
    received_bytes: int = 0
    documents: dict[bytes, DocumentProgress] = field(default_factory=dict)
    dropped: set[bytes] = field(default_factory=set)
    totals: UploadTotals | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it to tell the database."""
        return not (self.documents or self.dropped or self.totals)

    def document(self, index: int, blob_id: bytes) -> DocumentProgress:
        """The entry of a document, made when it is not there yet."""
        entry = self.documents.get(blob_id)
        if entry is None:
            entry = self.documents[blob_id] = DocumentProgress(index, blob_id)
        return entry

    def drop(self, blob_id: bytes) -> None:
        """Take a document back."""
        self.documents.pop(blob_id, None)
        self.dropped.add(blob_id)

    def add(self, later: Batch) -> None:
        """Take over what came after this batch."""
        self.end, self.records = later.end, later.records
        self.received_bytes += later.received_bytes
        self.totals = later.totals or self.totals
        for blob_id in later.dropped:
            self.drop(blob_id)
        for blob_id, entry in later.documents.items():
            known = self.documents.get(blob_id)
            if known is None:
                self.documents[blob_id] = entry
                continue
            known.received_bytes, known.chunks = entry.received_bytes, entry.chunks
            known.sha256 = entry.sha256 or known.sha256
            known.extents += entry.extents


def append_record(extents: list[Extent], record: Extent) -> None:
    """Add one record to a document's extents, as part of the last one where it lies directly behind it."""
    if extents:
        last = extents[-1]
        if (last.pack_id, last.position + last.stored_length) == (record.pack_id, record.position):
            extents[-1] = Extent(
                last.pack_id, last.position, last.stored_length + record.stored_length,
                last.number, last.chunk_index, last.offset, last.length + record.length,
            )  # fmt: skip
            return
    extents.append(record)
