"""What versions hold, in PostgreSQL. Whoever asks has found the version with `DossierStore.version`, so may read it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from casemesh.dossier.packs.reader import Extent
from casemesh.dossier.store import StoredVersion, UploadedDocument, uploaded_document
from casemesh.dossier.uploading.store import extent_of
from casemesh.runtime.postgres import Database, Row

_COLUMNS = """
document.document_index, document.document_id::text AS document_id, document.volume, document.file_name,
document.media_type, document.page_count, document.parties, blob.size_bytes, blob.received_bytes, blob.sha256
"""
_DOCUMENTS = f"""
SELECT {_COLUMNS} FROM document JOIN blob USING (blob_id)
WHERE document.dossier_id = $1 AND document.revision = $2 AND document.document_index > $3
ORDER BY document.document_index LIMIT $4
"""  # noqa: S608 - columns are a constant
_SIZES = """
SELECT document.document_index, blob.size_bytes FROM document JOIN blob USING (blob_id)
WHERE document.dossier_id = $1 AND document.revision = $2 AND document.document_index = ANY($3::int[])
"""
_NAMES = """
SELECT document.volume, document.file_name, blob.size_bytes FROM document JOIN blob USING (blob_id)
WHERE document.dossier_id = $1 AND document.revision = $2 ORDER BY document.document_index
"""
_CONTENTS = """
SELECT document.document_index, blob.blob_id, blob.size_bytes FROM document JOIN blob USING (blob_id)
WHERE document.dossier_id = $1 AND document.revision = $2 AND document.document_index = ANY($3::int[])
ORDER BY document.document_index
"""
_EXTENTS = """
SELECT extent.blob_id, extent.pack_id, extent.position_bytes, extent.stored_bytes, extent.record_number,
       extent.chunk_index, extent.offset_bytes, extent.length_bytes
FROM extent WHERE extent.blob_id = ANY($1::uuid[]) ORDER BY extent.blob_id, extent.chunk_index
"""
_VERSIONS = """
SELECT version_id::text AS version_id, dossier_id::text AS dossier_id, case_name, agency, document_count, page_count,
       size_bytes, root_hash, finalized_at, revision, parent_id::text AS parent_id, internal
FROM dossier_version AS version
WHERE dossier_id = $1 AND (agency = $2 OR EXISTS (
    SELECT FROM version_grant WHERE version_grant.version_id = version.version_id AND version_grant.agency = $2))
AND revision > $3 ORDER BY revision LIMIT $4
"""
_OF_REVISION = f"""
SELECT {_COLUMNS} FROM document JOIN blob USING (blob_id) WHERE dossier_id = $1 AND revision =
"""  # noqa: S608
_PAIR = ", ".join(
    f"{side}.{column} AS {side}_{column}"
    for side in ("before", "after")
    for column in (
        "document_index", "document_id", "volume", "file_name", "media_type", "page_count", "parties", "size_bytes",
        "received_bytes", "sha256",
    )
)  # fmt: skip
# By names as bytes: the same order whatever the database's collation, in every call for a page.
_CHANGES = f"""
SELECT {_PAIR} FROM ({_OF_REVISION} $2) AS before FULL JOIN ({_OF_REVISION} $3) AS after
ON before.volume = after.volume AND before.file_name = after.file_name
WHERE before.sha256 IS DISTINCT FROM after.sha256
ORDER BY coalesce(after.volume, before.volume) COLLATE "C", coalesce(after.file_name, before.file_name) COLLATE "C"
OFFSET $4 LIMIT $5
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Content:
    """Where the bytes of one document of a version lie."""

    index: int
    blob_id: bytes
    size_bytes: int
    extents: tuple[Extent, ...]


class NamedContent(NamedTuple):
    """A document's names and its size in bytes."""

    volume: str
    file_name: str
    size_bytes: int


class Change(NamedTuple):
    """What became of a document: None before where it was added, None after where it was removed."""

    before: UploadedDocument | None
    after: UploadedDocument | None


class VersionStore:
    """Reads versions. Their rows never change, so answers to two calls fit together."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def documents(self, version: StoredVersion, after_index: int, limit: int) -> list[UploadedDocument]:
        """Documents by index from behind ``after_index`` on."""
        rows = await self._database.fetch(_DOCUMENTS, version.dossier_id, version.revision, after_index, limit)
        return [uploaded_document(row) for row in rows]

    async def sizes(self, version: StoredVersion, indexes: Sequence[int]) -> dict[int, int]:
        """Sizes in bytes of documents by index."""
        rows = await self._database.fetch(_SIZES, version.dossier_id, version.revision, list(indexes))
        return {row["document_index"]: row["size_bytes"] for row in rows}

    async def names(self, version: StoredVersion) -> list[NamedContent]:
        """All documents' names and sizes, by index."""
        rows = await self._database.fetch(_NAMES, version.dossier_id, version.revision)
        return [NamedContent(*row) for row in rows]

    async def contents(self, version: StoredVersion, indexes: Sequence[int]) -> list[Content]:
        """Where the bytes of documents lie, by index."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_CONTENTS, version.dossier_id, version.revision, list(indexes))
            extents: dict[uuid.UUID, list[Extent]] = {}
            for row in await connection.fetch(_EXTENTS, list({row["blob_id"] for row in rows})):
                extents.setdefault(row["blob_id"], []).append(extent_of(row))
        return [
            Content(
                row["document_index"], row["blob_id"].bytes, row["size_bytes"], tuple(extents.get(row["blob_id"], ()))
            )
            for row in rows
        ]  # fmt: skip

    async def versions(self, dossier_id: str, agency: str, after_revision: int, limit: int) -> list[StoredVersion]:
        """Versions of a dossier that the agency made or was handed, oldest first, without their root statements."""
        rows = await self._database.fetch(_VERSIONS, dossier_id, agency, after_revision, limit)
        return [StoredVersion(**row) for row in rows]

    async def changes(self, version: StoredVersion, parent: StoredVersion, skip: int, limit: int) -> list[Change]:
        """What ``version`` has that ``parent`` has not, and the other way round, by name."""
        rows = await self._database.fetch(
            _CHANGES, version.dossier_id, parent.revision, version.revision, skip, limit
        )  # fmt: skip
        return [Change(_side(row, "before_"), _side(row, "after_")) for row in rows]


def _side(row: Row, prefix: str) -> UploadedDocument | None:
    if row[f"{prefix}document_id"] is None:
        return None
    return uploaded_document({key.removeprefix(prefix): value for key, value in row.items() if key.startswith(prefix)})
