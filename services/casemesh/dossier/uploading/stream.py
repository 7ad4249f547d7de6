"""One upload stream from its opening to its end: lease, adoption of what a crash left, commits, notices.

The stream is carried by the sender's call, which may vanish at any await; what was received must not vanish with it.
So the ending - write what was fed, make it durable, commit it, give the lease back - is a task of its own, begun by
whatever ends the stream and never cancelled with it.
"""

from __future__ import annotations

import asyncio
import errno
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from functools import partial
from typing import Final

import structlog

from casemesh.core.ids import new_id
from casemesh.core.names import CASE
from casemesh.dossier.heap import release_free_memory
from casemesh.dossier.packs.format import PackDamaged
from casemesh.dossier.packs.reader import PackReader
from casemesh.dossier.packs.slabs import Slab
from casemesh.dossier.packs.stores import PackKey, PackStore
from casemesh.dossier.packs.suites import Suite
from casemesh.dossier.packs.writer import PackBroken, PackWriter
from casemesh.dossier.uploading.batch import Batch
from casemesh.dossier.uploading.intake import MAX_WAITING_MESSAGES, UploadIntake
from casemesh.dossier.uploading.recovery import HeldDocument, adopt
from casemesh.dossier.uploading.session import UploadTotals
from casemesh.dossier.uploading.store import LEASE_SECONDS, Lease, OpenPack, UploadStore
from casemesh.dossier.uploading.wire import UploadMessage
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import CaseMeshError, Conflict, DataLoss, InvalidArgument, ResourceExhausted, Unavailable
from casemesh.runtime.call import Call
from casemesh.runtime.instruments import counter
from casemesh.runtime.stretches import Stretches

log = structlog.get_logger(__name__)

_NOTICE_BYTES: Final = 4 << 20
_ADOPTION_POLL_SECONDS: Final = 0.1
_RECEIVED: Final = counter("casemesh.dossier.received")
_STALL: Final = counter("casemesh.dossier.stall")

Requests = AsyncIterator[UploadMessage]


