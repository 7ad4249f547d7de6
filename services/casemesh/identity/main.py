"""The identity service: construction only."""

from __future__ import annotations

from typing import cast

from casemesh.client.statements import SigningKey
from casemesh.identity.access_request_store import AccessRequestStore
from casemesh.identity.access_rules import AccessRules
from casemesh.identity.access_store import AccessStore
from casemesh.identity.alert_store import AlertStore
from casemesh.identity.alerts import Alerts, Decoys
from casemesh.identity.browsing import Refusals, UsualHours
from casemesh.identity.case_access import CaseAccessChanges
from casemesh.identity.config import Config
from casemesh.identity.decisions import CaseAccessDecider
from casemesh.identity.delegating import Delegating
from casemesh.identity.directory_store import DirectoryStore
from casemesh.identity.emergencies import Emergencies
from casemesh.identity.enrolment import Enrolment
from casemesh.identity.logins import OfficerLogins
from casemesh.identity.marking import ExportMarks
from casemesh.identity.placing import Placing
from casemesh.identity.policy import POLICIES, SERVICE_NAMES
from casemesh.identity.publishing import DirectoryPublisher
from casemesh.identity.reading_store import ReadingStore
from casemesh.identity.registration import Registration
from casemesh.identity.requesting import AccessDecisions, AccessRequests
from casemesh.identity.sealing import Sealing
from casemesh.identity.servicer_access import AccessAdminServicer, AccessServicer, CaseParticipationServicer
from casemesh.identity.servicer_directory import (
    DirectoryAdminServicer,
    DirectoryServicer,
    EnrolmentServicer,
    StandingServicer,
)
from casemesh.identity.servicer_monitoring import AccessMonitoringServicer, ExportMarkServicer
from casemesh.identity.servicer_protection import CaseProtectionServicer
from casemesh.identity.servicer_requests import AccessDecisionServicer, AccessRequestServicer
from casemesh.identity.servicer_tokens import TokenServicer
from casemesh.identity.standing import StandingChanges
from casemesh.identity.standing_store import StandingStore
from casemesh.identity.subjects import subject_of
from casemesh.identity.supervising import Supervising
from casemesh.identity.token_issuer import TokenIssuer
from casemesh.identity.token_keyring import TokenKeyring
from casemesh.identity.unit_store import UnitStore
from casemesh.identity.v1.access_admin_service_pb2_grpc import add_AccessAdminServiceServicer_to_server
from casemesh.identity.v1.access_decision_service_pb2_grpc import add_AccessDecisionServiceServicer_to_server
from casemesh.identity.v1.access_monitoring_service_pb2_grpc import add_AccessMonitoringServiceServicer_to_server
from casemesh.identity.v1.access_request_service_pb2_grpc import add_AccessRequestServiceServicer_to_server
from casemesh.identity.v1.access_service_pb2_grpc import add_AccessServiceServicer_to_server
from casemesh.identity.v1.case_participation_service_pb2_grpc import add_CaseParticipationServiceServicer_to_server
from casemesh.identity.v1.case_protection_service_pb2_grpc import add_CaseProtectionServiceServicer_to_server
from casemesh.identity.v1.directory_admin_service_pb2_grpc import add_DirectoryAdminServiceServicer_to_server
from casemesh.identity.v1.directory_service_pb2_grpc import add_DirectoryServiceServicer_to_server
from casemesh.identity.v1.enrolment_service_pb2_grpc import add_EnrolmentServiceServicer_to_server
from casemesh.identity.v1.export_mark_service_pb2_grpc import add_ExportMarkServiceServicer_to_server
from casemesh.identity.v1.standing_service_pb2_grpc import add_StandingServiceServicer_to_server
from casemesh.identity.v1.token_service_pb2_grpc import add_TokenServiceServicer_to_server
from casemesh.identity.watching import Watch
from casemesh.runtime.call import Caller
from casemesh.runtime.host import Assembly, Host


