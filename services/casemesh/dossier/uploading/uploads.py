"""The uploads of this process: the streams of one attempt a dossier; a later attempt of the same upload ends them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Final

from casemesh.core.names import DOSSIER
from casemesh.dossier.packs.stores import PackStore
from casemesh.dossier.packs.suites import Suite
from casemesh.dossier.store import DossierStore
from casemesh.dossier.uploading.store import UploadStore
from casemesh.dossier.uploading.stream import Requests, UploadStream, as_ours
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import CaseMeshError, Conflict, InvalidArgument, to_status
from casemesh.runtime.call import Call

WINDOW_BYTES: Final = 16 << 20
_DRAIN_SECONDS: Final = 10.0


class Uploads:
    """Opens streams, and knows those that are open."""

    def __init__(
        self, packs: PackStore, suite: Suite, dossiers: DossierStore, store: UploadStore, quota: int | None = None
    ) -> None:
        """``quota`` is how many bytes the dossiers of an agency may take that has no limit of its own."""
        self._packs = packs
        self._suite = suite
        self._dossiers = dossiers
        self._store = store
        self.quota = quota
        self._streams: set[UploadStream] = set()

    async def run(self, requests: Requests, call: Call) -> AsyncGenerator[pb.UploadDocumentsResponse, None]:
        """The notices of one stream. Errors are notices, too: ended from here while the sender still sends, the call
        would fail at the sender with something else half of the time."""
        stream: UploadStream | None = None
        try:
            opening = await anext(requests)
            if not isinstance(opening, pb.UploadDocumentsRequest) or not opening.HasField("open") or opening.frames:
                raise InvalidArgument("STREAM_NOT_OPENED", "the first message must hold `open` and nothing else")
            stream = await self.open(opening.open, call)
            # All streams of an attempt together have one window, so that a break of all costs no more than one's.
            window_bytes = WINDOW_BYTES // max(1, opening.open.stream_count)
            opened = pb.UploadOpened(window_bytes=window_bytes, epoch=stream.lease.epoch)
            yield pb.UploadDocumentsResponse(opened=opened)
            async with contextlib.aclosing(stream.notices(requests)) as notices:
                async for notice in notices:
                    yield notice
        except CaseMeshError as error:
            yield pb.UploadDocumentsResponse(error=to_status(error))
            await _drain(stream, requests)
        finally:
            if stream is not None:
                await stream.end()

    async def close(self) -> None:
        """Wait until what was received is committed."""
        await asyncio.gather(*(stream.end() for stream in list(self._streams)))

    async def open(self, opening: pb.UploadOpen, call: Call) -> UploadStream:
        """A stream that has adopted what earlier attempts left. Raises CaseMeshError. The caller ends it."""
        dossier_id = DOSSIER.parse(opening.dossier)["dossier"]
        attempt_id = opening.attempt_id or None
        case = call.case
        assert case is not None
        for earlier in list(self._streams):
            lease = earlier.lease
            same_upload = (lease.dossier_id, lease.upload_id) == (dossier_id, opening.upload_id)
            if same_upload and (attempt_id is None or lease.attempt_id != attempt_id):
                await earlier.end(Conflict("UPLOAD_LEASE_LOST", "the upload was taken over by a later stream"))
        agency = call.require_caller().agency
        case_key = await self._dossiers.case_key(case)
        room = await self._store.room(agency, self.quota)
        lease = await self._store.take_lease(dossier_id, case, agency, opening.upload_id, attempt_id)
        stream = UploadStream(
            self._packs, self._suite, self._store, lease, case_key, call, self._streams.discard, room
        )  # fmt: skip
        self._streams.add(stream)
        try:
            await stream.open()
        except BaseException as error:
            await stream.end()
            if isinstance(error, OSError):
                raise as_ours(error) from error
            raise
        return stream


async def _drain(stream: UploadStream | None, requests: Requests) -> None:
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            if stream is not None:
                await stream.drain()
                return
            async for _ in requests:
                pass
    except (TimeoutError, CaseMeshError):
        return
