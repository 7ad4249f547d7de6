"""What was recognised, in PostgreSQL: findings of contents, types of documents, what is left to do."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from casemesh.client.examining.findings import Findings
from casemesh.dossier.packs.reader import Extent
from casemesh.dossier.recognition.classify import Guess
from casemesh.dossier.uploading.store import extent_of
from casemesh.dossier.version_store import Content
from casemesh.runtime.postgres import Database, Row

_TAKE_DOSSIERS = """
UPDATE recognition_due SET due_at = now() + pause, pause = least(pause * 2, interval '30 seconds')
WHERE dossier_id IN (
    SELECT dossier_id FROM recognition_due WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING dossier_id, due_at
"""
_MAY_BE_UNNAMED = "SELECT EXISTS (SELECT FROM recognition_due WHERE dossier_id = $1)"
# A dossier that changed meanwhile has another time, and stays.
_SETTLE = """
DELETE FROM recognition_due USING dossier
WHERE recognition_due.dossier_id = $1 AND recognition_due.due_at = $2
AND dossier.dossier_id = $1 AND dossier.state <> 'draft'
"""
_LOOK_AGAIN_SOON = "UPDATE recognition_due SET due_at = now(), pause = '1 second' WHERE dossier_id = $1"
# The same content under the same name has the type it had, an officer's word above all.
_UNNAMED = """
SELECT document.document_id, document.file_name, document.blob_id, dossier.agency,
       coalesce(recognition.title, '') AS title,
       earlier.document_id IS NOT NULL AS known, earlier.type_code, earlier.confidence, earlier.source, earlier.reason,
       earlier.officer, earlier.corrected_at
FROM document JOIN dossier USING (dossier_id) JOIN blob USING (blob_id)
LEFT JOIN recognition ON recognition.blob_id = document.blob_id
LEFT JOIN classification ON classification.document_id = document.document_id
LEFT JOIN LATERAL (
    SELECT classification.* FROM document AS other JOIN classification USING (document_id)
    WHERE other.blob_id = document.blob_id AND other.file_name = document.file_name
    ORDER BY classification.corrected_at DESC NULLS LAST LIMIT 1
) AS earlier ON true
WHERE document.dossier_id = $1 AND blob.sha256 IS NOT NULL AND classification.document_id IS NULL LIMIT $2
"""
# Drafts lose documents meanwhile: what is locked stays until its row refers to it.
_ADD_CLASSIFICATIONS = """
INSERT INTO classification (document_id, type_code, confidence, source, reason, officer, corrected_at)
SELECT given.* FROM unnest($1::uuid[], $2::text[], $3::real[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
    AS given (document_id, type_code, confidence, source, reason, officer, corrected_at)
JOIN document USING (document_id) FOR KEY SHARE OF document
ON CONFLICT DO NOTHING
"""
_ADD_RECOGNITIONS = """
INSERT INTO recognition (blob_id) SELECT blob_id FROM blob WHERE blob_id = ANY($1::uuid[]) FOR KEY SHARE
ON CONFLICT DO NOTHING
"""
_RULES = "SELECT title, type_code FROM recognition_rule WHERE agency = $1"
# What was begun before comes alone: whatever else was taken with it would be lost with it once more. What no document
# has any more, since its draft was given up, is put off instead: another document may yet come to have it.
_TAKE_CONTENTS = """
WITH due AS MATERIALIZED (
    SELECT blob_id, EXISTS (SELECT FROM document WHERE document.blob_id = waiting.blob_id) AS wanted
    FROM recognition AS waiting WHERE examined_at IS NULL AND due_at <= now() AND (attempts > 0) = $3
    ORDER BY due_at, blob_id LIMIT $1 FOR UPDATE OF waiting SKIP LOCKED)
UPDATE recognition
SET attempts = attempts + due.wanted::int, due_at = now() + CASE WHEN due.wanted THEN $2::interval ELSE $4::interval END
FROM due WHERE recognition.blob_id = due.blob_id
RETURNING recognition.blob_id, attempts, wanted
"""
_CONTENTS = """
UPDATE recognition SET attempts = attempts + 1, due_at = now() + $2
WHERE blob_id IN (
    SELECT blob_id FROM recognition WHERE examined_at IS NULL AND due_at <= now() AND (attempts > 0) = $3
    ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING blob_id, attempts
"""
_CONTENTS = """
SELECT blob_id, case_name, size_bytes FROM blob WHERE blob_id = ANY($1::uuid[])
"""
_EXTENTS = """
SELECT blob_id, pack_id, position_bytes, stored_bytes, record_number, chunk_index, offset_bytes, length_bytes
FROM extent WHERE blob_id = ANY($1::uuid[]) ORDER BY blob_id, chunk_index
"""
_GIVE_BACK = """
UPDATE recognition SET attempts = attempts - 1, due_at = now()
WHERE blob_id = ANY($1::uuid[]) AND examined_at IS NULL AND attempts > 0
"""
_TRY_AGAIN = "UPDATE recognition SET due_at = now() + $2 WHERE blob_id = $1 AND examined_at IS NULL"
_SET_EXAMINED = """
UPDATE recognition SET examined_at = now(), format = $2, page_count = $3, problems = $4, title = $5 WHERE blob_id = $1
"""
_DOCUMENTS_OF = """
SELECT document.blob_id, document.document_id, document.file_name, dossier.agency
FROM document JOIN dossier USING (dossier_id) LEFT JOIN classification USING (document_id)
WHERE document.blob_id = ANY($1::uuid[]) AND classification.officer IS NULL
"""
# The document may have gone since it was read, and an officer may have spoken. Locked, here and above: one that goes
# at this very moment is waited for, and passed over, instead of failing the reference to it.
_RECLASSIFY = """
INSERT INTO classification (document_id, type_code, confidence, source, reason)
SELECT document_id, $2, $3, $4, $5 FROM document WHERE document_id = $1 FOR KEY SHARE
ON CONFLICT (document_id) DO UPDATE
SET type_code = excluded.type_code, confidence = excluded.confidence, source = excluded.source, reason = excluded.reason
WHERE classification.officer IS NULL
"""
_TRANSFERS = "SELECT EXISTS (SELECT FROM upload_lease WHERE expires_at > now())"
_COLUMN_LENGTH: Final = 200
_UNWANTED_PAUSE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A whole document without a type; ``earlier`` is what the same content under the same name has."""

    document_id: uuid.UUID
    file_name: str
    blob_id: uuid.UUID
    agency: str
    title: str
    earlier: Row | None


@dataclass(frozen=True, slots=True)
class DueContent:
    """A content to be examined, for the ``attempts``-th time, and where its bytes lie."""

    blob_id: uuid.UUID
    attempts: int
    case_name: str
    content: Content


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found of a content; ``guesses`` are its documents' types by document id."""

    blob_id: uuid.UUID
    findings: Findings
    title: str
    guesses: Mapping[uuid.UUID, Guess]


@dataclass(frozen=True, slots=True)
class NamedContent:
    """A document that has a content, and what decides its type besides."""

    document_id: uuid.UUID
    file_name: str
    agency: str


@dataclass(frozen=True, slots=True)
class DueDossier:
    """A dossier to look through, and the time that says that it has not changed since."""

    dossier_id: uuid.UUID
    due_at: datetime


class RecognitionStore:
    """The work of recognition. Several replicas may take from it: none gets what another has, as long as that lives."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_dossiers(self, limit: int) -> list[DueDossier]:
        """Dossiers to look through; they come again after a while unless they are settled."""
        return [DueDossier(**row) for row in await self._database.fetch(_TAKE_DOSSIERS, limit)]

    async def settle(self, due: DueDossier) -> None:
        """Look no further through a dossier that is no draft and has not changed since it was taken."""
        await self._database.execute(_SETTLE, due.dossier_id, due.due_at)

    async def may_have_unnamed(self, dossier_id: str) -> bool:
        """Whether a dossier may hold documents without a type: all but those that were settled since they changed."""
        return bool(await self._database.fetchval(_MAY_BE_UNNAMED, dossier_id))

    async def look_again_soon(self, dossier_id: uuid.UUID) -> None:
        """A dossier in which something came is likely to get more."""
        await self._database.execute(_LOOK_AGAIN_SOON, dossier_id)

    async def unnamed(self, dossier_id: uuid.UUID | str, limit: int) -> list[Unnamed]:
        """Documents of a dossier that have arrived whole and have no type yet, of any revision."""
        return [
            Unnamed(
                row["document_id"], row["file_name"], row["blob_id"], row["agency"], row["title"],
                row if row["known"] else None,
            )
            for row in await self._database.fetch(_UNNAMED, dossier_id, limit)
        ]  # fmt: skip

    async def rules(self, agency: str) -> Mapping[str, str | None]:
        """What an agency has taught, by compact title; None stands for none of the catalogue's types."""
        return {row["title"]: row["type_code"] for row in await self._database.fetch(_RULES, agency)}

    async def name(self, documents: Sequence[tuple[Unnamed, Guess | None]]) -> None:
        """Give documents their first type, the guess or else what they had, and have their contents examined."""
        rows = [_classification(document, guess) for document, guess in documents]
        async with self._database.transaction() as transaction:
            await transaction.execute(_ADD_CLASSIFICATIONS, *(list(column) for column in zip(*rows, strict=True)))
            await transaction.execute(_ADD_RECOGNITIONS, list({document.blob_id for document, _ in documents}))

    async def take_contents(self, limit: int, lease: timedelta) -> list[DueContent]:
        """Contents to examine, as they lie in the packs: several that are new, or one whose examination was begun."""
        taken = await self._take(limit, lease, False) or await self._take(1, lease, True)
        if not taken:
            return []
        attempts = {row["blob_id"]: row["attempts"] for row in taken}
        extents: dict[uuid.UUID, list[Extent]] = {}
        for row in await self._database.fetch(_EXTENTS, list(attempts)):
            extents.setdefault(row["blob_id"], []).append(extent_of(row))
        contents = [
            DueContent(
                row["blob_id"], attempts[row["blob_id"]], row["case_name"],
                Content(0, row["blob_id"].bytes, row["size_bytes"], tuple(extents.get(row["blob_id"], ()))),
            )
            for row in await self._database.fetch(_CONTENTS, list(attempts))
        ]  # fmt: skip
        # Packs are read in large steps: out of turn, each content would cost one.
        return sorted(contents, key=lambda due: (due.case_name, due.content.extents[:1]))

    async def _take(self, limit: int, lease: timedelta, begun: bool) -> list[Row]:
        while True:
            rows = await self._database.fetch(_TAKE_CONTENTS, limit, lease, begun, _UNWANTED_PAUSE)
            wanted = [row for row in rows if row["wanted"]]
            if wanted or not rows:
                return wanted

    async def give_back(self, contents: Sequence[DueContent]) -> None:
        """Leave contents to others as if they had not been taken."""
        await self._database.execute(_GIVE_BACK, [content.blob_id for content in contents])

    async def try_again(self, content: DueContent, pause: timedelta) -> None:
        """Leave a content for a later attempt."""
        await self._database.execute(_TRY_AGAIN, content.blob_id, pause)

    async def postpone(self, content: DueContent, pause: timedelta) -> None:
        """Leave a content for later as if this attempt had not been made."""
        await self.give_back([content])
        await self.try_again(content, pause)

    async def documents_of(self, blob_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[NamedContent]]:
        """Documents with these contents whose type no officer has set, by content."""
        found: dict[uuid.UUID, list[NamedContent]] = {}
        for row in await self._database.fetch(_DOCUMENTS_OF, list(blob_ids)):
            found.setdefault(row["blob_id"], []).append(
                NamedContent(row["document_id"], row["file_name"], row["agency"])
            )
        return found

    async def set_examined(self, examined: Sequence[Examined]) -> None:
        """Keep what examinations found, and the types that follow from it, all or none."""
        async with self._database.transaction() as transaction:
            await transaction.executemany(
                _SET_EXAMINED,
                [
                    (
                        each.blob_id, each.findings.format, each.findings.page_count, list(each.findings.problems),
                        each.title[:_COLUMN_LENGTH],
                    )
                    for each in examined
                ],
            )  # fmt: skip
            await transaction.executemany(
                _RECLASSIFY,
                [
                    (document_id, guess.type_code, guess.confidence, guess.source or "", guess.reason)
                    for each in examined
                    for document_id, guess in each.guesses.items()
                ],
            )

    async def transfers_live(self) -> bool:
        """Whether anyone is uploading."""
        return bool(await self._database.fetchval(_TRANSFERS))


def _classification(document: Unnamed, guess: Guess | None) -> tuple[object, ...]:
    if guess is not None:
        return (
            document.document_id, guess.type_code, guess.confidence, guess.source or "", guess.reason, None, None,
        )  # fmt: skip
    earlier = document.earlier
    assert earlier is not None
    columns = ("type_code", "confidence", "source", "reason", "officer", "corrected_at")
    return (document.document_id, *(earlier[column] for column in columns))
