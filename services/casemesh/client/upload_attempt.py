"""One attempt to send a dossier: its streams side by side, references for what need not be sent, the finish.

The first stream opens, learns what is held, lets the others open, and ends the upload once all of them have ended well.
What one stream breaks on, the attempt breaks on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from casemesh.client.read_ahead import ReadAhead
from casemesh.client.upload_messages import DocumentMessages, Source
from casemesh.client.upload_stream import Pace, Sized, UploadStream
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import Unavailable

if TYPE_CHECKING:
    from casemesh.dossier.v1.dossier_service_pb2_grpc import DossierServiceAsyncStub

_MESSAGES_AHEAD: Final = 4
_CALL_SECONDS: Final = 30.0
_REFERENCES_A_CALL: Final = 1000


class UploadAttempt:
    """One attempt. ``received_bytes`` counts what the service held before, too; ``sent_bytes`` what left here."""

    def __init__(
        self,
        dossiers: DossierServiceAsyncStub,
        dossier: str,
        upload_id: str,
        source: Source,
        streams: int,
        pace: Pace,
        told: Callable[[int, int], None],
        reference_first: bool,
    ) -> None:
        self._dossiers = dossiers
        self._dossier = dossier
        self._upload_id = upload_id
        self._source = source
        self._told = told
        self._reference_first = reference_first
        opening = pb.UploadOpen(dossier=dossier, upload_id=upload_id, attempt_id=new_id(), stream_count=streams)
        self._streams = [UploadStream(dossiers, opening, pace, self._tell) for _ in range(streams)]
        self._shares: list[list[int]] = [[] for _ in range(streams)]
        self._held: dict[int, dossier_pb2.Document] = {}
        self._held_bytes = -1
        self._others: list[asyncio.Task[None]] = []

    @property
    def sent_bytes(self) -> int:
        return sum(stream.sent_bytes for stream in self._streams)

    @property
    def received_bytes(self) -> int:
        """-1 before the first stream was opened."""
        return self._held_bytes + sum(stream.received_bytes for stream in self._streams)

    async def run(self) -> None:
        """Send what is missing. Returns once the service has confirmed the whole; raises what the first break was."""
        try:
            async with asyncio.TaskGroup() as self._group:
                first = self._group.create_task(self._streams[0].run(self._begin, self._first_messages))
        except ExceptionGroup as broken:
            raise broken.exceptions[0] from None
        if not first.result():
            raise Unavailable("UNKNOWN", "the stream ended before the upload was finished")

    async def _begin(self) -> None:
        """The first stream is open: what earlier ones left is adopted now, so that what is held can be asked."""
        self._held = await self._query()
        if self._reference_first:
            await self._reference_known()
        self._source.begin_attempt(self._held)
        self._held_bytes = sum(item.committed_bytes for item in self._held.values())
        self._tell()
        whole = [index for index, item in self._held.items() if item.sha256 and index < len(self._source.documents)]
        await asyncio.to_thread(self._source.hash_files, whole)
        self._share_out()
        self._others = [
            self._group.create_task(self._run_other(stream, share))
            for stream, share in zip(self._streams[1:], self._shares[1:], strict=True)
        ]

    async def _run_other(self, stream: UploadStream, share: Sequence[int]) -> None:
        async def nothing() -> None:
            return

        await stream.run(nothing, lambda: self._messages(share))

    async def _first_messages(self) -> AsyncGenerator[Sized]:
        async with contextlib.aclosing(self._messages(self._shares[0])) as messages:
            async for message in messages:
                yield message
        for other in self._others:
            await other
        while self._source.repeated:
            await self._streams[0].committed()
            referenced = await self._reference(sorted(self._source.repeated))
            missing = sorted(self._source.repeated - referenced)
            self._source.begin_attempt({})
            async with contextlib.aclosing(self._messages(missing)) as messages:
                async for message in messages:
                    yield message
        yield await asyncio.to_thread(self._source.upload_finish), 0

    async def _messages(self, indexes: Iterable[int]) -> AsyncGenerator[Sized]:
        messages = DocumentMessages(self._source, indexes, self._held)
        async with contextlib.aclosing(ReadAhead(messages.build, _MESSAGES_AHEAD).items()) as ahead:
            async for message in ahead:
                yield message

    def _share_out(self) -> None:
        """Each document to the stream with the least bytes so far; in each they keep their order."""
        loads = [0] * len(self._shares)
        for index, size in enumerate(self._source.sizes):
            known = self._held.get(index)
            least = loads.index(min(loads))
            loads[least] += size - (known.committed_bytes if known is not None else 0) + 1
            self._shares[least].append(index)

    async def _query(self) -> dict[int, dossier_pb2.Document]:
        held: dict[int, dossier_pb2.Document] = {}
        token = ""
        while True:
            request = pb.QueryUploadRequest(dossier=self._dossier, page_token=token)
            page = await self._dossiers.QueryUpload(request, timeout=_CALL_SECONDS)
            held.update((document.document_index, document) for document in page.documents)
            token = page.next_page_token
            if not token:
                return held

    async def _reference_known(self) -> None:
        """Add by reference what the service has and the sender may read; it then counts as held."""
        wanted = [index for index in range(len(self._source.documents)) if index not in self._held]
        await asyncio.to_thread(self._source.hash_files, wanted)
        for index in await self._reference(wanted):
            size = self._source.sizes[index]
            self._held[index] = dossier_pb2.Document(
                document_index=index, size_bytes=size, committed_bytes=size, sha256=self._source.digests[index]
            )

    async def _reference(self, indexes: Sequence[int]) -> set[int]:
        referenced: set[int] = set()
        for start in range(0, len(indexes), _REFERENCES_A_CALL):
            documents = [
                pb.ReferencedDocument(header=self._source.header(index), sha256=self._source.digests[index])
                for index in indexes[start : start + _REFERENCES_A_CALL]
            ]
            request = pb.ReferenceDocumentsRequest(
                request_id=new_id(), dossier=self._dossier, upload_id=self._upload_id, documents=documents
            )
            answer = await self._dossiers.ReferenceDocuments(request, timeout=_CALL_SECONDS)
            referenced.update(answer.document_indexes)
        return referenced

    def _tell(self) -> None:
        committed = self._held_bytes + sum(stream.committed_bytes for stream in self._streams)
        self._told(self.received_bytes, committed)
