"""What an upload has put into a pack and the database does not know yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from casemesh.dossier.packs.reader import Extent
from casemesh.dossier.uploading.session import DocumentHead, StatedTotals

Held = tuple[int, int]
"""How far the database knew a document: its received bytes and its chunks."""


@dataclass(slots=True)
class DocumentProgress:
    """How one document stands after the batch. ``head`` is set where the document is new; ``sha256`` once it is whole.

    ``begun_from`` is how it stood before, so that of two writers only one goes on from there. ``extents`` are those the
    batch adds, in order.
    """

    index: int
    blob_id: bytes
    begun_from: Held = (0, 0)
    head: DocumentHead | None = None
    received_bytes: int = 0
    chunks: int = 0
    extents: list[Extent] = field(default_factory=list)
    sha256: bytes | None = None


@dataclass(slots=True)
class Batch:
    """Everything up to byte ``end`` of a pack, its first ``records`` records, since the batch before.

    ``dropped`` are blobs whose bytes had the wrong digest, with how they stood before: nothing of them counts any more.
    ``finish`` is set where the upload's finish came. Batches of one pack add up in order.
    """

    pack_id: bytes
    end: int
    records: int
    received_bytes: int = 0
    documents: dict[bytes, DocumentProgress] = field(default_factory=dict)
    dropped: dict[bytes, Held] = field(default_factory=dict)
    finish: StatedTotals | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it to tell the database."""
        return not (self.documents or self.dropped or self.finish)

    def document(self, index: int, blob_id: bytes, begun_from: Held) -> DocumentProgress:
        """The entry of a document, made when it is not there yet: then it stands as ``begun_from`` says."""
        entry = self.documents.get(blob_id)
        if entry is None:
            entry = self.documents[blob_id] = DocumentProgress(index, blob_id, begun_from)
        return entry

    def drop(self, blob_id: bytes, begun_from: Held) -> None:
        """Take a document back; ``begun_from`` as with `document`."""
        entry = self.documents.pop(blob_id, None)
        self.dropped[blob_id] = begun_from if entry is None else entry.begun_from

    def add(self, later: Batch) -> None:
        """Take over what came after this batch."""
        self.end, self.records = later.end, later.records
        self.received_bytes += later.received_bytes
        self.finish = later.finish or self.finish
        for blob_id, begun_from in later.dropped.items():
            self.drop(blob_id, begun_from)
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
