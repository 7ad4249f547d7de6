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

_SOURCES = (Peer.IDENTITY, Peer.TRANSLATION, Peer.DOSSIER, Peer.ROUTING, Peer.SUPERVISION)
_TRAIL = OnCase(CASE_PERMISSION_VIEW_TRAIL, "case")
_OPERATOR = {Peer.OPERATOR: Proof.NOTHING}
_ANYONE = {**AGENCY_WITH_TOKEN, Peer.OPERATOR: Proof.NOTHING, Peer.MONITOR: Proof.NOTHING}

APPEND_SERVICE = "casemesh.audit.v1.AuditAppendService"
QUERY_SERVICE = "casemesh.audit.v1.AuditQueryService"
WITNESS_SERVICE = "casemesh.audit.v1.LogWitnessService"
ADMIN_SERVICE = "casemesh.audit.v1.AuditAdminService"
FEED_SERVICE = "casemesh.audit.v1.AuditFeedService"

POLICIES: PolicyTable = {
    f"{APPEND_SERVICE}/AppendEvents": MethodPolicy(dict.fromkeys(_SOURCES, Proof.NOTHING)),
    f"{FEED_SERVICE}/FeedEvents": MethodPolicy({Peer.SUPERVISION: Proof.NOTHING}),
    f"{QUERY_SERVICE}/ListCaseEvents": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=_TRAIL, audited=TRAIL_READ, reads_content=True
    ),
    f"{QUERY_SERVICE}/ExportTrail": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=_TRAIL, audited=TRAIL_EXPORTED, reads_content=True
    ),
    f"{QUERY_SERVICE}/GetCheckpoint": MethodPolicy(_ANYONE),
    f"{QUERY_SERVICE}/GetInclusionProof": MethodPolicy(_ANYONE),
    f"{QUERY_SERVICE}/GetConsistencyProof": MethodPolicy(_ANYONE),
    f"{ADMIN_SERVICE}/ListEventSources": MethodPolicy(_OPERATOR),
    f"{ADMIN_SERVICE}/ProposeShredding": MethodPolicy(_OPERATOR, audited="audit.shredding.proposed"),
    f"{ADMIN_SERVICE}/ApproveShredding": MethodPolicy(_OPERATOR, audited="audit.events.shredded"),
    f"{ADMIN_SERVICE}/RejectShredding": MethodPolicy(_OPERATOR, audited="audit.shredding.rejected"),
    f"{ADMIN_SERVICE}/ListShreddings": MethodPolicy(_OPERATOR),
    f"{WITNESS_SERVICE}/GetCheckpointToCosign": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{WITNESS_SERVICE}/SubmitCosignature": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{WITNESS_SERVICE}/GetCosignedCheckpoint": MethodPolicy(_ANYONE),
}
