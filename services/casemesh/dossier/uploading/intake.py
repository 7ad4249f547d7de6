"""Takes an upload's frames from the stream to the disk, in two threads.

The first checks each frame against the rules, hashes, encrypts and fills slabs; the second writes them. Both spend
their time in code that lets the interpreter go on. What waits before each of them is bounded, so that a slow disk slows
the sender and nothing grows.

An error ends the intake at the frame at fault: what came before is written like everything else, what follows is
thrown away, and ``error`` says why.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from casemesh.dossier.id_series import new_ids
from casemesh.dossier.packs.format import MAX_CHUNK_BYTES, Kind
from casemesh.dossier.packs.reader import Extent
from casemesh.dossier.packs.slabs import Slab
from casemesh.dossier.packs.writer import PackBroken, PackWriter
from casemesh.dossier.uploading.batch import Batch, Held, append_record
from casemesh.dossier.uploading.document_records import encode_head, head_of
from casemesh.dossier.uploading.recovery import HeldDocument
from casemesh.dossier.uploading.session import StatedTotals, UploadSession
from casemesh.dossier.uploading.wire import ChunkView, UploadMessage
from casemesh.dossier.v1.dossier_service_pb2 import (
    DocumentChunk,
    DocumentFinish,
    DocumentHeader,
    UploadFinish,
)
from casemesh.errors import CaseMeshError, FieldViolation, InvalidArgument, ResourceExhausted

MAX_WAITING_MESSAGES: Final = 4
MAX_FRAMES: Final = 4096
"""Frames in one message, as the proto states; the pipeline leaves an upload's messages to this module."""
_IDLE_SECONDS: Final = 0.25

OpenPack = Callable[[Callable[[Slab], None]], PackWriter]
"""Makes the pack to write to; slabs go to the given function."""
ReadHeld = Callable[[HeldDocument], Iterator[bytes]]
"""Reads what is held of a document that is not whole, in order."""


