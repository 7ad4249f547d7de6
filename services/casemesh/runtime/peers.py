"""Who stands at the other end of a connection inside the mesh.

Every name is a SPIFFE id of the mesh's trust domain; a certificate has exactly one URI among its names. An agency's
certificates are of other trust domains and never reach a service: they end at the gateway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from cryptography import x509

from casemesh.errors import Unauthenticated


class Peer(StrEnum):
    """A caller inside the mesh, by the path of its SPIFFE id."""

    GATEWAY = "gateway"
    OPERATOR = "operator"
    MONITOR = "monitor"
    IDENTITY = "service/identity"
    TRANSLATION = "service/translation"
    DOSSIER = "service/dossier"
    ROUTING = "service/routing"
    AUDIT = "service/audit"
    SUPERVISION = "service/supervision"


_ADMINISTRATOR = re.compile(f"{Peer.OPERATOR}/[a-z0-9-]{{1,63}}")


@dataclass(frozen=True)
class PeerCertificate:
    """What we read of a peer's certificate."""

    spiffe_id: str
    not_after: datetime


@lru_cache(maxsize=256)
def read_certificate(pem: bytes) -> PeerCertificate:
    """Return the SPIFFE id and the end of a certificate. Cached: one connection carries thousands of calls.

    Raises Unauthenticated when it does not have exactly one URI among its names.
    Source: SPIFFE X.509-SVID, section 5.2.
    """
    certificate = x509.load_pem_x509_certificate(pem)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    except x509.ExtensionNotFound:
        uris = []
    if len(uris) != 1:
        raise Unauthenticated("CERTIFICATE_UNKNOWN", "the peer's certificate must have exactly one URI among its names")
    return PeerCertificate(uris[0], certificate.not_valid_after_utc)


def identify(auth_context: Mapping[str, Iterable[bytes]], trust_domain: str, now: datetime) -> tuple[Peer, str]:
    """Return who the peer is, and its name: the path of its SPIFFE id, which tells administrators apart
    (`operator/<name>`).

    TLS checks a certificate only when the connection begins, so its end is checked here on every call.

    Raises Unauthenticated when it has no certificate, one past its end, one of another trust domain or of an unknown
    name, or speaks less than TLS 1.3.
    """
    pem = list(auth_context.get("x509_pem_cert", ()))
    if not pem:
        raise Unauthenticated("CERTIFICATE_UNKNOWN", "the connection has no client certificate")
    if list(auth_context.get("ssl_tls_version", ())) != [b"TLSv1.3"]:
        raise Unauthenticated("CERTIFICATE_UNKNOWN", "the connection must use TLS 1.3")
    certificate = read_certificate(pem[0])
    if now > certificate.not_after:
        raise Unauthenticated("CERTIFICATE_EXPIRED", "the peer's certificate is past its end; connect with a new one")
    prefix = f"spiffe://{trust_domain}/"
    if not certificate.spiffe_id.startswith(prefix):
        raise Unauthenticated("CERTIFICATE_UNKNOWN", f"the peer is not of the trust domain {trust_domain}")
    name = certificate.spiffe_id.removeprefix(prefix)
    if _ADMINISTRATOR.fullmatch(name):
        return Peer.OPERATOR, name
    try:
        return Peer(name), name
    except ValueError:
        raise Unauthenticated("CERTIFICATE_UNKNOWN", "the peer's name is not known in the mesh") from None
