"""Who answers for a pack: a signed statement over the digests of packs.

    {"packs": [{"kind": "concept_map", "identifier": ..., "version": ..., "sha256": hex of the file,
                "source_code_system": ..., "target_code_system": ...}, ...]}

A table's entry has `kind` `code_system` and no tables beside it. The digest is of the file before any compression; one
statement may speak of many packs. How columns are read is not under the signature: it comes with the import, which is
an event in the log.

Source: DSSE v1.0 over RFC 8785, as in `casemesh.client.statements`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from casemesh.client.canonical_json import Json
from casemesh.client.statements import Envelope, SigningKey, StatementError, sign, verify
from casemesh.errors import InvalidArgument

PAYLOAD_TYPE = "application/vnd.casemesh.code-pack+json"


@dataclass(frozen=True, slots=True)
class PackEntry:
    """One pack that a statement speaks of; the two tables are empty for a table."""

    identifier: str
    version: str
    sha256: str
    source_code_system: str = ""
    target_code_system: str = ""

    def payload(self) -> dict[str, Json]:
        """Return what is signed of it."""
        entry: dict[str, Json] = {"identifier": self.identifier, "version": self.version, "sha256": self.sha256}
        if not self.source_code_system:
            return {"kind": "code_system", **entry}
        tables = {"source_code_system": self.source_code_system, "target_code_system": self.target_code_system}
        return {"kind": "concept_map", **entry, **tables}


def digest_of(content: bytes) -> str:
    """Return the digest by which a statement names a file."""
    return hashlib.sha256(content).hexdigest()


def sign_packs(entries: Iterable[PackEntry], signer: SigningKey) -> Envelope:
    """Return the signed statement over `entries`."""
    return sign({"packs": [entry.payload() for entry in entries]}, PAYLOAD_TYPE, signer)


@dataclass(frozen=True)
class TrustedSigners:
    """Whose statements count: roots of trust in a PEM file, read anew each time, and the one URI name under them.

    Without roots nobody is trusted, and every statement is refused.
    """

    roots: Path | None = None
    signer: str = ""

    def require(self, statement: bytes, entry: PackEntry, at: datetime) -> str:
        """Return the signer of a statement that speaks of `entry`, certificates valid at `at`.

        Raises InvalidArgument (CODE_PACK_SIGNATURE_INVALID).
        """
        try:
            found = verify(statement, self._trusted(), PAYLOAD_TYPE, at=at, signer=self.signer or None)
        except StatementError as error:
            raise _invalid(str(error)) from error
        packs = found.payload.get("packs") if isinstance(found.payload, dict) else None
        if not isinstance(packs, list) or entry.payload() not in packs:
            raise _invalid(f"the statement does not speak of {entry.identifier} {entry.version} with these bytes")
        return found.signer

    def _trusted(self) -> Sequence[x509.Certificate]:
        if self.roots is None:
            raise StatementError("this service trusts no signer of packs; set `pack_roots` in its configuration")
        return x509.load_pem_x509_certificates(self.roots.read_bytes())


def _invalid(why: str) -> InvalidArgument:
    return InvalidArgument("CODE_PACK_SIGNATURE_INVALID", f"the pack's statement is not accepted: {why}")
