"""Who may call routing, with what, and which right on which case each call needs.

Deliveries are those of the calling system's agency, so receiving names no case: what is due for an agency follows from
committed exchanges to it. Exchanges show themselves to their two sides alone; see `exchange_rules`.
"""

from __future__ import annotations

from casemesh.identity.v1 import case_access_pb2
from casemesh.runtime.peers import Peer
from casemesh.runtime.policy import AGENCY_WITH_TOKEN, MethodPolicy, OnCase, PolicyTable, Proof, Subject

CASES = "casemesh.routing.v1.CaseService"
NODES = "casemesh.routing.v1.CollaborationNodeService"
EXCHANGES = "casemesh.routing.v1.ExchangeService"
PREFLIGHT = "casemesh.routing.v1.ExchangePreflightService"
CORRECTIONS = "casemesh.routing.v1.ExchangeCorrectionService"
DRAFTS = "casemesh.routing.v1.ExchangeDraftService"
NODE_ADMIN = "casemesh.routing.v1.CollaborationNodeAdminService"
SINGLE_TRACKS = "casemesh.routing.v1.SingleTrackService"
DELIVERIES = "casemesh.routing.v1.DeliveryService"
RECEIPTS = "casemesh.routing.v1.ReceiptService"
LIMITS = "casemesh.routing.v1.TimeLimitService"
QUERIES = "casemesh.routing.v1.DataQueryService"
PROVIDERS = "casemesh.routing.v1.DataProviderService"
RECORDS = "casemesh.routing.v1.CaseRecordService"
SUCCESSIONS = "casemesh.routing.v1.CaseSuccessionService"
PROGRESS = "casemesh.routing.v1.CaseProgressService"
FACTS = "casemesh.routing.v1.CaseFactsService"

_OPERATOR = {Peer.OPERATOR: Proof.NOTHING}
_VIEW = case_access_pb2.CASE_PERMISSION_VIEW_CASE
_SUBMIT = case_access_pb2.CASE_PERMISSION_SUBMIT_EXCHANGE
_DECIDE = case_access_pb2.CASE_PERMISSION_DECIDE_EXCHANGE
_VIEW_PROGRESS = case_access_pb2.CASE_PERMISSION_VIEW_PROGRESS


def _changing(audited: str, field: str = "case", resource: str = "case", *, binding: bool = True) -> MethodPolicy:
    """Return the row of what changes who or what is in a case: for officers who work on it, and who are bound by it."""
    return MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, OnCase(_SUBMIT, field, resource), audited, fresh_login=binding
    )


