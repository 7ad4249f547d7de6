"""Whole uploads against a small model of one, on real packs and a real PostgreSQL.

Up to three streams of one attempt, or of attempts that follow each other, send frames in any order, in place and out of
place; some die between disk and database. Whatever happens, what is held is what the model says, and every byte of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from casemesh.core.clock import SystemClock
from casemesh.core.ids import new_id
from casemesh.dossier.packs.disk import DiskPacks
from casemesh.dossier.packs.reader import PackReader
from casemesh.dossier.packs.stores import PackKey
from casemesh.dossier.packs.suites import DEFAULT_SUITE
from casemesh.dossier.uploading.referencing import Referencing
from casemesh.dossier.uploading.store import UploadStore, extent_of
from casemesh.dossier.uploading.stream import UploadStream
from casemesh.dossier.uploading.uploads import Uploads
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import CaseMeshError
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.runtime.call import Call, Caller
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database
from tests.support.dossiers import frames, header, upload_finish
from tests.support.postgres import clone_database

CONTENTS = [b"", random.Random(1).randbytes(300), random.Random(2).randbytes(5000), random.Random(1).randbytes(300)]
AGENCY, KEY = f"agencies/{new_id()}", bytes(32)
HELD = """
SELECT document_index, received_bytes, sha256 IS NOT NULL AS whole FROM document JOIN blob USING (blob_id)
WHERE dossier_id = $1
"""
EXTENTS = "SELECT * FROM document JOIN extent USING (blob_id) WHERE dossier_id = $1"


@dataclass
class Doc:
    """A document as held: which content it is, its bytes so far, and whether it is whole."""

    blob: object
    received: int = 0
    whole: bool = False


Record = tuple[str, int, object, int, int]
"""What a pack holds, in order: ("head" | "data" | "finish", index, blob, the offsets where it begins and ends)."""


@dataclass(frozen=True)
class Step:
    """What a stream sends of one document: ``amount`` bytes that begin ``shift`` beyond their place, then a finish."""

    index: int
    amount: int
    shift: int
    finish: str | None


# Amount, shift and finish, by weight: whole documents, parts of them, and each way to be wrong.
SHAPES = [
    *[(5000, 0, "right")] * 4, *[(100, 0, None)] * 4, (2000, 0, None), (0, 0, None),
    (100, 0, "right"), (5000, 0, "wrong"), (100, 1, None), (100, -1, None),
]  # fmt: skip
steps = st.lists(
    st.builds(lambda index, shape: Step(index, *shape), st.sampled_from([0, 1, 2, 2, 3]), st.sampled_from(SHAPES)),
    min_size=1,
    max_size=3,
)


class Sent:
    """What a message does to a stream that saw ``view`` when it was opened, until the first frame at fault."""

    def __init__(self, view: dict[int, Doc], plan: list[Step]) -> None:
        self.parts: list[Any] = []
        self.records: list[Record] = []
        self.begun: dict[int, Doc | None] = {}
        self.drops = False
        self.dropped: Doc | None = None
        self.refused: str | None = None
        self.docs = {index: Doc(doc.blob, doc.received, doc.whole) for index, doc in view.items()}
        self._view = view
        for step in plan:
            if self.refused is None:
                self._take(step)

    def _take(self, step: Step) -> None:
        index, content = step.index, CONTENTS[step.index]
        head = header(index, len(content))
        if index not in self.docs:
            self.docs[index] = Doc(object())
            self._put("head", index, 0)
        doc = self.docs[index]
        head.offset_bytes = doc.received
        self.parts.append(head)
        data = content[doc.received : doc.received + step.amount]
        if data:
            self.parts.append(pb.DocumentChunk(document_index=index, offset_bytes=doc.received + step.shift, data=data))
            if step.shift:
                self.refused = "CHUNK_OFFSET_MISMATCH"
                return
            doc.received += len(data)
            self._put("data", index, doc.received - len(data))
        if step.finish is not None:
            self._finish(index, doc, step.finish == "right")

    def _finish(self, index: int, doc: Doc, right: bool) -> None:
        content = CONTENTS[index]
        sha256 = hashlib.sha256(content).digest() if right else bytes(32)
        self.parts.append(pb.DocumentFinish(document_index=index, size_bytes=len(content), sha256=sha256))
        if doc.received < len(content):
            self.refused = "DOCUMENT_SIZE_MISMATCH"
        elif not right:
            self.refused = "DOCUMENT_DIGEST_MISMATCH"
            if not doc.whole:
                self.drops, self.dropped = True, self.begun.pop(index, self._view.get(index))
        elif not doc.whole:
            doc.whole = True
            self._put("finish", index, doc.received)

    def _put(self, kind: str, index: int, begin: int) -> None:
        self.records.append((kind, index, self.docs[index].blob, begin, self.docs[index].received))
        self.begun.setdefault(index, self._view.get(index))


class Stream:
    """An open stream of the service, and what it saw when it was opened."""

    def __init__(self, stream: UploadStream, view: dict[int, Doc], epoch: int) -> None:
        self.stream = stream
        self.view = view
        self.epoch = epoch

    async def send(self, message: pb.UploadDocumentsRequest) -> tuple[str | None, bool]:
        """Send one message and end; the reason of the refusal, and whether the upload is finished."""

        async def requests() -> AsyncIterator[pb.UploadDocumentsRequest]:
            yield message

        try:
            notices = [notice async for notice in self.stream.notices(requests())]
        except CaseMeshError as error:
            return error.reason, False
        finally:
            await self.stream.end()
        return None, any(notice.HasField("finished") for notice in notices)


class Keys:
    """Every case has one key."""

    async def case_key(self, case: str) -> bytes:
        return KEY


class QuickPacks(DiskPacks):
    commit_seconds = 0.005


@dataclass
class Bench:
    """The service's parts, for all examples."""

    loop: asyncio.AbstractEventLoop
    database: Database
    root: Path
    store: UploadStore = field(init=False)
    packs: DiskPacks = field(init=False)

    def __post_init__(self) -> None:
        self.store = UploadStore(self.database, SystemClock())
        self.packs = QuickPacks(self.root)


