"""Who may do what with warnings and rules.

A right on the case is asked for here; whether a warning concerns the caller's agency, or the caller reviews access to
the case, is the handler's to ask: see `visibility`.
"""

from __future__ import annotations

from casemesh.identity.v1.case_access_pb2 import CASE_PERMISSION_VIEW_PROGRESS
from casemesh.runtime.peers import Peer
from casemesh.runtime.policy import AGENCY_WITH_TOKEN, MethodPolicy, OnCase, PolicyTable, Proof, Subject

WARNINGS = "casemesh.supervision.v1.SupervisionService"
RULES = "casemesh.supervision.v1.SupervisionAdminService"
FIGURES = "casemesh.supervision.v1.FiguresService"

_OPERATOR = {Peer.OPERATOR: Proof.NOTHING}
# States and times, which a supervisor sees, too.
_SEES = OnCase(CASE_PERMISSION_VIEW_PROGRESS, "name", "warning")


def _moving(audited: str, *, binding: bool = True) -> MethodPolicy:
    """Return the row of what an officer says of a warning, and is bound by."""
    return MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER, _SEES, audited, fresh_login=binding)


POLICIES: PolicyTable = {
    # The handler shows what the caller may see, and nothing else.
    f"{WARNINGS}/ListWarnings": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{WARNINGS}/WatchWarnings": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{WARNINGS}/GetWarning": MethodPolicy(AGENCY_WITH_TOKEN, on_case=_SEES),
    # Taking it up never waits for a login.
    f"{WARNINGS}/AcknowledgeWarning": _moving("warning.acknowledged", binding=False),
    f"{WARNINGS}/AssignWarning": _moving("warning.assigned"),
    f"{WARNINGS}/ResolveWarning": _moving("warning.resolved"),
    f"{WARNINGS}/MarkNotApplicable": _moving("warning.not_applicable"),
    # Sizes and times of the whole platform, of no case.
    f"{WARNINGS}/GetSupervisionStatus": MethodPolicy(AGENCY_WITH_TOKEN),
    # The handler shows a supervisor his own agency's, the operator all.
    f"{FIGURES}/ListFigures": MethodPolicy({**AGENCY_WITH_TOKEN, **_OPERATOR}),
    f"{RULES}/ListRules": MethodPolicy(_OPERATOR),
    f"{RULES}/GetRule": MethodPolicy(_OPERATOR),
    f"{RULES}/DryRunRules": MethodPolicy(_OPERATOR),
    f"{RULES}/ImportRules": MethodPolicy(_OPERATOR, audited="supervision.rules.imported"),
    f"{RULES}/ReviewRule": MethodPolicy(_OPERATOR, audited="supervision.rule.reviewed"),
}
