"""Dossiers, versions and grants in PostgreSQL. Uploads have a store of their own, `uploading.store`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from casemesh.client.manifest import ManifestDocument
from casemesh.core.names import DOCUMENT, DOSSIER, DOSSIER_VERSION
from casemesh.dossier.config import DRAFT_EXPIRY_SECONDS
from casemesh.dossier.keys.case_keys import CaseKeys
from casemesh.dossier.keys.provider import KeyProvider
from casemesh.dossier.uploading.session import DocumentHead, DocumentState
from casemesh.errors import not_found
from casemesh.runtime.postgres import Database, Row, Transaction

_CASE_OF_DOSSIER = "SELECT case_name FROM dossier WHERE dossier_id = $1"
_CASE_OF_DOCUMENT = """
SELECT dossier.case_name FROM document JOIN dossier USING (dossier_id) WHERE document_id = $1 AND dossier_id = $2
"""
_CASE_OF_VERSION = "SELECT case_name FROM dossier_version WHERE version_id = $1 AND dossier_id = $2"
_ADD_DOSSIER = "INSERT INTO dossier (dossier_id, case_name, agency, title, created_at) VALUES ($1, $2, $3, $4, $5)"
# Another agency sees the latest version it was handed and nothing of a draft; the maker of a draft sees what it holds.
_DOSSIER_COLUMNS = """
dossier.dossier_id::text AS dossier_id, dossier.case_name, dossier.agency, dossier.title,
CASE WHEN dossier.agency = $2 THEN dossier.state ELSE 'final' END AS state,
CASE WHEN dossier.agency = $2 THEN dossier.revision ELSE version.revision END AS revision,
dossier.upload_finished, dossier.created_at, version.version_id::text AS version_id,
CASE WHEN dossier.agency = $2 AND dossier.state = 'draft' THEN draft_active_at(dossier) END AS active_at,
coalesce(held.document_count, version.document_count) AS document_count,
coalesce(held.page_count, version.page_count) AS page_count,
coalesce(held.size_bytes, version.size_bytes) AS size_bytes
FROM dossier
LEFT JOIN LATERAL (
    SELECT * FROM dossier_version WHERE dossier_version.dossier_id = dossier.dossier_id AND (
        dossier.agency = $2 OR EXISTS (
            SELECT FROM version_grant
            WHERE version_grant.version_id = dossier_version.version_id AND version_grant.agency = $2))
    ORDER BY dossier_version.revision DESC LIMIT 1
) AS version ON true
LEFT JOIN LATERAL (
    SELECT count(*)::int AS document_count, coalesce(sum(document.page_count), 0)::int AS page_count,
           coalesce(sum(blob.size_bytes), 0)::bigint AS size_bytes
    FROM document JOIN blob USING (blob_id)
    WHERE document.dossier_id = dossier.dossier_id AND document.revision = dossier.revision AND blob.sha256 IS NOT NULL
) AS held ON dossier.state = 'draft' AND dossier.agency = $2
"""
_READABLE = "((dossier.agency = $2 AND dossier.state <> 'abandoned') OR version.version_id IS NOT NULL)"
_DOSSIER = f"SELECT {_DOSSIER_COLUMNS} WHERE dossier.dossier_id = $1 AND {_READABLE}"
_DOSSIERS = f"""
SELECT {_DOSSIER_COLUMNS} WHERE dossier.case_name = $1 AND {_READABLE} AND dossier.dossier_id > $3
ORDER BY dossier.dossier_id LIMIT $4
"""
_VERSION = """
SELECT version_id::text AS version_id, dossier_id::text AS dossier_id, case_name, agency, document_count, page_count,
       size_bytes, root_hash, finalized_at, revision, parent_id::text AS parent_id, internal, root_statement,
       length(manifest) AS manifest_bytes
FROM dossier_version AS version
WHERE version_id = $1 AND dossier_id = $2 AND (agency = $3 OR EXISTS (
    SELECT FROM version_grant WHERE version_grant.version_id = version.version_id AND version_grant.agency = $3))
"""
_MANIFEST_SLICE = "SELECT substring(manifest FROM $2 FOR $3) FROM dossier_version WHERE version_id = $1"
_UPLOAD_PAGE = """
SELECT document.document_index, document.document_id::text AS document_id, document.volume, document.file_name,
       document.media_type, document.page_count, document.parties, blob.size_bytes, blob.received_bytes, blob.sha256
