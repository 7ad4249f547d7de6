"""What a crash leaves in a pack is adopted exactly: no document longer, shorter or other than what was received."""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemesh.common.v1.field_rules_pb2 import rules
from casemesh.dossier.packs.disk import DiskPacks, pack_path
from casemesh.dossier.packs.format import PACK_HEADER_BYTES
from casemesh.dossier.packs.reader import PackReader
from casemesh.dossier.packs.stores import PackKey
from casemesh.dossier.packs.writer import PackWriter
from casemesh.dossier.uploading.batch import Batch
from casemesh.dossier.uploading.intake import UploadIntake
from casemesh.dossier.uploading.recovery import HeldDocument, adopt
from casemesh.dossier.uploading.session import DocumentHead, DocumentState
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import CaseMeshError, InvalidArgument
from tests.support.dossiers import frames, header, upload_finish, whole

CASE = uuid.UUID(int=1).bytes
KEY = b"k" * 32


@dataclass
class Store:
    """Packs on disk and what the database would know of them."""

    root: Path
    packs: int = 0
    held: dict[int, HeldDocument] = field(default_factory=dict)

    def upload(self, *messages: pb.UploadDocumentsRequest, end: bool = True) -> tuple[UploadIntake, Batch | None]:
        """Feed messages into a new pack; what was written, as one batch."""
        self.packs += 1
        pack_id = uuid.UUID(int=1000 + self.packs).bytes
        intake = UploadIntake(
            lambda emit: PackWriter.create(DiskPacks(self.root), PackKey(CASE, pack_id), KEY, emit=emit),
            self.held.values(),
            self.read,
            wrote=lambda: None,
            took=lambda: None,
        )
        for message in messages:
            intake.feed(message)
        intake.join()
        intake.writer.close()
        return intake, intake.take()

    def read(self, document: HeldDocument) -> Iterator[bytes]:
        for extent in document.extents:
            with PackReader.open(DiskPacks(self.root), PackKey(CASE, extent.pack_id), KEY) as reader:
                for found in reader.read_extent(document.blob_id, extent):
                    yield found.plain

    def adopt(self, pack_id: bytes, position: int = PACK_HEADER_BYTES, records: int = 0) -> Batch:
        with PackReader.open(DiskPacks(self.root), PackKey(CASE, pack_id), KEY) as reader:
            return adopt(reader, position, records, self.held.values())

    def commit(self, batch: Batch) -> None:
        """What the database does with a batch."""
        for blob_id in batch.dropped:
            self.held = {index: item for index, item in self.held.items() if item.blob_id != blob_id}
        for blob_id, entry in batch.documents.items():
            known = self.held.get(entry.index)
            head = entry.head or (known.state.head if known else None)
            assert head is not None
            before = known.extents if known else ()
            state = DocumentState(head, entry.received_bytes, entry.chunks, entry.sha256)
            self.held[entry.index] = HeldDocument(blob_id, state, (*before, *entry.extents))

    def contents(self) -> dict[int, bytes]:
        return {index: b"".join(self.read(document)) for index, document in self.held.items()}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def messages_of(contents: list[bytes], chunk: int, per_message: int) -> list[pb.UploadDocumentsRequest]:
    parts = []
    for index, content in enumerate(contents):
        parts.append(header(index, len(content)))
        for start in range(0, len(content), chunk):
            data = content[start : start + chunk]
            parts.append(pb.DocumentChunk(document_index=index, offset_bytes=start, data=data))
        digest = hashlib.sha256(content).digest()
        parts.append(pb.DocumentFinish(document_index=index, size_bytes=len(content), sha256=digest))
    return [frames(*parts[n : n + per_message]) for n in range(0, len(parts), per_message)]


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 9000), min_size=1, max_size=6),
    chunk=st.integers(500, 5000),
    per_message=st.integers(1, 8),
    cut=st.floats(0, 1),
    seed=st.integers(0, 2**32),
)
def test_a_pack_cut_anywhere_is_adopted_up_to_the_cut(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], chunk: int, per_message: int, cut: float, seed: int
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    source = random.Random(seed)
    contents = [source.randbytes(size) for size in sizes]
    intake, written = store.upload(*messages_of(contents, chunk, per_message))
    assert intake.error is None
    assert written is not None
    path = pack_path(store.root, PackKey(CASE, written.pack_id))
    with path.open("r+b") as file:
        file.truncate(PACK_HEADER_BYTES + int(cut * (written.end - PACK_HEADER_BYTES)))
    adopted = store.adopt(written.pack_id)
    store.commit(adopted)
    found = store.contents()
    assert list(found) == list(range(len(found)))
    for index, content in found.items():
        state = store.held[index].state
        assert contents[index][: len(content)] == content
        assert state.received_bytes == len(content)
        assert state.sha256 in (None, hashlib.sha256(contents[index]).digest())
        assert state.sha256 is None or content == contents[index]
        # Only the last one may be broken off.
        assert state.sha256 is not None or index == len(found) - 1
    if cut == 1:
        assert dict(enumerate(contents)) == found


