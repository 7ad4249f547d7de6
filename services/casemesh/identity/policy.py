"""Who may call what of identity."""

from __future__ import annotations

from collections.abc import Mapping

from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.runtime.peers import Peer
from casemesh.runtime.policy import AGENCY_WITH_TOKEN, MethodPolicy, OnCase, PolicyTable, Proof

_PACKAGE = "casemesh.identity.v1"
SERVICE_NAMES = tuple(
    f"{_PACKAGE}.{service}"
    for service in (
        "DirectoryService",
        "DirectoryAdminService",
        "TokenService",
        "AccessService",
        "AccessAdminService",
        "CaseParticipationService",
    )
)

_OPERATOR: Mapping[Peer, Proof] = {Peer.OPERATOR: Proof.NOTHING}
_SERVICES = (Peer.TRANSLATION, Peer.DOSSIER, Peer.ROUTING, Peer.AUDIT)
_FOR_ANOTHER: Mapping[Peer, Proof] = dict.fromkeys(_SERVICES, Proof.RELAYED_TOKEN)
_MANAGED_CASE = OnCase(CasePermission.CASE_PERMISSION_MANAGE_ACCESS, "case")

POLICIES: PolicyTable = {
    # Routing asks for the kind of organ of an exchange's two agencies, also when no token is at hand any more.
    f"{_PACKAGE}.DirectoryService/GetAgency": MethodPolicy({**AGENCY_WITH_TOKEN, Peer.ROUTING: Proof.NOTHING}),
    f"{_PACKAGE}.DirectoryService/ListAgencies": MethodPolicy(AGENCY_WITH_TOKEN),
    # Only the caller's own agency; the handler takes it from the token.
    f"{_PACKAGE}.DirectoryService/ListOfficers": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{_PACKAGE}.DirectoryAdminService/CreateAgency": MethodPolicy(_OPERATOR, audited="identity.agency.created"),
    f"{_PACKAGE}.DirectoryAdminService/CreateSystem": MethodPolicy(_OPERATOR, audited="identity.system.created"),
    f"{_PACKAGE}.DirectoryAdminService/CreateWorkstation": MethodPolicy(
        _OPERATOR, audited="identity.workstation.created"
    ),
    f"{_PACKAGE}.DirectoryAdminService/CreateOfficer": MethodPolicy(_OPERATOR, audited="identity.officer.created"),
    f"{_PACKAGE}.TokenService/IssueToken": MethodPolicy({Peer.GATEWAY: Proof.FORWARDED_CERTIFICATE}),
    f"{_PACKAGE}.TokenService/GetSigningKeys": MethodPolicy(
        {Peer.GATEWAY: Proof.FORWARDED_CERTIFICATE, **dict.fromkeys(_SERVICES, Proof.NOTHING)}
    ),
    f"{_PACKAGE}.AccessService/CheckAccess": MethodPolicy(_FOR_ANOTHER),
    # The stream's token may have ended by then; the service verified it when the stream began.
    f"{_PACKAGE}.AccessService/RecheckAccess": MethodPolicy(dict.fromkeys(_SERVICES, Proof.NOTHING)),
    f"{_PACKAGE}.AccessService/ListAccessibleCases": MethodPolicy({Peer.ROUTING: Proof.RELAYED_TOKEN}),
    f"{_PACKAGE}.AccessAdminService/AssignOfficer": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=_MANAGED_CASE, audited="access.assignment.added"
    ),
    f"{_PACKAGE}.AccessAdminService/EndAssignment": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=_MANAGED_CASE, audited="access.assignment.ended"
    ),
    f"{_PACKAGE}.AccessAdminService/ListCaseAccess": MethodPolicy(AGENCY_WITH_TOKEN, on_case=_MANAGED_CASE),
    f"{_PACKAGE}.CaseParticipationService/AddParticipation": MethodPolicy(
        {Peer.ROUTING: Proof.NOTHING}, audited="access.participation.added"
    ),
}
