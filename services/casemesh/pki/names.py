"""Names of the mesh: trust domains, SPIFFE ids, and which characters they may have.

Guarantee: whatever these functions return fits into a SPIFFE id, a host name and a file name without quoting.
Source: SPIFFE-ID (trust domain and path characters), SPIFFE X509-SVID.
"""

import re

from casemesh.pki.errors import PkiError

MESH_TRUST_DOMAIN = "mesh.casemesh"
SERVICES = ("identity", "translation", "dossier", "routing", "audit", "supervision")
SIGNERS = ("identity", "dossier", "routing", "audit")
GATEWAY = "gateway"
# Peers of the mesh that are no service: they call, they are not called.
CALLERS = ("operator", "monitor")

_AGENCY = re.compile(r"[a-z0-9-]{1,40}")
_NAME = re.compile(r"[a-z0-9-]{1,63}")


def mesh_spiffe_id(name: str) -> str:
    """The SPIFFE id of a service, of the gateway, or of a caller such as the operator's CLI."""
    require_name(name)
    path = name if name == GATEWAY or name in CALLERS else f"service/{name}"
    return f"spiffe://{MESH_TRUST_DOMAIN}/{path}"


def administrator_spiffe_id(name: str) -> str:
    """The SPIFFE id of one administrator of the platform, who is told from the others in the log and at approvals."""
    require_name(name)
    return f"spiffe://{MESH_TRUST_DOMAIN}/operator/{name}"


def signing_uri(name: str) -> str:
    """The URI name of a service as a signer of documents. No TLS certificate bears it."""
    require_name(name)
    return f"spiffe://{MESH_TRUST_DOMAIN}/signing/{name}"


def agency_trust_domain(agency: str) -> str:
    """The trust domain that one agency's CA, and no other, may speak for."""
    if not _AGENCY.fullmatch(agency):
        raise PkiError(f"agency {agency!r}: use 1 to 40 of a-z, 0-9 and '-'")
    return f"{agency}.agency.casemesh"


def system_spiffe_id(agency: str, name: str) -> str:
    """The SPIFFE id of an agency's own case system."""
    require_name(name)
    return f"spiffe://{agency_trust_domain(agency)}/system/{name}"


def workstation_spiffe_id(agency: str, name: str) -> str:
    """The SPIFFE id of one officer's workstation."""
    require_name(name)
    return f"spiffe://{agency_trust_domain(agency)}/workstation/{name}"


def require_name(name: str) -> None:
    """Raises PkiError unless `name` may stand in a SPIFFE path and as a directory."""
    if not _NAME.fullmatch(name):
        raise PkiError(f"name {name!r}: use 1 to 63 of a-z, 0-9 and '-'")
