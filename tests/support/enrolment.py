"""Certificate requests and certificates in DER, as a system and its agency's CA would make them."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from casemesh.pki.authority import Pki
from casemesh.pki.names import system_spiffe_id, workstation_spiffe_id
from casemesh.pki.requests import make_request, read_request


def der_of(path: Path) -> bytes:
    """The first certificate of a PEM file in DER."""
    return x509.load_pem_x509_certificates(path.read_bytes())[0].public_bytes(Encoding.DER)


def requested(pki: Pki, agency: str, name: str, folder: Path, *, kind: str = "system") -> tuple[bytes, bytes, Path]:
    """A request and the certificate issued for it, and the certificate's file; the key lies beside it."""
    spiffe_id = system_spiffe_id(agency, name) if kind == "system" else workstation_spiffe_id(agency, name)
    folder.mkdir(parents=True)
    request = read_request(make_request(folder, spiffe_id))
    certificate = pki.issue_requested(agency, request)
    (folder / "tls.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return request.public_bytes(Encoding.DER), certificate.public_bytes(Encoding.DER), folder / "tls.pem"
