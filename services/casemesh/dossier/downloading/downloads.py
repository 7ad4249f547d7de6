"""Sending a version's documents, or parts of them: the read is in the log before the first byte leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final, TypeVar

from casemesh.client.read_ahead import ReadAhead
from casemesh.dossier.delivering.store import DeliveryStore
from casemesh.dossier.downloading.archive import ArchiveWriter, Skip, archive_size, in_pieces, version_entries
from casemesh.dossier.downloading.content import ContentReader
from casemesh.dossier.downloading.messages import Sent, download_messages, finish_message
from casemesh.dossier.downloading.read_log import ReadLog
from casemesh.dossier.downloading.selections import Part, Run, described, parts_of, require_sizes, runs_of
from casemesh.dossier.packs.format import MAX_CHUNK_BYTES
from casemesh.dossier.packs.stores import PackStore
from casemesh.dossier.policy import MANIFEST_READ, VERSION_READ
from casemesh.dossier.resources import document_message
from casemesh.dossier.store import DossierStore, StoredVersion
from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.dossier.version_store import Content, VersionStore
from casemesh.errors import OutOfRange
from casemesh.runtime.call import Call
from casemesh.runtime.instruments import counter
from casemesh.runtime.stretches import Stretches

T = TypeVar("T")
Page = Sequence[tuple[Part, Content]]

_MESSAGES_AHEAD: Final = 4
_PAGE_DOCUMENTS: Final = 1000
_SENT: Final = counter("casemesh.dossier.sent")


@dataclass(frozen=True)
class Downloads:
    """Carries out the reading of bytes for DossierReadService.

    All raise Unavailable when the log does not take the read event, with nothing sent, and DataLoss where stored bytes
    do not verify, after everything before them was sent.
    """

    packs: PackStore
    dossiers: DossierStore
    store: VersionStore
    deliveries: DeliveryStore
    log: ReadLog

    async def manifest(self, version: StoredVersion, call: Call) -> AsyncGenerator[pb.DownloadManifestResponse, None]:
        """The signed manifest in pieces of at most 1 MiB."""
        await self.log.reads(call, MANIFEST_READ, version, {})
        async with aclosing(self._manifest(version)) as pieces:
            async for data in pieces:
                yield pb.DownloadManifestResponse(data=data)

    async def documents(
        self, version: StoredVersion, request: pb.DownloadDocumentsRequest, call: Call
    ) -> AsyncGenerator[bytes, None]:
        """Encoded messages with frames of the documents, or parts of them, that are asked for.

        Raises InvalidArgument, OutOfRange.
        """
        runs = runs_of(request, version.document_count)
        sizes = await self.store.sizes(version, [index for run in runs for index in (run.first, run.last)])
        require_sizes(runs, sizes, "selections" if request.selections else "first_offset_bytes")
        async with self._logged(version, call, {"documents": described(runs)}) as (case_key, sent, stretches):

            def messages(page: Page, reader: ContentReader) -> Iterator[bytes]:
                return download_messages(reader, page, sent)

            async with aclosing(self._read(version, case_key, parts_of(runs), messages)) as stream:
                async for message in stream:
                    yield message
                    stretches.moved(len(message))
            yield finish_message(sent)

    async def read_document(
        self, version: StoredVersion, request: pb.ReadDocumentRequest, call: Call
    ) -> pb.ReadDocumentResponse:  # fmt: skip
        """A range of one document in one piece. Raises OutOfRange."""
        index, start = request.document_index, request.offset_bytes
        if index >= version.document_count:
            raise _out_of_range("document_index", "the version has no such document")
        (document,) = await self.store.documents(version, index - 1, 1)
        if start > document.head.size_bytes:
            raise _out_of_range("offset_bytes", "the document ends before this byte")
        end = min(document.head.size_bytes, start + (request.length_bytes or MAX_CHUNK_BYTES))
        (content,) = await self.store.contents(version, [index])
        case_key = await self.dossiers.case_key(version.case_name)
        await self._begin(version, call, {"documents": str(Run(index, index, start, end))})

        def read() -> bytes:
            with ContentReader(self.packs, version.case_name, case_key) as reader:
                return b"".join(reader.read(content, start, end))

        data = await asyncio.to_thread(read)
        return pb.ReadDocumentResponse(data=data, document=document_message(version.dossier_id, document))

    async def archive(
        self, version: StoredVersion, request: pb.DownloadArchiveRequest, call: Call
    ) -> AsyncGenerator[pb.DownloadArchiveResponse, None]:
        """The version as one ZIP file, from any of its bytes on. Raises OutOfRange.

        What lies before that byte is read again and not sent: the directory at the end holds checksums of all.
        """
        names = await self.store.names(version)
        entries = version_entries(version.manifest_bytes, names)
        size, first = archive_size(entries), request.first_offset_bytes
        if first > size:
            raise _out_of_range("first_offset_bytes", "the archive ends before this byte")
        async with self._logged(version, call, {"archive_from_byte": str(first)}) as (case_key, sent, stretches):
            yield pb.DownloadArchiveResponse(size_bytes=size)
            skip, writer = Skip(first), ArchiveWriter(entries, version.finalized_at)
            async with aclosing(self._archive(version, case_key, writer, skip)) as pieces:
                async for data in pieces:
                    sent.size_bytes += len(data)
                    yield pb.DownloadArchiveResponse(data=data)
                    stretches.moved(len(data))
            sent.documents = len(names)

    async def _archive(
        self, version: StoredVersion, case_key: bytes, writer: ArchiveWriter, skip: Skip
    ) -> AsyncGenerator[bytes, None]:
        def documents(page: Page, reader: ContentReader) -> Iterator[bytes]:
            return in_pieces(_zipped(writer, page, reader), skip, MAX_CHUNK_BYTES)

        for data in in_pieces([writer.begin()], skip, MAX_CHUNK_BYTES):
            yield data
        async with aclosing(self._manifest(version)) as pieces:
            async for piece in pieces:
                for data in in_pieces([writer.data(piece)], skip, MAX_CHUNK_BYTES):
                    yield data
        for data in in_pieces([writer.end()], skip, MAX_CHUNK_BYTES):
            yield data
        everything = parts_of([Run(0, version.document_count - 1)])
        async with aclosing(self._read(version, case_key, everything, documents)) as stream:
            async for data in stream:
                yield data
        for data in in_pieces(writer.close(), skip, MAX_CHUNK_BYTES):
            yield data

    async def _manifest(self, version: StoredVersion) -> AsyncGenerator[bytes, None]:
        for start in range(0, version.manifest_bytes, MAX_CHUNK_BYTES):
            yield await self.dossiers.manifest_slice(version.version_id, start, MAX_CHUNK_BYTES)

    async def _read(
        self,
        version: StoredVersion,
        case_key: bytes,
        parts: Iterable[Part],
        produce: Callable[[Page, ContentReader], Iterator[T]],
    ) -> AsyncGenerator[T, None]:
        """What ``produce`` makes of the parts, a thousand at a time, in a thread that is some items ahead."""

        def reading(page: Page) -> Iterator[T]:
            with ContentReader(self.packs, version.case_name, case_key) as reader:
                yield from produce(page, reader)

        left = iter(parts)
        following = asyncio.ensure_future(self._page(version, left))
        try:
            while page := await following:
                following = asyncio.ensure_future(self._page(version, left))
                async with aclosing(ReadAhead(partial(reading, page), _MESSAGES_AHEAD).items()) as items:
                    async for item in items:
                        yield item
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _page(self, version: StoredVersion, left: Iterator[Part]) -> Page:
        parts = list(islice(left, _PAGE_DOCUMENTS))
        if not parts:
            return []
        contents = {item.index: item for item in await self.store.contents(version, [part.index for part in parts])}
        return [(part, contents[part.index]) for part in parts]

    async def _begin(self, version: StoredVersion, call: Call, details: dict[str, str]) -> None:
        await self.log.reads(call, VERSION_READ, version, details)
        await self.deliveries.start(version, call.require_caller().agency, self.log.clock.now())

    @asynccontextmanager
    async def _logged(
        self, version: StoredVersion, call: Call, details: dict[str, str]
    ) -> AsyncIterator[tuple[bytes, Sent, Stretches]]:
        """The case's key, the count to keep while the body sends, and its spans; both ends are in the log."""
        case_key = await self.dossiers.case_key(version.case_name)
        await self._begin(version, call, details)
        sent, stretches, complete = Sent(), Stretches("dossier.download.stretch"), False
        try:
            yield case_key, sent, stretches
            complete = True
        finally:
            stretches.end()
            _SENT.add(sent.size_bytes)
            # What was read ahead counts as sent: how much of it the recipient got is not known here.
            told = {
                **details,
                "document_count": str(sent.documents),
                "size_bytes": str(sent.size_bytes),
                "complete": "true" if complete else "false",
            }
            await asyncio.shield(asyncio.ensure_future(self.log.sent(call, version, sent.size_bytes, told)))


def _zipped(writer: ArchiveWriter, page: Page, reader: ContentReader) -> Iterator[bytes]:
    for _, content in page:
        yield writer.begin()
        for data in reader.read(content):
            yield writer.data(data)
        yield writer.end()


def _out_of_range(field: str, why: str) -> OutOfRange:
    return OutOfRange("POSITION_OUT_OF_RANGE", why, {"field": field})
