"""Drafts in PostgreSQL, apart from what uploads add to them: next revisions, documents by reference, giving up.

Every change but that of parties takes the place of an upload: it is refused while one lives, and moves the fencing
number on, so that one that was only asleep adds nothing to what it has not seen.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from casemesh.core.ids import new_id
from casemesh.dossier.id_series import new_ids
from casemesh.errors import Conflict, FailedPrecondition, not_found
from casemesh.runtime.postgres import Transaction

_LOCK = """
SELECT state, revision, case_name FROM dossier
WHERE dossier_id = $1 AND agency = $2 AND state <> 'abandoned' FOR UPDATE
"""
_LEASE = """
SELECT extract(epoch FROM expires_at - now())::float8 FROM upload_lease
WHERE dossier_id = $1 AND expires_at > now() FOR UPDATE
"""
_TAKE_ITS_PLACE = """
INSERT INTO upload_lease (dossier_id, upload_id, epoch, expires_at) VALUES ($1, $2, 1, now())
ON CONFLICT (dossier_id) DO UPDATE
SET upload_id = excluded.upload_id, epoch = upload_lease.epoch + 1, expires_at = excluded.expires_at
"""
_CLOSE_PACKS = "UPDATE pack SET closed = true WHERE dossier_id = $1 AND NOT closed"
_BEGIN_REVISION = """
UPDATE dossier SET state = 'draft', revision = $2, upload_finished = true WHERE dossier_id = $1
"""
_END_REVISION = """
UPDATE dossier SET state = 'final', revision = $2, upload_finished = true WHERE dossier_id = $1
"""
_END_DOSSIER = "UPDATE dossier SET state = 'abandoned', title = '' WHERE dossier_id = $1"
_SET_FINISHED = "UPDATE dossier SET upload_finished = true WHERE dossier_id = $1"
_COLUMNS = """
SELECT document.document_index, document.volume, document.file_name, document.page_count, blob.size_bytes,
       blob.blob_id
FROM document JOIN blob USING (blob_id) WHERE document.dossier_id = $1 AND document.revision = $2
"""
_HELD = f"{_COLUMNS} ORDER BY document.document_index"
# `&&` is false for an empty array, which stands for all parties.
_CHOSEN = f"""
{_COLUMNS} AND (cardinality($3::int[]) = 0 OR document.document_index = ANY($3))
AND (cardinality($4::text[]) = 0 OR cardinality(document.parties) = 0 OR document.parties && $4)
ORDER BY document.document_index
"""
_COPY = """
INSERT INTO document (dossier_id, revision, document_index, document_id, volume, file_name, media_type, page_count,
                      blob_id, parties)
SELECT $3, $4, chosen.next_index, chosen.document_id, volume, file_name, media_type, page_count, blob_id, parties
FROM document
JOIN (SELECT unnest($5::int[]) AS document_index, unnest($6::int[]) AS next_index, unnest($7::uuid[]) AS document_id)
     AS chosen USING (document_index)
WHERE dossier_id = $1 AND revision = $2
"""
_REMOVE = "DELETE FROM document WHERE dossier_id = $1 AND revision = $2 AND document.document_id = ANY($3::uuid[])"
_REMOVE_ALL = "DELETE FROM document WHERE dossier_id = $1 AND revision = $2"
# Below zero first: one step would meet, row by row, indexes that others have not left yet.
_MOVE_UP = (
    """
UPDATE document SET document_index = -1 - place.document_index
FROM (SELECT document_id, (row_number() OVER (ORDER BY document_index) - 1)::int AS document_index
      FROM document WHERE dossier_id = $1 AND revision = $2) AS place
WHERE document.document_id = place.document_id AND document.document_index <> place.document_index
""",
    """