FROM document JOIN dossier USING (dossier_id, revision) JOIN blob USING (blob_id)
WHERE document.dossier_id = $1 AND document.document_index > $2 ORDER BY document.document_index LIMIT $3
"""
_LOCK_FOR_FINAL = """
SELECT state, revision, upload_finished FROM dossier
WHERE dossier_id = $1 AND agency = $2 AND state <> 'abandoned' FOR UPDATE
"""
_EPOCH = "SELECT epoch FROM upload_lease WHERE dossier_id = $1"
_END_UPLOADS = """
UPDATE upload_lease SET epoch = epoch + 1, expires_at = now() WHERE dossier_id = $1 AND epoch = $2
"""
_DOCUMENTS = """
SELECT document.document_index, document.volume, document.file_name, document.media_type, document.page_count,
       blob.size_bytes, blob.received_bytes, blob.chunks, blob.sha256
FROM document JOIN blob USING (blob_id)
WHERE document.dossier_id = $1 AND document.revision = $2 ORDER BY document.document_index
"""
_LATEST_VERSION = """
SELECT version_id::text AS version_id, revision, root_hash
FROM dossier_version WHERE dossier_id = $1 ORDER BY revision DESC LIMIT 1
"""
_ADD_VERSION = """
INSERT INTO dossier_version (version_id, dossier_id, case_name, agency, document_count, page_count, size_bytes,
                             root_hash, manifest, finalized_at, revision, parent_id, internal, root_statement)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
