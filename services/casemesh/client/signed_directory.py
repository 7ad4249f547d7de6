"""The signed directory of agencies: fetched from the platform, verified with its signing root alone.

    {"format": 1, "version", "previous_sha256", "issue_time", "agencies": [{"name", "code", "display_name", "organ",
     "trust_domain", "state", "level", "parent", "authority_sha256"}]}

Digests are in lowercase hexadecimal. `previous_sha256` is over the signed bytes of the version before, empty in the
first. Agencies stand in the order of their codes; `level`, `parent` and `authority_sha256` are empty where unknown.

Source: DSSE v1.0 (signature, see `statements`), RFC 8785 (canonical JSON).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509

from casemesh.client import statements
from casemesh.client.manifest import stated_time
from casemesh.client.statements import StatementError

PAYLOAD_TYPE: Final = "application/vnd.casemesh.directory+json"
SIGNER: Final = "spiffe://mesh.casemesh/signing/identity"
FORMAT: Final = 1
_FIELDS: Final = frozenset({"format", "version", "previous_sha256", "issue_time", "agencies"})


@dataclass(frozen=True, slots=True)
class SignedDirectory:
    """One version whose signature holds."""

    version: int
    previous_sha256: str
    issue_time: str
    sha256: str
    """Of the signed bytes; the next version names it."""
    agencies: Sequence[Mapping[str, Any]]


def verify_directory(envelope: bytes, roots: Sequence[x509.Certificate], *, at: dt.datetime) -> SignedDirectory:
    """Return what an envelope says only if identity signed it under one of `roots`.

    `at` is as in `statements.verify`. Raises StatementError. Does not say that it is the newest: see
    `require_successor`.
    """
    statement = statements.verify(envelope, roots, PAYLOAD_TYPE, at=at, signer=SIGNER)
    payload = statement.payload
    if not isinstance(payload, dict) or set(payload) != _FIELDS or payload["format"] != FORMAT:
        raise StatementError("the payload is not a directory of a known format")
    version, agencies = payload["version"], payload["agencies"]
    if not isinstance(version, int) or version < 1 or not isinstance(agencies, list):
        raise StatementError("the directory has no version or no agencies")
    return SignedDirectory(
        version,
        str(payload["previous_sha256"]),
        str(payload["issue_time"]),
        hashlib.sha256(statement.payload_bytes).hexdigest(),
        [agency for agency in agencies if isinstance(agency, dict)],
    )


def require_successor(later: SignedDirectory, earlier: SignedDirectory) -> None:
    """Return only if `later` is the very next version after `earlier`, or the same.

    Raises StatementError: whoever signed both has shown two histories, or took one back.
    """
    if later.version == earlier.version and later.sha256 == earlier.sha256:
        return
    if later.version != earlier.version + 1:
        raise StatementError(f"version {later.version} does not follow version {earlier.version}")
    if later.previous_sha256 != earlier.sha256:
        raise StatementError(f"version {later.version} follows another version {earlier.version} than the one held")


async def fetch_directory(
    download: Callable[[int], Awaitable[bytes]],
    roots: Sequence[x509.Certificate],
    held: bytes | None,
    *,
    now: dt.datetime,
) -> tuple[bytes, SignedDirectory]:
    """Return the newest version, its envelope first, after following every version since the one held.

    `download` gives a version by number, the newest for 0. Without `held` the newest is taken on its signature alone.
    Raises StatementError when a signature does not hold, a version is skipped or changed, or the platform goes back
    behind what it signed before; whatever `download` raises.
    """
    envelope = await download(0)
    newest = verify_directory(envelope, roots, at=now)
    if held is None:
        return envelope, newest
    known = verify_directory(held, roots, at=stated_time(held, "issue_time"))
    if newest.version < known.version:
        raise StatementError(f"the platform shows version {newest.version}, after it had signed {known.version}")
    for version in range(known.version + 1, newest.version):
        between = await download(version)
        # Its certificate may have ended since; the newest, which names it through the versions after it, holds now.
        later = verify_directory(between, roots, at=stated_time(between, "issue_time"))
        require_successor(later, known)
        known = later
    require_successor(newest, known)
    return envelope, newest