UPDATE document SET document_index = -1 - document_index
WHERE dossier_id = $1 AND revision = $2 AND document_index < 0
""",
)
_SET_PARTIES = """
UPDATE document SET parties = $4 WHERE dossier_id = $1 AND revision = $2 AND document_index = ANY($3::int[])
"""


@dataclass(frozen=True, slots=True)
class LockedDraft:
    """A draft that nobody else changes until the transaction ends."""

    dossier_id: str
    case_name: str
    revision: int


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """What decides whether a document may stand in a draft."""

    index: int
    volume: str
    file_name: str
    page_count: int
    size_bytes: int
    blob_id: uuid.UUID


class DraftStore:
    """Changes of drafts, each in the caller's transaction. All raise NotFound for what is not the agency's own."""

    async def lock(self, transaction: Transaction, dossier_id: str, agency: str) -> LockedDraft:
        """Lock a draft. Raises FailedPrecondition (DOSSIER_FINAL)."""
        row = await transaction.fetchrow(_LOCK, dossier_id, agency)
        if row is None:
            raise not_found()
        if row["state"] != "draft":
            raise FailedPrecondition("DOSSIER_FINAL", "the dossier is final; supplement it to change what it holds")
        return LockedDraft(dossier_id, row["case_name"], row["revision"])

    async def take_place_of_upload(self, transaction: Transaction, draft: LockedDraft) -> None:
        """Let no upload that began before add anything after. Raises Conflict (UPLOAD_LEASE_HELD) while one lives."""
        seconds = await transaction.fetchval(_LEASE, draft.dossier_id)
        if seconds is not None:
            raise Conflict(
                "UPLOAD_LEASE_HELD",
                "an upload writes to this dossier; wait for its end or its lease's",
                {"retry_after_seconds": max(1, round(seconds))},
            )
        await transaction.execute(_TAKE_ITS_PLACE, draft.dossier_id, new_id())

    async def supplement(self, transaction: Transaction, dossier_id: str, agency: str) -> LockedDraft:
        """Make a final dossier a draft of its next revision with the documents it has.

        Raises FailedPrecondition (DOSSIER_NOT_FINAL).
        """
        row = await transaction.fetchrow(_LOCK, dossier_id, agency)
        if row is None:
            raise not_found()
        if row["state"] != "final":
            raise FailedPrecondition("DOSSIER_NOT_FINAL", "the dossier is a draft already; finalise or abandon it")
        earlier = LockedDraft(dossier_id, row["case_name"], row["revision"])
        draft = LockedDraft(dossier_id, row["case_name"], row["revision"] + 1)
        await transaction.execute(_BEGIN_REVISION, dossier_id, draft.revision)
        await self.copy(transaction, earlier, draft, await self.held(transaction, earlier), 0)
        return draft

    async def abandon(self, transaction: Transaction, draft: LockedDraft) -> int:
        """Give a draft up, with any upload into it; returns how many documents went with it.

        Of a first draft nothing is left but its id, so that a repeat of the request is known for one.
        """
        await transaction.execute(_TAKE_ITS_PLACE, draft.dossier_id, new_id())
        await transaction.execute(_CLOSE_PACKS, draft.dossier_id)
        removed = await transaction.execute(_REMOVE_ALL, draft.dossier_id, draft.revision)
        if draft.revision > 1:
            await transaction.execute(_END_REVISION, draft.dossier_id, draft.revision - 1)
        else:
            await transaction.execute(_END_DOSSIER, draft.dossier_id)
        return removed

    async def held(self, transaction: Transaction, revision: LockedDraft) -> list[DocumentEntry]:
        """The documents of a revision, by index."""
        rows = await transaction.fetch(_HELD, revision.dossier_id, revision.revision)
        return [DocumentEntry(*row) for row in rows]

    async def chosen(
        self, transaction: Transaction, source: LockedDraft, indexes: Sequence[int], parties: Sequence[str]
    ) -> list[DocumentEntry]:
        """Documents of a revision by index: of these indexes and these parties, all where none are named."""
        rows = await transaction.fetch(
            _CHOSEN, source.dossier_id, source.revision, list(indexes), list(parties)
        )  # fmt: skip
        return [DocumentEntry(*row) for row in rows]

    async def copy(
        self,
        transaction: Transaction,
        source: LockedDraft,
        target: LockedDraft,
        documents: Sequence[DocumentEntry],
        first_index: int,
    ) -> None:
        """Add documents of one revision to another by reference, in their order from ``first_index`` on."""
        await transaction.execute(
            _COPY, source.dossier_id, source.revision, target.dossier_id, target.revision,
            [document.index for document in documents],
            list(range(first_index, first_index + len(documents))),
            [uuid.UUID(bytes=document_id) for document_id in islice(new_ids(), len(documents))],
        )  # fmt: skip

    async def remove(self, transaction: Transaction, draft: LockedDraft, document_ids: Sequence[str]) -> int:
        """Take documents out; those behind move up. Returns how many went."""
        removed = await transaction.execute(_REMOVE, draft.dossier_id, draft.revision, list(document_ids))
        for statement in _MOVE_UP:
            await transaction.execute(statement, draft.dossier_id, draft.revision)
        return removed

    async def set_parties(
        self, transaction: Transaction, draft: LockedDraft, indexes: Sequence[int], parties: Sequence[str]
    ) -> int:
        """Say whom documents concern; returns how many there are."""
        return await transaction.execute(
            _SET_PARTIES, draft.dossier_id, draft.revision, list(indexes), list(parties)
        )  # fmt: skip

    async def set_finished(self, transaction: Transaction, draft: LockedDraft) -> None:
        """Take the draft for complete as it stands."""
        await transaction.execute(_SET_FINISHED, draft.dossier_id)
