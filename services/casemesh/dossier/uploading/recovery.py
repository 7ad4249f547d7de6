"""What a crash left in a pack beyond what the database knows, as a batch like any other.

A record counts when it is sound and every record before it is. What was received reaches the kernel before the sender
hears of it, so after a crash of the service alone nothing that was acknowledged is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from casemesh.dossier.packs.format import Kind
from casemesh.dossier.packs.reader import Extent, Found, PackReader
from casemesh.dossier.uploading.batch import Batch, DocumentProgress, append_record
from casemesh.dossier.uploading.document_records import decode_head
from casemesh.dossier.uploading.session import DocumentState


@dataclass(frozen=True, slots=True)
class HeldDocument:
    """A document as the database knows it. ``extents`` are all of its bytes in order, where they were asked for."""

    blob_id: bytes
    state: DocumentState
    extents: tuple[Extent, ...] = ()


def adopt(reader: PackReader, position: int, records: int, held: Iterable[HeldDocument]) -> Batch:
    """The batch that makes up the pack's tail from byte ``position`` on, where ``records`` records come before.

    A record that does not continue a document known from rows or from the pack ends the batch. A document that the rows
    know from elsewhere, since another stream was faster or it was referenced meanwhile, is passed over.
    """
    known: dict[bytes, DocumentProgress] = {}
    indexes, names = set[int](), set[tuple[str, str]]()
    for item in held:
        state = item.state
        known[item.blob_id] = DocumentProgress(
            state.head.index, item.blob_id, (state.received_bytes, state.chunks),
            received_bytes=state.received_bytes, chunks=state.chunks,
        )  # fmt: skip
        indexes.add(state.head.index)
        names.add((state.head.volume, state.head.file_name))
    passed_over: set[bytes] = set()
    tail = reader.adopt(position, records)
    batch = Batch(reader.pack_id, position, records)
    for found in tail.found:
        blob_id = found.header.blob_id
        if found.header.kind == Kind.DOCUMENT and blob_id not in known:
            head = decode_head(found.plain)
            if head.index in indexes or (head.volume, head.file_name) in names:
                passed_over.add(blob_id)
            else:
                known[blob_id] = DocumentProgress(head.index, blob_id, head=head)
        if blob_id not in passed_over:
            entry = known.get(blob_id)
            if entry is None or not _continue(entry, found, reader.pack_id):
                return batch
            if found.header.kind == Kind.DATA:
                batch.received_bytes += found.header.length
            batch.documents[blob_id] = entry
        batch.end, batch.records = found.position + found.header.stored_length, found.header.number + 1
    batch.end, batch.records = tail.end, tail.records
    return batch


def _continue(entry: DocumentProgress, found: Found, pack_id: bytes) -> bool:
    header = found.header
    if header.kind == Kind.FINISH:
        entry.sha256 = found.plain
    elif header.kind == Kind.DATA:
        if (header.offset, header.index) != (entry.received_bytes, entry.chunks):
            return False
        append_record(
            entry.extents,
            Extent(
                pack_id, found.position, header.stored_length,
                header.number, header.index, header.offset, header.length,
            ),
        )  # fmt: skip
        entry.received_bytes += header.length
        entry.chunks += 1
    return True