def test_what_is_adopted_is_what_would_have_been_committed(store: Store) -> None:
    contents = [random.Random(n).randbytes(4000 * n) for n in range(5)]
    _, written = store.upload(*messages_of(contents, 1500, 4))
    assert written is not None
    adopted = store.adopt(written.pack_id)
    assert (written.end, written.records, written.received_bytes) == (adopted.end, adopted.records, 40_000)
    assert written.documents == adopted.documents


def test_a_tail_behind_committed_rows_continues_the_documents_they_know(store: Store) -> None:
    content = random.Random(1).randbytes(6000)
    first, *rest = messages_of([content], 1000, 3)
    _, written = store.upload(first, *rest)
    assert written is not None
    whole_batch = store.adopt(written.pack_id)
    (entry,) = whole_batch.documents.values()
    known = entry.extents[0]
    state = DocumentState(DocumentHead(0, "证据卷一", "笔录0.pdf", "application/pdf", 1, 6000), known.length, 2)
    store.held[0] = HeldDocument(entry.blob_id, state, (known,))
    tail = store.adopt(written.pack_id, 8192, 4)
    assert tail.received_bytes == 6000 - known.length
    store.commit(tail)
    assert store.contents() == {0: content}
    assert store.held[0].state.sha256 == hashlib.sha256(content).digest()


def test_records_of_a_document_whose_rows_are_gone_are_not_adopted(store: Store) -> None:
    contents = [random.Random(n).randbytes(5000) for n in range(2)]
    _, written = store.upload(*messages_of(contents, 1000, 3))
    assert written is not None
    nothing = store.adopt(written.pack_id, 8192, 4)
    assert (nothing.documents, nothing.end, nothing.records) == ({}, 8192, 4)


def test_records_that_do_not_continue_what_the_rows_say_are_not_adopted(store: Store) -> None:
    _, written = store.upload(*messages_of([random.Random(1).randbytes(6000)], 1000, 3))
    assert written is not None
    (entry,) = store.adopt(written.pack_id).documents.values()
    head = DocumentHead(0, "证据卷一", "笔录0.pdf", "application/pdf", 1, 6000)
    for received, chunks in ((1000, 1), (2000, 1), (1000, 2), (3000, 3)):
        store.held[0] = HeldDocument(entry.blob_id, DocumentState(head, received, chunks))
        assert store.adopt(written.pack_id, 8192, 4).documents == {}


@pytest.mark.parametrize(("index", "name"), [(1, "又一.pdf"), (7, "笔录1.pdf")])
def test_a_document_that_the_rows_know_from_elsewhere_is_passed_over_and_the_others_are_adopted(
    store: Store, index: int, name: str
) -> None:
    _, faster = store.upload(frames(*whole(index, b"first", file_name=name)))
    _, slower = store.upload(frames(*whole(0, b"zero"), *whole(1, b"late"), *whole(2, b"two")))
    assert faster is not None
    assert slower is not None
    store.commit(faster)
    store.commit(store.adopt(slower.pack_id))
    assert {0: b"zero", 2: b"two", index: b"first"} == store.contents()


def test_a_broken_document_goes_on_in_another_pack_with_the_right_digest(store: Store) -> None:
    content = random.Random(5).randbytes(50_000)
    _, written = store.upload(*messages_of([content], 7000, 2)[:3])
    assert written is not None
    store.commit(written)
    start = store.held[0].state.received_bytes
    assert 0 < start < 50_000
    rest = whole(0, content)
    rest[0].offset_bytes = rest[1].offset_bytes = start
    rest[1].data = content[start:]
    intake, written = store.upload(frames(*rest), frames(upload_finish(content)))
    assert intake.error is None
    assert written is not None
    assert written.finish is not None
    assert written.finish.size_bytes == 50_000
    store.commit(written)
    assert store.contents() == {0: content}


