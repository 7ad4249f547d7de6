"""What must hold among the store's rows, as questions to the database that ask for what does not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """What a finding means."""

    ERROR = "error"
    """Something that was taken in cannot be given out as it was, or cannot be accounted for."""
    NOTICE = "notice"
    """Nothing is lost; it should be tidied up, or resolves itself."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be. ``subject`` names a resource or a row by its id, nothing of its content."""

    kind: str
    severity: Severity
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class RowCheck:
    """A statement whose rows, (subject, detail), are findings of one kind. Each statement sees one moment."""

    kind: str
    severity: Severity
    statement: str


def _error(kind: str, statement: str) -> RowCheck:
    return RowCheck(kind, Severity.ERROR, statement)


def _notice(kind: str, statement: str) -> RowCheck:
    return RowCheck(kind, Severity.NOTICE, statement)


ROW_CHECKS: Final = (
    _error(
        "extent_gap",
        """
SELECT 'blob ' || blob_id, format('chunk %s begins at byte %s, not %s', chunk_index, offset_bytes, expected)
FROM (SELECT blob_id, chunk_index, offset_bytes,
             coalesce(lag(offset_bytes + length_bytes) OVER (PARTITION BY blob_id ORDER BY chunk_index), 0) AS expected
      FROM extent) AS placed
WHERE offset_bytes <> expected ORDER BY blob_id, chunk_index
""",
    ),
    _error(
        "blob_short",
        """
SELECT 'blob ' || blob.blob_id, format('%s bytes are said to be there, extents hold %s', received_bytes, held)
FROM blob CROSS JOIN LATERAL (
    SELECT coalesce(sum(length_bytes), 0) AS held FROM extent WHERE extent.blob_id = blob.blob_id) AS extents
WHERE received_bytes <> held ORDER BY blob.blob_id
""",
    ),
    _error(
        "extent_beyond_pack",
        """
SELECT 'blob ' || blob_id, format('chunk %s lies beyond the end of pack %s', chunk_index, pack_id)
FROM extent JOIN pack USING (pack_id)
WHERE position_bytes + stored_bytes > end_bytes OR record_number >= records OR retired_at IS NOT NULL
ORDER BY blob_id, chunk_index
""",
    ),
    _error(
        "extent_overlap",
        """
SELECT 'pack ' || pack_id, format('blob %s begins at byte %s, within another', blob_id, position_bytes)
FROM (SELECT pack_id, blob_id, position_bytes,
             lag(position_bytes + stored_bytes) OVER (PARTITION BY pack_id ORDER BY position_bytes) AS free
      FROM extent) AS placed
WHERE position_bytes < free ORDER BY pack_id, position_bytes
""",
    ),
    _error(
        "document_without_content",
        """
SELECT 'document ' || document_id, 'its content has no row'
FROM document LEFT JOIN blob USING (blob_id) WHERE blob.blob_id IS NULL ORDER BY document_id
""",
    ),
    _error(
        "content_misfiled",
        """
SELECT 'document ' || document_id, 'its content belongs to another case'
FROM document JOIN dossier USING (dossier_id) JOIN blob USING (blob_id) WHERE dossier.case_name <> blob.case_name
UNION ALL
SELECT DISTINCT 'blob ' || blob_id, format('pack %s belongs to another case', pack_id)
FROM blob JOIN extent USING (blob_id) JOIN pack USING (pack_id) WHERE pack.case_name <> blob.case_name
ORDER BY 1
""",
    ),
    _error(
        "version_not_whole",
        """
SELECT format('dossiers/%s/versions/%s', version.dossier_id, version_id),
       format('%s of %s documents are there and whole, their indexes end at %s', held.whole, version.document_count,
              held.last_index)
FROM dossier_version AS version CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE sha256 IS NOT NULL) AS whole, coalesce(max(document_index), -1) AS last_index
    FROM document JOIN blob USING (blob_id)
    WHERE document.dossier_id = version.dossier_id AND document.revision = version.revision) AS held
WHERE whole <> version.document_count OR last_index <> version.document_count - 1 ORDER BY version_id
""",
    ),
    _error(
        "case_without_key",
        """
SELECT DISTINCT case_name, 'there are packs of the case, and no row of its key'
FROM pack LEFT JOIN case_key USING (case_name) WHERE case_key.case_name IS NULL ORDER BY 1
""",
    ),
    _notice(
        "open_pack_without_lease",
        """
SELECT 'pack ' || pack_id, 'no upload writes to it; the next one of its dossier, or compaction, closes it'
FROM pack LEFT JOIN upload_lease USING (dossier_id)
WHERE NOT closed AND coalesce(expires_at, pack.created_at) < now() - interval '1 minute' ORDER BY pack_id
""",
    ),
    _notice(
        "content_unreferenced",
        """
SELECT case_name, format('%s contents of %s bytes belong to no document', count(*), sum(received_bytes))
FROM blob WHERE NOT EXISTS (SELECT FROM document WHERE document.blob_id = blob.blob_id)
GROUP BY case_name ORDER BY case_name
""",
    ),
)