async def assemble(host: Host) -> Assembly:
    """Return what identity consists of.

    Raises AccessRulesError when the rules do not pass validation, ConfigError when the token key cannot be used,
    StatementError when the document-signing key cannot.
    """
    config = cast(Config, host.config)
    directory = DirectoryStore(host.database)
    standings = StandingStore(host.database)
    access = AccessStore(host.database)
    rules = AccessRules.shipped()
    decider = CaseAccessDecider(access, rules)
    issuer = TokenIssuer(TokenKeyring(config.token_key, host.clock), int(config.token_life), host.clock)
    enrolment = Enrolment(host.database, host.clock, host.outbox.wake, direct=config.direct_enrolment)
    signing = None
    if config.signing is not None:
        signing = SigningKey.load(config.signing / "signing.pem", config.signing / "signing.key")
    publisher = DirectoryPublisher(host.database, host.clock, signing, host.outbox.wake)
    logins = OfficerLogins(host.database, host.clock, host.outbox.wake)
    tokens = TokenServicer(
        directory,
        logins,
        issuer,
        host.clock,
        assertion_required=config.assertion_required,
    )
    placing = Placing(host.database, host.clock, host.outbox.wake)
    registration = Registration(host.database, host.clock, host.outbox.wake)
    standing_changes = StandingChanges(host.database, host.clock, host.outbox.wake)
    changing = (host.database, host.clock, host.outbox.wake)
    changes = CaseAccessChanges(*changing)
    alerts, alert_store, readings = Alerts(*changing), AlertStore(host.database), ReadingStore(host.database)
    browsing = config.browsing
    watch = Watch(
        decider,
        readings,
        alerts,
        browsing.limits(),
        Refusals(browsing.refusals, browsing.refusals_within),
        UsualHours.parse(browsing.usual_hours),
        host.clock,
    )
    monitoring = AccessMonitoringServicer(alert_store, alerts, Decoys(*changing))
    marks = ExportMarkServicer(ExportMarks(host.database, readings, alert_store, decider, host.clock, host.outbox.wake))
    access_admin = AccessAdminServicer(
        access, decider, changes, Delegating(host.database, rules, host.clock, host.outbox.wake)
    )
    protection = CaseProtectionServicer(
        Supervising(*changing),
        Sealing(*changing),
        Emergencies(host.database, decider, alerts, host.clock, host.outbox.wake),
    )

    request_store = AccessRequestStore(host.database)
    requests = AccessRequestServicer(AccessRequests(host.database, rules, host.clock, host.outbox.wake), request_store)
    decisions = AccessDecisionServicer(
        AccessDecisions(host.database, request_store, decider, host.clock, host.outbox.wake)
    )

    async def own_keys() -> str:
        return issuer.key_set()

    async def own_standing(caller: Caller) -> str:
        return await standings.inactive_part(subject_of(caller.system, caller.officer, caller.certificate))

    directory_reads = DirectoryServicer(directory, UnitStore(host.database), publisher)
    directory_admin = DirectoryAdminServicer(enrolment, placing, registration, standing_changes, standings)
    return Assembly(
        register=[
            lambda server: add_DirectoryServiceServicer_to_server(directory_reads, server),
            lambda server: add_DirectoryAdminServiceServicer_to_server(directory_admin, server),
            lambda server: add_EnrolmentServiceServicer_to_server(EnrolmentServicer(registration), server),
            lambda server: add_StandingServiceServicer_to_server(StandingServicer(standings), server),
            lambda server: add_TokenServiceServicer_to_server(tokens, server),
            lambda server: add_AccessServiceServicer_to_server(AccessServicer(decider, watch, readings), server),
            lambda server: add_AccessAdminServiceServicer_to_server(access_admin, server),
            lambda server: add_CaseProtectionServiceServicer_to_server(protection, server),
            lambda server: add_AccessRequestServiceServicer_to_server(requests, server),
            lambda server: add_AccessDecisionServiceServicer_to_server(decisions, server),
            lambda server: add_AccessMonitoringServiceServicer_to_server(monitoring, server),
            lambda server: add_ExportMarkServiceServicer_to_server(marks, server),
            lambda server: add_CaseParticipationServiceServicer_to_server(CaseParticipationServicer(changes), server),
        ],
        service_names=SERVICE_NAMES,
        policies=POLICIES,
        background=[host.outbox.run, logins.forget_uses],
        decider=watch,
        inactive_part=own_standing,
        fetch_keys=own_keys,
    )
