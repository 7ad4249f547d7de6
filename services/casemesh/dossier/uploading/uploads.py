"""The uploads of this process: one stream a dossier; a later one of the same upload ends the earlier."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

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

    def __init__(self, root: Path, dossiers: DossierStore, store: UploadStore) -> None:
        self._root = root
        self._dossiers = dossiers
        self._store = store
        self._streams: dict[str, UploadStream] = {}

    async def run(self, requests: Requests, call: Call) -> AsyncGenerator[pb.UploadDocumentsResponse, None]:
        """The notices of one stream. Errors are notices, too: ended from here while the sender still sends, the call
        would fail at the sender with something else half of the time."""
        stream: UploadStream | None = None
        try:
            stream = await self._open(await anext(requests), call)
            opened = pb.UploadOpened(window_bytes=WINDOW_BYTES, epoch=stream.lease.epoch)
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
        await asyncio.gather(*(stream.end() for stream in list(self._streams.values())))

    async def _open(self, opening: pb.UploadDocumentsRequest, call: Call) -> UploadStream:
        if not opening.HasField("open") or opening.frames:
            raise InvalidArgument("STREAM_NOT_OPENED", "the first message must hold `open` and nothing else")
        dossier_id = opening.open.dossier.removeprefix("dossiers/")
        case = call.case
        assert case is not None
        earlier = self._streams.get(dossier_id)
        if earlier is not None and earlier.lease.upload_id == opening.open.upload_id:
            await earlier.end(Conflict("UPLOAD_LEASE_LOST", "the upload was taken over by a later stream"))
        agency = call.require_caller().agency
        case_key = await self._dossiers.case_key(case)
        lease = await self._store.take_lease(dossier_id, case, agency, opening.open.upload_id)
        stream = self._streams[dossier_id] = UploadStream(self._root, self._store, lease, case_key, call, self._forget)
        try:
            await stream.open()
        except BaseException as error:
            await stream.end()
            if isinstance(error, OSError):
                raise as_ours(error) from error
            raise
        return stream

    def _forget(self, stream: UploadStream) -> None:
        if self._streams.get(stream.lease.dossier_id) is stream:
            del self._streams[stream.lease.dossier_id]


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