class UploadStream:
    """One stream under its lease: ``open`` it, yield its ``notices``, ``end`` it whatever happened.

    ``ended`` is told when all is done.
    """

    def __init__(
        self,
        packs: PackStore,
        suite: Suite,
        store: UploadStore,
        lease: Lease,
        case_key: bytes,
        call: Call,
        ended: Callable[[UploadStream], None],
        room_bytes: int | None = None,
    ) -> None:
        self.lease = lease
        self._room_bytes = room_bytes
        self._held_bytes: dict[int, int] = {}
        self._ended = ended
        self._packs = packs
        self._suite = suite
        self._store = store
        self._case_key = case_key
        self._case_id = uuid.UUID(CASE.parse(lease.case)["case"]).bytes
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._intake: UploadIntake | None = None
        self._reading: asyncio.Task[None] | None = None
        self._committing = asyncio.Lock()
        self._committed_bytes = 0
        self._totals: UploadTotals | None = None
        self._failure: Exception | None = None
        # A commit whose outcome is unknown, or that was refused: the pack's rows must not move on past it.
        self._lost_track = False
        self._stretches = Stretches("dossier.upload.stretch")
        self._ending: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Adopt what earlier attempts left, or wait until the stream that took the lease has; then make a pack.

        Raises CaseMeshError, OSError.
        """
        if self.lease.joined:
            await self._wait_for_adoption()
        for pack in await self._store.open_packs(self.lease):
            await self._adopt(pack)
            await self._store.close_pack(self.lease, pack.pack_id)
        held = await self._store.held(self.lease)
        self._held_bytes = {item.state.head.index: item.state.received_bytes for item in held}
        pack_id = uuid.UUID(new_id()).bytes
        await self._store.add_pack(self.lease, pack_id)
        self._intake = await asyncio.to_thread(
            UploadIntake,
            partial(self._create_pack, pack_id),
            held,
            self._read_held,
            room_bytes=self._room_bytes,
            wrote=self._from_thread(self._changed, self._room),
            took=self._from_thread(self._room),
        )

    def held_bytes(self, document_index: int) -> int:
        """How much of a document was held when the stream was opened."""
        return self._held_bytes.get(document_index, 0)

    async def notices(self, requests: Requests) -> AsyncGenerator[pb.UploadDocumentsResponse, None]:
        """What to tell the sender until the upload is finished or paused.

        Raises CaseMeshError when it is refused, once everything before the frame at fault is committed.
        """
        intake = self._intake
        assert intake is not None
        self._reading = asyncio.create_task(self._feed(requests, intake))
        told = (0, 0)
        commit_at, renew_at = 0.0, time.monotonic() + LEASE_SECONDS / 3
        while True:
            await self._wait_for_change()
            ended, now = intake.ended, time.monotonic()
            if ended or intake.finish_written or now >= commit_at:
                if await asyncio.shield(asyncio.ensure_future(self._commit(intake))):
                    renew_at = now + LEASE_SECONDS / 3
                elif now >= renew_at and self._failure is None:
                    await self._store.renew(self.lease)
                    renew_at = now + LEASE_SECONDS / 3
                commit_at = time.monotonic() + self._packs.commit_seconds
            at = (intake.received_bytes, self._committed_bytes)
            if at[0] - told[0] >= _NOTICE_BYTES or at[1] > told[1]:
                told = at
                progress = pb.UploadProgress(received_bytes=at[0], committed_bytes=at[1])
                yield pb.UploadDocumentsResponse(progress=progress)
            if self._totals is not None:
                yield _finished(self._totals)
                return
            if self._failure is not None:
                raise as_ours(self._failure)
            if ended:
                if intake.error is not None:
                    raise as_ours(intake.error)
                return

    async def drain(self) -> None:
        """Wait until the sender has stopped sending; what it sends is thrown away."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def end(self, why: CaseMeshError | None = None) -> None:
        """Write, make durable and commit what was received, and give the lease back. ``why`` is told to the sender.

        May be called at any time and again. Goes on when the caller is cancelled.
        """
        if self._ending is None:
            self._failure = self._failure or why
            self._changed.set()
            self._ending = asyncio.create_task(self._end())
        await asyncio.shield(self._ending)

    async def _end(self) -> None:
        try:
            if self._intake is not None:
                await self._end_pack(self._intake)
                self._intake = None
            if self._reading is not None:
                self._reading.cancel()
                await asyncio.wait([self._reading])
            await self._store.end_lease(self.lease)
        except CaseMeshError as error:
            log.warning("upload.lease_runs_out", dossier=self.lease.dossier_id, reason=error.reason)
        finally:
            self._stretches.end()
            self._ended(self)
            await asyncio.to_thread(release_free_memory)

    async def _end_pack(self, intake: UploadIntake) -> None:
        await asyncio.to_thread(intake.join)
        await self._commit(intake)
        intake.writer.close()
        if self._lost_track:
            # The pack stays open in the database; the next stream adopts what is on disk.
            log.warning("upload.left_for_adoption", dossier=self.lease.dossier_id)
            return
        pack_id = intake.writer.header.pack_id
        try:
            await self._store.close_pack(self.lease, pack_id)
        except CaseMeshError as error:
            log.warning("upload.pack_left_open", dossier=self.lease.dossier_id, reason=error.reason)
            return
        if intake.writer.records == 0:
            try:
                await asyncio.to_thread(self._packs.delete, PackKey(self._case_id, pack_id))
            except OSError as error:
                log.warning("upload.empty_pack_left", pack=pack_id.hex(), error=repr(error))

    async def _feed(self, requests: Requests, intake: UploadIntake) -> None:
        """Hand the sender's messages on as fast as they are taken; after a refusal, throw them away."""
        try:
            async for message in requests:
                if self._ending is not None or self._failure is not None or intake.ended:
                    continue
                if isinstance(message, pb.UploadDocumentsRequest) and message.HasField("open"):
                    self._failure = InvalidArgument("STREAM_NOT_OPENED", "the stream is already open")
                    intake.finish()
                    continue
                while intake.waiting >= MAX_WAITING_MESSAGES and not intake.ended:
                    self._room.clear()
                    if intake.waiting >= MAX_WAITING_MESSAGES and not intake.ended:
                        since = time.monotonic()
                        await self._room.wait()
                        _STALL.add(time.monotonic() - since)
                intake.feed(message)
        except CaseMeshError as error:
            self._failure = self._failure or error
        finally:
            intake.finish()

    async def _wait_for_change(self) -> None:
        try:
            async with asyncio.timeout(self._packs.commit_seconds):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    async def _commit(self, intake: UploadIntake) -> bool:
        """Make durable and commit what was written since the last time. Failures are left in ``_failure``."""
        async with self._committing:
            batch = None if self._lost_track else intake.take()
            if batch is None:
                return False
            try:
                await asyncio.to_thread(intake.writer.sync)
                await self._store.commit(self.lease, batch)
            except Exception as error:
                self._lost_track = True
                self._failure = self._failure or intake.error or error
                return False
            self._committed_bytes += batch.received_bytes
            self._stretches.moved(batch.received_bytes)
            _RECEIVED.add(batch.received_bytes)
            if batch.finish is not None:
                try:
                    self._totals = await self._store.finish(self.lease, batch.finish, self._call)
                except Exception as error:
                    self._failure = self._failure or error
            return True

    async def _wait_for_adoption(self) -> None:
        """Return once nothing is left to adopt. Raises Conflict where the lease is lost or it takes too long."""
        deadline = time.monotonic() + LEASE_SECONDS
        while await self._store.open_packs(self.lease):
            if time.monotonic() > deadline:
                raise Conflict(
                    "UPLOAD_LEASE_HELD", "the upload's first stream is still taking over", {"retry_after_seconds": 1}
                )
            await asyncio.sleep(_ADOPTION_POLL_SECONDS)
            await self._store.renew(self.lease)

    async def _adopt(self, pack: OpenPack) -> None:
        held = await self._store.held(self.lease)
        try:
            batch = await asyncio.to_thread(self._scan, pack, held)
        except PackDamaged as damage:
            # Nothing of it was committed beyond what the rows say, and readers will tell about that.
            log.warning("pack.nothing_to_adopt", pack=damage.pack_id, why=damage.why)
            return
        if not batch.empty:
            await self._store.commit(self.lease, batch)
            log.info("pack.adopted", pack=pack.pack_id.hex(), bytes=batch.received_bytes)

    def _scan(self, pack: OpenPack, held: list[HeldDocument]) -> Batch:
        with PackReader.open(self._packs, PackKey(self._case_id, pack.pack_id), self._case_key) as reader:
            batch = adopt(reader, pack.end, pack.records, held)
            reader.sync()
        return batch

    def _create_pack(self, pack_id: bytes, emit: Callable[[Slab], None]) -> PackWriter:
        return PackWriter.create(
            self._packs, PackKey(self._case_id, pack_id), self._case_key, suite=self._suite, emit=emit
        )  # fmt: skip

    def _read_held(self, document: HeldDocument) -> Iterator[bytes]:
        for extent in document.extents:
            with PackReader.open(self._packs, PackKey(self._case_id, extent.pack_id), self._case_key) as reader:
                for found in reader.read_extent(document.blob_id, extent):
                    yield found.plain

    def _from_thread(self, *events: asyncio.Event) -> Callable[[], None]:
        def signal() -> None:
            for event in events:
                if not event.is_set():
                    self._loop.call_soon_threadsafe(event.set)

        return signal


def _finished(totals: UploadTotals) -> pb.UploadDocumentsResponse:
    finished = pb.UploadFinished(
        document_count=totals.document_count, page_count=totals.page_count, size_bytes=totals.size_bytes
    )
    return pb.UploadDocumentsResponse(finished=finished)


def as_ours(error: Exception) -> Exception:
    """The error a sender sees for what went wrong with the store; every other error as it is."""
    if isinstance(error, PackDamaged):
        return DataLoss("CONTENT_CORRUPT", "bytes held of this upload do not verify; send the document anew")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ResourceExhausted("LIMIT_EXCEEDED", "the store is full", {"limit": "store"}, 60.0)
    if isinstance(error, OSError | PackBroken):
        log.error("store.failed", error=repr(error))
        return Unavailable("DEPENDENCY_UNAVAILABLE", "the store does not take bytes", {"dependency": "store"}, 5.0)
    return error
