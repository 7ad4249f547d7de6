"""An exported trail verifies under a key one holds, or under a root that certifies the log's; under nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from casemesh.audit.v1.audit_query_service_pb2 import ExportTrailRequest, ExportTrailResponse
from casemesh.client import canonical_json, notes, trail
from casemesh.client.commitments import commitment, commitment_leaf
from casemesh.client.trail import LOG_SIGNER, TrailError
from casemesh.client.trail_export import export_trail, verify_trail
from casemesh.core.merkle import Tree
from tests.support.signing import NOW, make_authority, make_certificate

CASE = "cases/019a0000-0000-7000-8000-000000000001"
LOG = notes.NoteSigner("casemesh.test/audit", Ed25519PrivateKey.generate())
ROOT = make_authority()


def bundle(*, signer: str = LOG_SIGNER) -> bytes:
    event: dict[str, canonical_json.Json] = {"case": CASE, "case_sequence": 1, "previous": None, "action": "case.seen"}
    salt = bytes(32)
    tree = Tree([commitment_leaf(commitment(salt, event))])
    certificate = make_certificate(ROOT, LOG.key, uris=[signer]).public_bytes(Encoding.DER)
    checkpoint = notes.sign_checkpoint(notes.Checkpoint(LOG.name, tree.size, tree.root()), LOG)
    head = trail.encode_head(CASE, checkpoint=checkpoint, log_key=LOG.verifier_key, certificates=[certificate])
    entry = trail.encode_entry(0, salt, canonical_json.dumps(event), tree.inclusion_proof(0))
    return head + entry + trail.TAIL


class FakeAudit:
    """A log that sends a bundle in pieces of ten bytes."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def ExportTrail(self, request: ExportTrailRequest) -> AsyncIterator[ExportTrailResponse]:
        for begin in range(0, len(self.content), 10):
            yield ExportTrailResponse(data=self.content[begin : begin + 10])


async def test_the_pieces_make_the_bundle() -> None:
    content = bundle()
    assert await export_trail(FakeAudit(content), CASE) == content  # type: ignore[arg-type]


async def test_a_bundle_without_end_is_not_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "MAX_BUNDLE_BYTES", 100)
    with pytest.raises(TrailError, match="at most 100 bytes"):
        await export_trail(FakeAudit(bytes(200)), CASE)  # type: ignore[arg-type]


def test_a_trail_verifies_under_the_logs_key_or_under_a_root_that_certifies_it() -> None:
    assert len(verify_trail(bundle(), log_key=LOG.verifier_key, case=CASE).events) == 1
    assert len(verify_trail(bundle(), log_key=None, signing_roots=[ROOT.certificate], at=NOW).events) == 1


@pytest.mark.parametrize(
    ("verify", "said"),
    [
        (lambda: verify_trail(bundle(), log_key=None), "nothing can be verified"),
        (
            lambda: verify_trail(bundle(), log_key=None, signing_roots=[make_authority().certificate], at=NOW),
            "do not hold",
        ),
        (
            lambda: verify_trail(
                bundle(signer="spiffe://mesh.casemesh/signing/dossier"),
                log_key=None,
                signing_roots=[ROOT.certificate],
                at=NOW,
            ),
            "not of spiffe://mesh.casemesh/signing/audit",
        ),
        (lambda: verify_trail(bundle(), log_key=LOG.verifier_key, case="cases/other"), "another case"),
        (
            lambda: verify_trail(
                bundle(), log_key=notes.NoteSigner(LOG.name, Ed25519PrivateKey.generate()).verifier_key
            ),
            "another log",
        ),
        (lambda: verify_trail(bundle().replace(b"seen", b"lost"), log_key=LOG.verifier_key), "event 1 of 1"),
        (lambda: verify_trail(b"[]", log_key=LOG.verifier_key), "not a JSON object"),
        (lambda: verify_trail(b"{", log_key=LOG.verifier_key), "not a trail"),
    ],
)
def test_anything_else_is_refused(verify: Callable[[], Any], said: str) -> None:
    with pytest.raises(TrailError, match=said):
        verify()
