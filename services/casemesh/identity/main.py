"""The identity service: construction only."""

from __future__ import annotations

from typing import cast

from casemesh.identity.access_rules import AccessRules
from casemesh.identity.access_store import AccessStore
from casemesh.identity.case_access import CaseAccessChanges
from casemesh.identity.config import Config
from casemesh.identity.decisions import CaseAccessDecider
from casemesh.identity.directory_store import DirectoryStore
from casemesh.identity.enrolment import Enrolment
from casemesh.identity.policy import POLICIES, SERVICE_NAMES
from casemesh.identity.servicer import (
    AccessAdminServicer,
    AccessServicer,
    CaseParticipationServicer,
    DirectoryAdminServicer,
    DirectoryServicer,
    TokenServicer,
)
from casemesh.identity.token_issuer import TokenIssuer
from casemesh.identity.token_keys import TokenKey
from casemesh.identity.v1.access_admin_service_pb2_grpc import add_AccessAdminServiceServicer_to_server
from casemesh.identity.v1.access_service_pb2_grpc import add_AccessServiceServicer_to_server
from casemesh.identity.v1.case_participation_service_pb2_grpc import add_CaseParticipationServiceServicer_to_server
from casemesh.identity.v1.directory_admin_service_pb2_grpc import add_DirectoryAdminServiceServicer_to_server
from casemesh.identity.v1.directory_service_pb2_grpc import add_DirectoryServiceServicer_to_server
from casemesh.identity.v1.token_service_pb2_grpc import add_TokenServiceServicer_to_server
from casemesh.runtime.host import Assembly, Host


async def assemble(host: Host) -> Assembly:
    """Return what identity consists of.

    Raises AccessRulesError when the rules do not pass validation, ConfigError when the token key cannot be used.
    """
    config = cast(Config, host.config)
    directory = DirectoryStore(host.database)
    access = AccessStore(host.database)
    decider = CaseAccessDecider(access, AccessRules.shipped())
    issuer = TokenIssuer(TokenKey.read(config.token_key), int(config.token_life), host.clock)
    enrolment = Enrolment(host.database, host.clock, host.outbox.wake)
    changes = CaseAccessChanges(host.database, host.clock, host.outbox.wake)

    async def own_keys() -> str:
        return issuer.key_set()

    return Assembly(
        register=[
            lambda server: add_DirectoryServiceServicer_to_server(DirectoryServicer(directory), server),
            lambda server: add_DirectoryAdminServiceServicer_to_server(DirectoryAdminServicer(enrolment), server),
            lambda server: add_TokenServiceServicer_to_server(TokenServicer(directory, issuer), server),
            lambda server: add_AccessServiceServicer_to_server(AccessServicer(decider), server),
            lambda server: add_AccessAdminServiceServicer_to_server(AccessAdminServicer(access, changes), server),
            lambda server: add_CaseParticipationServiceServicer_to_server(CaseParticipationServicer(changes), server),
        ],
        service_names=SERVICE_NAMES,
        policies=POLICIES,
        background=[host.outbox.run],
        decider=decider,
        fetch_keys=own_keys,
    )