_SET_FINAL = "UPDATE dossier SET state = 'final' WHERE dossier_id = $1"
# Its streams have lost the lease with which they would close them, and all that they brought is whole.
_CLOSE_PACKS = "UPDATE pack SET closed = true WHERE dossier_id = $1 AND NOT closed"
_ADD_GRANT = """
INSERT INTO version_grant (version_id, agency, exchange, granted_by) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING true
"""
_ADD_DELIVERY = """
INSERT INTO version_delivery (version_id, agency, granted_at) VALUES ($1, $2, now()) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class StoredDossier:
    """A dossier. Counts are those of its version, or of the documents that have arrived whole.

    ``expires_at`` is when a draft is given up if nothing happens to it until then.
    """

    dossier_id: str
    case_name: str
    agency: str
    title: str
    state: str
    revision: int
    upload_finished: bool
    created_at: datetime
    version_id: str | None
    document_count: int
    page_count: int
    size_bytes: int
    expires_at: datetime | None = None


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
    revision: int = 1
    parent_id: str | None = None
    internal: bool = False
    root_statement: bytes | None = None
    manifest_bytes: int = 0

    @property
    def name(self) -> str:
        return DOSSIER_VERSION.format(dossier=self.dossier_id, version=self.version_id)

    @property
    def parent_name(self) -> str | None:
        """The version that this one supplements. None for the first."""
        return self.parent_id and DOSSIER_VERSION.format(dossier=self.dossier_id, version=self.parent_id)


@dataclass(frozen=True, slots=True)
class UploadedDocument:
    """A document as one may ask for it; ``sha256`` is None while it is not whole."""

    document_id: str
    head: DocumentHead
    committed_bytes: int
    sha256: bytes | None
    parties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParentContent:
    """The version that a draft supplements, and the documents it holds."""

    version_id: str
    root_hash: bytes
    documents: tuple[ManifestDocument, ...]


@dataclass(frozen=True, slots=True)
class DraftContent:
    """A dossier about to be final: its documents by index, the epoch they were read at, and the version before."""

    state: str
    revision: int
    parent: ParentContent | None
    upload_finished: bool
    epoch: int
    documents: tuple[DocumentState, ...]


class DossierStore:
    """Reads take the agency that asks; what it may not read is as if it were not there: None."""

    def __init__(
        self, database: Database, keys: KeyProvider, draft_expiry_seconds: float = DRAFT_EXPIRY_SECONDS
    ) -> None:
        self._database = database
        self._keys = CaseKeys(database, keys)
        self._draft_expiry = timedelta(seconds=draft_expiry_seconds)

    async def case_of_dossier(self, name: str) -> str | None:
        """The case a dossier belongs to, whoever asks. None for what is no dossier's name, too."""
        try:
            dossier_id = DOSSIER.parse(name)["dossier"]
        except ValueError:
            return None
        case: str | None = await self._database.fetchval(_CASE_OF_DOSSIER, dossier_id)
        return case

    async def case_of_document(self, name: str) -> str | None:
        """The case a document belongs to, whoever asks. None for what is no document's name, too."""
        try:
            ids = DOCUMENT.parse(name)
        except ValueError:
            return None
        case: str | None = await self._database.fetchval(_CASE_OF_DOCUMENT, ids["document"], ids["dossier"])
        return case

    async def case_of_dossier_or_version(self, name: str) -> str | None:
        """The case of what may be either. None for what is neither's name, too."""
        try:
            DOSSIER_VERSION.parse(name)
        except ValueError:
            return await self.case_of_dossier(name)
        return await self.case_of_version(name)

    async def case_of_version(self, name: str) -> str | None:
        """The case a version belongs to, whoever asks."""
        ids = DOSSIER_VERSION.parse(name)
        case: str | None = await self._database.fetchval(_CASE_OF_VERSION, ids["version"], ids["dossier"])
        return case

    async def case_key(self, case: str) -> bytes:
        """The case's data key, made when it is first asked for; the errors are those of CaseKeys."""
        return await self._keys.of(case)

    async def add(
        self, transaction: Transaction, dossier_id: str, case: str, agency: str, title: str, now: datetime
    ) -> StoredDossier:
        """Add an empty draft."""
        await transaction.execute(_ADD_DOSSIER, dossier_id, case, agency, title, now)
        return StoredDossier(
            dossier_id, case, agency, title, "draft", 1, False, now, None, 0, 0, 0, now + self._draft_expiry
        )  # fmt: skip

    async def dossier(
        self, dossier_id: str, agency: str, within: Transaction | None = None
    ) -> StoredDossier | None:  # fmt: skip
        """A dossier of the agency, or one whose version it was handed."""
        row = await (within or self._database).fetchrow(_DOSSIER, dossier_id, agency)
        return None if row is None else self._dossier(row)

    async def dossiers(self, case: str, agency: str, after: str, limit: int) -> list[StoredDossier]:
        """Dossiers of a case that the agency may read, by id from behind ``after`` on."""
        return [self._dossier(row) for row in await self._database.fetch(_DOSSIERS, case, agency, after, limit)]

    def _dossier(self, row: Row) -> StoredDossier:
        fields = dict(row)
        active_at = fields.pop("active_at")
        return StoredDossier(**fields, expires_at=None if active_at is None else active_at + self._draft_expiry)

    async def version(self, name: str, agency: str, within: Transaction | None = None) -> StoredVersion | None:
        """A version that the agency made or was handed."""
        ids = DOSSIER_VERSION.parse(name)
        row = await (within or self._database).fetchrow(_VERSION, ids["version"], ids["dossier"], agency)
        return None if row is None else StoredVersion(**row)

    async def manifest_slice(self, version_id: str, start: int, length: int) -> bytes:
        """Bytes of a version's manifest."""
        data: bytes = await self._database.fetchval(_MANIFEST_SLICE, version_id, start + 1, length)
        return data

    async def uploaded(self, dossier_id: str, after_index: int, limit: int) -> list[UploadedDocument]:
        """Documents of a draft by index."""
        rows = await self._database.fetch(_UPLOAD_PAGE, dossier_id, after_index, limit)
        return [uploaded_document(row) for row in rows]

    async def draft_content(self, dossier_id: str, agency: str) -> DraftContent:
        """What finalising would fix. Raises NotFound."""
        async with self._database.transaction() as transaction:
            row = await transaction.fetchrow(_LOCK_FOR_FINAL, dossier_id, agency)
            if row is None:
                raise not_found()
            epoch = await transaction.fetchval(_EPOCH, dossier_id)
            draft = row["state"] == "draft"
            documents = await _documents(transaction, dossier_id, row["revision"]) if draft else ()
            latest = await transaction.fetchrow(_LATEST_VERSION, dossier_id) if draft else None
            parent = None if latest is None else ParentContent(
                latest["version_id"], latest["root_hash"],
                tuple(manifest_documents(await _documents(transaction, dossier_id, latest["revision"]))),
            )  # fmt: skip
        return DraftContent(row["state"], row["revision"], parent, row["upload_finished"], epoch or 0, documents)

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
            version.finalized_at, version.revision, version.parent_id, version.internal, version.root_statement,
        )  # fmt: skip
        await transaction.execute(_SET_FINAL, version.dossier_id)
        await transaction.execute(_CLOSE_PACKS, version.dossier_id)
        return True

    async def grant(
        self, transaction: Transaction, version: StoredVersion, agency: str, exchange: str, granted_by: str
    ) -> bool:
        """Let an agency read a version; says whether that is new."""
        await transaction.execute(_ADD_DELIVERY, version.version_id, agency)
        return bool(await transaction.fetchval(_ADD_GRANT, version.version_id, agency, exchange, granted_by))


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


async def _documents(transaction: Transaction, dossier_id: str, revision: int) -> tuple[DocumentState, ...]:
    rows = await transaction.fetch(_DOCUMENTS, dossier_id, revision)
    return tuple(DocumentState(_head(row), row["received_bytes"], row["chunks"], row["sha256"]) for row in rows)


def uploaded_document(row: Row | Mapping[str, Any]) -> UploadedDocument:
    """The document in a row that has its columns."""
    return UploadedDocument(
        row["document_id"], _head(row), row["received_bytes"], row["sha256"], tuple(row["parties"])
    )  # fmt: skip


def _head(row: Row | Mapping[str, Any]) -> DocumentHead:
    return DocumentHead(
        row["document_index"], row["volume"], row["file_name"], row["media_type"], row["page_count"], row["size_bytes"]
    )
