"""The catalogue's calls: decode, hand over, encode."""

from __future__ import annotations

from typing import Any, Final

from casemesh.data.dossier_catalogue import Catalogue
from casemesh.dossier.completeness.checking import Checking
from casemesh.dossier.page_tokens import id_of, index_of
from casemesh.dossier.recognition.correcting import Correcting
from casemesh.dossier.recognition.entries import EntryStore
from casemesh.dossier.recognition.messages import entry_message, rule_message
from casemesh.dossier.recognition.worker import Recognizing
from casemesh.dossier.revisions import revision_of
from casemesh.dossier.store import DossierStore
from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb
from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import DossierCatalogueServiceServicer
from casemesh.runtime.call import current_call
from casemesh.runtime.outbox import OutboxRelay
from casemesh.runtime.paging import page_size_of

_ENTRY_PAGE: Final = 1000


class DossierCatalogueServicer(DossierCatalogueServiceServicer):
    """Says what documents are, and takes officers' word for it."""

    def __init__(
        self,
        dossiers: DossierStore,
        entries: EntryStore,
        recognizing: Recognizing,
        correcting: Correcting,
        checking: Checking,
        catalogue: Catalogue,
        outbox: OutboxRelay,
    ) -> None:
        self._dossiers = dossiers
        self._entries = entries
        self._recognizing = recognizing
        self._correcting = correcting
        self._checking = checking
        self._catalogue = catalogue
        self._outbox = outbox

    async def ListCatalogueEntries(
        self, request: pb.ListCatalogueEntriesRequest, context: Any
    ) -> pb.ListCatalogueEntriesResponse:
        agency = current_call().viewing_agency
        dossier_id, revision = await revision_of(self._dossiers, request.parent, agency)
        limit, after = request.page_size or _ENTRY_PAGE, index_of(request.page_token)
        # Whoever asks right after sending sees the types by name, not how far a worker happens to be.
        await self._recognizing.name_documents(dossier_id)
        found = await self._entries.entries(dossier_id, revision, after, limit)
        return pb.ListCatalogueEntriesResponse(
            entries=[entry_message(dossier_id, entry, self._catalogue) for entry in found],
            next_page_token=str(found[-1].place) if len(found) == limit else "",
            waiting_count=await self._entries.waiting(dossier_id, revision),
        )

    async def CorrectDocument(self, request: pb.CorrectDocumentRequest, context: Any) -> pb.CorrectDocumentResponse:
        response = await self._correcting.correct(request, current_call())
        self._outbox.wake()
        return response

    async def ListRecognitionRules(
        self, request: pb.ListRecognitionRulesRequest, context: Any
    ) -> pb.ListRecognitionRulesResponse:
        limit = page_size_of(request.page_size)
        agency = current_call().require_caller().agency
        after = id_of(request.page_token) if request.page_token else None
        rules = await self._entries.rules(agency, after, limit)
        return pb.ListRecognitionRulesResponse(
            rules=[rule_message(rule) for rule in rules],
            next_page_token=rules[-1].rule_id if len(rules) == limit else "",
        )

    async def ForgetRecognitionRule(
        self, request: pb.ForgetRecognitionRuleRequest, context: Any
    ) -> pb.ForgetRecognitionRuleResponse:
        response = await self._correcting.forget(request, current_call())
        self._outbox.wake()
        return response

    async def CheckCompleteness(
        self, request: pb.CheckCompletenessRequest, context: Any
    ) -> pb.CheckCompletenessResponse:
        return await self._checking.check(request, current_call())
