"""Who may call routing, with what, and which right on which case each call needs.

Deliveries are those of the calling system's agency, so receiving names no case: what is due for an agency follows from
committed exchanges to it. Exchanges show themselves to their two sides alone; see `exchange_rules`.
"""

from __future__ import annotations

from casemesh.identity.v1 import case_access_pb2
from casemesh.runtime.policy import AGENCY_WITH_TOKEN, MethodPolicy, OnCase, PolicyTable, Subject

CASES = "casemesh.routing.v1.CaseService"
NODES = "casemesh.routing.v1.CollaborationNodeService"
EXCHANGES = "casemesh.routing.v1.ExchangeService"

_VIEW = case_access_pb2.CASE_PERMISSION_VIEW_CASE
_SUBMIT = case_access_pb2.CASE_PERMISSION_SUBMIT_EXCHANGE
_DECIDE = case_access_pb2.CASE_PERMISSION_DECIDE_EXCHANGE

POLICIES: PolicyTable = {
    # The case is not there yet: any officer of an agency may open one, and is answerable for it in the log.
    f"{CASES}/RegisterCase": MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER, audited="case.registered"),
    f"{CASES}/GetCase": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "name")),
    # Identity lists what the caller may see.
    f"{CASES}/ListCases": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{NODES}/GetNode": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{NODES}/ListNodes": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{EXCHANGES}/SubmitExchange": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, OnCase(_SUBMIT, "case"), audited="exchange.submitted"
    ),
    f"{EXCHANGES}/GetExchange": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "name", "exchange")),
    f"{EXCHANGES}/ListExchanges": MethodPolicy(AGENCY_WITH_TOKEN, on_case=OnCase(_VIEW, "case")),
    f"{EXCHANGES}/Receive": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="exchange.delivered"),
    f"{EXCHANGES}/PullDeliveries": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM),
    f"{EXCHANGES}/AcknowledgeDelivery": MethodPolicy(AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="exchange.delivered"),
    f"{EXCHANGES}/AcceptExchange": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, OnCase(_DECIDE, "exchange", "exchange"), audited="exchange.accepted"
    ),
    f"{EXCHANGES}/AnswerExchange": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, OnCase(_DECIDE, "exchange", "exchange"), audited="exchange.answered"
    ),
}
