"""Dossiers, versions and grants in PostgreSQL. Uploads have a store of their own, `uploading.store`."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from casemesh.client.manifest import ManifestDocument
from casemesh.core.names import DOSSIER, DOSSIER_VERSION
from casemesh.dossier.key_provider import KeyProvider, new_case_key
from casemesh.dossier.packs.reader import Extent
from casemesh.dossier.uploading.session import DocumentHead, DocumentState
from casemesh.dossier.uploading.store import extent_of
from casemesh.errors import not_found
from casemesh.runtime.postgres import Database, Row, Transaction

_CASE_OF_DOSSIER = "SELECT case_name FROM dossier WHERE dossier_id = $1"
_CASE_OF_VERSION = "SELECT case_name FROM dossier_version WHERE version_id = $1 AND dossier_id = $2"
_CASE_KEY = "SELECT wrapped_key FROM case_key WHERE case_name = $1"
_ADD_CASE_KEY = "INSERT INTO case_key (case_name, wrapped_key) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_ADD_DOSSIER = "INSERT INTO dossier (dossier_id, case_name, agency, title, created_at) VALUES ($1, $2, $3, $4, $5)"
_DOSSIER_COLUMNS = """
dossier.dossier_id::text AS dossier_id, dossier.case_name, dossier.agency, dossier.title, dossier.state,
dossier.upload_finished, dossier.created_at, version.version_id::text AS version_id,
coalesce(version.document_count, held.document_count) AS document_count,
coalesce(version.page_count, held.page_count) AS page_count,
coalesce(version.size_bytes, held.size_bytes) AS size_bytes
FROM dossier LEFT JOIN dossier_version AS version USING (dossier_id)
CROSS JOIN LATERAL (
    SELECT count(*)::int AS document_count, coalesce(sum(document.page_count), 0)::int AS page_count,
           coalesce(sum(blob.size_bytes), 0)::bigint AS size_bytes
    FROM document JOIN blob USING (blob_id)
    WHERE document.dossier_id = dossier.dossier_id AND blob.sha256 IS NOT NULL AND version.version_id IS NULL
) AS held
"""
_READABLE = """
(dossier.agency = $2 OR EXISTS (
    SELECT FROM version_grant WHERE version_grant.version_id = version.version_id AND version_grant.agency = $2))
"""
_DOSSIER = f"SELECT {_DOSSIER_COLUMNS} WHERE dossier.dossier_id = $1 AND {_READABLE}"
_DOSSIERS = f"""
SELECT {_DOSSIER_COLUMNS} WHERE dossier.case_name = $1 AND {_READABLE} AND dossier.dossier_id > $3
ORDER BY dossier.dossier_id LIMIT $4
"""
_VERSION = """
SELECT version_id::text AS version_id, dossier_id::text AS dossier_id, case_name, agency, document_count, page_count,
       size_bytes, root_hash, finalized_at, length(manifest) AS manifest_bytes
FROM dossier_version AS version
WHERE version_id = $1 AND dossier_id = $2 AND (agency = $3 OR EXISTS (
    SELECT FROM version_grant WHERE version_grant.version_id = version.version_id AND version_grant.agency = $3))
"""
_MANIFEST_SLICE = "SELECT substring(manifest FROM $2 FOR $3) FROM dossier_version WHERE version_id = $1"
_UPLOAD_PAGE = """
SELECT document.document_index, document.document_id::text AS document_id, document.volume, document.file_name,
       document.media_type, document.page_count, blob.size_bytes, blob.received_bytes, blob.sha256
FROM document JOIN blob USING (blob_id)
WHERE document.dossier_id = $1 AND document.document_index > $2 ORDER BY document.document_index LIMIT $3
"""
_LOCK_FOR_FINAL = """
SELECT state, upload_finished FROM dossier WHERE dossier_id = $1 AND agency = $2 FOR UPDATE
"""
_EPOCH = "SELECT epoch FROM upload_lease WHERE dossier_id = $1"
_END_UPLOADS = """
UPDATE upload_lease SET epoch = epoch + 1, expires_at = now() WHERE dossier_id = $1 AND epoch = $2
"""
_DOCUMENTS = """
SELECT document.document_index, document.volume, document.file_name, document.media_type, document.page_count,
       blob.size_bytes, blob.received_bytes, blob.chunks, blob.sha256