POLICIES: PolicyTable = {
    # The case is not there yet: any officer of an agency may open one, and is answerable for it in the log.
    f"{CASES}/RegisterCase": MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER, audited="case.registered"),
    f"{CASES}/GetCase": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "name")),
    # Identity lists what the caller may see.
    f"{CASES}/ListCases": MethodPolicy(AGENCY_WITH_TOKEN),
    # An agency's numbers are its own; its system may keep them. A number is found only among cases the caller may see.
    f"{RECORDS}/LinkLocalNumber": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "case"), audited="case.number.linked"
    ),
    f"{RECORDS}/UnlinkLocalNumber": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "case"), audited="case.number.unlinked"
    ),
    f"{RECORDS}/ListLocalNumbers": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "case")),
    f"{RECORDS}/FindCaseByNumber": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{RECORDS}/AddParty": _changing("case.party.added", binding=False),
    f"{RECORDS}/CompleteIdentity": _changing("case.party.identified", "party", "party", binding=False),
    f"{RECORDS}/ChangeCharges": _changing("case.party.charged", "party", "party"),
    f"{RECORDS}/ListPartyHistory": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "party", "party")),
    # The handler asks for the same right on the other cases.
    f"{SUCCESSIONS}/MergeCases": _changing("case.merged"),
    f"{SUCCESSIONS}/SplitCase": _changing("case.split"),
    f"{SUCCESSIONS}/MergeParties": _changing("case.party.merged", "party", "party"),
    f"{SUCCESSIONS}/SplitParty": _changing("case.party.split", "party", "party"),
    f"{SUCCESSIONS}/UndoSuccession": _changing("case.succession.undone", "succession", "succession"),
    f"{SUCCESSIONS}/ListSuccessions": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "case")),
    # Supervisors see states and times; the handler leaves names to those who may see the case.
    f"{PROGRESS}/GetProgress": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW_PROGRESS, "case")),
    f"{PROGRESS}/ListNextNodes": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW_PROGRESS, "party", "party")),
    # Without anyone's token: supervision evaluates rules by itself, and filters what it shows.
    f"{FACTS}/GetCaseFacts": MethodPolicy({Peer.SUPERVISION: Proof.NOTHING}),
    f"{NODES}/GetNode": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{NODES}/ListNodes": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{NODES}/GetNodeSchema": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{NODES}/GetNodeChain": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{EXCHANGES}/SubmitExchange": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, OnCase(_SUBMIT, "case"), audited="exchange.submitted", fresh_login=True
    ),
    f"{NODE_ADMIN}/ImportNodeCatalogue": MethodPolicy(_OPERATOR, audited="node_catalogue.imported"),
    f"{NODE_ADMIN}/CompareNodeCatalogue": MethodPolicy(_OPERATOR),
    f"{NODE_ADMIN}/ActivateNodeCatalogue": MethodPolicy(_OPERATOR, audited="node_catalogue.activated"),
    f"{NODE_ADMIN}/ListNodeCatalogues": MethodPolicy(_OPERATOR),
    f"{NODE_ADMIN}/SetAgencyProvince": MethodPolicy(_OPERATOR, audited="node_catalogue.province_set"),
    # A word of the agency, not of an officer on a case: its system gives it, under its own token.
    f"{SINGLE_TRACKS}/ProposeSingleTrack": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="single_track.proposed"
    ),
    f"{SINGLE_TRACKS}/AgreeSingleTrack": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="single_track.agreed"),
    f"{SINGLE_TRACKS}/EndSingleTrack": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="single_track.ended"),
    f"{SINGLE_TRACKS}/ListSingleTracks": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{PREFLIGHT}/PreflightExchange": MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER, OnCase(_SUBMIT, "case")),
    f"{CORRECTIONS}/ReturnExchange": MethodPolicy(
        AGENCY_WITH_TOKEN,
        Subject.OFFICER,
        OnCase(_DECIDE, "exchange", "exchange"),
        audited="exchange.returned",
        fresh_login=True,
    ),
    f"{CORRECTIONS}/SupplementExchange": MethodPolicy(
        AGENCY_WITH_TOKEN,
        Subject.OFFICER,
        OnCase(_SUBMIT, "exchange", "exchange"),
        audited="exchange.supplemented",
        fresh_login=True,
    ),
    f"{CORRECTIONS}/WithdrawExchange": MethodPolicy(
        AGENCY_WITH_TOKEN,
        Subject.OFFICER,
        OnCase(_SUBMIT, "exchange", "exchange"),
        audited="exchange.withdrawn",
        fresh_login=True,
    ),
    f"{CORRECTIONS}/ListExchangeRevisions": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "exchange", "exchange")
    ),
    f"{CORRECTIONS}/ListReturnReasons": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{DRAFTS}/SaveExchangeDraft": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, OnCase(_SUBMIT, "case"), audited="exchange.drafted"
    ),
    f"{DRAFTS}/ListExchangeDrafts": MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER, OnCase(_SUBMIT, "case")),
    f"{DRAFTS}/SubmitExchangeDraft": MethodPolicy(
        AGENCY_WITH_TOKEN,
        Subject.OFFICER,
        OnCase(_SUBMIT, "exchange", "exchange"),
        audited="exchange.submitted",
        fresh_login=True,
    ),
    f"{DRAFTS}/DiscardExchangeDraft": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, OnCase(_SUBMIT, "exchange", "exchange"), audited="exchange.draft_discarded"
    ),
    f"{EXCHANGES}/GetExchange": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "name", "exchange")),
    f"{EXCHANGES}/ListExchanges": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "case")),
    f"{EXCHANGES}/Receive": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="exchange.delivered"),
    f"{EXCHANGES}/PullDeliveries": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM),
    f"{EXCHANGES}/AcknowledgeDelivery": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="exchange.delivered"),
    f"{DELIVERIES}/ListDeliveries": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "exchange", "exchange")),
    # As with receiving, the calling system's own.
    f"{DELIVERIES}/ListUndelivered": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM),
    f"{DELIVERIES}/RejectDelivery": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="exchange.undelivered"),
    f"{DELIVERIES}/RedriveDelivery": MethodPolicy(
        {**AGENCY_WITH_TOKEN, Peer.OPERATOR: Proof.NOTHING}, Subject.SYSTEM, audited="exchange.redriven"
    ),
    f"{DELIVERIES}/AcknowledgeReport": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="exchange.undelivered.known"
    ),
    f"{RECEIPTS}/GetReceipt": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "name", "receipt")),
    f"{RECEIPTS}/ListReceipts": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "exchange", "exchange")),
    f"{EXCHANGES}/AcceptExchange": MethodPolicy(
        AGENCY_WITH_TOKEN,
        Subject.OFFICER,
        OnCase(_DECIDE, "exchange", "exchange"),
        audited="exchange.accepted",
        fresh_login=True,
    ),
    f"{EXCHANGES}/AnswerExchange": MethodPolicy(
        AGENCY_WITH_TOKEN,
        Subject.OFFICER,
        OnCase(_DECIDE, "exchange", "exchange"),
        audited="exchange.answered",
        fresh_login=True,
    ),
    # States and times, which a supervisor sees, too.
    f"{LIMITS}/ListTimeLimits": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW_PROGRESS, "case")),
    f"{LIMITS}/ReckonTimeLimit": MethodPolicy(AGENCY_WITH_TOKEN),
    # Which data services there are for an agency follows from what their providers published.
    f"{QUERIES}/ListDataServices": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{QUERIES}/GetDataService": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{QUERIES}/AskQuery": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, OnCase(_SUBMIT, "case"), audited="query.asked"
    ),
    f"{QUERIES}/AskQueries": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, OnCase(_SUBMIT, "case"), audited="query.asked"
    ),
    f"{QUERIES}/GetQuery": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "name", "data_query")),
    f"{QUERIES}/ListQueries": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "case")),
    # A provider sees the questions to its own agency, and never their case.
    f"{PROVIDERS}/PublishDataService": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="data_service.published"
    ),
    f"{PROVIDERS}/RetireDataService": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="data_service.retired"),
    f"{PROVIDERS}/ServeQueries": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="query.answered"),
    f"{PROVIDERS}/PullQueries": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM),
    f"{PROVIDERS}/AnswerQuery": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="query.answered"),
}
