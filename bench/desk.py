"""A police bureau at its desk: what a benchmark needs to send, finalise and read dossiers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from casemesh.cli.demo_agencies import AgencyPlan, EnrolledAgency, enrol
from casemesh.client.channel import Credentials, ErrorInterceptor, open_channel
from casemesh.client.dossier_download import DownloadedDossier, download_dossier
from casemesh.client.dossier_upload import LocalDocument, UploadedDossier, finalize_dossier, upload_documents
from casemesh.client.download_frames import read_stub
from casemesh.client.login_assertion import OfficerLogin, sign_assertion
from casemesh.client.session import OperatorSession
from casemesh.client.upload_frames import dossier_stub
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as catalogue_pb
from casemesh.dossier.v1 import dossier_handover_service_pb2 as handover_pb
from casemesh.dossier.v1 import dossier_service_pb2 as dossier_pb
from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import DossierCatalogueServiceStub
from casemesh.dossier.v1.dossier_handover_service_pb2_grpc import DossierHandoverServiceStub
from casemesh.identity.v1 import case_participation_service_pb2 as participation_pb
from casemesh.identity.v1 import directory_admin_service_pb2 as admin_pb
from casemesh.identity.v1 import token_service_pb2 as token_pb
from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceStub
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.local.platform import Addresses
from casemesh.pki.authority import Pki

TIMEOUT = 30.0
AGENCIES = ("bench-police", "bench-procuratorate")


@dataclass
class Desk:
    """A police bureau with one officer in one case, and the calls the bench makes."""

    addresses: Addresses
    case: str
    agencies: list[str]
    officer: str
    direct_metadata: list[tuple[str, str]]
    gateway_metadata: list[tuple[str, str]]
    dossiers: Any
    through_gateway: Any
    reading_through_gateway: Any
    catalogue: Any
    handover: Any

    @classmethod
    async def enrol(cls, addresses: Addresses) -> Desk:
        """Enrol two agencies; the first gets an officer who takes part in a case."""
        pki = Pki(Path(addresses.pki))
        directory = DirectoryAdminServiceStub(channel(addresses, "identity", "operator"))
        agencies = []
        for code, organ in zip(AGENCIES, ("GA", "JCY"), strict=True):
            pki.add_agency(code)
            pki.issue_system(code, "cms")
            request = admin_pb.CreateAgencyRequest(request_id=new_id(), code=code, display_name=code, organ=organ)
            agencies.append((await directory.CreateAgency(request, timeout=TIMEOUT)).agency.name)
        fingerprint = certificate_digest(addresses)
        system = admin_pb.CreateSystemRequest(
            request_id=new_id(), parent=agencies[0], display_name="cms", certificate_sha256=fingerprint
        )
        await directory.CreateSystem(system, timeout=TIMEOUT)
        wanted = admin_pb.CreateOfficerRequest(request_id=new_id(), parent=agencies[0], display_name="lin")
        officer = (await directory.CreateOfficer(wanted, timeout=TIMEOUT)).officer.name
        case = f"cases/{new_id()}"
        participation = CaseParticipationServiceStub(channel(addresses, "identity", "routing"))
        await participation.AddParticipation(
            participation_pb.AddParticipationRequest(
                request_id=new_id(), case=case, agency=agencies[0], officer=officer, cause=case
            ),
            timeout=TIMEOUT,
        )
        through_gateway = gateway_channel(addresses, addresses.gateway)
        desk = cls(
            addresses, case, agencies, officer, [], [],
            dossier_stub(channel(addresses, "dossier", "gateway")),
            dossier_stub(through_gateway),
            read_stub(through_gateway),
            DossierCatalogueServiceStub(channel(addresses, "dossier", "gateway")),
            DossierHandoverServiceStub(channel(addresses, "dossier", "routing")),
        )  # fmt: skip
        await desk.log_in()
        return desk

    async def log_in(self) -> None:
        """Get a token for the calls from here on: one lasts five minutes, and a benchmark longer."""
        now = time.time()
        assertion = sign_assertion(system_credentials(self.addresses), self.officer, OfficerLogin(now, "password"), now)
        forwarded = [("x-forwarded-client-cert", f"Hash={certificate_digest(self.addresses).hex()}")]
        tokens = TokenServiceStub(channel(self.addresses, "identity", "gateway"))
        request = token_pb.IssueTokenRequest(assertion=assertion)
        answer = await tokens.IssueToken(request, metadata=forwarded, timeout=TIMEOUT)
        self.gateway_metadata[:] = [
            ("authorization", f"Bearer {answer.access_token}"), ("casemesh-purpose", "handling"),
        ]  # fmt: skip
        self.direct_metadata[:] = [*forwarded, *self.gateway_metadata]

    async def upload(
        self, metadata: list[tuple[str, str]], stub: Any, documents: list[LocalDocument]
    ) -> UploadedDossier:
        """Upload documents as a dossier of their own."""
        carrying = WithMetadata(stub, metadata)
        request = dossier_pb.CreateDossierRequest(request_id=new_id(), case=self.case, title="bench")
        dossier = (await carrying.CreateDossier(request, timeout=TIMEOUT)).dossier.name
        return await upload_documents(carrying, dossier, documents, upload_id=new_id())

    async def timed_upload(self, metadata: list[tuple[str, str]], stub: Any, documents: list[LocalDocument]) -> float:
        """Seconds from the first call until all is durable, verified and catalogued by name.

        The draft is given up then, so that nothing goes on examining it while others are measured.
        """
        started = time.perf_counter()
        dossier = (await self.upload(metadata, stub, documents)).dossier
        await self.unexamined(dossier)
        elapsed = time.perf_counter() - started
        request = dossier_pb.AbandonDraftRequest(request_id=new_id(), dossier=dossier)
        await WithMetadata(stub, metadata).AbandonDraft(request, timeout=TIMEOUT)
        return elapsed

    async def unexamined(self, dossier: str) -> int:
        """How many of a dossier's documents wait for a look at their bytes; all have a type by name then."""
        request = catalogue_pb.ListCatalogueEntriesRequest(parent=dossier, page_size=1)
        catalogue = WithMetadata(self.catalogue, self.direct_metadata)
        answer = await catalogue.ListCatalogueEntries(request, timeout=TIMEOUT)
        return int(answer.waiting_count)

    async def version(self, documents: list[LocalDocument]) -> str:
        """Upload and finalise; returns the version's name."""
        carrying = WithMetadata(self.dossiers, self.direct_metadata)
        uploaded = await self.upload(self.direct_metadata, self.dossiers, documents)
        return (await finalize_dossier(carrying, uploaded, request_id=new_id())).name

    async def grant(self, version: str) -> None:
        """Hand a version to the other agency with one more exchange."""
        request = handover_pb.GrantVersionRequest(
            request_id=new_id(), version=version, sender=self.agencies[0], recipient=self.agencies[1],
            exchange=f"exchanges/{new_id()}",
        )  # fmt: skip
        await self.handover.GrantVersion(request, timeout=TIMEOUT)

    async def download(self, version: str, folder: Path) -> DownloadedDossier:
        """Fetch a version through the gateway."""
        reading = WithMetadata(self.reading_through_gateway, self.gateway_metadata)
        return await download_dossier(reading, version, folder, self.signing_roots())

    def signing_roots(self) -> list[x509.Certificate]:
        """What a recipient trusts manifests by."""
        return x509.load_pem_x509_certificates((Path(self.addresses.pki) / "signing" / "ca.pem").read_bytes())


