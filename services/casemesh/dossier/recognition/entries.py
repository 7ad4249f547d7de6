"""The table of contents (卷内目录) and officers' corrections, in PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from casemesh.dossier.recognition.classify import Source
from casemesh.runtime.postgres import Database, Row, Transaction

# Volumes stand in the order of their first documents, whatever the order in which documents arrived. Documents that are
# not whole yet are none. Pages run through a volume as its sender states them.
_ENTRIES = """
SELECT * FROM (
    SELECT row_number() OVER (ORDER BY first_index, document_index) - 1 AS place,
           sum(page_count) OVER (PARTITION BY volume ORDER BY document_index) AS last_page, held.*
    FROM (
        SELECT document.document_id::text AS document_id, document.document_index, document.volume, document.file_name,
               document.page_count, document.parties, document.blob_id,
               min(document.document_index) OVER (PARTITION BY document.volume) AS first_index
        FROM document JOIN blob USING (blob_id)
        WHERE document.dossier_id = $1 AND document.revision = $2 AND blob.sha256 IS NOT NULL
    ) AS held
) AS placed
LEFT JOIN LATERAL (
    SELECT type_code, confidence, source, reason FROM classification
    WHERE classification.document_id = placed.document_id::uuid
) AS classification ON true
LEFT JOIN LATERAL (
    SELECT format, recognition.page_count AS found_page_count, problems, examined_at IS NOT NULL AS examined
    FROM recognition WHERE recognition.blob_id = placed.blob_id
) AS recognition ON true
WHERE place > $3 ORDER BY place LIMIT $4
"""
_WAITING = """
SELECT count(*) FROM document JOIN blob USING (blob_id) LEFT JOIN recognition USING (blob_id)
WHERE document.dossier_id = $1 AND document.revision = $2 AND blob.sha256 IS NOT NULL
AND recognition.examined_at IS NULL
"""
_DOCUMENT = """
SELECT document.document_id::text AS document_id, document.document_index, document.volume, document.file_name,
       document.page_count, document.parties, 0 AS place, document.page_count AS last_page,
       classification.type_code, classification.confidence, classification.source, classification.reason,
       recognition.format, recognition.page_count AS found_page_count, recognition.problems,
       recognition.examined_at IS NOT NULL AS examined, coalesce(recognition.title, '') AS title
FROM document JOIN dossier USING (dossier_id) JOIN blob USING (blob_id)
LEFT JOIN classification USING (document_id) LEFT JOIN recognition USING (blob_id)
WHERE document.dossier_id = $1 AND document.document_id = $2 AND dossier.agency = $3 AND blob.sha256 IS NOT NULL
"""
_CORRECT = """
INSERT INTO classification (document_id, type_code, confidence, source, reason, officer, corrected_at)
VALUES ($1, $2, 1, 'officer', $3, $4, $5)
ON CONFLICT (document_id) DO UPDATE
SET type_code = excluded.type_code, confidence = 1, source = 'officer', reason = excluded.reason,
    officer = excluded.officer, corrected_at = excluded.corrected_at
"""
_LEARN = """
INSERT INTO recognition_rule (rule_id, agency, title, type_code, officer, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (agency, title) DO UPDATE
SET rule_id = excluded.rule_id, type_code = excluded.type_code, officer = excluded.officer,
    created_at = excluded.created_at
"""
_RULES = """
SELECT rule_id::text AS rule_id, title, type_code, created_at FROM recognition_rule
WHERE agency = $1 AND ($2::uuid IS NULL OR rule_id < $2) ORDER BY rule_id DESC LIMIT $3
"""
_FORGET = "DELETE FROM recognition_rule WHERE rule_id = $1 AND agency = $2"


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A line of the table of contents. Without a classification, or before the examination, its fields are empty."""

    place: int
    document_id: str
    document_index: int
    volume: str
    file_name: str
    parties: tuple[str, ...]
    page_count: int
    last_page: int
    type_code: str | None
    confidence: float
    source: Source | None
    reason: str
    examined: bool
    format: str
    found_page_count: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """What an agency has taught."""

    rule_id: str
    title: str
    type_code: str | None
    created_at: datetime


class EntryStore:
    """Reads entries whoever asks, the caller having found that they may be read; rules are an agency's own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(self, dossier_id: str, revision: int, after: int, limit: int) -> list[StoredEntry]:
        """Entries in order, from behind place ``after`` on."""
        rows = await self._database.fetch(_ENTRIES, dossier_id, revision, after, limit)
        return [_entry(row) for row in rows]

    async def waiting(self, dossier_id: str, revision: int) -> int:
        """How many documents are not examined yet."""
        count: int = await self._database.fetchval(_WAITING, dossier_id, revision)
        return count

    async def document(
        self, transaction: Transaction, dossier_id: str, document_id: str, agency: str
    ) -> tuple[StoredEntry, str] | None:
        """A whole document of an agency's own dossier, and the title line of its text; its page range is not known."""
        row = await transaction.fetchrow(_DOCUMENT, dossier_id, document_id, agency)
        return None if row is None else (_entry(row), row["title"])

    async def correct(
        self,
        transaction: Transaction,
        document_id: str,
        type_code: str | None,
        reason: str,
        officer: str,
        now: datetime,
    ) -> None:
        """Set a document's type as an officer sees it."""
        await transaction.execute(_CORRECT, document_id, type_code, reason, officer, now)

    async def learn(self, transaction: Transaction, rule: Rule, agency: str, officer: str) -> None:
        """Keep a rule in the place of the one that the agency had for this title."""
        await transaction.execute(
            _LEARN, rule.rule_id, agency, rule.title, rule.type_code, officer, rule.created_at
        )  # fmt: skip

    async def rules(self, agency: str, after: str | None, limit: int) -> list[Rule]:
        """An agency's rules, newest first, from behind rule ``after`` on, or from the newest."""
        return [Rule(**row) for row in await self._database.fetch(_RULES, agency, after, limit)]

    async def forget(self, transaction: Transaction, rule_id: str, agency: str) -> bool:
        """Remove a rule of the agency; says whether there was one."""
        return bool(await transaction.execute(_FORGET, rule_id, agency))


def _entry(row: Row) -> StoredEntry:
    return StoredEntry(
        row["place"], row["document_id"], row["document_index"], row["volume"], row["file_name"],
        tuple(row["parties"]), row["page_count"], int(row["last_page"]), row["type_code"], row["confidence"] or 0.0,
        Source(row["source"]) if row["source"] else None, row["reason"] or "", bool(row["examined"]),
        row["format"] or "", row["found_page_count"] or 0, tuple(row["problems"] or ()),
    )  # fmt: skip
