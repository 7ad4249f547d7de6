"""A session with the platform: every call an agency may make, as generated stubs on one connection.

    async with Session(profile) as session:
        answer = await session.cases.GetCase(GetCaseRequest(name="cases/..."))

The session fetches and renews its tokens, follows a certificate that is replaced on disk, gives unary calls a deadline,
names the trace, raises CaseMeshError, and repeats what may be repeated; see `agency_channel`. Work of several calls is
beside it: `receiving`, `trail_export`, `dossier_upload`, `dossier_download`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from casemesh.audit.v1.audit_admin_service_pb2_grpc import AuditAdminServiceStub
from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceStub
from casemesh.audit.v1.log_witness_service_pb2_grpc import LogWitnessServiceStub
from casemesh.client.access_token import AccessToken, TokenSource
from casemesh.client.agency_channel import AgencyChannel
from casemesh.client.channel import Credentials, ReloadingChannel, open_channel
from casemesh.client.download_frames import read_stub
from casemesh.client.login_assertion import sign_assertion
from casemesh.client.login_check import LoginCheck, LoginSource
from casemesh.client.profile import Profile
from casemesh.client.purpose import Purpose
from casemesh.client.upload_frames import dossier_stub
from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import DossierCatalogueServiceStub
from casemesh.dossier.v1.dossier_delivery_service_pb2_grpc import DossierDeliveryServiceStub
from casemesh.errors import Unauthenticated
from casemesh.identity.v1 import token_service_pb2
from casemesh.identity.v1.access_admin_service_pb2_grpc import AccessAdminServiceStub
from casemesh.identity.v1.access_decision_service_pb2_grpc import AccessDecisionServiceStub
from casemesh.identity.v1.access_monitoring_service_pb2_grpc import AccessMonitoringServiceStub
from casemesh.identity.v1.access_request_service_pb2_grpc import AccessRequestServiceStub
from casemesh.identity.v1.case_protection_service_pb2_grpc import CaseProtectionServiceStub
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from casemesh.identity.v1.enrolment_service_pb2_grpc import EnrolmentServiceStub
from casemesh.identity.v1.export_mark_service_pb2_grpc import ExportMarkServiceStub
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.routing.v1.case_progress_service_pb2_grpc import CaseProgressServiceStub
from casemesh.routing.v1.case_record_service_pb2_grpc import CaseRecordServiceStub
from casemesh.routing.v1.case_service_pb2_grpc import CaseServiceStub
from casemesh.routing.v1.case_succession_service_pb2_grpc import CaseSuccessionServiceStub
from casemesh.routing.v1.collaboration_node_admin_service_pb2_grpc import CollaborationNodeAdminServiceStub
from casemesh.routing.v1.collaboration_node_service_pb2_grpc import CollaborationNodeServiceStub
from casemesh.routing.v1.data_provider_service_pb2_grpc import DataProviderServiceStub
from casemesh.routing.v1.data_query_service_pb2_grpc import DataQueryServiceStub
from casemesh.routing.v1.delivery_service_pb2_grpc import DeliveryServiceStub
from casemesh.routing.v1.exchange_correction_service_pb2_grpc import ExchangeCorrectionServiceStub
from casemesh.routing.v1.exchange_draft_service_pb2_grpc import ExchangeDraftServiceStub
from casemesh.routing.v1.exchange_preflight_service_pb2_grpc import ExchangePreflightServiceStub
from casemesh.routing.v1.exchange_service_pb2_grpc import ExchangeServiceStub
from casemesh.routing.v1.receipt_service_pb2_grpc import ReceiptServiceStub
from casemesh.routing.v1.single_track_service_pb2_grpc import SingleTrackServiceStub
from casemesh.routing.v1.time_limit_service_pb2_grpc import TimeLimitServiceStub
from casemesh.supervision.v1.figures_service_pb2_grpc import FiguresServiceStub
from casemesh.supervision.v1.supervision_admin_service_pb2_grpc import SupervisionAdminServiceStub
from casemesh.supervision.v1.supervision_service_pb2_grpc import SupervisionServiceStub
from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceStub
from casemesh.translation.v1.translation_service_pb2_grpc import TranslationServiceStub

if TYPE_CHECKING:
    from casemesh.audit.v1.audit_admin_service_pb2_grpc import AuditAdminServiceAsyncStub
    from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceAsyncStub
    from casemesh.audit.v1.log_witness_service_pb2_grpc import LogWitnessServiceAsyncStub
    from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import DossierCatalogueServiceAsyncStub
    from casemesh.dossier.v1.dossier_delivery_service_pb2_grpc import DossierDeliveryServiceAsyncStub
    from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceAsyncStub
    from casemesh.dossier.v1.dossier_service_pb2_grpc import DossierServiceAsyncStub
    from casemesh.identity.v1.access_admin_service_pb2_grpc import AccessAdminServiceAsyncStub
    from casemesh.identity.v1.access_decision_service_pb2_grpc import AccessDecisionServiceAsyncStub
    from casemesh.identity.v1.access_monitoring_service_pb2_grpc import AccessMonitoringServiceAsyncStub
    from casemesh.identity.v1.access_request_service_pb2_grpc import AccessRequestServiceAsyncStub
    from casemesh.identity.v1.case_protection_service_pb2_grpc import CaseProtectionServiceAsyncStub
    from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceAsyncStub
    from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceAsyncStub
    from casemesh.identity.v1.enrolment_service_pb2_grpc import EnrolmentServiceAsyncStub
    from casemesh.identity.v1.export_mark_service_pb2_grpc import ExportMarkServiceAsyncStub
    from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceAsyncStub
    from casemesh.routing.v1.case_progress_service_pb2_grpc import CaseProgressServiceAsyncStub
    from casemesh.routing.v1.case_record_service_pb2_grpc import CaseRecordServiceAsyncStub
    from casemesh.routing.v1.case_service_pb2_grpc import CaseServiceAsyncStub
    from casemesh.routing.v1.case_succession_service_pb2_grpc import CaseSuccessionServiceAsyncStub
    from casemesh.routing.v1.collaboration_node_admin_service_pb2_grpc import CollaborationNodeAdminServiceAsyncStub
    from casemesh.routing.v1.collaboration_node_service_pb2_grpc import CollaborationNodeServiceAsyncStub
    from casemesh.routing.v1.data_provider_service_pb2_grpc import DataProviderServiceAsyncStub
    from casemesh.routing.v1.data_query_service_pb2_grpc import DataQueryServiceAsyncStub
    from casemesh.routing.v1.delivery_service_pb2_grpc import DeliveryServiceAsyncStub
    from casemesh.routing.v1.exchange_correction_service_pb2_grpc import ExchangeCorrectionServiceAsyncStub
    from casemesh.routing.v1.exchange_draft_service_pb2_grpc import ExchangeDraftServiceAsyncStub
    from casemesh.routing.v1.exchange_preflight_service_pb2_grpc import ExchangePreflightServiceAsyncStub
    from casemesh.routing.v1.exchange_service_pb2_grpc import ExchangeServiceAsyncStub
    from casemesh.routing.v1.receipt_service_pb2_grpc import ReceiptServiceAsyncStub
    from casemesh.routing.v1.single_track_service_pb2_grpc import SingleTrackServiceAsyncStub
    from casemesh.routing.v1.time_limit_service_pb2_grpc import TimeLimitServiceAsyncStub
    from casemesh.supervision.v1.figures_service_pb2_grpc import FiguresServiceAsyncStub
    from casemesh.supervision.v1.supervision_admin_service_pb2_grpc import SupervisionAdminServiceAsyncStub
    from casemesh.supervision.v1.supervision_service_pb2_grpc import SupervisionServiceAsyncStub
    from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceAsyncStub
    from casemesh.translation.v1.translation_service_pb2_grpc import TranslationServiceAsyncStub


class Session:
    """Calls through the gateway, for one officer or for the system itself. The first call connects.

    `as_system` leaves the profile's officer aside: receiving deliveries asks for the system's own token. `login` is
    what is known of the officer's login, unless given the profile's own check; acts that bind the officer ask for a
    fresh one, and a unary call refused for that lets him log in anew and goes on. Not to be shared between event loops.
    `purpose` is why dossiers and trails are read, unless given the profile's; without either, reading them is refused.
    Raises ProfileError when it is entered and the certificate's files are not there.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        as_system: bool = False,
        login: LoginSource | None = None,
        purpose: Purpose | None = None,
    ) -> None:
        self.profile = profile
        self._purpose = purpose or (Purpose.parse(profile.purpose) if profile.purpose else None)
        self._officer = "" if as_system else profile.officer
        self._login = login or (LoginCheck(profile) if profile.login_check else None)
        self._channel: ReloadingChannel | None = None

    async def __aenter__(self) -> Session:
        credentials = self.profile.credentials()
        self._channel = ReloadingChannel(
            lambda: open_channel(self.profile.gateway, credentials, server_name=self.profile.server_name), credentials
        )
        without_token = AgencyChannel(self._channel)
        self.tokens: TokenServiceAsyncStub = TokenServiceStub(without_token)
        self._token_source = TokenSource(
            self._issue_token, credentials.stamp, log_in_again=self._login.again if self._login is not None else None
        )
        channel = AgencyChannel(self._channel, self._token_source)
        stated = self._purpose.metadata() if self._purpose is not None else []
        reading = AgencyChannel(self._channel, self._token_source, stated)
        self.logins: TokenServiceAsyncStub = TokenServiceStub(channel)
        self.directory: DirectoryServiceAsyncStub = DirectoryServiceStub(channel)
        self.enrolment: EnrolmentServiceAsyncStub = EnrolmentServiceStub(channel)
        self.access_admin: AccessAdminServiceAsyncStub = AccessAdminServiceStub(channel)
        self.case_protection: CaseProtectionServiceAsyncStub = CaseProtectionServiceStub(channel)
        self.access_requests: AccessRequestServiceAsyncStub = AccessRequestServiceStub(channel)
        self.access_decisions: AccessDecisionServiceAsyncStub = AccessDecisionServiceStub(channel)
        self.access_monitoring: AccessMonitoringServiceAsyncStub = AccessMonitoringServiceStub(channel)
        self.export_marks: ExportMarkServiceAsyncStub = ExportMarkServiceStub(channel)
        self.translation: TranslationServiceAsyncStub = TranslationServiceStub(channel)
        self.dossiers: DossierServiceAsyncStub = dossier_stub(channel)
        self.dossier_read: DossierReadServiceAsyncStub = read_stub(reading)
        self.dossier_delivery: DossierDeliveryServiceAsyncStub = DossierDeliveryServiceStub(channel)
        self.dossier_catalogue: DossierCatalogueServiceAsyncStub = DossierCatalogueServiceStub(channel)
        self.cases: CaseServiceAsyncStub = CaseServiceStub(channel)
        self.case_records: CaseRecordServiceAsyncStub = CaseRecordServiceStub(channel)
        self.case_successions: CaseSuccessionServiceAsyncStub = CaseSuccessionServiceStub(channel)
        self.case_progress: CaseProgressServiceAsyncStub = CaseProgressServiceStub(channel)
        self.nodes: CollaborationNodeServiceAsyncStub = CollaborationNodeServiceStub(channel)
        self.exchanges: ExchangeServiceAsyncStub = ExchangeServiceStub(channel)
        self.single_tracks: SingleTrackServiceAsyncStub = SingleTrackServiceStub(channel)
        self.preflight: ExchangePreflightServiceAsyncStub = ExchangePreflightServiceStub(channel)
        self.drafts: ExchangeDraftServiceAsyncStub = ExchangeDraftServiceStub(channel)
        self.corrections: ExchangeCorrectionServiceAsyncStub = ExchangeCorrectionServiceStub(channel)
        self.deliveries: DeliveryServiceAsyncStub = DeliveryServiceStub(channel)
        self.receipts: ReceiptServiceAsyncStub = ReceiptServiceStub(channel)
        self.data_queries: DataQueryServiceAsyncStub = DataQueryServiceStub(channel)
        self.data_provider: DataProviderServiceAsyncStub = DataProviderServiceStub(channel)
        self.time_limits: TimeLimitServiceAsyncStub = TimeLimitServiceStub(channel)
        self.audit: AuditQueryServiceAsyncStub = AuditQueryServiceStub(reading)
        self.log_witness: LogWitnessServiceAsyncStub = LogWitnessServiceStub(channel)
        self.supervision: SupervisionServiceAsyncStub = SupervisionServiceStub(channel)
        self.figures: FiguresServiceAsyncStub = FiguresServiceStub(channel)
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
        if not self._officer:
            return await self.tokens.IssueToken(token_service_pb2.IssueTokenRequest())
        try:
            return await self.tokens.IssueToken(self._asserting())
        except Unauthenticated as error:
            if error.reason != "ASSERTION_REPLAYED":
                raise
        # Only a repeat of our own, whose first answer was lost, can have used it.
        return await self.tokens.IssueToken(self._asserting())

    def _asserting(self) -> token_service_pb2.IssueTokenRequest:
        login = self._login.current() if self._login is not None else None
        assertion = sign_assertion(self.profile.credentials(), self._officer, login, time.time())
        return token_service_pb2.IssueTokenRequest(assertion=assertion)


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
    def audit_admin(self) -> AuditAdminServiceAsyncStub:
        """Sources of events, and the shredding of texts that are no longer to be kept."""
        return AuditAdminServiceStub(self._to("audit"))

    @cached_property
    def node_admin(self) -> CollaborationNodeAdminServiceAsyncStub:
        """Versions of the node catalogue."""
        return CollaborationNodeAdminServiceStub(self._to("routing"))

    @cached_property
    def supervision_admin(self) -> SupervisionAdminServiceAsyncStub:
        """The rules of supervision."""
        return SupervisionAdminServiceStub(self._to("supervision"))

    @cached_property
    def figures(self) -> FiguresServiceAsyncStub:
        """The figures of all agencies."""
        return FiguresServiceStub(self._to("supervision"))

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
