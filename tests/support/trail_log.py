"""A small log of two cases, with every entry kept, and bundles of its trails."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from casemesh.client import canonical_json, notes
from casemesh.client.commitments import commitment, commitment_leaf
from casemesh.client.trail import (
    SEPARATOR,
    SHREDDED,
    SHREDDED_NUMBERS,
    TAIL,
    Event,
    encode_entry,
    encode_head,
    encode_numbers,
    encode_shredded,
)
from casemesh.core.merkle import Tree
from tests.support.signing import make_authority, make_certificate

ORIGIN = "audit.casemesh/test"
SIGNER_URI = "spiffe://mesh.casemesh/signing/audit"
LOG = notes.NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
LOG_KEY = LOG.verifier_key
ROOT = make_authority()
CERTIFICATE = make_certificate(ROOT, LOG.key, uris=[SIGNER_URI])
CASE = "cases/019a0000-0000-7000-8000-000000000001"
OTHER_CASE = "cases/019a0000-0000-7000-8000-000000000002"


@dataclass(frozen=True)
class Entry:
    """What a bundle says of one event."""

    index: int
    salt: bytes
    event: Event
    proof: list[bytes]


class Log:
    """A log of two cases whose events alternate, with every entry kept."""

    def __init__(self, events: int = 9, *, first: int = 1, tells: Sequence[int] = ()) -> None:
        """`tells` are the numbers within the case that its last event says were shredded."""
        self.tree = Tree()
        self.committed: list[tuple[str, bytes, Event]] = []
        heads: dict[str, tuple[int, str | None]] = {}
        for number in range(events):
            case = CASE if number % 2 == 0 else OTHER_CASE
            sequence, previous = heads.get(case, (first - 1, None))
            event: Event = {
                "case": case,
                "case_sequence": sequence + 1,
                "previous": previous,
                "action": "dossier.document.read",
            }
            if tells and number == events - 1:
                event |= {"action": SHREDDED, "source": "audit", "details": {SHREDDED_NUMBERS: encode_numbers(tells)}}
            salt = number.to_bytes(32)
            value = commitment(salt, event)
            self.tree.append(commitment_leaf(value))
            heads[case] = (sequence + 1, value.hex())
            self.committed.append((case, salt, event))

    def entries(self, case: str = CASE) -> list[Entry]:
        return [
            Entry(index, salt, event, self.tree.inclusion_proof(index))
            for index, (of, salt, event) in enumerate(self.committed)
            if of == case
        ]

    def checkpoint(self, signer: notes.NoteSigner = LOG) -> str:
        return notes.sign_checkpoint(notes.Checkpoint(signer.name, self.tree.size, self.tree.root()), signer)

    def bundle(self, entries: list[Entry] | None = None, *, shredded: Collection[int] = ()) -> dict[str, Any]:
        """`shredded` are the places among the entries whose text is gone."""
        head = encode_head(
            CASE,
            checkpoint=self.checkpoint(),
            log_key=LOG_KEY,
            certificates=[CERTIFICATE.public_bytes(Encoding.DER)],
        )
        encoded = [
            encode_shredded(entry.index, commitment(entry.salt, entry.event), entry.proof)
            if place in shredded
            else encode_entry(entry.index, entry.salt, canonical_json.dumps(entry.event), entry.proof)
            for place, entry in enumerate(self.entries() if entries is None else entries)
        ]
        loaded: dict[str, Any] = json.loads(head + SEPARATOR.join(encoded) + TAIL)
        return loaded
