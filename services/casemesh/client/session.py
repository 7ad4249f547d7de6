"""A session with the platform: every call an agency may make, as generated stubs on one connection.

    async with Session(profile) as session:
        answer = await session.cases.GetCase(GetCaseRequest(name="cases/..."))

The session fetches and renews its tokens, follows a certificate that is replaced on disk, gives unary calls a deadline,
names the trace, raises CaseMeshError, and repeats what may be repeated; see `agency_channel`. Work of several calls is
beside it: `receiving`, `trail_export`, `dossier_upload`, `dossier_download`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceStub
from casemesh.client.access_token import AccessToken, TokenSource
from casemesh.client.agency_channel import AgencyChannel
from casemesh.client.channel import Credentials, ReloadingChannel, open_channel
from casemesh.client.download_frames import read_stub
from casemesh.client.profile import Profile
from casemesh.client.upload_frames import dossier_stub
from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import DossierCatalogueServiceStub
from casemesh.dossier.v1.dossier_delivery_service_pb2_grpc import DossierDeliveryServiceStub
from casemesh.identity.v1 import token_service_pb2
from casemesh.identity.v1.access_admin_service_pb2_grpc import AccessAdminServiceStub
from casemesh.identity.v1.case_protection_service_pb2_grpc import CaseProtectionServiceStub
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from casemesh.identity.v1.enrolment_service_pb2_grpc import EnrolmentServiceStub
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.routing.v1.case_service_pb2_grpc import CaseServiceStub
from casemesh.routing.v1.collaboration_node_service_pb2_grpc import CollaborationNodeServiceStub
from casemesh.routing.v1.exchange_service_pb2_grpc import ExchangeServiceStub
from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceStub
from casemesh.translation.v1.translation_service_pb2_grpc import TranslationServiceStub

if TYPE_CHECKING:
    from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceAsyncStub
    from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import DossierCatalogueServiceAsyncStub
    from casemesh.dossier.v1.dossier_delivery_service_pb2_grpc import DossierDeliveryServiceAsyncStub
    from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceAsyncStub
    from casemesh.dossier.v1.dossier_service_pb2_grpc import DossierServiceAsyncStub
    from casemesh.identity.v1.access_admin_service_pb2_grpc import AccessAdminServiceAsyncStub
    from casemesh.identity.v1.case_protection_service_pb2_grpc import CaseProtectionServiceAsyncStub
    from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceAsyncStub
    from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceAsyncStub
    from casemesh.identity.v1.enrolment_service_pb2_grpc import EnrolmentServiceAsyncStub
    from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceAsyncStub
    from casemesh.routing.v1.case_service_pb2_grpc import CaseServiceAsyncStub
    from casemesh.routing.v1.collaboration_node_service_pb2_grpc import CollaborationNodeServiceAsyncStub
    from casemesh.routing.v1.exchange_service_pb2_grpc import ExchangeServiceAsyncStub
    from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceAsyncStub
    from casemesh.translation.v1.translation_service_pb2_grpc import TranslationServiceAsyncStub


class Session:
    """Calls through the gateway, for one officer or for the system itself. The first call connects.

    `as_system` leaves the profile's officer aside: receiving deliveries asks for the system's own token. Not to be
    shared between event loops. Raises ProfileError when it is entered and the certificate's files are not there.
    """

    def __init__(self, profile: Profile, *, as_system: bool = False) -> None:
        self.profile = profile
        self._officer = "" if as_system else profile.officer
        self._channel: ReloadingChannel | None = None

    async def __aenter__(self) -> Session:
        credentials = self.profile.credentials()
        self._channel = ReloadingChannel(
            lambda: open_channel(self.profile.gateway, credentials, server_name=self.profile.server_name), credentials
        )
        without_token = AgencyChannel(self._channel)
        self.tokens: TokenServiceAsyncStub = TokenServiceStub(without_token)
        self._token_source = TokenSource(self._issue_token, credentials.stamp)
        channel = AgencyChannel(self._channel, self._token_source)
        self.directory: DirectoryServiceAsyncStub = DirectoryServiceStub(channel)
        self.enrolment: EnrolmentServiceAsyncStub = EnrolmentServiceStub(channel)
        self.access_admin: AccessAdminServiceAsyncStub = AccessAdminServiceStub(channel)
        self.case_protection: CaseProtectionServiceAsyncStub = CaseProtectionServiceStub(channel)
        self.translation: TranslationServiceAsyncStub = TranslationServiceStub(channel)
        self.dossiers: DossierServiceAsyncStub = dossier_stub(channel)
        self.dossier_read: DossierReadServiceAsyncStub = read_stub(channel)
        self.dossier_delivery: DossierDeliveryServiceAsyncStub = DossierDeliveryServiceStub(channel)
        self.dossier_catalogue: DossierCatalogueServiceAsyncStub = DossierCatalogueServiceStub(channel)
        self.cases: CaseServiceAsyncStub = CaseServiceStub(channel)
        self.nodes: CollaborationNodeServiceAsyncStub = CollaborationNodeServiceStub(channel)
        self.exchanges: ExchangeServiceAsyncStub = ExchangeServiceStub(channel)
        self.audit: AuditQueryServiceAsyncStub = AuditQueryServiceStub(channel)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._channel is not None:
            await self._channel.close()

    async def identity(self) -> AccessToken:
        """Return whom the session speaks for: its token, with agency and subject.

        Raises CaseMeshError when the platform gives none.
        """
        return await self._token_source.current()

    async def _issue_token(self) -> token_service_pb2.IssueTokenResponse:
        return await self.tokens.IssueToken(token_service_pb2.IssueTokenRequest(officer=self._officer))


class OperatorSession:
    """Calls of the platform's operator, straight to the services with the operator's own certificate.

    `addresses` are `host:port` by service name. No token; the rest is as with Session.
    """

    def __init__(self, addresses: Mapping[str, str], certificate: Path) -> None:
        self._addresses = addresses
        self._credentials = Credentials(certificate)
        self._channels: dict[str, ReloadingChannel] = {}

    async def __aenter__(self) -> OperatorSession:
        return self

    async def __aexit__(self, *_: object) -> None:
        for channel in self._channels.values():
            await channel.close()

    @cached_property
    def directory_admin(self) -> DirectoryAdminServiceAsyncStub:
        """Enrolment of agencies, systems, workstations and officers."""
        return DirectoryAdminServiceStub(self._to("identity"))

    @cached_property
    def translation_admin(self) -> TranslationAdminServiceAsyncStub:
        """Import of tables and maps."""
        return TranslationAdminServiceStub(self._to("translation"))

    def _to(self, service: str) -> AgencyChannel:
        if service not in self._channels:
            self._channels[service] = ReloadingChannel(
                lambda: open_channel(
                    self._addresses[service], self._credentials, server_name=f"{service}.casemesh.svc"
                ),
                self._credentials,
            )
        return AgencyChannel(self._channels[service])