def test_documents_whose_frames_alternate_are_kept_apart(store: Store) -> None:
    one, two = b"1" * 3000, b"2" * 3000
    parts = [header(0, 3000), header(1, 3000)]
    for start in range(0, 3000, 1000):
        parts.append(pb.DocumentChunk(document_index=0, offset_bytes=start, data=one[start : start + 1000]))
        parts.append(pb.DocumentChunk(document_index=1, offset_bytes=start, data=two[start : start + 1000]))
    _, written = store.upload(frames(*parts, whole(1, two)[2], whole(0, one)[2]), frames(upload_finish(one, two)))
    assert written is not None
    assert written.finish is not None
    store.commit(written)
    assert store.contents() == {0: one, 1: two}


def test_a_wrong_digest_drops_the_document_and_keeps_the_others(store: Store) -> None:
    wrong = whole(1, b"two")
    wrong[2].sha256 = bytes(32)
    intake, written = store.upload(frames(*whole(0, b"one"), *wrong))
    assert isinstance(intake.error, CaseMeshError)
    assert intake.error.reason == "DOCUMENT_DIGEST_MISMATCH"
    assert written is not None
    store.commit(written)
    assert store.contents() == {0: b"one"}


def test_a_header_again_in_the_middle_of_a_document_changes_nothing(store: Store) -> None:
    content = b"abcdef"
    again = header(0, 6)
    again.offset_bytes = 3
    intake, written = store.upload(
        frames(
            header(0, 6),
            pb.DocumentChunk(document_index=0, data=content[:3]),
            again,
            pb.DocumentChunk(document_index=0, offset_bytes=3, data=content[3:]),
            whole(0, content)[2],
        ),
        frames(upload_finish(content)),
    )
    assert intake.error is None
    assert written is not None
    assert written.finish is not None


def test_finishing_a_whole_document_again_is_harmless_and_wrongly_is_refused(store: Store) -> None:
    _, written = store.upload(frames(*whole(0, b"one")))
    assert written is not None
    store.commit(written)
    at_end = header(0, 3)
    at_end.offset_bytes = 3
    intake, again = store.upload(frames(at_end, whole(0, b"one")[2]), frames(upload_finish(b"one")))
    assert intake.error is None
    assert again is not None
    assert again.finish is not None
    wrong = whole(0, b"one")[2]
    wrong.sha256 = bytes(32)
    intake, after = store.upload(frames(at_end, wrong))
    assert isinstance(intake.error, CaseMeshError)
    assert after is None or not after.dropped
    assert store.contents() == {0: b"one"}


def test_what_follows_an_error_is_thrown_away(store: Store) -> None:
    bad = frames(pb.DocumentChunk(document_index=9, data=b"x"))
    intake, written = store.upload(frames(*whole(0, b"one")), bad, *[frames(*whole(n, b"two")) for n in range(1, 9)])
    assert isinstance(intake.error, CaseMeshError)
    assert written is not None
    assert list(written.documents) == [entry for entry in written.documents if written.documents[entry].index == 0]


def test_an_empty_frame_is_refused(store: Store) -> None:
    intake, _ = store.upload(pb.UploadDocumentsRequest(frames=[pb.UploadFrame()]))
    assert isinstance(intake.error, CaseMeshError)
    assert intake.error.reason == "FIELD_INVALID"


def test_a_message_of_more_frames_than_the_proto_allows_is_refused_whole(store: Store) -> None:
    limit = pb.UploadDocumentsRequest.DESCRIPTOR.fields_by_name["frames"].GetOptions().Extensions[rules].max_items
    many = [pb.UploadFrame(header=document) for document in [whole(0, b"one")[0]] * (limit + 1)]
    intake, _ = store.upload(pb.UploadDocumentsRequest(frames=many))
    assert isinstance(intake.error, InvalidArgument)
    assert [violation.field for violation in intake.error.violations] == ["frames"]
    assert store.contents() == {}


def test_damage_in_what_is_held_stops_the_document_that_goes_on(store: Store) -> None:
    content = random.Random(5).randbytes(50_000)
    _, written = store.upload(*messages_of([content], 7000, 2)[:3])
    assert written is not None
    store.commit(written)
    path = pack_path(store.root, PackKey(CASE, written.pack_id))
    damaged = bytearray(path.read_bytes())
    damaged[store.held[0].extents[0].position + 100] ^= 1
    path.write_bytes(damaged)
    again = header(0, 50_000)
    again.offset_bytes = store.held[0].state.received_bytes
    intake, _ = store.upload(frames(again))
    assert type(intake.error).__name__ == "PackDamaged"
