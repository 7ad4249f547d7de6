"""fsck: whether rows, packs, keys and the events of the service tell the same story.

It reads no document bytes; whether those are what was written is the work of `scrub`. It may run while the service
serves: what changes under it is looked at a second time before it counts.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from casemesh.audit.v1 import event_pb2
from casemesh.client import manifest
from casemesh.client.manifest import ManifestDocument
from casemesh.core.names import CASE
from casemesh.dossier.care.row_checks import ROW_CHECKS, Finding, Severity
from casemesh.dossier.keys.provider import KeyProvider, KeyProviderError
from casemesh.dossier.packs.format import PACK_HEADER_BYTES
from casemesh.dossier.packs.stores import PackKey, PackStore
from casemesh.dossier.policy import VERSION_FINALIZED
from casemesh.runtime.postgres import Database, Row

_PAGE: Final = 500
_PACKS = """
SELECT pack_id, case_name, end_bytes,
       EXISTS (SELECT FROM extent WHERE extent.pack_id = pack.pack_id) AS needed
FROM pack WHERE pack_id > $1 ORDER BY pack_id LIMIT $2
"""
_PACK = """
SELECT case_name, end_bytes, EXISTS (SELECT FROM extent WHERE extent.pack_id = pack.pack_id) AS needed
FROM pack WHERE pack_id = $1
"""
_KEYS = "SELECT case_name, wrapped_key FROM case_key WHERE case_name > $1 ORDER BY case_name LIMIT $2"
_VERSIONS = """
SELECT version_id, dossier_id, revision, page_count, size_bytes, root_hash, manifest
FROM dossier_version WHERE version_id > $1 ORDER BY version_id LIMIT $2
"""
_DOCUMENTS = """
SELECT document.document_index, document.volume, document.file_name, document.media_type, document.page_count,
       blob.size_bytes, blob.sha256
