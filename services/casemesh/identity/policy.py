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
        "AccessRequestService",
        "AccessDecisionService",
        "AccessMonitoringService",
        "ExportMarkService",
    )
)

_OPERATOR: Mapping[Peer, Proof] = {Peer.OPERATOR: Proof.NOTHING}
_SERVICES = (Peer.TRANSLATION, Peer.DOSSIER, Peer.ROUTING, Peer.AUDIT, Peer.SUPERVISION)
_FOR_ANOTHER: Mapping[Peer, Proof] = dict.fromkeys(_SERVICES, Proof.RELAYED_TOKEN)
_MANAGED_CASE = OnCase(CasePermission.CASE_PERMISSION_MANAGE_ACCESS, "case")
_REVIEWED_CASE = OnCase(CasePermission.CASE_PERMISSION_REVIEW_ACCESS, "case")


def _on_reviewed_case(audited: str) -> MethodPolicy:
    """Return the row of what a supervisor does with a case."""
    return MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER, _REVIEWED_CASE, audited, fresh_login=True)


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
    f"{_PACKAGE}.TokenService/IssueToken": MethodPolicy(
        {Peer.GATEWAY: Proof.FORWARDED_CERTIFICATE}, audited="identity.officer.logged_in"
    ),
    # Only what the caller's own agency stated; the handler takes it from the token.
    f"{_PACKAGE}.TokenService/GetOfficerLogin": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{_PACKAGE}.TokenService/GetSigningKeys": MethodPolicy(
        {Peer.GATEWAY: Proof.FORWARDED_CERTIFICATE, **dict.fromkeys(_SERVICES, Proof.NOTHING)}
    ),
    f"{_PACKAGE}.AccessService/CheckAccess": MethodPolicy(_FOR_ANOTHER),
    # The stream's token may have ended by then; the service verified it when the stream began.
    f"{_PACKAGE}.AccessService/RecheckAccess": MethodPolicy(dict.fromkeys(_SERVICES, Proof.NOTHING)),
    # A stream's size is known when its token may have ended.
    f"{_PACKAGE}.AccessService/RecordReadingSize": MethodPolicy({Peer.DOSSIER: Proof.NOTHING}),
    f"{_PACKAGE}.AccessService/BatchCheckAccess": MethodPolicy(_FOR_ANOTHER),
    f"{_PACKAGE}.AccessService/ListAccessibleCases": MethodPolicy(
        dict.fromkeys((Peer.ROUTING, Peer.SUPERVISION), Proof.RELAYED_TOKEN)
    ),
    f"{_PACKAGE}.AccessAdminService/AssignOfficer": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=_MANAGED_CASE, audited="access.assignment.added", fresh_login=True
    ),
    # Taking a right away never waits for a login.
    f"{_PACKAGE}.AccessAdminService/EndAssignment": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=_MANAGED_CASE, audited="access.assignment.ended"
    ),
    f"{_PACKAGE}.AccessAdminService/ListCaseAccess": MethodPolicy(AGENCY_WITH_TOKEN, on_case=_MANAGED_CASE),
    f"{_PACKAGE}.AccessAdminService/DelegateAccess": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, _MANAGED_CASE, "access.delegation.added", fresh_login=True
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
        fresh_login=True,
    ),
    f"{_PACKAGE}.CaseProtectionService/ApproveBreakGlass": _on_reviewed_case("access.break_glass.approved"),
    # The handler filters by the caller's right to review.
    f"{_PACKAGE}.CaseProtectionService/ListBreakGlassUses": MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER),
    f"{_PACKAGE}.CaseProtectionService/ReviewBreakGlass": _on_reviewed_case("access.break_glass.reviewed"),
    # No case is looked at: asking must not tell whether there is one.
    f"{_PACKAGE}.AccessRequestService/FileAccessRequest": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, audited="access.request.filed", fresh_login=True
    ),
    f"{_PACKAGE}.AccessRequestService/ListAccessRequests": MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER),
    # A request leads to its case in the handler, which asks for the right to manage or to review access to it.
    f"{_PACKAGE}.AccessDecisionService/ListPendingAccessRequests": MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER),
    f"{_PACKAGE}.AccessDecisionService/ApproveAccessRequest": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, audited="access.request.approved", fresh_login=True
    ),
    f"{_PACKAGE}.AccessDecisionService/RefuseAccessRequest": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, audited="access.request.refused", fresh_login=True
    ),
    f"{_PACKAGE}.AccessDecisionService/EndAccessGrant": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, audited="access.grant.ended"
    ),
    # The statements of the three ask whether the caller supervises the agency; to others there is nothing.
    f"{_PACKAGE}.AccessMonitoringService/ListAccessAlerts": MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER),
    f"{_PACKAGE}.AccessMonitoringService/ResolveAccessAlert": MethodPolicy(
        AGENCY_WITH_TOKEN, Subject.OFFICER, audited="access.alert.resolved", fresh_login=True
    ),
    f"{_PACKAGE}.AccessMonitoringService/ListDecoys": MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER),
    f"{_PACKAGE}.AccessMonitoringService/MarkDecoy": _on_reviewed_case("access.decoy.marked"),
    f"{_PACKAGE}.AccessMonitoringService/UnmarkDecoy": _on_reviewed_case("access.decoy.unmarked"),
    f"{_PACKAGE}.ExportMarkService/CreateExportMark": MethodPolicy(
        AGENCY_WITH_TOKEN,
        Subject.OFFICER,
        OnCase(CasePermission.CASE_PERMISSION_VIEW_DOSSIER, "case"),
        "access.export.marked",
    ),
    # A mark leads to its case in the handler.
    f"{_PACKAGE}.ExportMarkService/GetExportMark": MethodPolicy(AGENCY_WITH_TOKEN, Subject.OFFICER),
    f"{_PACKAGE}.CaseParticipationService/SetCaseStages": MethodPolicy(
        {Peer.ROUTING: Proof.NOTHING}, audited="access.stages.set"
    ),
    f"{_PACKAGE}.CaseParticipationService/AddParticipation": MethodPolicy(
        {Peer.ROUTING: Proof.NOTHING}, audited="access.participation.added"
    ),
}