class WithMetadata:
    """A stub whose calls carry metadata, as a session's do."""

    def __init__(self, stub: Any, metadata: list[tuple[str, str]]) -> None:
        self._stub = stub
        self._metadata = metadata

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._stub, method)

        def invoke(request: Any, **options: Any) -> Any:
            return call(request, metadata=self._metadata, **options)

        return invoke


async def enrolled(addresses: Addresses, *plans: AgencyPlan) -> list[EnrolledAgency]:
    """Enrol agencies as the demo does, each with a session's profiles."""
    pki = Pki(Path(addresses.pki))
    async with OperatorSession(addresses.services, pki.layout.root / "mesh" / "operator") as operator:
        return [await enrol(plan, pki, operator, addresses, pki.layout.signing_trust) for plan in plans]


def channel(addresses: Addresses, service: str, peer: str) -> Any:
    """A channel to a service with a certificate of the mesh."""
    credentials = Credentials(Path(addresses.pki) / "mesh" / peer)
    return open_channel(
        addresses.services[service], credentials, server_name=f"{service}.casemesh.svc",
        interceptors=[ErrorInterceptor()],
    )  # fmt: skip


def gateway_channel(addresses: Addresses, target: str) -> Any:
    """A channel to a gateway with the agency's certificate."""
    credentials = system_credentials(addresses)
    return open_channel(target, credentials, server_name="localhost", interceptors=[ErrorInterceptor()])


def system_credentials(addresses: Addresses) -> Credentials:
    """The certificate and key of the first agency's system."""
    return Credentials(Path(addresses.pki) / "agencies" / AGENCIES[0] / "systems" / "cms")


def certificate_digest(addresses: Addresses) -> bytes:
    """SHA-256 of the agency system's certificate, as it is registered."""
    path = system_credentials(addresses).directory / "tls.pem"
    return x509.load_pem_x509_certificates(path.read_bytes())[0].fingerprint(SHA256())


def service_process(name: str) -> psutil.Process:
    for child in psutil.Process().children(recursive=True):
        if "serve" in child.cmdline() and name in child.cmdline():
            return child
    raise RuntimeError(f"the {name} service is not among this process's children")