class UploadAgainstModel(RuleBasedStateMachine):
    """``bench`` is set by the test."""

    bench: Bench

    @initialize()
    def draft(self) -> None:
        self.case, self.dossier_id, self.upload_id = f"cases/{new_id()}", new_id(), new_id()
        caller = Caller(AGENCY, f"{AGENCY}/systems/{new_id()}", None, "", 0.0)
        self.call = Call("casemesh.dossier.v1.DossierService/UploadDocuments", caller=caller, case=self.case)
        keys: Any = Keys()
        self.uploads = Uploads(self.bench.packs, DEFAULT_SUITE, keys, self.bench.store)
        self.run(
            self.bench.database.execute(
                "INSERT INTO dossier (dossier_id, case_name, agency, title, created_at) VALUES ($1, $2, $3, 't', $4)",
                self.dossier_id, self.case, AGENCY, datetime.now(UTC),
            )
        )  # fmt: skip
        self.truth: dict[int, Doc] = {}
        self.left: list[list[Record]] = []
        self.streams: list[Stream] = []
        self.attempt_id, self.epoch, self.finished = "", 0, False

    def run(self, work: Any) -> Any:
        return self.bench.loop.run_until_complete(asyncio.wait_for(work, 30))

    def open(self) -> None:
        opening = pb.UploadOpen(
            dossier=f"dossiers/{self.dossier_id}", upload_id=self.upload_id, attempt_id=self.attempt_id, stream_count=3
        )
        stream = self.run(self.uploads.open(opening, self.call))
        view = {index: Doc(doc.blob, doc.received, doc.whole) for index, doc in self.truth.items()}
        self.streams.append(Stream(stream, view, stream.lease.epoch))
        assert self.epoch == stream.lease.epoch

    def begin_attempt(self) -> None:
        """Open the first stream of another attempt: it takes over what the ones before have left."""
        self.attempt_id, self.finished = new_id(), False
        self.epoch += 1
        self.streams.clear()
        for records in self.left:
            self.adopt(records)
        self.left.clear()
        self.open()

    @rule(
        sends=st.lists(
            st.tuples(steps, st.sampled_from([False, False, True]), st.sampled_from([False, False, True])),
            min_size=1,
            max_size=3,
        ),
        late=st.booleans(),
    )
    def attempt(self, sends: list[tuple[list[Step], bool, bool]], late: bool) -> None:
        """As many streams as there are messages; the last one joins when the first has sent, if it is late."""
        self.begin_attempt()
        for number in range(1, len(sends)):
            if not late or number < len(sends) - 1:
                self.open()
        for number, (plan, ends_upload, dies) in enumerate(sends):
            if late and number == 1 and self.one_lives:
                self.open()
            if self.streams:
                self.send(plan, ends_upload, dies)

    @property
    def one_lives(self) -> bool:
        return any(stream.epoch == self.epoch for stream in self.streams)

    def send(self, plan: list[Step], ends_upload: bool, dies: bool) -> None:
        stream = self.streams.pop(0)
        sent = Sent(stream.view, plan)
        parts = [*sent.parts, *([upload_finish(*CONTENTS)] if ends_upload else [])]
        # As if the process died with the bytes on disk and no row yet.
        stream.stream._lost_track = dies
        actual = self.run(stream.send(frames(*parts)))
        if dies:
            self.left.append(sent.records)
            return
        expected = self.commit(stream, sent)
        if expected is not None and sent.records:
            self.left.append(sent.records)
        if sent.refused is not None:
            # Two refusals at once: of the frame at fault and of what came before it. Either is told.
            assert actual in ((sent.refused, False), (expected or sent.refused, False))
            return
        if expected is None and ends_upload:
            expected = self.end_upload(stream)
        assert (expected, expected is None and ends_upload) == actual

    @precondition(lambda self: self.epoch)
    @rule(index=st.sampled_from([1, 3]))
    def reference(self, index: int) -> None:
        content = CONTENTS[index]
        document = pb.ReferencedDocument(header=header(index, len(content)), sha256=hashlib.sha256(content).digest())
        request = pb.ReferenceDocumentsRequest(
            request_id=new_id(), dossier=f"dossiers/{self.dossier_id}", upload_id=self.upload_id, documents=[document]
        )
        answer = self.run(Referencing(self.bench.database, SystemClock()).reference(request, self.call))
        there = self.truth.get(index)
        twin = self.truth.get(4 - index)
        if there is None and twin is not None and twin.whole:
            there = self.truth[index] = Doc(twin.blob, len(content), True)
            if self.finished:
                self.finished, self.epoch = False, self.epoch + 1
        assert ([index] if there is not None and there.whole else []) == list(answer.document_indexes)

    def commit(self, stream: Stream, sent: Sent) -> str | None:
        """What the rows make of a message: the reason of a refusal, or the new truth."""
        if not sent.begun and not sent.drops:
            return None
        if stream.epoch != self.epoch or self.finished:
            return "UPLOAD_LEASE_LOST"
        for index, begun in sent.begun.items():
            now = self.truth.get(index)
            if (now and (now.blob, now.received)) != (begun and (begun.blob, begun.received)):
                return "DOCUMENT_WRITTEN_ELSEWHERE"
        for index, doc in list(self.truth.items()):
            dropped = sent.dropped
            if dropped is not None and (doc.blob, doc.received, doc.whole) == (dropped.blob, dropped.received, False):
                del self.truth[index]
        for index in sent.begun:
            self.truth[index] = sent.docs[index]
        return None

    def end_upload(self, stream: Stream) -> str | None:
        if stream.epoch != self.epoch:
            return "UPLOAD_LEASE_LOST"
        if len(self.truth) < len(CONTENTS):
            return "DOCUMENT_COUNT_MISMATCH"
        if not all(doc.whole for doc in self.truth.values()):
            return "UPLOAD_NOT_FINISHED"
        self.finished = True
        return None

    def adopt(self, records: list[Record]) -> None:
        """The longest run of records that continues what is held; documents that are held otherwise are passed over."""
        held, passed_over = set(self.truth), set[object]()
        for kind, index, blob, begin, end in records:
            if kind == "head" and index in held:
                passed_over.add(blob)
            elif kind == "head":
                self.truth[index] = Doc(blob)
            if blob in passed_over:
                continue
            doc = next((doc for doc in self.truth.values() if doc.blob is blob), None)
            if doc is None or (kind == "data" and doc.received != begin):
                return
            doc.received, doc.whole = max(doc.received, end), doc.whole or kind == "finish"

    @invariant()
    def what_is_held_is_what_the_model_says(self) -> None:
        rows = self.run(self.bench.database.fetch(HELD, self.dossier_id))
        expected = {index: (doc.received, doc.whole) for index, doc in self.truth.items()}
        assert expected == {row["document_index"]: (row["received_bytes"], row["whole"]) for row in rows}
        finished = self.run(
            self.bench.database.fetchval("SELECT upload_finished FROM dossier WHERE dossier_id = $1", self.dossier_id)
        )
        assert self.finished == finished

    def teardown(self) -> None:
        for stream in self.streams:
            self.run(stream.stream.end())
        if not self.epoch:
            return
        # Another stream reads what is held, and finishes what the others left open.
        self.begin_attempt()
        plan = [Step(index, 5000, 0, "right") for index in range(len(CONTENTS))]
        (stream,) = self.streams
        assert (None, True) == self.run(stream.send(frames(*Sent(stream.view, plan).parts, upload_finish(*CONTENTS))))
        case_id = uuid.UUID(self.case.removeprefix("cases/")).bytes
        for document in self.run(self.bench.database.fetch(EXTENTS, self.dossier_id)):
            key = PackKey(case_id, document["pack_id"].bytes)
            with PackReader.open(self.bench.packs, key, KEY) as reader:
                plain = b"".join(
                    found.plain for found in reader.read_extent(document["blob_id"].bytes, extent_of(document))
                )
            start = document["offset_bytes"]
            assert CONTENTS[document["document_index"]][start : start + len(plain)] == plain


@contextmanager
def bench_of(server: EmbeddedPostgres) -> Iterator[Bench]:
    """The parts of the service on a database of their own, in an event loop of their own."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Database]:
        migrating = clone_database(
            server, "dossier", lambda dsn: migrate(dsn, "dossier", "casemesh_dossier_runtime")
        )  # fmt: skip
        async with migrating as made:
            database = Database(made.runtime_dsn, DatabaseConfig(dsn_file=Path("unused"), pool_size=4))
            await database.open()
            yield database
            await database.close()

    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as root:
        database = opened()
        try:
            yield Bench(runner.get_loop(), runner.run(database.__aenter__()), Path(root))
        finally:
            runner.run(database.__aexit__(None, None, None))


def test_whatever_streams_send_and_whenever_they_die_what_is_held_is_what_the_model_says(
    embedded_postgres: EmbeddedPostgres,
) -> None:
    with bench_of(embedded_postgres) as bench:
        machine = type("Machine", (UploadAgainstModel,), {"bench": bench})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=30, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
