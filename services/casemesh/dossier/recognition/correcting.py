"""An officer's word on what a document is: it wins, is an event, and is learnt for the agency."""

from __future__ import annotations

from dataclasses import dataclass, replace

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import DOCUMENT
from casemesh.data.dossier_catalogue import Catalogue
from casemesh.dossier.policy import DOCUMENT_CORRECTED, RULE_FORGOTTEN
from casemesh.dossier.recognition.classify import Classifier, Source
from casemesh.dossier.recognition.entries import EntryStore, Rule, StoredEntry
from casemesh.dossier.recognition.messages import entry_message, rule_message
from casemesh.dossier.recognition.titles import compact, stem
from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb
from casemesh.errors import FieldViolation, InvalidArgument, not_found
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember

_REASON = "an officer's word.  办案人员更正"


@dataclass(frozen=True)
class Correcting:
    """Carries out CorrectDocument and ForgetRecognitionRule."""

    database: Database
    entries: EntryStore
    catalogue: Catalogue
    classifier: Classifier
    clock: Clock

    async def correct(self, request: pb.CorrectDocumentRequest, call: Call) -> pb.CorrectDocumentResponse:
        """Set a document's type. Raises NotFound, InvalidArgument (FIELD_INVALID) for a type that is not known."""
        if request.type_code and request.type_code not in self.catalogue.types:
            rule = "is no type of the catalogue"
            raise InvalidArgument("FIELD_INVALID", f"type_code {rule}", violations=[FieldViolation("type_code", rule)])
        ids, caller, now = DOCUMENT.parse(request.document), call.require_caller(), self.clock.now()
        assert caller.officer is not None
        type_code = request.type_code or None
        async with self.database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb.CorrectDocumentResponse)
            if stored is not None:
                return stored
            found = await self.entries.document(transaction, ids["dossier"], ids["document"], caller.agency)
            if found is None:
                raise not_found()
            entry, title = found
            await self.entries.correct(transaction, ids["document"], type_code, _REASON, caller.officer, now)
            learnt = None if request.only_this else self._lesson(entry, title)
            response = pb.CorrectDocumentResponse()
            if learnt is not None:
                rule_learnt = Rule(new_id(), learnt, type_code, now)
                await self.entries.learn(transaction, rule_learnt, caller.agency, caller.officer)
                response.rule.CopyFrom(rule_message(rule_learnt))
            corrected = replace(entry, type_code=type_code, confidence=1.0, source=Source.OFFICER, reason=_REASON)
            response.entry.CopyFrom(entry_message(ids["dossier"], corrected, self.catalogue))
            response.entry.ClearField("first_page")
            response.entry.ClearField("last_page")
            details = {
                "from_type": entry.type_code or "",
                "from_source": entry.source or "",
                "to_type": request.type_code,
                "rule": response.rule.rule_id,
            }
            event = event_of(
                call, self.clock, DOCUMENT_CORRECTED, request.document, case=call.case or "", details=details
            )
            await record(transaction, call, event)
            await remember(transaction, call, request, response)
        return response

    async def forget(self, request: pb.ForgetRecognitionRuleRequest, call: Call) -> pb.ForgetRecognitionRuleResponse:
        """Remove a rule; documents keep the types they have. Raises NotFound."""
        agency = call.require_caller().agency
        async with self.database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb.ForgetRecognitionRuleResponse)
            if stored is not None:
                return stored
            if not await self.entries.forget(transaction, request.rule_id, agency):
                raise not_found()
            response = pb.ForgetRecognitionRuleResponse(rule_id=request.rule_id)
            event = event_of(call, self.clock, RULE_FORGOTTEN, agency, details={"rule": request.rule_id})
            await record(transaction, call, event)
            await remember(transaction, call, request, response)
        return response

    def _lesson(self, entry: StoredEntry, title: str) -> str | None:
        """What a later document must be called for the same correction to hold: its title line, else its file name.

        None where that says nothing, or is a type's name: one document that was misnamed must not turn the catalogue
        over for all that are not.
        """
        for lesson in (compact(title), stem(entry.file_name)):
            if lesson and not self.classifier.names_a_type(lesson):
                return lesson
        return None
