"""Making drafts of what is there: supplements (补充), documents taken from versions or taken out, giving up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message

from casemesh.client.document_names import name_key
from casemesh.core.clock import Clock
from casemesh.core.names import DOCUMENT, DOSSIER
from casemesh.dossier.drafting.store import DocumentEntry, DraftStore, LockedDraft
from casemesh.dossier.policy import (
    DOCUMENTS_REMOVED,
    DOCUMENTS_TAKEN,
    DRAFT_ABANDONED,
    DRAFT_SUPPLEMENTS,
    PARTIES_SET,
)
from casemesh.dossier.resources import dossier_message
from casemesh.dossier.store import DossierStore
from casemesh.dossier.uploading.quota import require_room
from casemesh.dossier.uploading.session import MAX_DOCUMENTS, MAX_DOSSIER_BYTES, MAX_DOSSIER_PAGES
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import AlreadyExists, OutOfRange, ResourceExhausted, not_found
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

M = TypeVar("M", bound=Message)
Details = dict[str, str]


@dataclass(frozen=True)
class Drafts:
    """Carries out the changes of drafts that bring no bytes. Each has one effect and one event for one request id.

    ``quota`` is how many bytes an agency's dossiers may take without its own limit.
    """

    database: Database
    dossiers: DossierStore
    store: DraftStore
    clock: Clock
    quota: int | None = None

    async def supplement(self, request: pb.SupplementDossierRequest, call: Call) -> pb.SupplementDossierResponse:
        """Make a final dossier a draft of its next version. Raises FailedPrecondition (DOSSIER_NOT_FINAL)."""

        async def change(transaction: Transaction) -> tuple[pb.SupplementDossierResponse, Details]:
            dossier_id, agency = _asked(request.dossier, call)
            draft = await self.store.supplement(transaction, dossier_id, agency)
            dossier = await self.dossiers.dossier(dossier_id, agency, transaction)
            assert dossier is not None
            response = pb.SupplementDossierResponse(dossier=dossier_message(dossier))
            return response, {"revision": str(draft.revision), "document_count": str(dossier.document_count)}

        return await self._once(call, request, pb.SupplementDossierResponse, DRAFT_SUPPLEMENTS, change)

    async def abandon(self, request: pb.AbandonDraftRequest, call: Call) -> pb.AbandonDraftResponse:
        """Give a draft up. Raises FailedPrecondition (DOSSIER_FINAL)."""

        async def change(transaction: Transaction) -> tuple[pb.AbandonDraftResponse, Details]:
            draft = await self.store.lock(transaction, *_asked(request.dossier, call))
            count = await self.store.abandon(transaction, draft)
            response = pb.AbandonDraftResponse(dossier=request.dossier)
            return response, {"revision": str(draft.revision), "document_count": str(count)}

        return await self._once(call, request, pb.AbandonDraftResponse, DRAFT_ABANDONED, change)

    async def take(self, request: pb.TakeDocumentsRequest, call: Call) -> pb.TakeDocumentsResponse:
        """Add documents of a version by reference, all or none.

        Raises NotFound, OutOfRange for an index that the version does not have, AlreadyExists, ResourceExhausted (also
        QUOTA_EXCEEDED), and Conflict (UPLOAD_LEASE_HELD).
        """

        async def change(transaction: Transaction) -> tuple[pb.TakeDocumentsResponse, Details]:
            dossier_id, agency = _asked(request.dossier, call)
            version = await self.dossiers.version(request.version, agency, transaction)
            draft = await self.store.lock(transaction, dossier_id, agency)
            if version is None or version.case_name != draft.case_name:
                raise not_found()
            _require_indexes(request.document_indexes, version.document_count)
            await self.store.take_place_of_upload(transaction, draft)
            source = LockedDraft(version.dossier_id, version.case_name, version.revision)
            held = await self.store.held(transaction, draft)
            taken = await self.store.chosen(transaction, source, request.document_indexes, request.parties)
            first = held[-1].index + 1 if held else 0
            _require_fitting(held, taken, first)
            await require_room(transaction, agency, self.quota, [document.blob_id for document in taken])
            await self.store.copy(transaction, source, draft, taken, first)
            if not held:
                # Nothing was ever uploaded, so there is no upload whose finish could be awaited.
                await self.store.set_finished(transaction, draft)
            response = pb.TakeDocumentsResponse(first_document_index=first, document_count=len(taken))
            return response, {"version": version.name, "document_count": str(len(taken))}

        return await self._once(call, request, pb.TakeDocumentsResponse, DOCUMENTS_TAKEN, change)

    async def remove(self, request: pb.RemoveDocumentsRequest, call: Call) -> pb.RemoveDocumentsResponse:
        """Take documents out of a draft, all or none. Raises NotFound, Conflict (UPLOAD_LEASE_HELD)."""

        async def change(transaction: Transaction) -> tuple[pb.RemoveDocumentsResponse, Details]:
            draft = await self.store.lock(transaction, *_asked(request.dossier, call))
            await self.store.take_place_of_upload(transaction, draft)
            named = [DOCUMENT.parse(name) for name in set(request.documents)]
            ids = [found["document"] for found in named if found["dossier"] == draft.dossier_id]
            if len(ids) != len(named) or await self.store.remove(transaction, draft, ids) != len(ids):
                raise not_found()
            left = len(await self.store.held(transaction, draft))
            return pb.RemoveDocumentsResponse(document_count=left), {
                "document_count": str(len(ids)), "left_document_count": str(left)
            }  # fmt: skip

        return await self._once(call, request, pb.RemoveDocumentsResponse, DOCUMENTS_REMOVED, change)

    async def set_parties(
        self, request: pb.SetDocumentPartiesRequest, call: Call
    ) -> pb.SetDocumentPartiesResponse:  # fmt: skip
        """Say which parties documents of a draft concern, all or none. Raises NotFound, OutOfRange."""

        async def change(transaction: Transaction) -> tuple[pb.SetDocumentPartiesResponse, Details]:
            draft = await self.store.lock(transaction, *_asked(request.dossier, call))
            if any(not party.startswith(f"{draft.case_name}/") for party in request.parties):
                raise not_found()
            _require_indexes(request.document_indexes, MAX_DOCUMENTS)
            indexes = sorted(set(request.document_indexes))
            parties = sorted(set(request.parties))
            count = await self.store.set_parties(transaction, draft, indexes, parties)
            if count != len(indexes):
                raise _no_such_document()
            return pb.SetDocumentPartiesResponse(document_count=count), {
                "document_count": str(count), "party_count": str(len(parties))
            }  # fmt: skip

        return await self._once(call, request, pb.SetDocumentPartiesResponse, PARTIES_SET, change)

    async def _once(
        self,
        call: Call,
        request: Message,
        answer: type[M],
        action: str,
        change: Callable[[Transaction], Awaitable[tuple[M, Details]]],
    ) -> M:
        async with self.database.transaction() as transaction:
            stored = await recall(transaction, call, request, answer)
            if stored is not None:
                return stored
            response, details = await change(transaction)
            dossier: str = request.dossier  # type: ignore[attr-defined]
            assert call.case is not None
            event = event_of(call, self.clock, action, dossier, case=call.case, details=details)
            await record(transaction, call, event)
            await remember(transaction, call, request, response)
        return response


def _asked(dossier: str, call: Call) -> tuple[str, str]:
    return DOSSIER.parse(dossier)["dossier"], call.require_caller().agency


def _require_indexes(indexes: Sequence[int], document_count: int) -> None:
    if any(index >= document_count for index in indexes):
        raise _no_such_document()


def _no_such_document() -> OutOfRange:
    return OutOfRange("POSITION_OUT_OF_RANGE", "there is no such document", {"field": "document_indexes"})


def _require_fitting(held: Sequence[DocumentEntry], taken: Sequence[DocumentEntry], first: int) -> None:
    names = {name_key(document.volume, document.file_name): document.index for document in held}
    for document in taken:
        key = name_key(document.volume, document.file_name)
        if key in names:
            raise AlreadyExists(
                "DOCUMENT_NAME_DUPLICATE",
                f"file_name of document {document.index} of the version is that of document {names[key]} of the draft,"
                " in the same volume",
                {"document_index": document.index},
            )
    for what, count, limit in (
        ("documents", first + len(taken), MAX_DOCUMENTS),
        ("bytes", sum(document.size_bytes for document in (*held, *taken)), MAX_DOSSIER_BYTES),
        ("pages", sum(document.page_count for document in (*held, *taken)), MAX_DOSSIER_PAGES),
    ):
        if count > limit:
            raise ResourceExhausted(
                "DOSSIER_TOO_LARGE", f"a dossier has at most {limit} {what}", {"limit": f"{limit} {what}"}
            )
