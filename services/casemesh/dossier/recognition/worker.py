"""Recognises documents behind the transfers: types by name as they arrive, then what the bytes say (自动识别).

A type by name costs microseconds and comes first, for all documents that have arrived. The examination of the bytes
follows in a process with limits, and gives way while anyone uploads.
"""

from __future__ import annotations

import asyncio
import io
import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog

from casemesh.client.examining.examiner import ExaminationFailed, Examiner
from casemesh.client.examining.findings import Findings, Format, Line, Problem
from casemesh.client.examining.formats import sniff
from casemesh.dossier.packs.stores import PackStore
from casemesh.dossier.recognition.classify import Classifier, Guess, Source
from casemesh.dossier.recognition.reading import ReadableContents
from casemesh.dossier.recognition.store import DueContent, Examined, NamedContent, RecognitionStore, Unnamed
from casemesh.dossier.store import DossierStore
from casemesh.errors import CaseMeshError, DataLoss

log = structlog.get_logger(__name__)

MAX_ATTEMPTS: Final = 3
"""How often an examination is begun before its content is given up as unreadable."""
_IDLE_SECONDS: Final = 1.0
_IDLE_STEPS: Final = 30
_DOSSIERS: Final = 8
_NAMES: Final = 1000
_CONTENTS: Final = 32
_CONTENTS_BESIDE: Final = 4
# Longer than one content may take; the rest of a batch is given back before it ends.
_LEASE: Final = timedelta(seconds=180)
_BATCH_SECONDS: Final = 60.0
_RETRY: Final = timedelta(seconds=5)
_DAMAGED_RETRY: Final = timedelta(minutes=10)
# While anyone uploads, the worker rests this many times as long as it works.
_RESTS: Final = 5
# Below this a look at the picture is worth its time.
_SURE: Final = 0.8
_PICTURES: Final = frozenset({Format.PDF, Format.JPEG, Format.PNG, Format.TIFF})

Rules = Mapping[str, str | None]


@dataclass(frozen=True)
class ExaminationLimits:
    """``max_bytes``: of larger contents the format alone is found. ``ocr``: pictures are read where the machine can."""

    max_bytes: int
    ocr: bool


@dataclass(frozen=True, slots=True)
class _Seen:
    """A content and what was found; None where its examination gave no answer. ``damaged``: it could not be read."""

    content: DueContent
    findings: Findings | None
    source: Source = Source.TEXT
    damaged: bool = False


