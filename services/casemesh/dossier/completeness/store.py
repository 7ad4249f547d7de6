"""What the completeness check looks at, in PostgreSQL: documents with what was recognised of them."""

from __future__ import annotations

from dataclasses import dataclass

from casemesh.core.names import DOCUMENT
from casemesh.data.dossier_catalogue import load
from casemesh.dossier.completeness.check import Entry
from casemesh.dossier.never_crosses import type_never_crosses, volume_never_crosses
from casemesh.runtime.postgres import Database, Row

# Documents that are not whole yet are none.
_ENTRIES = """
SELECT document.document_index, document.document_id::text AS document_id, document.volume, document.file_name,
       document.page_count, document.parties, blob.size_bytes, blob.sha256,
       classification.type_code, classification.confidence, classification.source,
       recognition.examined_at IS NOT NULL AS examined, recognition.page_count AS found_page_count, recognition.problems
FROM document JOIN blob USING (blob_id)
LEFT JOIN classification USING (document_id) LEFT JOIN recognition USING (blob_id)
WHERE document.dossier_id = $1 AND document.revision = $2 AND blob.sha256 IS NOT NULL ORDER BY document.document_index
"""
_VOLUMES = "SELECT DISTINCT volume FROM document WHERE dossier_id = $1 AND revision = $2"
_SUSPECTS = """
SELECT document.document_index, document.volume, classification.type_code, classification.confidence
FROM document LEFT JOIN classification USING (document_id)
WHERE document.dossier_id = $1 AND document.revision = $2
AND (document.volume = ANY($3::text[]) OR classification.type_code = ANY($4::text[])) ORDER BY document.document_index
"""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A document that may be one that never crosses."""

    index: int
    volume: str
    type_code: str
    confidence: float


class CompletenessStore:
    """Reads what a revision of a dossier holds, whoever asks: the caller has found that it may be read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(self, dossier_id: str, revision: int) -> list[Entry]:
        """All whole documents by index."""
        return [_entry(dossier_id, row) for row in await self._database.fetch(_ENTRIES, dossier_id, revision)]

    async def suspects(self, dossier_id: str, revision: int) -> list[Suspect]:
        """Documents of which volume or type may hold them back, by index, and no others."""
        volumes = await self._database.fetch(_VOLUMES, dossier_id, revision)
        held = [row["volume"] for row in volumes if volume_never_crosses(row["volume"])]
        types = [code for code in load().types if type_never_crosses(code)]
        return [
            Suspect(row["document_index"], row["volume"], row["type_code"] or "", row["confidence"] or 0.0)
            for row in await self._database.fetch(_SUSPECTS, dossier_id, revision, held, types)
        ]


def _entry(dossier_id: str, row: Row) -> Entry:
    return Entry(
        index=row["document_index"],
        document=DOCUMENT.format(dossier=dossier_id, document=row["document_id"]),
        volume=row["volume"],
        file_name=row["file_name"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        stated_page_count=row["page_count"],
        type_code=row["type_code"] or "",
        confidence=row["confidence"] or 0.0,
        type_settled=row["source"] == "officer",
        examined=row["examined"],
        found_page_count=row["found_page_count"] or 0,
        problems=tuple(row["problems"] or ()),
        parties=tuple(row["parties"]),
    )
