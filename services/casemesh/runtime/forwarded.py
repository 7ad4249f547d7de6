"""The client certificate behind the gateway, from `x-forwarded-client-cert`.

The header is believed only from the gateway's own SPIFFE id (the caller of this module has checked that). Envoy sets
it whole and does not quote the URI, so nothing but the first `Hash` is ever read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from casemesh.errors import Unauthenticated

HEADER = "x-forwarded-client-cert"
_HASH = re.compile(r"(?:^|;)Hash=([0-9a-f]{64})(?:;|,|$)")


def fingerprint(metadata: Iterable[tuple[str, str | bytes]]) -> bytes:
    """Return the SHA-256 of the DER form of the certificate the gateway saw, 32 bytes.

    Raises Unauthenticated when there is not exactly one header, or it has no hash before its first URI or comma.
    """
    values = [value for key, value in metadata if key == HEADER]
    if len(values) != 1:
        raise Unauthenticated(
            "FORWARDED_CERTIFICATE_INVALID", f"the call must carry {HEADER} once; it has {len(values)}"
        )
    text = values[0] if isinstance(values[0], str) else values[0].decode("ascii", "replace")
    # Envoy writes `Hash=...;` first when nothing is quoted; the part before the first URI is under no caller's control.
    match = _HASH.search(text.split("URI=", 1)[0])
    if match is None:
        raise Unauthenticated("FORWARDED_CERTIFICATE_INVALID", f"{HEADER} carries no certificate hash")
    return bytes.fromhex(match[1])
