"""The signed statement of a version's root and counts alone, so that a proof of one page need not carry the manifest.

    {"format": 1, "version", "dossier", "case", "agency", "revision", "finalize_time", "root_hash", "leaf_count",
     "document_count", "page_count", "size_bytes", "manifest_sha256"}

Digests are in lowercase hexadecimal; ``manifest_sha256`` is over the signed bytes of the manifest.

Source: DSSE v1.0 (signature, see `statements`), RFC 8785 (canonical JSON).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509

from casemesh.client import statements
from casemesh.client.canonical_json import Json
from casemesh.client.manifest import MANIFEST_SIGNER, Manifest, ManifestError, stated_time
from casemesh.core import merkle

PAYLOAD_TYPE: Final = "application/vnd.casemesh.dossier-root+json"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class RootStatement:
    """What is stated of a version. ``root_hash`` stands over ``leaf_count`` leaves: documents and pages together."""

    version: str
    dossier: str
    case: str
    agency: str
    revision: int
    finalize_time: str
    root_hash: bytes
    leaf_count: int
    document_count: int
    page_count: int
    size_bytes: int
    manifest_sha256: bytes

    def __post_init__(self) -> None:
        if len(self.root_hash) != merkle.HASH_SIZE or len(self.manifest_sha256) != merkle.HASH_SIZE:
            raise ValueError("a digest is 32 bytes")
        if self.leaf_count != self.document_count + self.page_count:
            raise ValueError("leaves are documents and pages together")


def of_manifest(manifest: Manifest, manifest_sha256: bytes) -> RootStatement:
    """What is stated of a manifest's version."""
    facts = manifest.facts
    return RootStatement(
        facts.version, facts.dossier, facts.case, facts.agency,
        manifest.lineage.revision if manifest.lineage is not None else 1,
        facts.finalize_time, manifest.root_hash, manifest.leaf_count, len(manifest.documents), manifest.page_count,
        manifest.size_bytes, manifest_sha256,
    )  # fmt: skip


def payload(statement: RootStatement) -> dict[str, Json]:
    """The statement, ready to be signed."""
    fields: dict[str, Json] = {"format": _FORMAT}
    for name in RootStatement.__slots__:
        value = getattr(statement, name)
        fields[name] = value.hex() if isinstance(value, bytes) else value
    return fields


def verify(
    envelope: bytes | dict[str, Any], trusted_roots: Sequence[x509.Certificate], *, at: dt.datetime | None = None
) -> RootStatement:
    """The statement in a signed envelope of the dossier service. Needs no connection.

    Without ``at`` the statement's own time is taken, which is the signer's word. Raises StatementError, ManifestError.
    """
    if at is None:
        at = stated_time(envelope)
    value = statements.verify(envelope, trusted_roots, PAYLOAD_TYPE, at=at, signer=MANIFEST_SIGNER).payload
    try:
        statement = _parse(value)
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"the root statement is malformed: {error}") from error
    if payload(statement) != value:
        raise ManifestError("the root statement has fields that are not known to this release")
    return statement


def _parse(value: Any) -> RootStatement:
    return RootStatement(
        str(value["version"]), str(value["dossier"]), str(value["case"]), str(value["agency"]), int(value["revision"]),
        str(value["finalize_time"]), bytes.fromhex(value["root_hash"]), int(value["leaf_count"]),
        int(value["document_count"]), int(value["page_count"]), int(value["size_bytes"]),
        bytes.fromhex(value["manifest_sha256"]),
    )  # fmt: skip
