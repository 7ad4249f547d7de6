"""Certificate requests: a system makes its key where it stays, and sends what proves it.

Source: RFC 2986.
"""

from __future__ import annotations

import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from casemesh.pki.errors import PkiError
from casemesh.pki.files import create_key_file, replace_file
from casemesh.pki.names import agency_trust_domain

KEY_FILE = "tls.key"
REQUEST_FILE = "tls.csr"


def make_request(directory: Path, spiffe_id: str) -> Path:
    """Make a key and a request for `spiffe_id` in a folder; returns the request's file, PEM.

    Raises PkiError when the folder has a key already: keys are never overwritten.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, spiffe_id.rpartition("/")[2][:64])]))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(spiffe_id)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    create_key_file(directory / KEY_FILE, pem)
    replace_file(directory / REQUEST_FILE, request.public_bytes(serialization.Encoding.PEM))
    return directory / REQUEST_FILE


def read_request(path: Path) -> x509.CertificateSigningRequest:
    """Return the request in a PEM file.

    Raises PkiError that names the file.
    """
    try:
        return x509.load_pem_x509_csr(path.read_bytes())
    except OSError as error:
        raise PkiError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise PkiError(f"{path} is not a certificate request in PEM") from error


def read_certificate_der(path: Path) -> bytes:
    """Return the first certificate of a PEM file in DER.

    Raises PkiError that names the file.
    """
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(serialization.Encoding.DER)
    except OSError as error:
        raise PkiError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise PkiError(f"{path} is not a certificate in PEM") from error


def requested_name(request: x509.CertificateSigningRequest, agency: str) -> str:
    """Return the SPIFFE id a request is for.

    Raises PkiError when it does not prove its key, or asks for anything but one system or workstation of the agency.
    """
    if not request.is_signature_valid:
        raise PkiError("the request is not signed with its own key")
    try:
        names = list(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        names = []
    form = f"spiffe://{agency_trust_domain(agency)}/(system|workstation)/[a-z0-9-]{{1,63}}"
    uris = [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]
    if len(names) != 1 or len(uris) != 1 or re.fullmatch(form, uris[0]) is None:
        raise PkiError(f"the request must have one name, a SPIFFE id of a system or workstation of {agency}")
    return uris[0]
