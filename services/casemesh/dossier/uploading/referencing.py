"""Adds documents whose content is there already, by digest: nothing is sent, nothing stored twice.

A digest opens nothing: content counts as there only where the caller's agency may read it. Whether other content with
that digest exists is not told, and costs no other query.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from casemesh.core.clock import Clock
from casemesh.core.names import DOSSIER
from casemesh.dossier.id_series import new_ids
from casemesh.dossier.policy import DOCUMENTS_REFERENCED
from casemesh.dossier.uploading.document_records import head_of
from casemesh.dossier.uploading.quota import require_room
from casemesh.dossier.uploading.session import DocumentHead, UploadSession
from casemesh.dossier.uploading.store import DOCUMENT_COLUMNS, lock_draft, require_no_other_upload, require_unwritten
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

_WHOLE_IN_DRAFT = """
SELECT document.document_index, blob.sha256 FROM document JOIN blob USING (blob_id)
WHERE document.dossier_id = $1 AND document.revision = $2 AND document.document_index = ANY($3::integer[])
"""
_READABLE = """
SELECT DISTINCT ON (wanted.sha256) wanted.sha256, blob.size_bytes, blob.blob_id
FROM unnest($3::bytea[]) AS wanted (sha256)
JOIN blob ON blob.case_name = $1 AND blob.sha256 = wanted.sha256
WHERE EXISTS (
    SELECT FROM document JOIN dossier USING (dossier_id)
    WHERE document.blob_id = blob.blob_id AND dossier.agency = $2)
OR EXISTS (
    SELECT FROM document JOIN dossier_version USING (dossier_id, revision) JOIN version_grant USING (version_id)
    WHERE document.blob_id = blob.blob_id AND version_grant.agency = $2)
"""
_UNFINISH = "UPDATE dossier SET upload_finished = false WHERE dossier_id = $1 AND upload_finished"
# Whoever has read the dossier to make it final must read it again.
_NEXT_EPOCH = "UPDATE upload_lease SET epoch = epoch + 1 WHERE dossier_id = $1"


@dataclass(frozen=True)
class Referencing:
    """Carries out ReferenceDocuments.

    ``quota`` is how many bytes an agency's dossiers may take without its own limit.
    """

    database: Database
    clock: Clock
    quota: int | None = None

    async def reference(self, request: pb.ReferenceDocumentsRequest, call: Call) -> pb.ReferenceDocumentsResponse:
        """Add what the caller may read; the answer names what is whole in the draft now.

        Raises NotFound, FailedPrecondition (DOSSIER_FINAL), Conflict (UPLOAD_LEASE_HELD), InvalidArgument for a header
        that an upload would refuse, AlreadyExists (DOCUMENT_NAME_DUPLICATE), ResourceExhausted (QUOTA_EXCEEDED);
        nothing is added then.
        """
        async with self.database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb.ReferenceDocumentsResponse)
            if stored is not None:
                return stored
            indexes, added = await self._reference(transaction, request, call)
            response = pb.ReferenceDocumentsResponse(document_indexes=indexes)
            if added:
                assert call.case is not None
                details = {"document_count": str(added)}
                event = event_of(
                    call, self.clock, DOCUMENTS_REFERENCED, request.dossier, case=call.case, details=details
                )  # fmt: skip
                await record(transaction, call, event)
            await remember(transaction, call, request, response)
        return response

    async def _reference(
        self, transaction: Transaction, request: pb.ReferenceDocumentsRequest, call: Call
    ) -> tuple[list[int], int]:
        agency, dossier_id = call.require_caller().agency, DOSSIER.parse(request.dossier)["dossier"]
        draft = await lock_draft(transaction, dossier_id, agency)
        await require_no_other_upload(transaction, dossier_id, request.upload_id)
        wanted = _heads(request.documents)
        rows = await transaction.fetch(_WHOLE_IN_DRAFT, dossier_id, draft["revision"], list(wanted))
        there = {row["document_index"]: row["sha256"] for row in rows}
        contents = {
            (row["sha256"], row["size_bytes"]): row["blob_id"]
            for row in await transaction.fetch(_READABLE, call.case, agency, [sha256 for _, sha256 in wanted.values()])
        }
        new = [
            (head, contents[sha256, head.size_bytes])
            for head, sha256 in wanted.values()
            if head.index not in there and (sha256, head.size_bytes) in contents
        ]
        if new:
            await require_unwritten(transaction, dossier_id, draft["revision"], [head for head, _ in new])
            await require_room(transaction, agency, self.quota, [blob_id for _, blob_id in new])
            await transaction.copy("document", DOCUMENT_COLUMNS, _rows(dossier_id, draft["revision"], new))
            if await transaction.execute(_UNFINISH, dossier_id):
                await transaction.execute(_NEXT_EPOCH, dossier_id)
        whole = [index for index, sha256 in there.items() if sha256 == wanted[index][1]]
        return sorted([*whole, *(head.index for head, _ in new)]), len(new)


def _heads(documents: Iterable[pb.ReferencedDocument]) -> Mapping[int, tuple[DocumentHead, bytes]]:
    """What is asked for by index, each as an upload would take it."""
    session, wanted = UploadSession(), dict[int, tuple[DocumentHead, bytes]]()
    for document in documents:
        head = head_of(document.header)
        session.announce(head)
        wanted[head.index] = (head, document.sha256)
    return wanted


def _rows(
    dossier_id: str, revision: int, new: Sequence[tuple[DocumentHead, uuid.UUID]]
) -> list[tuple[object, ...]]:  # fmt: skip
    ids = new_ids()
    return [
        (
            dossier_id, revision, head.index, uuid.UUID(bytes=next(ids)), head.volume, head.file_name, head.media_type,
            head.page_count, blob_id,
        )
        for head, blob_id in new
    ]  # fmt: skip