class Recognizing:
    """The work of recognition, for one process; several may run on one database.

    Guarantees that a document whose bytes arrived whole gets a type by name at last after seconds, that an officer's
    word is never overwritten, and that a content which ended its process or this one three times is given up as
    unreadable. The stored bytes are never changed.
    """

    def __init__(
        self,
        store: RecognitionStore,
        dossiers: DossierStore,
        packs: PackStore,
        classifier: Classifier,
        limits: ExaminationLimits,
    ) -> None:
        self._store = store
        self._dossiers = dossiers
        self._packs = packs
        self._classifier = classifier
        self._limits = limits
        self._examiner = Examiner()
        # The examiner answers one thread, and packs are read by one.
        self._thread = ThreadPoolExecutor(1, "recognition")

    async def run(self) -> None:
        """Work until cancelled. What fails is logged and tried again."""
        idle = 0
        try:
            while True:
                try:
                    worked = await self.step()
                except CaseMeshError as error:
                    log.warning("recognition.waiting", reason=error.reason)
                    worked = False
                except Exception:
                    # What escaped from here would end the service, and transfers need no types.
                    log.exception("recognition.failed")
                    worked = False
                idle = 0 if worked else idle + 1
                if idle == _IDLE_STEPS:
                    # The process that reads has tens of megabytes of readers loaded; the next file starts another.
                    await asyncio.get_running_loop().run_in_executor(self._thread, self._examiner.close)
                if not worked:
                    await asyncio.sleep(_IDLE_SECONDS)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._examiner.close()

    async def step(self) -> bool:
        """Do what is due, a little of it; says whether there was anything."""
        named = False
        for due in await self._store.take_dossiers(_DOSSIERS):
            if await self.name_documents(due.dossier_id):
                named = True
                await self._store.look_again_soon(due.dossier_id)
            else:
                await self._store.settle(due)
        return await self._examine() or named

    async def name_documents(self, dossier_id: uuid.UUID | str) -> int:
        """Give types by name to what has none in a dossier; returns to how many."""
        count = 0
        while True:
            documents = await self._store.unnamed(dossier_id, _NAMES)
            if documents:
                rules = await self._rules({document.agency for document in documents})
                await self._store.name(await asyncio.to_thread(self._name, documents, rules))
                count += len(documents)
            if len(documents) < _NAMES:
                return count

    async def name_if_due(self, dossier_id: str) -> None:
        """As `name_documents`, but at no cost for a dossier that was looked through since it last changed."""
        if await self._store.may_have_unnamed(dossier_id):
            await self.name_documents(dossier_id)

    def _name(self, documents: Sequence[Unnamed], rules: Mapping[str, Rules]) -> list[tuple[Unnamed, Guess | None]]:
        return [
            (
                document,
                None
                if document.earlier is not None
                else self._classifier.classify(
                    document.file_name, [Line(document.title)] if document.title else [], rules[document.agency]
                ),
            )
            for document in documents
        ]

    async def _rules(self, agencies: set[str]) -> dict[str, Rules]:
        return {agency: await self._store.rules(agency) for agency in agencies}

    async def _examine(self) -> bool:
        live = await self._store.transfers_live()
        contents = await self._store.take_contents(_CONTENTS_BESIDE if live else _CONTENTS, _LEASE)
        if not contents:
            return False
        began = time.monotonic()
        done: list[_Seen] = []
        try:
            keys = {case: await self._dossiers.case_key(case) for case in {each.case_name for each in contents}}
            names = await self._store.documents_of([content.blob_id for content in contents])
            loop = asyncio.get_running_loop()
            done = await loop.run_in_executor(self._thread, self._look, contents, keys, names)
        finally:
            await asyncio.shield(self._store.give_back(contents[len(done) :]))
        await self._keep(done)
        if live:
            await asyncio.sleep(_RESTS * (time.monotonic() - began))
        return True

    def _look(
        self,
        contents: Sequence[DueContent],
        keys: Mapping[str, bytes],
        names: Mapping[uuid.UUID, Sequence[NamedContent]],
    ) -> list[_Seen]:
        """What the first contents hold, as many as time allows."""
        began = time.monotonic()
        done: list[_Seen] = []
        with ReadableContents(self._packs) as readable:
            for content in contents:
                if done and time.monotonic() - began > _BATCH_SECONDS:
                    break
                if content.attempts > MAX_ATTEMPTS:
                    # Each time so far, this process did not live to say what became of it.
                    done.append(_Seen(content, None))
                    continue
                try:
                    file_names = [document.file_name for document in names.get(content.blob_id, ())]
                    done.append(self._look_at(readable, content, keys[content.case_name], file_names))
                except ExaminationFailed:
                    done.append(_Seen(content, None))
                except DataLoss:
                    done.append(_Seen(content, None, damaged=True))
        return done

    def _look_at(self, readable: ReadableContents, content: DueContent, key: bytes, file_names: Sequence[str]) -> _Seen:
        if content.content.size_bytes > self._limits.max_bytes:
            found = sniff(io.BytesIO(readable.head(content, key)))
            return _Seen(content, Findings(found, problems=(Problem.TOO_LARGE_TO_EXAMINE,)))
        with readable.readable(content, key) as path:
            findings = self._examiner.examine(path)
            if self._limits.ocr and self._worth_a_look(findings, file_names):
                read = self._examiner.read_picture(path)
                return _Seen(content, replace(findings, lines=read.lines), Source.OCR)
            return _Seen(content, findings)

    def _worth_a_look(self, findings: Findings, file_names: Sequence[str]) -> bool:
        if findings.format not in _PICTURES or findings.lines or findings.problems:
            return False
        return any(self._classifier.classify(name).confidence < _SURE for name in file_names)

    async def _keep(self, done: Sequence[_Seen]) -> None:
        found: list[tuple[_Seen, Findings]] = []
        for seen in done:
            content, findings = seen.content, seen.findings
            if seen.damaged:
                log.error("recognition.content_damaged", blob=str(content.blob_id))
                await self._store.postpone(content, _DAMAGED_RETRY)
            elif findings is not None:
                found.append((seen, findings))
            else:
                log.warning("recognition.examination_failed", blob=str(content.blob_id), attempts=content.attempts)
                if content.attempts < MAX_ATTEMPTS:
                    await self._store.try_again(content, _RETRY)
                else:
                    found.append((seen, Findings(Format.UNRECOGNISED, problems=(Problem.UNREADABLE,))))
        names = await self._store.documents_of([seen.content.blob_id for seen, _ in found])
        rules = await self._rules({document.agency for documents in names.values() for document in documents})
        await self._store.set_examined(
            [self._examined(seen, findings, names.get(seen.content.blob_id, ()), rules) for seen, findings in found]
        )

    def _examined(
        self, seen: _Seen, findings: Findings, documents: Sequence[NamedContent], rules: Mapping[str, Rules]
    ) -> Examined:
        guesses = {
            document.document_id: self._classifier.classify(
                document.file_name, findings.lines, rules[document.agency], seen.source
            )
            for document in documents
        }
        return Examined(seen.content.blob_id, findings, self._classifier.title_of(findings.lines), guesses)
