"""The sender's side of a transfer, against a service that is written out here: window, resumption, giving up."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from casemesh.client.dossier_upload import LocalDocument, LocalFileChanged, upload_documents
from casemesh.client.read_ahead import ReadAhead
from casemesh.client.upload_stream import Pace
from casemesh.dossier.uploading.session import tree_hash
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import CaseMeshError, Conflict, DataLoss, Unavailable, to_status
from tests.support.dossiers import documents_of

UPLOAD = "01890000-0000-7000-8000-000000000001"
MIB = 1 << 20


@dataclass
class Service:
    """Takes uploads as the contract says and keeps the bytes. ``broken`` is asked before each message is taken."""

    window: int = 16 * MIB
    broken: Callable[[Service], Exception | None] = lambda service: None
    reluctant: bool = False
    held: dict[int, bytes] = field(default_factory=dict)
    heads: dict[int, pb.DocumentHeader] = field(default_factory=dict)
    digests: dict[int, bytes] = field(default_factory=dict)
    streams: int = 0
    outstanding: int = 0
    most_outstanding: int = 0
    finish: pb.UploadFinish | None = None
    readable: set[bytes] = field(default_factory=set)
    writers: dict[int, set[int]] = field(default_factory=dict)
    attempts: set[str] = field(default_factory=set)

    async def ReferenceDocuments(
        self, request: pb.ReferenceDocumentsRequest, timeout: float
    ) -> pb.ReferenceDocumentsResponse:
        assert UPLOAD == request.upload_id
        known = {**{digest: index for index, digest in self.digests.items()}, **dict.fromkeys(self.readable, -1)}
        taken = [item for item in request.documents if item.sha256 in known]
        for item in taken:
            self.heads[item.header.document_index] = item.header
            self.held[item.header.document_index] = self.held.get(known[item.sha256], b"")
            self.digests[item.header.document_index] = item.sha256
        return pb.ReferenceDocumentsResponse(document_indexes=[item.header.document_index for item in taken])

    def UploadDocuments(self, requests: AsyncIterator[bytes | pb.UploadDocumentsRequest]) -> Stream:
        return Stream(self._answer(_decoded(requests)))

    async def QueryUpload(self, request: pb.QueryUploadRequest, timeout: float) -> pb.QueryUploadResponse:
        documents = [
            dossier_pb2.Document(document_index=index, committed_bytes=len(data), sha256=self.digests.get(index, b""))
            for index, data in sorted(self.held.items())
        ]
        return pb.QueryUploadResponse(documents=documents)

    async def _answer(
        self, requests: AsyncIterator[pb.UploadDocumentsRequest]
    ) -> AsyncIterator[pb.UploadDocumentsResponse]:
        self.streams += 1
        stream, self.outstanding, received = self.streams, 0, 0
        first = await anext(requests)
        assert first.open.upload_id == UPLOAD
        self.attempts.add(first.open.attempt_id)
        yield pb.UploadDocumentsResponse(opened=pb.UploadOpened(window_bytes=self.window, epoch=self.streams))
        async for message in self._messages(requests):
            if message is None:
                # The sender waits: only now is it told what was received.
                self.outstanding = 0
                yield _progress(received)
                continue
            failure = self.broken(self)
            if isinstance(failure, CaseMeshError) and failure.reason != "UNKNOWN":
                yield pb.UploadDocumentsResponse(error=to_status(failure))
                return
            if failure is not None:
                raise failure
            for frame in message.frames:
                received += self._take(frame)
                if frame.HasField("header"):
                    self.writers.setdefault(stream, set()).add(frame.header.document_index)
            self.most_outstanding = max(self.most_outstanding, self.outstanding)
            if not self.reluctant:
                self.outstanding = 0
                yield _progress(received)
            if self.finish is not None:
                yield pb.UploadDocumentsResponse(finished=pb.UploadFinished())
                return

    async def _messages(
        self, requests: AsyncIterator[pb.UploadDocumentsRequest]
    ) -> AsyncIterator[pb.UploadDocumentsRequest | None]:
        """The messages, and None whenever a reluctant service has had to wait for the next."""
        while True:
            coming = asyncio.ensure_future(anext(requests, None))
            while self.reluctant and not (await asyncio.wait([coming], timeout=0.05))[0]:
                yield None
            message = await coming
            if message is None:
                return
            yield message

    def _take(self, frame: pb.UploadFrame) -> int:
        match frame.WhichOneof("frame"):
            case "header":
                index = frame.header.document_index
                assert frame.header.offset_bytes == len(self.held.setdefault(index, b""))
                self.heads[index] = frame.header
            case "chunk":
                assert frame.chunk.offset_bytes == len(self.held[frame.chunk.document_index])
                self.held[frame.chunk.document_index] += frame.chunk.data
                self.outstanding += len(frame.chunk.data)
                return len(frame.chunk.data)
            case "document_finish":
                index = frame.document_finish.document_index
                assert hashlib.sha256(self.held[index]).digest() == frame.document_finish.sha256
                self.digests[index] = frame.document_finish.sha256
            case _:
                self.finish = frame.upload_finish
        return 0


async def _decoded(
    requests: AsyncIterator[bytes | pb.UploadDocumentsRequest],
) -> AsyncIterator[pb.UploadDocumentsRequest]:
    async for message in requests:
        yield pb.UploadDocumentsRequest.FromString(message) if isinstance(message, bytes) else message


def _progress(received: int) -> pb.UploadDocumentsResponse:
    return pb.UploadDocumentsResponse(
        progress=pb.UploadProgress(received_bytes=received, committed_bytes=received)
    )  # fmt: skip


class Stream:
    def __init__(self, responses: AsyncIterator[Any]) -> None:
        self._responses = responses

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._responses

    def cancel(self) -> bool:
        return True


async def send(service: Service, documents: list[LocalDocument], **options: Any) -> Any:
    return await upload_documents(
        service, "dossiers/d", documents, upload_id=UPLOAD, **options  # type: ignore[arg-type]
    )  # fmt: skip


async def test_everything_is_sent_in_order_and_the_finish_names_the_whole(tmp_path: Path) -> None:
    documents = documents_of(tmp_path, [0, 10, 3 * MIB, 700_000, 700_000])
    service = Service()
    uploaded = await send(service, documents)
    contents = [document.path.read_bytes() for document in documents]
    assert contents == [service.held[index] for index in range(5)]
    assert service.finish is not None
    digests = [hashlib.sha256(content).digest() for content in contents]
    assert (5, sum(map(len, contents)), tree_hash(digests)) == (
        service.finish.document_count, service.finish.size_bytes, service.finish.tree_hash,
    )  # fmt: skip
    assert digests == [document.sha256 for document in uploaded.documents]
    assert (uploaded.sent_bytes, uploaded.attempts) == (uploaded.size_bytes, 1)


async def test_no_more_than_the_window_is_ever_on_its_way(tmp_path: Path) -> None:
    service = Service(window=4 * MIB, reluctant=True)
    await send(service, documents_of(tmp_path, [1_300_000] * 15))
    assert 3 * MIB <= service.most_outstanding <= 4 * MIB


async def test_after_a_break_only_what_is_missing_is_sent(tmp_path: Path) -> None:
    documents = documents_of(tmp_path, [2 * MIB, 2 * MIB, 5])

    def once_in_the_second(service: Service) -> Exception | None:
        half_way = len(service.held.get(1, b"")) > 0
        return Unavailable("SHUTTING_DOWN", "again") if half_way and service.streams == 1 else None

    service = Service(broken=once_in_the_second)
    uploaded = await send(service, documents)
    assert uploaded.attempts == 2
    assert uploaded.size_bytes <= uploaded.sent_bytes <= uploaded.size_bytes + 16 * MIB
    assert [document.path.read_bytes() for document in documents] == [service.held[index] for index in range(3)]


async def test_a_stream_that_ends_without_a_word_is_gone_on_with(tmp_path: Path) -> None:
    ends = [CaseMeshError("UNKNOWN", "the connection was reset"), Unavailable("UNKNOWN", "no gateway")]
    service = Service(broken=lambda service: ends.pop() if ends else None)
    assert (await send(service, documents_of(tmp_path, [3 * MIB]))).attempts == 3


@pytest.mark.parametrize(
    "refusal",
    [
        Conflict("UPLOAD_LEASE_LOST", "taken over"),
        DataLoss("CONTENT_CORRUPT", "damaged"),
        CaseMeshError("DOSSIER_FINAL", "final"),
    ],
)
async def test_what_no_repeat_can_cure_is_raised_at_once(tmp_path: Path, refusal: CaseMeshError) -> None:
    service = Service(broken=lambda service: refusal)
    with pytest.raises(CaseMeshError) as caught:
        await send(service, documents_of(tmp_path, [10]))
    assert (caught.value.reason, service.streams) == (refusal.reason, 1)


async def test_without_progress_patience_ends(tmp_path: Path) -> None:
    service = Service(broken=lambda service: Unavailable("DATABASE_UNAVAILABLE", "away"))
    with pytest.raises(Unavailable):
        await send(service, documents_of(tmp_path, [10]), patience_seconds=0.5)
    assert service.streams > 1


async def test_a_file_that_became_shorter_is_told_and_never_finished(tmp_path: Path) -> None:
    # Longer than what is read ahead, so that its end has not been read when the first message arrives.
    documents = documents_of(tmp_path, [10, 16 * MIB])

    def shorten(service: Service) -> Exception | None:
        documents[1].path.write_bytes(b"short")
        return None

    service = Service(broken=shorten, window=MIB)
    with pytest.raises(LocalFileChanged, match=r"1\.bin"):
        await send(service, documents)
    assert 1 not in service.digests
    assert service.finish is None


async def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    documents = documents_of(tmp_path, [10, 10])
    documents[1].path.unlink()
    with pytest.raises(FileNotFoundError, match=r"1\.bin"):
        await send(Service(), documents)


async def test_streams_side_by_side_share_the_documents_out_and_the_finish_comes_last(tmp_path: Path) -> None:
    documents = documents_of(tmp_path, [700_000, 0, 3 * MIB, *range(1000, 1020)])
    service = Service()
    uploaded = await send(service, documents, streams=3)
    assert [document.path.read_bytes() for document in documents] == [service.held[n] for n in range(len(documents))]
    assert (3, 1, 1) == (service.streams, len(service.attempts), uploaded.attempts)
    assert 3 == len(service.writers)
    assert len(documents) == sum(map(len, service.writers.values()))
    assert service.finish is not None
    assert uploaded.size_bytes == uploaded.sent_bytes


async def test_a_break_of_one_stream_ends_the_attempt_and_the_next_goes_on(tmp_path: Path) -> None:
    documents = documents_of(tmp_path, [3 * MIB, 3 * MIB, 3 * MIB])
    ends = [Unavailable("UNKNOWN", "no gateway")]
    service = Service(broken=lambda service: ends.pop() if ends and service.streams == 3 else None)
    uploaded = await send(service, documents, streams=3)
    assert (2, 2) == (uploaded.attempts, len(service.attempts))
    assert [document.path.read_bytes() for document in documents] == [service.held[index] for index in range(3)]


async def test_a_refusal_on_any_stream_is_raised(tmp_path: Path) -> None:
    def on_the_third(service: Service) -> Exception | None:
        return DataLoss("CONTENT_CORRUPT", "damaged") if service.streams == 3 else None

    with pytest.raises(DataLoss):
        await send(Service(broken=on_the_third), documents_of(tmp_path, [10] * 6), streams=3)


@pytest.mark.parametrize("size", [1000, 100_000, 3 * MIB])
async def test_content_that_occurs_again_is_referenced_and_sent_once(tmp_path: Path, size: int) -> None:
    documents = documents_of(tmp_path, [size] * 4 + [0, 0])
    for copy in (1, 3):
        documents[copy].path.write_bytes(documents[0].path.read_bytes())
    service = Service()
    uploaded = await send(service, documents)
    assert (2 * size, 4 * size) == (uploaded.sent_bytes, uploaded.size_bytes)
    assert [document.path.read_bytes() for document in documents] == [service.held[index] for index in range(6)]
    assert service.finish is not None
    assert 6 == service.finish.document_count


async def test_content_that_cannot_be_referenced_after_all_is_sent(tmp_path: Path) -> None:
    class Forgetful(Service):
        async def ReferenceDocuments(
            self, request: pb.ReferenceDocumentsRequest, timeout: float
        ) -> pb.ReferenceDocumentsResponse:
            return pb.ReferenceDocumentsResponse()

    documents = documents_of(tmp_path, [1000, 1000, 1000])
    for copy in (1, 2):
        documents[copy].path.write_bytes(documents[0].path.read_bytes())
    service = Forgetful()
    uploaded = await send(service, documents)
    assert 3000 == uploaded.sent_bytes
    assert [document.path.read_bytes() for document in documents] == [service.held[index] for index in range(3)]


async def test_what_the_case_has_is_referenced_before_anything_is_sent(tmp_path: Path) -> None:
    documents = documents_of(tmp_path, [1000, 2000, 3000])
    known = hashlib.sha256(documents[1].path.read_bytes()).digest()
    for reference_first, sent in ((True, 4000), (False, 6000)):
        service = Service(readable={known})
        uploaded = await send(service, documents, reference_first=reference_first)
        assert (sent, 6000) == (uploaded.sent_bytes, uploaded.size_bytes)


async def test_together_the_streams_keep_to_the_rate() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(round(seconds))

    pace = Pace(1000.0, sleep)
    for size in (50_000, 100_000, 0):
        await pace.wait(size)
    assert [0, 50, 150] == waited
    await Pace(None, sleep).wait(10**9)
    assert 3 == len(waited)


async def test_what_is_held_already_is_compared_and_not_sent(tmp_path: Path) -> None:
    documents = documents_of(tmp_path, [100, 200])
    content = documents[0].path.read_bytes()
    service = Service(held={0: content}, digests={0: hashlib.sha256(content).digest()})
    assert (await send(service, documents)).sent_bytes == 200
    other = Service(held={0: content}, digests={0: bytes(32)})
    with pytest.raises(LocalFileChanged):
        await send(other, documents)


class TestReadAhead:
    """The thread that works ahead of its consumer."""

    async def test_items_come_in_order_and_the_failure_in_its_place(self) -> None:
        def produce() -> Any:
            yield from range(5)
            raise ValueError("after five")

        seen: list[int] = []

        async def consume() -> None:
            async for item in ReadAhead(produce, 2).items():
                seen.append(item)

        with pytest.raises(ValueError, match="after five"):
            await consume()
        assert seen == [0, 1, 2, 3, 4]

    async def test_the_producer_is_never_further_ahead_than_its_depth(self) -> None:
        made = 0

        def produce() -> Any:
            nonlocal made
            for number in range(1, 50):
                made = number
                yield number

        async for item in ReadAhead(produce, 3).items():
            await asyncio.sleep(0)
            assert made <= item + 4

    async def test_leaving_early_ends_the_producer_in_its_own_thread(self) -> None:
        closed = []

        def produce() -> Any:
            try:
                yield from range(1000)
            finally:
                closed.append(True)

        items = ReadAhead(produce, 2).items()
        assert await anext(items) == 0
        await items.aclose()
        assert closed == [True]
