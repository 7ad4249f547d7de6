"""Who may do what in the log.

Events come from the services, each under its own name. Trails are for those with the right to the case's trail.
Checkpoints and proofs are for everyone with a token: they tell nothing about a case.
"""

from __future__ import annotations

from casemesh.identity.v1.case_access_pb2 import CASE_PERMISSION_VIEW_TRAIL
from casemesh.runtime.peers import Peer
from casemesh.runtime.policy import AGENCY_WITH_TOKEN, MethodPolicy, OnCase, PolicyTable, Proof

TRAIL_READ = "audit.trail.read"
TRAIL_EXPORTED = "audit.trail.exported"

_SOURCES = (Peer.IDENTITY, Peer.TRANSLATION, Peer.DOSSIER, Peer.ROUTING)
_TRAIL = OnCase(CASE_PERMISSION_VIEW_TRAIL, "case")
_ANYONE = {**AGENCY_WITH_TOKEN, Peer.OPERATOR: Proof.NOTHING, Peer.MONITOR: Proof.NOTHING}

APPEND_SERVICE = "casemesh.audit.v1.AuditAppendService"
QUERY_SERVICE = "casemesh.audit.v1.AuditQueryService"

POLICIES: PolicyTable = {
    f"{APPEND_SERVICE}/AppendEvents": MethodPolicy(dict.fromkeys(_SOURCES, Proof.NOTHING)),
    f"{QUERY_SERVICE}/ListCaseEvents": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=_TRAIL, audited=TRAIL_READ, reads_content=True
    ),
    f"{QUERY_SERVICE}/ExportTrail": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=_TRAIL, audited=TRAIL_EXPORTED, reads_content=True
    ),
    f"{QUERY_SERVICE}/GetCheckpoint": MethodPolicy(_ANYONE),
    f"{QUERY_SERVICE}/GetInclusionProof": MethodPolicy(_ANYONE),
    f"{QUERY_SERVICE}/GetConsistencyProof": MethodPolicy(_ANYONE),
}
