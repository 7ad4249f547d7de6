"""The agencies' trust bundles as one SPIFFE bundle map, which the gateway watches and reloads.

Source: SPIFFE Trust Domain and Bundle (JWK set, use x509-svid); Envoy, SPIFFECertValidatorConfig.trust_bundles.
"""

import base64
import json
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from casemesh.pki import certificates as profile
from casemesh.pki.errors import PkiError
from casemesh.pki.files import replace_file
from casemesh.pki.layout import PkiLayout

_NOBODY = "nobody.agency.casemesh"


def write_bundle_map(layout: PkiLayout) -> None:
    """Writes the map of every `bundles/<trust domain>.pem` in one step, so that watchers see all or nothing.

    The mesh's own trust domain is not in it: services and operators do not come in through the gateway. Nor is an
    agency that is shut out. Before the first agency there is one trust domain of nobody, since Envoy does not start on
    a map without any.
    """
    domains = {}
    for path in sorted(layout.bundles.glob("*.pem")):
        if (layout.shut_out / path.stem).exists():
            continue
        try:
            authorities = x509.load_pem_x509_certificates(path.read_bytes())
        except ValueError as error:
            raise PkiError(f"{path} holds no PEM certificates: restore it or remove it") from error
        domains[path.stem] = {"spiffe_sequence": 1, "keys": [_web_key(authority) for authority in authorities]}
    if not domains:
        domains[_NOBODY] = {"spiffe_sequence": 1, "keys": [_web_key(_authority_of_nobody())]}
    text = json.dumps({"trust_domains": domains}, indent=2, sort_keys=True)
    replace_file(layout.bundle_map, text.encode() + b"\n")


def _authority_of_nobody() -> x509.Certificate:
    # The key is gone when this returns, so that nobody can ever show a certificate of this authority.
    key = ec.generate_private_key(ec.SECP256R1())
    return profile.tls_authority(key, trust_domain=_NOBODY, now=datetime.now(UTC), clients_only=True)


def _web_key(authority: x509.Certificate) -> dict[str, object]:
    key = authority.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise PkiError(f"{authority.subject.rfc4514_string()}: a trust bundle takes EC P-256 keys only")
    numbers = key.public_numbers()
    return {
        "kty": "EC",
        "use": "x509-svid",
        "crv": "P-256",
        "x": _base64url(numbers.x),
        "y": _base64url(numbers.y),
        "x5c": [base64.b64encode(authority.public_bytes(Encoding.DER)).decode()],
    }


def _base64url(coordinate: int) -> str:
    return base64.urlsafe_b64encode(coordinate.to_bytes(32, "big")).rstrip(b"=").decode()
