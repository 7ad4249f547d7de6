"""Who may call what of identity."""

from __future__ import annotations

from collections.abc import Mapping

from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.runtime.peers import Peer
from casemesh.runtime.policy import AGENCY_WITH_TOKEN, MethodPolicy, OnCase, PolicyTable, Proof, Subject

_PACKAGE = "casemesh.identity.v1"
SERVICE_NAMES = tuple(
    f"{_PACKAGE}.{service}"
    for service in (
        "DirectoryService",
        "DirectoryAdminService",
        "EnrolmentService",
        "StandingService",
        "TokenService",
        "AccessService",
        "AccessAdminService",
        "CaseProtectionService",
        "CaseParticipationService",
    )
)

_OPERATOR: Mapping[Peer, Proof] = {Peer.OPERATOR: Proof.NOTHING}
_SERVICES = (Peer.TRANSLATION, Peer.DOSSIER, Peer.ROUTING, Peer.AUDIT)
_FOR_ANOTHER: Mapping[Peer, Proof] = dict.fromkeys(_SERVICES, Proof.RELAYED_TOKEN)
_MANAGED_CASE = OnCase(CasePermission.CASE_PERMISSION_MANAGE_ACCESS, "case")
_REVIEWED_CASE = OnCase(CasePermission.CASE_PERMISSION_REVIEW_ACCESS, "case")


def _on_reviewed_case(audited: str) -> MethodPolicy:
    """Return the row of what a supervisor does with a case."""
    return MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER, _REVIEWED_CASE, audited)


