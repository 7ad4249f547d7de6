"""Uploads into the real store in a process of their own, which may be killed, stopped or have its system calls fail.

    async with StoreProcess.start(dsn, store, key_file) as process:
        run = await process.begin(Order(dossier_id, case, agency, upload_id, sizes))
        ...                       # it waits: attach strace to run.pid
        outcome = await run.go()  # None when it was killed

One process imports everything and forks for each upload, so that a killed one costs nothing to replace. Run as a module
it is that process.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

from casemesh.core.clock import SystemClock
from casemesh.dossier.keys.local import LocalKeyProvider, wrapping_key_from_file
from casemesh.dossier.packs.disk import DiskPacks
from casemesh.dossier.packs.suites import DEFAULT_SUITE
from casemesh.dossier.store import DossierStore
from casemesh.dossier.uploading.session import tree_hash
from casemesh.dossier.uploading.store import UploadStore
from casemesh.dossier.uploading.uploads import Uploads
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import CaseMeshError, from_status
from casemesh.runtime.call import Call, Caller
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.postgres import Database

ROOT = Path(__file__).resolve().parents[2]
CHUNK_BYTES = 30_000
_HELD = """
SELECT document_index, received_bytes, sha256 IS NOT NULL AS whole FROM document JOIN blob USING (blob_id)
WHERE dossier_id = $1
"""


@dataclass(frozen=True)
class Order:
    """An upload of documents of these sizes into a draft; a document's content follows from its index."""

    dossier_id: str
    case: str
    agency: str
    upload_id: str
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Outcome:
    """What the sender was told: committed bytes, whether it is finished, and the reason it was refused for or ""."""

    committed_bytes: int
    finished: bool
    reason: str


def content(index: int, size: int) -> bytes:
    """A document's content."""
    return random.Random(index).randbytes(size)


class UploadRun:
    """One upload, which begins when it is told to."""

    def __init__(self, process: asyncio.subprocess.Process, pid: int) -> None:
        self._process = process
        self.pid = pid

    async def go(self) -> Outcome | None:
        """Let it run to its end; None where it was killed."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        answer = await _answer(self._process)
        return Outcome(**answer) if "reason" in answer else None


class StoreProcess:
    """The process that forks. One upload at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def start(cls, dsn: str, store: Path, wrapping_key: Path) -> AsyncIterator[StoreProcess]:
        """Start it on a database and a folder of packs; it ends with the body."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.store_process", dsn, str(store), str(wrapping_key),
            cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            yield cls(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    async def begin(self, order: Order) -> UploadRun:
        """Make ready an upload."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        return UploadRun(self._process, (await _answer(self._process))["pid"])

    async def run(self, order: Order) -> Outcome | None:
        """An upload from beginning to end."""
        return await (await self.begin(order)).go()


async def _answer(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        line = await process.stdout.readline()
    assert line, "the store's process ended"
    answer: dict[str, Any] = json.loads(line)
    return answer


def _serve(dsn: str, store: Path, wrapping_key: Path) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    while line := _line():
        order = json.loads(line)
        order["sizes"] = tuple(order["sizes"])
        pid = os.fork()
        if pid == 0:
            _say({"pid": os.getpid()})
            _line()
            _say(asdict(asyncio.run(_upload(Order(**order), dsn, store, wrapping_key))))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if status:
            _say({"status": status})


def _line() -> bytes:
    # Unbuffered, so that the parent never takes what is meant for its child.
    found = b""
    while not found.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return b""
        found += byte
    return found


def _say(value: dict[str, Any]) -> None:
    os.write(1, json.dumps(value).encode() + b"\n")


async def _upload(order: Order, dsn: str, store: Path, wrapping_key: Path) -> Outcome:
    caller = Caller(order.agency, f"{order.agency}/systems/x", None, "", 0.0)
    call = Call("casemesh.dossier.v1.DossierService/UploadDocuments", caller=caller, case=order.case)
    committed, finished, reason = 0, False, ""
    database = Database(dsn, DatabaseConfig(dsn_file=Path("unused"), pool_size=2))
    opened = asyncio.Event()
    try:
        await database.open()
        dossiers = DossierStore(database, LocalKeyProvider(wrapping_key_from_file(wrapping_key)))
        uploads = Uploads(DiskPacks(store), DEFAULT_SUITE, dossiers, UploadStore(database, SystemClock()))
        async for notice in uploads.run(_messages(order, database, opened), call):
            match notice.WhichOneof("notice"):
                case "opened":
                    opened.set()
                case "progress":
                    committed = notice.progress.committed_bytes
                case "finished":
                    finished = True
                case "error":
                    reason = from_status(notice.error).reason
                    opened.set()
        await uploads.close()
    except (CaseMeshError, OSError) as error:
        reason = getattr(error, "reason", repr(error))
    finally:
        await database.close()
    return Outcome(committed, finished, reason)


async def _messages(order: Order, database: Database, opened: asyncio.Event) -> AsyncIterator[Any]:
    """As a sender does: what is held is asked once the stream is open, since opening may adopt more."""
    opening = pb.UploadOpen(dossier=f"dossiers/{order.dossier_id}", upload_id=order.upload_id)
    yield pb.UploadDocumentsRequest(open=opening)
    await opened.wait()
    held = {
        row["document_index"]: (row["received_bytes"], row["whole"])
        for row in await database.fetch(_HELD, order.dossier_id)
    }
    digests = []
    for index, size in enumerate(order.sizes):
        data = content(index, size)
        digests.append(hashlib.sha256(data).digest())
        offset, whole = held.get(index, (0, False))
        if whole:
            continue
        header = pb.DocumentHeader(
            document_index=index, volume="证据卷一", file_name=f"{index}.bin", media_type="application/octet-stream",
            page_count=1, size_bytes=size, offset_bytes=offset,
        )  # fmt: skip
        # In two messages, so that a document can be cut in its middle.
        middle = max(offset, size // 2)
        yield pb.UploadDocumentsRequest(frames=[_frame(header=header), *_chunks(index, data[:middle], offset)])
        finish = pb.DocumentFinish(document_index=index, size_bytes=size, sha256=digests[-1])
        yield pb.UploadDocumentsRequest(frames=[*_chunks(index, data, middle), _frame(document_finish=finish)])
    totals = pb.UploadFinish(
        document_count=len(order.sizes), size_bytes=sum(order.sizes), tree_hash=tree_hash(digests)
    )  # fmt: skip
    yield pb.UploadDocumentsRequest(frames=[_frame(upload_finish=totals)])


def _chunks(index: int, data: bytes, offset: int) -> list[pb.UploadFrame]:
    return [
        _frame(chunk=pb.DocumentChunk(document_index=index, offset_bytes=start, data=data[start : start + CHUNK_BYTES]))
        for start in range(offset, len(data), CHUNK_BYTES)
    ]


def _frame(**part: Any) -> pb.UploadFrame:
    return pb.UploadFrame(**part)


def main(arguments: Sequence[str]) -> None:
    """Serve until stdin ends."""
    dsn, store, wrapping_key = arguments
    _serve(dsn, Path(store), Path(wrapping_key))


if __name__ == "__main__":
    main(sys.argv[1:])
