"""Who may do what with dossiers.

A right on the case is not enough: a draft belongs to the agency that makes it, and a version is read by that agency and
those it was handed to. The servicers ask for that, with the same answer as for what does not exist.
"""

from __future__ import annotations

from dataclasses import replace

from casemesh.identity.v1.case_access_pb2 import CASE_PERMISSION_CHANGE_DOSSIER, CASE_PERMISSION_VIEW_DOSSIER
from casemesh.runtime.peers import Peer
from casemesh.runtime.policy import AGENCY_WITH_TOKEN, MethodPolicy, OnCase, PolicyTable, Proof, Subject

DOSSIER_SERVICE = "casemesh.dossier.v1.DossierService"
READ_SERVICE = "casemesh.dossier.v1.DossierReadService"
DELIVERY_SERVICE = "casemesh.dossier.v1.DossierDeliveryService"
CATALOGUE_SERVICE = "casemesh.dossier.v1.DossierCatalogueService"
HANDOVER_SERVICE = "casemesh.dossier.v1.DossierHandoverService"
FACTS_SERVICE = "casemesh.dossier.v1.DossierFactsService"

DRAFT_CREATED = "dossier.draft.created"
UPLOAD_FINISHED = "dossier.upload.finished"
DOCUMENTS_REFERENCED = "dossier.documents.referenced"
DOCUMENTS_TAKEN = "dossier.documents.taken"
DOCUMENTS_REMOVED = "dossier.documents.removed"
PARTIES_SET = "dossier.documents.parties_set"
DOCUMENT_CORRECTED = "dossier.document.corrected"
RULE_FORGOTTEN = "dossier.recognition_rule.forgotten"
DRAFT_SUPPLEMENTS = "dossier.draft.supplements"
DRAFT_ABANDONED = "dossier.draft.abandoned"
VERSION_FINALIZED = "dossier.version.finalized"
VERSION_READ = "dossier.version.read"
VERSION_SENT = "dossier.version.sent"
VERSION_GRANTED = "dossier.version.granted"
VERSION_CONFIRMED = "dossier.version.confirmed"
MANIFEST_READ = "dossier.manifest.read"

_AND_ROUTING = {**AGENCY_WITH_TOKEN, Peer.ROUTING: Proof.RELAYED_TOKEN}


def _change(field: str, resource: str, audited: str = "") -> MethodPolicy:
    on_case = OnCase(CASE_PERMISSION_CHANGE_DOSSIER, field, resource)
    return MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER, on_case, audited)


def _view(field: str, resource: str, audited: str = "") -> MethodPolicy:
    return MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=OnCase(CASE_PERMISSION_VIEW_DOSSIER, field, resource), audited=audited
    )


def _read(audited: str) -> MethodPolicy:
    return replace(_view("version", "version", audited), reads_content=True)


POLICIES: PolicyTable = {
    f"{DOSSIER_SERVICE}/CreateDossier": _change("case", "case", DRAFT_CREATED),
    f"{DOSSIER_SERVICE}/UploadDocuments": replace(
        _change("open.dossier", "dossier", UPLOAD_FINISHED), handler_checks_stream=True
    ),
    f"{DOSSIER_SERVICE}/UploadDocument": _change("dossier", "dossier", UPLOAD_FINISHED),
    f"{DOSSIER_SERVICE}/ReferenceDocuments": _change("dossier", "dossier", DOCUMENTS_REFERENCED),
    f"{DOSSIER_SERVICE}/TakeDocuments": _change("dossier", "dossier", DOCUMENTS_TAKEN),
    f"{DOSSIER_SERVICE}/RemoveDocuments": _change("dossier", "dossier", DOCUMENTS_REMOVED),
    f"{DOSSIER_SERVICE}/SetDocumentParties": _change("dossier", "dossier", PARTIES_SET),
    f"{DOSSIER_SERVICE}/SupplementDossier": _change("dossier", "dossier", DRAFT_SUPPLEMENTS),
    f"{DOSSIER_SERVICE}/AbandonDraft": _change("dossier", "dossier", DRAFT_ABANDONED),
    f"{DOSSIER_SERVICE}/QueryUpload": _change("dossier", "dossier"),
    f"{DOSSIER_SERVICE}/FinalizeDossier": replace(_change("dossier", "dossier", VERSION_FINALIZED), fresh_login=True),
    f"{READ_SERVICE}/GetDossier": _view("name", "dossier"),
    f"{READ_SERVICE}/GetDossierVersion": MethodPolicy(
        _AND_ROUTING, on_case=OnCase(CASE_PERMISSION_VIEW_DOSSIER, "name", "version")
    ),
    f"{READ_SERVICE}/ListDossiers": _view("case", "case"),
    f"{READ_SERVICE}/DownloadManifest": _read(MANIFEST_READ),
    f"{READ_SERVICE}/DownloadDocuments": _read(VERSION_READ),
    f"{READ_SERVICE}/ReadDocument": _read(VERSION_READ),
    f"{READ_SERVICE}/DownloadArchive": _read(VERSION_READ),
    f"{READ_SERVICE}/ListDocuments": _view("version", "version"),
    f"{READ_SERVICE}/ListDossierVersions": _view("dossier", "dossier"),
    f"{READ_SERVICE}/ListVersionChanges": _view("version", "version"),
    f"{DELIVERY_SERVICE}/ConfirmDownload": replace(_view("version", "version", VERSION_CONFIRMED), fresh_login=True),
    f"{DELIVERY_SERVICE}/ListDeliveries": _view("version", "version"),
    f"{CATALOGUE_SERVICE}/ListCatalogueEntries": _view("parent", "dossier_or_version"),
    f"{CATALOGUE_SERVICE}/CorrectDocument": _change("document", "document", DOCUMENT_CORRECTED),
    f"{CATALOGUE_SERVICE}/ListRecognitionRules": MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER),
    f"{CATALOGUE_SERVICE}/ForgetRecognitionRule": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, audited=RULE_FORGOTTEN
    ),
    f"{CATALOGUE_SERVICE}/CheckCompleteness": MethodPolicy(
        _AND_ROUTING, on_case=OnCase(CASE_PERMISSION_VIEW_DOSSIER, "parent", "dossier_or_version")
    ),
    f"{HANDOVER_SERVICE}/GrantVersion": MethodPolicy({Peer.ROUTING: Proof.NOTHING}, audited=VERSION_GRANTED),
    f"{FACTS_SERVICE}/BatchGetVersionFacts": MethodPolicy({Peer.ROUTING: Proof.NOTHING}),
}
