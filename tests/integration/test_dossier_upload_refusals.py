"""What an upload refuses, over real mTLS: each with its own reason inside the stream, and nothing half done."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import grpc
import pytest

from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_pb2
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.dossier.v1.dossier_service_pb2_grpc import DossierServiceStub
from casemesh.errors import CaseMeshError, NotFound, from_rpc_error, from_status
from tests.support.dossiers import (
    DossierDesk,
    documents_of,
    frames,
    header,
    notices_of,
    opening,
    upload_finish,
    whole,
)

ONE, TWO = b"one" * 1000, b"two" * 500


async def refusal(desk: DossierDesk, *messages: pb.UploadDocumentsRequest, dossier: str | None = None) -> CaseMeshError:
    """The error notice that ends the stream, which must be its last."""
    notices = await notices_of(desk.dossiers, [opening(dossier or await desk.draft()), *messages])
    assert notices[-1].WhichOneof("notice") == "error", notices
    return from_status(notices[-1].error)


async def held(desk: DossierDesk, dossier: str) -> list[tuple[int, int, bool]]:
    """(index, committed bytes, whole) of each document the service holds."""
    answer = await desk.dossiers.QueryUpload(pb.QueryUploadRequest(dossier=dossier))
    return [(item.document_index, item.committed_bytes, bool(item.sha256)) for item in answer.documents]


def chunk(index: int, offset: int, data: bytes) -> pb.DocumentChunk:
    return pb.DocumentChunk(document_index=index, offset_bytes=offset, data=data)


WRONG: list[tuple[str, list[Any], dict[str, str], list[tuple[int, int, bool]]]] = [
    (
        "CHUNK_OFFSET_MISMATCH",  # a gap
        [header(0, 3000), chunk(0, 0, ONE[:1000]), chunk(0, 1001, ONE[1001:])],
        {"document_index": "0", "expected_offset_bytes": "1000"},
        [(0, 1000, False)],
    ),
    (
        "CHUNK_OFFSET_MISMATCH",  # an overlap
        [header(0, 3000), chunk(0, 0, ONE[:1000]), chunk(0, 999, ONE[999:])],
        {"document_index": "0", "expected_offset_bytes": "1000"},
        [(0, 1000, False)],
    ),
    (
        "DOCUMENT_DIGEST_MISMATCH",
        [
            *whole(0, ONE), header(1, 3000), chunk(1, 0, ONE),
            pb.DocumentFinish(document_index=1, size_bytes=3000, sha256=hashlib.sha256(TWO).digest()),
        ],
        {"document_index": "1"},
        [(0, 3000, True)],
    ),
    (
        "DOCUMENT_SIZE_MISMATCH",
        [header(0, 10), chunk(0, 0, ONE)],
        {"document_index": "0", "expected_bytes": "10", "actual_bytes": "3000"},
        [(0, 0, False)],
    ),
    (
        "DOCUMENT_COUNT_MISMATCH",
        [*whole(0, ONE), upload_finish(ONE, TWO)],
        {"expected_count": "2", "actual_count": "1"},
        [(0, 3000, True)],
    ),
    (
        "DOSSIER_SIZE_MISMATCH",
        [*whole(0, ONE), upload_finish(TWO)],
        {"expected_bytes": "1500", "actual_bytes": "3000"},
        [(0, 3000, True)],
    ),
    (
        "DOSSIER_ROOT_MISMATCH",
        [*whole(0, ONE), upload_finish(ONE[::-1])],
        {"field": "tree_hash"},
        [(0, 3000, True)],
    ),
    (
        "UPLOAD_NOT_FINISHED",
        [header(0, 3000), chunk(0, 0, ONE[:7]), upload_finish(ONE)],
        {"document_index": "0"},
        [(0, 7, False)],
    ),
    (
        "DOCUMENT_NAME_INVALID",
        whole(0, ONE, file_name="../起诉书.pdf"),
        {"field": "file_name", "document_index": "0"},
        [],
    ),
    (
        "DOCUMENT_NAME_INVALID",
        whole(0, ONE, volume="长" * 86),
        {"field": "volume", "document_index": "0"},
        [],
    ),
    (
        "DOCUMENT_NAME_DUPLICATE",
        [*whole(0, ONE, file_name="caf\u00e9"), *whole(1, ONE, file_name="cafe\u0301")],
        {"document_index": "1"},
        [(0, 3000, True)],
    ),
    (
        "DOCUMENT_NOT_OPENED",
        [chunk(5, 0, ONE)],
        {"document_index": "5"},
        [],
    ),
    (
        "CHUNK_SIZE_INVALID",
        [header(0, 2 << 20), chunk(0, 0, bytes((1 << 20) + 1))],
        {"document_index": "0"},
        [(0, 0, False)],
    ),
    (
        "LIMIT_EXCEEDED",  # two chunks of more than 1 MiB together in one message
        [header(0, 2 << 20), chunk(0, 0, bytes(1 << 20)), chunk(0, 1 << 20, b"x")],
        {"limit": "1 MiB of chunk bytes in one message"},
        [(0, 1 << 20, False)],
    ),
    (
        "DOSSIER_TOO_LARGE",
        [header(0, 20 * 10**9 + 1)],
        {"limit": "20000000000 bytes"},
        [],
    ),
]  # fmt: skip


async def test_a_wrong_frame_is_refused_and_what_came_before_it_stays(
    dossier_desk: DossierDesk, subtests: pytest.Subtests
) -> None:
    for number, (reason, parts, metadata, left) in enumerate(WRONG):
        with subtests.test(f"{number} {reason}"):
            dossier = await dossier_desk.draft()
            error = await refusal(dossier_desk, frames(*parts), dossier=dossier)
            assert (error.reason, error.metadata) == (reason, metadata)
            answer = await held(dossier_desk, dossier)
            assert [item for item in answer if item[1]] == [item for item in left if item[1]]


async def test_frames_after_the_one_at_fault_are_thrown_away(dossier_desk: DossierDesk) -> None:
    dossier = await dossier_desk.draft()
    bad = chunk(9, 0, ONE)
    messages = [frames(*whole(0, ONE), bad, *whole(1, TWO)), *[frames(*whole(n, TWO)) for n in range(2, 40)]]
    assert (await refusal(dossier_desk, *messages, dossier=dossier)).reason == "DOCUMENT_NOT_OPENED"
    assert await held(dossier_desk, dossier) == [(0, 3000, True)]


async def test_after_a_wrong_digest_the_document_starts_anew_and_can_be_right(dossier_desk: DossierDesk) -> None:
    dossier = await dossier_desk.draft()
    wrong = pb.DocumentFinish(document_index=0, size_bytes=3000, sha256=bytes(32))
    error = await refusal(dossier_desk, frames(header(0, 3000), chunk(0, 0, ONE), wrong), dossier=dossier)
    assert error.reason == "DOCUMENT_DIGEST_MISMATCH"
    notices = await notices_of(
        dossier_desk.dossiers, [opening(dossier), frames(*whole(0, ONE)), frames(upload_finish(ONE))]
    )
    assert notices[-1].finished.document_count == 1


async def test_the_end_of_the_stream_is_not_the_end_of_the_upload(dossier_desk: DossierDesk) -> None:
    dossier = await dossier_desk.draft()
    notices = await notices_of(dossier_desk.dossiers, [opening(dossier), frames(*whole(0, ONE))])
    assert "finished" not in [notice.WhichOneof("notice") for notice in notices]
    answer = await dossier_desk.dossiers.QueryUpload(pb.QueryUploadRequest(dossier=dossier))
    assert not answer.finished
    with pytest.raises(CaseMeshError) as caught:
        await dossier_desk.dossiers.FinalizeDossier(
            pb.FinalizeDossierRequest(
                request_id=new_id(), dossier=dossier, document_count=1, page_count=1, size_bytes=3000
            )
        )
    assert caught.value.reason == "UPLOAD_NOT_FINISHED"


async def test_a_stream_that_does_not_open_is_refused(dossier_desk: DossierDesk) -> None:
    dossier = await dossier_desk.draft()
    both = opening(dossier)
    both.frames.add().header.CopyFrom(header(0, 1))
    notices = await notices_of(dossier_desk.dossiers, [both])
    assert from_status(notices[-1].error).reason == "STREAM_NOT_OPENED"
    again = await refusal(dossier_desk, frames(*whole(0, ONE)), opening(dossier), dossier=dossier)
    assert again.reason == "STREAM_NOT_OPENED"


async def test_a_stream_that_names_no_dossier_is_like_one_for_a_dossier_that_is_not_there(
    dossier_desk: DossierDesk,
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await notices_of(dossier_desk.dossiers, [frames(*whole(0, ONE))])
    assert from_rpc_error(caught.value).reason == "NOT_FOUND"


async def test_a_second_writer_is_refused_while_the_first_lives(dossier_desk: DossierDesk) -> None:
    dossier = await dossier_desk.draft()
    opened, leave = asyncio.Event(), asyncio.Event()

    async def first() -> list[pb.UploadDocumentsResponse]:
        async def requests() -> Any:
            yield opening(dossier)
            yield frames(*whole(0, ONE))
            await leave.wait()
            yield frames(upload_finish(ONE))

        notices = []
        async for notice in dossier_desk.dossiers.UploadDocuments(requests()):
            opened.set()
            notices.append(notice)
        return notices

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        writing = group.create_task(first())
        await opened.wait()
        error = await refusal(dossier_desk, frames(*whole(1, TWO)), dossier=dossier)
        leave.set()
    assert error.reason == "UPLOAD_LEASE_HELD"
    assert 1 <= int(error.metadata["retry_after_seconds"]) <= 30
    assert writing.result()[-1].finished.document_count == 1
    assert await held(dossier_desk, dossier) == [(0, 3000, True)]


async def test_a_stream_of_the_same_upload_takes_over_and_the_earlier_one_writes_nothing_more(
    dossier_desk: DossierDesk,
) -> None:
    dossier, upload_id = await dossier_desk.draft(), new_id()
    received, overtaken = asyncio.Event(), asyncio.Event()

    async def first() -> CaseMeshError:
        async def requests() -> Any:
            yield opening(dossier, upload_id)
            yield frames(*whole(0, ONE))
            await overtaken.wait()
            yield frames(*whole(7, TWO))

        async for notice in dossier_desk.dossiers.UploadDocuments(requests()):
            if notice.WhichOneof("notice") == "progress":
                received.set()
            if notice.WhichOneof("notice") == "error":
                overtaken.set()
                return from_status(notice.error)
        raise AssertionError("the earlier stream was never told")

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        earlier = group.create_task(first())
        await received.wait()
        messages = [opening(dossier, upload_id), frames(*whole(1, TWO)), frames(upload_finish(ONE, TWO))]
        notices = await notices_of(dossier_desk.dossiers, messages)
    assert earlier.result().reason == "UPLOAD_LEASE_LOST"
    assert notices[-1].finished.document_count == 2
    assert await held(dossier_desk, dossier) == [(0, 3000, True), (1, 1500, True)]


async def test_an_oversized_message_is_refused_and_nothing_of_it_is_held(dossier_desk: DossierDesk) -> None:
    dossier = await dossier_desk.draft()
    huge = frames(header(0, 5 << 20), chunk(0, 0, bytes(5 << 20)))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await notices_of(dossier_desk.dossiers, [opening(dossier), huge])
    assert caught.value.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL)
    assert await held(dossier_desk, dossier) == []


async def test_an_officer_who_is_not_assigned_cannot_tell_a_draft_from_nothing(dossier_desk: DossierDesk) -> None:
    dossier = await dossier_desk.draft()
    zhao = await dossier_desk.mesh.metadata(dossier_desk.police, "zhao")
    stub = dossier_desk.as_caller(DossierServiceStub, zhao)
    answers = []
    for name in (dossier, f"dossiers/{new_id()}"):
        with pytest.raises(NotFound) as caught:
            await stub.QueryUpload(pb.QueryUploadRequest(dossier=name))
        answers.append((caught.value.reason, caught.value.message, caught.value.metadata))
        with pytest.raises(grpc.aio.AioRpcError) as stream:
            await notices_of(stub, [opening(name)])
        error = from_rpc_error(stream.value)
        answers.append((error.reason, error.message, error.metadata))
    assert len(set(map(str, answers))) == 1


async def test_another_agency_of_the_case_cannot_see_or_write_a_draft(dossier_desk: DossierDesk) -> None:
    dossier = await dossier_desk.draft()
    chen = await dossier_desk.participate(dossier_desk.procuratorate, "chen")
    stub = dossier_desk.as_caller(DossierServiceStub, chen)
    with pytest.raises(NotFound):
        await stub.QueryUpload(pb.QueryUploadRequest(dossier=dossier))
    notices = await notices_of(stub, [opening(dossier), frames(*whole(0, ONE))])
    assert from_status(notices[-1].error).reason == "NOT_FOUND"


async def test_a_final_dossier_takes_no_more_documents(dossier_desk: DossierDesk, tmp_path: Any) -> None:
    version: dossier_pb2.DossierVersion = await dossier_desk.version(documents_of(tmp_path, [10]))
    dossier = version.name.rsplit("/versions/", 1)[0]
    error = await refusal(dossier_desk, frames(*whole(1, ONE)), dossier=dossier)
    assert error.reason == "DOSSIER_FINAL"
