"""Commitments: what the audit log holds of an event.

A leaf of the log is a hash over the event and 32 random bytes. Whoever sees the log, its proofs and its tiles
learns nothing of a case, not even by trying likely events; whoever is given event and salt can show that this
event, and no other, stands at its place. Deleting a salt and its event leaves the tree as it is.
"""

from __future__ import annotations

from hashlib import sha256

from casemesh.client import canonical_json
from casemesh.core.merkle import leaf_hash

SALT_SIZE = 32


def commitment(salt: bytes, event: dict[str, canonical_json.Json]) -> bytes:
    """Return SHA-256(salt || canonical JSON of the event), 32 bytes: the log's entry for the event.

    Raises ValueError for a salt of another length and CanonicalJsonError for an event outside the signed subset of
    JSON.
    """
    return commitment_to(salt, canonical_json.dumps(event))


def commitment_to(salt: bytes, canonical_event: bytes) -> bytes:
    """Return the same for an event already in canonical form, which is not checked."""
    # The salt has one length, so no part of it can pass for a part of the event.
    if len(salt) != SALT_SIZE:
        raise ValueError(f"a salt is {SALT_SIZE} bytes, not {len(salt)}")
    return sha256(salt + canonical_event).digest()


def commitment_leaf(committed: bytes) -> bytes:
    """Return the hash of the leaf that holds a commitment, 32 bytes."""
    return leaf_hash(committed)
