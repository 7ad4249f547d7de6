"""A PKI for tests, and gRPC credentials from its files.

`mesh_pki` is shared by the whole session: read it, issue under names of your own, and never renew or delete in it.
A test that needs to break something makes its own with `make_mesh(tmp_path / "pki")`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from casemesh.pki.authority import Pki
from casemesh.pki.layout import CredentialFiles
from casemesh.pki.names import CALLERS, GATEWAY, SERVICES, SIGNERS

# Invented agencies; each has one system called "cms".
POLICE = "beihu-police"
PROCURATORATE = "beihu-procuratorate"
COURT = "beihu-court"
AGENCIES = (POLICE, PROCURATORATE, COURT)
SYSTEM = "cms"


def make_mesh(directory: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Pki:
    """A PKI with every service, the gateway, the callers, the signers and three agencies with a system each."""
    pki = Pki(directory, clock=clock)
    pki.create_mesh()
    for name in (*SERVICES, GATEWAY, *CALLERS):
        pki.issue_service(name)
    for name in SIGNERS:
        pki.issue_signing(name)
    for agency in AGENCIES:
        pki.add_agency(agency)
        pki.issue_system(agency, SYSTEM)
    return pki


@pytest.fixture(scope="session")
def mesh_pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """The session's PKI; see `make_mesh` for what it holds."""
    return make_mesh(tmp_path_factory.mktemp("pki") / "pki")


def server_credentials(files: CredentialFiles) -> grpc.ServerCredentials:
    """mTLS for a server that trusts the mesh and nobody else."""
    return grpc.ssl_server_credentials(
        [(files.key.read_bytes(), files.certificate.read_bytes())],
        root_certificates=files.trust.read_bytes(),
        require_client_auth=True,
    )


def channel_credentials(files: CredentialFiles) -> grpc.ChannelCredentials:
    """mTLS for a client of the mesh, or of an agency, that connects to `localhost`."""
    return grpc.ssl_channel_credentials(
        root_certificates=files.trust.read_bytes(),
        private_key=files.key.read_bytes(),
        certificate_chain=files.certificate.read_bytes(),
    )