POLICIES: PolicyTable = {
    # Routing asks for the kind of organ of an exchange's two agencies, also when no token is at hand any more.
    f"{_PACKAGE}.DirectoryService/GetAgency": MethodPolicy({**AGENCY_WITH_TOKEN, Peer.ROUTING: Proof.NOTHING}),
    f"{_PACKAGE}.DirectoryService/ListAgencies": MethodPolicy(AGENCY_WITH_TOKEN),
    # Only the caller's own agency; the handler takes it from the token.
    f"{_PACKAGE}.DirectoryService/ListOfficers": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{_PACKAGE}.DirectoryService/ListUnits": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{_PACKAGE}.DirectoryService/DownloadDirectory": MethodPolicy(
        AGENCY_WITH_TOKEN, audited="identity.directory.published"
    ),
    f"{_PACKAGE}.DirectoryAdminService/CreateAgency": MethodPolicy(_OPERATOR, audited="identity.agency.created"),
    f"{_PACKAGE}.DirectoryAdminService/CreateSystem": MethodPolicy(_OPERATOR, audited="identity.system.created"),
    f"{_PACKAGE}.DirectoryAdminService/CreateWorkstation": MethodPolicy(
        _OPERATOR, audited="identity.workstation.created"
    ),
    f"{_PACKAGE}.DirectoryAdminService/CreateOfficer": MethodPolicy(_OPERATOR, audited="identity.officer.created"),
    f"{_PACKAGE}.DirectoryAdminService/CreateUnit": MethodPolicy(_OPERATOR, audited="identity.unit.created"),
    f"{_PACKAGE}.DirectoryAdminService/PlaceOfficer": MethodPolicy(_OPERATOR, audited="identity.officer.placed"),
    f"{_PACKAGE}.DirectoryAdminService/RegisterSystem": MethodPolicy(_OPERATOR, audited="identity.system.registered"),
    f"{_PACKAGE}.DirectoryAdminService/RegisterWorkstation": MethodPolicy(
        _OPERATOR, audited="identity.workstation.registered"
    ),
    f"{_PACKAGE}.DirectoryAdminService/ApproveEnrolment": MethodPolicy(
        _OPERATOR, audited="identity.enrolment.approved"
    ),
    # For the caller's own system or workstation alone; the handler takes it from the token.
    f"{_PACKAGE}.EnrolmentService/RenewCertificate": MethodPolicy(
        AGENCY_WITH_TOKEN, audited="identity.certificate.renewed"
    ),
    f"{_PACKAGE}.DirectoryAdminService/Suspend": MethodPolicy(_OPERATOR, audited="identity.suspended"),
    f"{_PACKAGE}.DirectoryAdminService/Resume": MethodPolicy(_OPERATOR, audited="identity.resumed"),
    f"{_PACKAGE}.DirectoryAdminService/Revoke": MethodPolicy(_OPERATOR, audited="identity.revoked"),
    f"{_PACKAGE}.DirectoryAdminService/GetStanding": MethodPolicy(_OPERATOR),
    f"{_PACKAGE}.DirectoryAdminService/ListCertificates": MethodPolicy(_OPERATOR),
    # Asked by the service that took the call from the gateway and verified its token.
    f"{_PACKAGE}.StandingService/CheckStanding": MethodPolicy(dict.fromkeys(_SERVICES, Proof.NOTHING)),
    f"{_PACKAGE}.TokenService/IssueToken": MethodPolicy({Peer.GATEWAY: Proof.FORWARDED_CERTIFICATE}),
    f"{_PACKAGE}.TokenService/GetSigningKeys": MethodPolicy(
        {Peer.GATEWAY: Proof.FORWARDED_CERTIFICATE, **dict.fromkeys(_SERVICES, Proof.NOTHING)}
    ),
    f"{_PACKAGE}.AccessService/CheckAccess": MethodPolicy(_FOR_ANOTHER),
    # The stream's token may have ended by then; the service verified it when the stream began.
    f"{_PACKAGE}.AccessService/RecheckAccess": MethodPolicy(dict.fromkeys(_SERVICES, Proof.NOTHING)),
    f"{_PACKAGE}.AccessService/BatchCheckAccess": MethodPolicy(_FOR_ANOTHER),
    f"{_PACKAGE}.AccessService/ListAccessibleCases": MethodPolicy({Peer.ROUTING: Proof.RELAYED_TOKEN}),
    f"{_PACKAGE}.AccessAdminService/AssignOfficer": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=_MANAGED_CASE, audited="access.assignment.added"
    ),
    f"{_PACKAGE}.AccessAdminService/EndAssignment": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=_MANAGED_CASE, audited="access.assignment.ended"
    ),
    f"{_PACKAGE}.AccessAdminService/ListCaseAccess": MethodPolicy(AGENCY_WITH_TOKEN, on_case=_MANAGED_CASE),
    f"{_PACKAGE}.AccessAdminService/DelegateAccess": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, _MANAGED_CASE, "access.delegation.added"
    ),
    f"{_PACKAGE}.AccessAdminService/EndDelegation": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=_MANAGED_CASE, audited="access.delegation.ended"
    ),
    f"{_PACKAGE}.AccessAdminService/ExplainAccess": MethodPolicy(AGENCY_WITH_TOKEN, on_case=_REVIEWED_CASE),
    f"{_PACKAGE}.AccessAdminService/ListCaseViewers": MethodPolicy(AGENCY_WITH_TOKEN, on_case=_REVIEWED_CASE),
    # The agency itself says who supervises it; no officer does.
    f"{_PACKAGE}.CaseProtectionService/AppointSupervisor": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="access.supervision.added"
    ),
    f"{_PACKAGE}.CaseProtectionService/EndSupervision": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.SYSTEM, audited="access.supervision.ended"
    ),
    f"{_PACKAGE}.CaseProtectionService/SealCase": _on_reviewed_case("access.seal.added"),
    f"{_PACKAGE}.CaseProtectionService/OpenSeal": _on_reviewed_case("access.seal.opened"),
    f"{_PACKAGE}.CaseProtectionService/LiftSeal": _on_reviewed_case("access.seal.lifted"),
    f"{_PACKAGE}.CaseProtectionService/BreakGlass": MethodPolicy(
        AGENCY_WITH_TOKEN,
        Subject.OFFICER,
        OnCase(CasePermission.CASE_PERMISSION_BREAK_GLASS, "case"),
        "access.break_glass.opened",
    ),
    f"{_PACKAGE}.CaseProtectionService/ApproveBreakGlass": _on_reviewed_case("access.break_glass.approved"),
    # The handler filters by the caller's right to review.
    f"{_PACKAGE}.CaseProtectionService/ListBreakGlassUses": MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER),
    f"{_PACKAGE}.CaseProtectionService/ReviewBreakGlass": _on_reviewed_case("access.break_glass.reviewed"),
    f"{_PACKAGE}.CaseParticipationService/SetCaseStages": MethodPolicy(
        {Peer.ROUTING: Proof.NOTHING}, audited="access.stages.set"
    ),
    f"{_PACKAGE}.CaseParticipationService/AddParticipation": MethodPolicy(
        {Peer.ROUTING: Proof.NOTHING}, audited="access.participation.added"
    ),
}