FROM document JOIN blob USING (blob_id) WHERE document.dossier_id = $1 ORDER BY document.document_index
"""
_ADD_VERSION = """
INSERT INTO dossier_version (version_id, dossier_id, case_name, agency, document_count, page_count, size_bytes,
                             root_hash, manifest, finalized_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_SET_FINAL = "UPDATE dossier SET state = 'final' WHERE dossier_id = $1"
_CONTENT = """
SELECT document.document_index, blob.blob_id, blob.size_bytes
FROM document JOIN blob USING (blob_id)
WHERE document.dossier_id = $1 AND document.document_index >= $2 ORDER BY document.document_index LIMIT $3
"""
_EXTENTS = """
SELECT extent.blob_id, extent.pack_id, extent.position_bytes, extent.stored_bytes, extent.record_number,
       extent.chunk_index, extent.offset_bytes, extent.length_bytes
FROM extent WHERE extent.blob_id = ANY($1::uuid[]) ORDER BY extent.blob_id, extent.chunk_index
"""
_ADD_GRANT = """
INSERT INTO version_grant (version_id, agency, exchange, granted_by) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING true
"""
_CONTENT_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class StoredDossier:
    """A dossier. Counts are those of its version, or of the documents that have arrived whole."""

    dossier_id: str
    case_name: str
    agency: str
    title: str
    state: str
    upload_finished: bool
    created_at: datetime
    version_id: str | None
    document_count: int
    page_count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version without its manifest, which has ``manifest_bytes``."""

    version_id: str
    dossier_id: str
    case_name: str
    agency: str
    document_count: int
    page_count: int
    size_bytes: int
    root_hash: bytes
    finalized_at: datetime
    manifest_bytes: int = 0

    @property
    def name(self) -> str:
        return DOSSIER_VERSION.format(dossier=self.dossier_id, version=self.version_id)


@dataclass(frozen=True, slots=True)
class UploadedDocument:
    """A document of a draft as its sender may ask for it."""

    document_id: str
    head: DocumentHead
    committed_bytes: int
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class DraftContent:
    """A dossier about to be final: its documents by index, and the epoch they were read at."""

    state: str
    upload_finished: bool
    epoch: int
    documents: tuple[DocumentState, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Where the bytes of one document of a version lie."""

    index: int
    blob_id: bytes
    size_bytes: int
    extents: tuple[Extent, ...]


class DossierStore:
    """Reads take the agency that asks; what it may not read is as if it were not there: None."""

    def __init__(self, database: Database, keys: KeyProvider) -> None:
        self._database = database
        self._keys = keys

    async def case_of_dossier(self, name: str) -> str | None:
        """The case a dossier belongs to, whoever asks. None for what is no dossier's name, too."""
        try:
            dossier_id = DOSSIER.parse(name)["dossier"]
        except ValueError:
            return None
        case: str | None = await self._database.fetchval(_CASE_OF_DOSSIER, dossier_id)
        return case

    async def case_of_version(self, name: str) -> str | None:
        """The case a version belongs to, whoever asks."""
        ids = DOSSIER_VERSION.parse(name)
        case: str | None = await self._database.fetchval(_CASE_OF_VERSION, ids["version"], ids["dossier"])
        return case

    async def case_key(self, case: str) -> bytes:
        """The case's data key, made when it is first asked for."""
        wrapped = await self._database.fetchval(_CASE_KEY, case)
        if wrapped is None:
            # Two at once: one insert wins, and both read what won.
            await self._database.execute(_ADD_CASE_KEY, case, self._keys.wrap(case, new_case_key()))
            wrapped = await self._database.fetchval(_CASE_KEY, case)
        return self._keys.unwrap(case, wrapped)

    async def add(
        self, transaction: Transaction, dossier_id: str, case: str, agency: str, title: str, now: datetime
    ) -> StoredDossier:
        """Add an empty draft."""
        await transaction.execute(_ADD_DOSSIER, dossier_id, case, agency, title, now)
        return StoredDossier(dossier_id, case, agency, title, "draft", False, now, None, 0, 0, 0)

    async def dossier(self, dossier_id: str, agency: str) -> StoredDossier | None:
        """A dossier of the agency, or one whose version it was handed."""
        row = await self._database.fetchrow(_DOSSIER, dossier_id, agency)
        return None if row is None else StoredDossier(**row)

    async def dossiers(self, case: str, agency: str, after: str, limit: int) -> list[StoredDossier]:
        """Dossiers of a case that the agency may read, by id from behind ``after`` on."""
        return [StoredDossier(**row) for row in await self._database.fetch(_DOSSIERS, case, agency, after, limit)]

    async def version(self, name: str, agency: str) -> StoredVersion | None:
        """A version that the agency made or was handed."""
        ids = DOSSIER_VERSION.parse(name)
        row = await self._database.fetchrow(_VERSION, ids["version"], ids["dossier"], agency)
        return None if row is None else StoredVersion(**row)

    async def manifest_slice(self, version_id: str, start: int, length: int) -> bytes:
        """Bytes of a version's manifest."""
        data: bytes = await self._database.fetchval(_MANIFEST_SLICE, version_id, start + 1, length)
        return data

    async def uploaded(self, dossier_id: str, after_index: int, limit: int) -> list[UploadedDocument]:
        """Documents of a draft by index."""
        rows = await self._database.fetch(_UPLOAD_PAGE, dossier_id, after_index, limit)
        return [
            UploadedDocument(row["document_id"], _head(row), row["received_bytes"], row["sha256"]) for row in rows
        ]  # fmt: skip

    async def draft_content(self, dossier_id: str, agency: str) -> DraftContent:
        """What finalising would fix. Raises NotFound."""
        async with self._database.transaction() as transaction:
            row = await transaction.fetchrow(_LOCK_FOR_FINAL, dossier_id, agency)
            if row is None:
                raise not_found()
            epoch = await transaction.fetchval(_EPOCH, dossier_id)
            rows = await transaction.fetch(_DOCUMENTS, dossier_id) if row["state"] == "draft" else []
        documents = (DocumentState(_head(r), r["received_bytes"], r["chunks"], r["sha256"]) for r in rows)
        return DraftContent(row["state"], row["upload_finished"], epoch or 0, tuple(documents))

    async def finalize(
        self, transaction: Transaction, content: DraftContent, version: StoredVersion, manifest: bytes
    ) -> bool:
        """Fix ``content`` as ``version``, or change nothing and say False when the dossier is no longer what it was."""
        row = await transaction.fetchrow(_LOCK_FOR_FINAL, version.dossier_id, version.agency)
        if row is None or row["state"] != "draft" or not row["upload_finished"]:
            return False
        if not await transaction.execute(_END_UPLOADS, version.dossier_id, content.epoch):
            return False
        await transaction.execute(
            _ADD_VERSION, version.version_id, version.dossier_id, version.case_name, version.agency,
            version.document_count, version.page_count, version.size_bytes, version.root_hash, manifest,
            version.finalized_at,
        )  # fmt: skip
        await transaction.execute(_SET_FINAL, version.dossier_id)
        return True

    async def grant(
        self, transaction: Transaction, version: StoredVersion, agency: str, exchange: str, granted_by: str
    ) -> bool:
        """Let an agency read a version; says whether that is new."""
        return bool(await transaction.fetchval(_ADD_GRANT, version.version_id, agency, exchange, granted_by))

    async def contents(self, dossier_id: str, first_index: int) -> AsyncGenerator[Sequence[Content], None]:
        """Where the documents' bytes lie, by index, some hundred at a time."""
        while True:
            async with self._database.connection() as connection:
                rows = await connection.fetch(_CONTENT, dossier_id, first_index, _CONTENT_PAGE)
                extents: dict[uuid.UUID, list[Extent]] = {}
                for row in await connection.fetch(_EXTENTS, [row["blob_id"] for row in rows]):
                    extents.setdefault(row["blob_id"], []).append(extent_of(row))
            if rows:
                yield [
                    Content(
                        row["document_index"], row["blob_id"].bytes, row["size_bytes"],
                        tuple(extents.get(row["blob_id"], ())),
                    )
                    for row in rows
                ]  # fmt: skip
            if len(rows) < _CONTENT_PAGE:
                return
            first_index = rows[-1]["document_index"] + 1


def manifest_documents(documents: Sequence[DocumentState]) -> list[ManifestDocument]:
    """Whole documents as a manifest lists them."""
    return [
        ManifestDocument(
            state.head.index, state.head.volume, state.head.file_name, state.head.media_type, state.head.page_count,
            state.head.size_bytes, state.sha256,
        )
        for state in documents
        if state.sha256 is not None
    ]  # fmt: skip


def _head(row: Row) -> DocumentHead:
    return DocumentHead(
        row["document_index"], row["volume"], row["file_name"], row["media_type"], row["page_count"], row["size_bytes"]
    )