FROM document JOIN blob USING (blob_id)
WHERE document.dossier_id = $1 AND document.revision = $2 ORDER BY document.document_index
"""
_EVENTS = "SELECT id, event FROM outbox WHERE id > $1 ORDER BY id LIMIT $2"
_VERSION_IS_THERE = "SELECT EXISTS (SELECT FROM dossier_version WHERE version_id = $1)"
_LOWEST = uuid.UUID(int=0)


@dataclass(slots=True)
class FsckReport:
    """What was looked at, and what was found."""

    findings: list[Finding] = field(default_factory=list)
    packs: int = 0
    versions: int = 0
    cases: int = 0
    events: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing was found but notices."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "sound": self.sound,
            "packs": self.packs,
            "versions": self.versions,
            "cases": self.cases,
            "events": self.events,
            "findings": [
                {"kind": item.kind, "severity": item.severity, "subject": item.subject, "detail": item.detail}
                for item in self.findings
            ],
        }


@dataclass
class Fsck:
    """One run; its report is complete when `run` returns. ``orphans`` are then the packs that no row knows."""

    database: Database
    packs: PackStore
    keys: KeyProvider
    report: FsckReport = field(default_factory=FsckReport)
    orphans: list[PackKey] = field(default_factory=list)

    async def run(self, progress: Callable[[str], None]) -> FsckReport:
        """Check everything; ``progress`` is told the name of each step as it begins.

        Raises OSError where the store of packs does not answer, KeyProviderUnavailable, Unavailable.
        """
        progress("rows")
        for check in ROW_CHECKS:
            for row in await self.database.fetch(check.statement):
                self.report.findings.append(Finding(check.kind, check.severity, row[0], row[1]))
        progress("packs")
        await self._check_packs()
        progress("keys")
        await self._check_keys()
        progress("versions")
        finalized = await self._finalized_versions()
        await self._check_versions(finalized)
        return self.report

    def _found(self, kind: str, severity: Severity, subject: str, detail: str) -> None:
        self.report.findings.append(Finding(kind, severity, subject, detail))

    async def _check_packs(self) -> None:
        known: dict[PackKey, Row] = {}
        async for row in self._pages(_PACKS, "pack_id"):
            known[_key_of(row["case_name"], row["pack_id"])] = row
        self.report.packs = len(known)
        sizes = await asyncio.to_thread(self._sizes, {key for key, row in known.items() if row["needed"]})
        for key, size in sizes.items():
            pack = known.get(key)
            # Rows and store were not read in the same moment.
            if pack is None or (pack["needed"] and size < pack["end_bytes"]):
                await self._look_again(key, size)

    async def _look_again(self, key: PackKey, size: int) -> None:
        row = await self.database.fetchrow(_PACK, uuid.UUID(bytes=key.pack_id))
        subject = f"pack {uuid.UUID(bytes=key.pack_id)}"
        if row is None or _key_of(row["case_name"], uuid.UUID(bytes=key.pack_id)) != key:
            if await asyncio.to_thread(self._size, key) >= 0:
                self.orphans.append(key)
                self._found("pack_without_row", Severity.NOTICE, subject, f"{size} bytes that nothing leads to")
        elif row["needed"] and await asyncio.to_thread(self._size, key) < row["end_bytes"]:
            missing = size < PACK_HEADER_BYTES
            detail = "its file or objects are missing" if missing else f"{size} of {row['end_bytes']} bytes are there"
            self._found("row_without_pack" if missing else "pack_short", Severity.ERROR, subject, detail)

    def _sizes(self, needed: set[PackKey]) -> dict[PackKey, int]:
        """Sizes of what the store has; -1 for what is needed and not there."""
        return {key: self._size(key) for key in needed.union(self.packs.keys())}

    def _size(self, key: PackKey) -> int:
        try:
            return self.packs.size(key)
        except FileNotFoundError:
            return -1

    async def _check_keys(self) -> None:
        after = ""
        while rows := await self.database.fetch(_KEYS, after, _PAGE):
            for row in rows:
                after = row["case_name"]
                self.report.cases += 1
                if row["wrapped_key"] is None:
                    continue
                try:
                    await self.keys.unwrap(after, row["wrapped_key"])
                except KeyProviderError as error:
                    self._found("key_unusable", Severity.ERROR, after, str(error))

    async def _finalized_versions(self) -> set[str]:
        """The versions whose finalising the service has told the log of, or is about to."""
        finalized, after = set(), 0
        while rows := await self.database.fetch(_EVENTS, after, _PAGE):
            for row in rows:
                after = row["id"]
                self.report.events += 1
                event = event_pb2.Event.FromString(row["event"])
                if event.action == VERSION_FINALIZED:
                    finalized.add(event.resource)
        return finalized

    async def _check_versions(self, finalized: set[str]) -> None:
        async for row in self._pages(_VERSIONS, "version_id"):
            self.report.versions += 1
            name = f"dossiers/{row['dossier_id']}/versions/{row['version_id']}"
            if name in finalized:
                finalized.remove(name)
            elif name not in await self._finalized_versions():
                self._found("version_without_event", Severity.ERROR, name, "no event tells that it was finalised")
            rows = await self.database.fetch(_DOCUMENTS, row["dossier_id"], row["revision"])
            for detail in await asyncio.to_thread(_contradictions, row, rows):
                self._found("version_altered", Severity.ERROR, name, detail)
        for name in sorted(finalized):
            if not await self.database.fetchval(_VERSION_IS_THERE, name.rpartition("/")[2]):
                self._found("version_lost", Severity.ERROR, name, "it was finalised, and its row is gone")

    async def _pages(self, statement: str, key: str) -> AsyncIterator[Row]:
        after = _LOWEST
        while rows := await self.database.fetch(statement, after, _PAGE):
            for row in rows:
                yield row
            after = rows[-1][key]


def _contradictions(version: Row, rows: Sequence[Row]) -> list[str]:
    """How a version's row, its documents' rows and its manifest contradict each other."""
    documents = [ManifestDocument(**row) for row in rows if row["sha256"] is not None]
    root = manifest.root_hash(documents)
    payload = json.loads(b64decode(json.loads(version["manifest"])["payload"]))
    found = []
    if root != version["root_hash"]:
        found.append("the root over its documents is not the one that was finalised")
    if payload["root_hash"] != version["root_hash"].hex():
        found.append("its manifest states another root")
    counts = (sum(item.page_count for item in documents), sum(item.size_bytes for item in documents))
    if counts != (version["page_count"], version["size_bytes"]):
        found.append("its pages or bytes do not add up")
    return found


def _key_of(case: str, pack_id: uuid.UUID) -> PackKey:
    return PackKey(uuid.UUID(CASE.parse(case)["case"]).bytes, pack_id.bytes)