class UploadIntake:
    """One stream's way into one pack. Fed from one thread; runs two of its own until it is closed.

    ``wrote`` is called from those threads when one of the public attributes or ``take`` has something new, ``took``
    when a message that waited was taken. Neither may block. ``finish_written`` says that the upload's finish
    came, ``ended`` that nothing more will be written.
    """

    def __init__(
        self,
        open_pack: OpenPack,
        held: Iterable[HeldDocument],
        read_held: ReadHeld,
        *,
        room_bytes: int | None = None,
        wrote: Callable[[], None],
        took: Callable[[], None],
    ) -> None:
        self._held: Mapping[int, HeldDocument] = {item.state.head.index: item for item in held}
        self._session = UploadSession((item.state for item in self._held.values()), room_bytes)
        self._read_held = read_held
        self._wrote = wrote
        self._took = took
        self._blobs = {index: item.blob_id for index, item in self._held.items()}
        self._new_blob_ids = new_ids()
        self._digests: dict[int, hashlib._Hash] = {}
        self._messages: queue.SimpleQueue[UploadMessage | None] = queue.SimpleQueue()
        self._slabs: queue.SimpleQueue[tuple[Slab | None, Batch] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._written: Batch | None = None
        self._refusal: Exception | None = None
        # Batches handed to the pack that may still lie in this process's memory: where each ends, and its chunk bytes.
        self._unstored: deque[tuple[int, int]] = deque()
        self._received_bytes = 0
        self.finish_written = False
        self.error: Exception | None = None
        self.ended = False
        self.writer = open_pack(self._emit)
        self._batch = self._new_batch()
        self._threads = [
            threading.Thread(target=run, name=f"upload-{name}", daemon=True)
            for name, run in (("seal", self._seal_messages), ("write", self._write_slabs))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def received_bytes(self) -> int:
        """Chunk bytes that survive the death of this process; never falls."""
        with self._lock:
            while self._unstored and self._unstored[0][0] <= self.writer.written:
                self._received_bytes += self._unstored.popleft()[1]
            return self._received_bytes

    @property
    def waiting(self) -> int:
        """Messages not yet taken. Feed no more while there are ``MAX_WAITING_MESSAGES``."""
        return self._messages.qsize()

    def feed(self, message: UploadMessage) -> None:
        """Take one message of frames. Thrown away after an error or ``finish``."""
        self._messages.put(message)

    def finish(self) -> None:
        """Say that the stream has ended: what was fed is still written, then ``ended`` is true."""
        self._messages.put(None)

    def take(self) -> Batch | None:
        """What was written since the last call, or None. It is durable after the writer's next ``sync``."""
        with self._lock:
            batch, self._written = self._written, None
        return batch

    def join(self) -> None:
        """Say that the stream has ended and block until what was fed is written and both threads are gone."""
        self.finish()
        for thread in self._threads:
            thread.join()

    def _seal_messages(self) -> None:
        try:
            while (message := self._messages.get()) is not None:
                self._took()
                self._seal(message)
                self._hand_on()
        except Exception as error:
            self._refusal = error
            self._hand_on_the_rest()
        finally:
            self._slabs.put(None)

    def _write_slabs(self) -> None:
        while (item := self._next_slab()) is not None:
            slab, batch = item
            try:
                if slab is not None:
                    self.writer.write(slab)
            except (OSError, PackBroken) as error:
                self._fail(error)
            if self.error is not None:
                continue
            with self._lock:
                if self._written is None:
                    self._written = batch
                else:
                    self._written.add(batch)
                self._unstored.append((batch.end, batch.received_bytes))
            self.finish_written = batch.finish is not None
            self._wrote()
        self.error = self.error or self._refusal
        self.ended = True
        self._wrote()

    def _next_slab(self) -> tuple[Slab | None, Batch] | None:
        """The next slab. While none comes, perhaps since the sender waits to hear of them, the last ones are stored."""
        while True:
            try:
                return self._slabs.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                self._push()

    def _push(self) -> None:
        if self.error is not None:
            return
        try:
            self.writer.push()
        except (OSError, PackBroken) as error:
            self._fail(error)
            return
        self._wrote()

    def _fail(self, error: Exception) -> None:
        # The first failure is the one that tells; those that follow only say that there was one.
        self.error = self.error or error
        # The sender may wait to hear of what it sent before it sends more, and so never meet the broken pack.
        self.finish()
        self._wrote()

    def _seal(self, message: UploadMessage) -> None:
        if len(message.frames) > MAX_FRAMES:
            raise self._session.fail(_too_many_frames(len(message.frames)))
        room = MAX_CHUNK_BYTES
        for frame in message.frames:
            if isinstance(frame, ChunkView):
                room -= self._chunk(frame, room)
                continue
            match frame.WhichOneof("frame"):
                case "chunk":
                    room -= self._chunk(frame.chunk, room)
                case "header":
                    self._header(frame.header)
                case "document_finish":
                    self._document_finish(frame.document_finish)
                case "upload_finish":
                    self._upload_finish(frame.upload_finish)
                case _:
                    raise self._session.fail(_empty_frame())

    def _header(self, header: DocumentHeader) -> None:
        head = head_of(header)
        state = self._session.header(head, header.offset_bytes)
        if head.index not in self._blobs:
            blob_id = self._blobs[head.index] = next(self._new_blob_ids)
            self.writer.append(Kind.DOCUMENT, blob_id, encode_head(head))
            self._batch.document(head.index, blob_id, (0, 0)).head = head
        if state.sha256 is None and head.index not in self._digests:
            digest = self._digests[head.index] = hashlib.sha256()
            if state.received_bytes:
                for data in self._read_held(self._held[head.index]):
                    digest.update(data)

    def _chunk(self, chunk: DocumentChunk | ChunkView, room: int) -> int:
        index, offset, data = chunk.document_index, chunk.offset_bytes, chunk.data
        length = len(data)
        if room < length <= MAX_CHUNK_BYTES:
            raise self._session.fail(_message_too_large())
        place = self._session.chunk(index, offset, length)
        self._digests[index].update(data)
        blob_id = self._blobs[index]
        record = self.writer.append(Kind.DATA, blob_id, data, index=place.chunk_index, offset=offset, last=place.last)
        entry = self._batch.document(index, blob_id, (offset, place.chunk_index))
        entry.received_bytes, entry.chunks = offset + length, place.chunk_index + 1
        append_record(
            entry.extents,
            Extent(
                self.writer.header.pack_id, record.position, record.stored_length,
                record.number, place.chunk_index, offset, length,
            ),
        )  # fmt: skip
        self._batch.received_bytes += length
        return length

    def _document_finish(self, finish: DocumentFinish) -> None:
        index = finish.document_index
        running = self._digests.pop(index, None)
        computed = running.digest() if running is not None else self._session.digest_of(index)
        try:
            state = self._session.document_finish(index, finish.size_bytes, finish.sha256, computed)
        except CaseMeshError as error:
            if error.reason == "DOCUMENT_DIGEST_MISMATCH" and running is not None:
                self._batch.drop(self._blobs[index], self._stands(index))
            raise
        if running is None:
            return
        blob_id = self._blobs[index]
        self.writer.append(Kind.FINISH, blob_id, computed)
        entry = self._batch.document(index, blob_id, (state.received_bytes, state.chunks))
        entry.received_bytes, entry.chunks, entry.sha256 = state.received_bytes, state.chunks, computed

    def _upload_finish(self, finish: UploadFinish) -> None:
        self._session.upload_finish()
        self._batch.finish = StatedTotals(finish.document_count, finish.size_bytes, finish.tree_hash)

    def _stands(self, index: int) -> Held:
        state = self._session.document(index)
        return state.received_bytes, state.chunks

    def _hand_on(self) -> None:
        self.writer.flush()
        if not self._batch.empty:
            # Nothing was sealed for it, such as the upload's finish; it still goes behind what was.
            self._slabs.put((None, self._complete_batch()))

    def _hand_on_the_rest(self) -> None:
        try:
            self._hand_on()
        except PackBroken:
            return

    def _emit(self, slab: Slab) -> None:
        self._slabs.put((slab, self._complete_batch()))

    def _complete_batch(self) -> Batch:
        batch, self._batch = self._batch, self._new_batch()
        batch.end, batch.records = self.writer.position, self.writer.records
        return batch

    def _new_batch(self) -> Batch:
        return Batch(self.writer.header.pack_id, self.writer.position, self.writer.records)


def _empty_frame() -> InvalidArgument:
    return InvalidArgument(
        "FIELD_INVALID", "frame must be set", {"field": "frames"}, [FieldViolation("frames.frame", "must be set")]
    )


def _too_many_frames(count: int) -> InvalidArgument:
    rule = f"must have at most {MAX_FRAMES} items, not {count}"
    return InvalidArgument("FIELD_INVALID", f"frames {rule}", {"field": "frames"}, [FieldViolation("frames", rule)])


def _message_too_large() -> ResourceExhausted:
    limit = "1 MiB of chunk bytes in one message"
    return ResourceExhausted("LIMIT_EXCEEDED", f"a message carries at most {limit}", {"limit": limit})
