"""A receipt's file: what it must hold to be relied on, and what each part is refused for."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from casemesh.client import canonical_json, notes, receipts, statements, trail
from casemesh.client.commitments import commitment, commitment_leaf
from casemesh.client.receipts import Receipt, ReceiptError
from casemesh.client.statements import SigningKey
from casemesh.core import strict_base64
from casemesh.core.merkle import Tree
from casemesh.routing.v1 import exchange_pb2
from tests.support.signing import NOW, make_authority, make_certificate

ROOT = make_authority()
STRANGER = make_authority()
LOG = notes.NoteSigner("casemesh.test/audit", Ed25519PrivateKey.generate())
RECEIPT = Receipt(
    receipt="exchanges/1/receipts/1",
    kind="submission",
    exchange="exchanges/1",
    case="cases/1",
    node="nodes/LA001",
    sender="agencies/1",
    recipient="agencies/2",
    agency="agencies/1",
    by="agencies/1/officers/1",
    delivery="",
    exchange_sha256=bytes(range(32)),
    dossier_version="",
    dossier_root=b"",
    time=NOW.isoformat().replace("+00:00", "Z"),
    event_id="an event",
)


def signing_key(root: Any = ROOT, signer: str = receipts.RECEIPT_SIGNER) -> SigningKey:
    key = Ed25519PrivateKey.generate()
    return SigningKey(key, (make_certificate(root, key, uris=[signer]),))


def file_of(
    receipt: Receipt = RECEIPT, key: SigningKey | None = None, *, logged: bool = True, **event: Any
) -> dict[str, Any]:
    """Return a receipt's file as JSON values; `event` changes what the log holds of the step."""
    envelope = statements.sign(receipts.payload(receipt), receipts.PAYLOAD_TYPE, key or signing_key())
    digest = hashlib.sha256(canonical_json.dumps(receipts.payload(receipt))).hexdigest()
    told: dict[str, Any] = {
        "case": receipt.case,
        "case_sequence": 1,
        "details": {receipts.EVENT_DIGEST: digest},
        "event_id": receipt.event_id,
        "previous": None,
        "resource": receipt.exchange,
        **event,
    }
    salt = bytes(32)
    tree = Tree([commitment_leaf(commitment(salt, told))])
    checkpoint = notes.sign_checkpoint(notes.Checkpoint(LOG.name, tree.size, tree.root()), LOG)
    certificate = make_certificate(ROOT, LOG.key, uris=[trail.LOG_SIGNER]).public_bytes(Encoding.DER)
    bundle = trail.encode_head(
        receipt.case, checkpoint=checkpoint, log_key=LOG.verifier_key, certificates=[certificate]
    )
    bundle += trail.encode_entry(0, salt, canonical_json.dumps(told), tree.inclusion_proof(0)) + trail.TAIL
    encoded = receipts.encode_file(json.dumps(envelope).encode(), bundle if logged else None)
    fields: dict[str, Any] = json.loads(encoded)
    return fields


def verified(fields: dict[str, Any], **options: Any) -> receipts.VerifiedReceipt:
    return receipts.verify(json.dumps(fields, separators=(",", ":")).encode(), [ROOT.certificate], **options)


def test_a_whole_file_verifies_with_and_without_the_log() -> None:
    with_log = verified(file_of(), exchange_sha256=RECEIPT.exchange_sha256)
    assert (RECEIPT, 0) == (with_log.receipt, with_log.log_index)
    assert verified(file_of(), log_key=LOG.verifier_key).log_index == 0
    without = verified(file_of(logged=False))
    assert (RECEIPT, None, None) == (without.receipt, without.log_index, without.checkpoint)
    later = {"event_id": "another event"}
    assert file_of(replace(RECEIPT), **later)["log"] is None, "a trail without the step yet leaves the log out"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (file_of(key=signing_key(STRANGER)), "no trusted root issued"),
        (file_of(key=signing_key(signer="spiffe://mesh.casemesh/signing/dossier")), "not by spiffe"),
        (file_of(case="cases/2"), "another step"),
        (file_of(resource="exchanges/2"), "another step"),
        (file_of(details={receipts.EVENT_DIGEST: "00"}), "names another receipt"),
        (file_of(details={}), "names another receipt"),
        (file_of(replace(RECEIPT, kind="approval")), "malformed"),
        (file_of(replace(RECEIPT, exchange_sha256=b"short")), "not 32 bytes"),
        ({**file_of(), "more": 1}, "not a receipt's file"),
        ({**file_of(), "log": {}}, "other fields"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "file",
)
def test_a_file_that_does_not_hold_is_refused_with_what_failed(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ReceiptError, match=why):
        verified(fields)


def test_of_another_exchange_or_another_log_or_another_time_it_is_refused() -> None:
    with pytest.raises(ReceiptError, match="another exchange"):
        verified(file_of(), exchange_sha256=bytes(32))
    other_log = notes.NoteSigner("casemesh.test/audit", Ed25519PrivateKey.generate())
    with pytest.raises(ReceiptError, match="of another log"):
        verified(file_of(), log_key=other_log.verifier_key)
    with pytest.raises(ReceiptError, match="was not valid at"):
        verified(file_of(), at=NOW + dt.timedelta(days=4000))


def test_one_bit_changed_anywhere_is_refused() -> None:
    text = json.dumps(file_of(), separators=(",", ":"))
    assert receipts.verify(text.encode(), [ROOT.certificate]).log_index == 0
    accepted = []
    for position in range(0, len(text), 7):
        altered = text[:position] + chr(ord(text[position]) ^ 1) + text[position + 1 :]
        try:
            receipts.verify(altered.encode(), [ROOT.certificate])
        except ReceiptError:
            continue
        accepted.append(text[max(0, position - 30) : position + 30])
    assert accepted == []


def test_the_digest_of_an_exchange_does_not_depend_on_what_became_of_it() -> None:
    submitted = exchange_pb2.Exchange(name="exchanges/1", state=exchange_pb2.EXCHANGE_STATE_SUBMITTED)
    submitted.submit_time.FromSeconds(1)
    later = exchange_pb2.Exchange()
    later.CopyFrom(submitted)
    later.state = exchange_pb2.EXCHANGE_STATE_ACCEPTED
    later.deliver_time.FromSeconds(2)
    later.accept_time.FromSeconds(3)
    assert receipts.exchange_digest(submitted) == receipts.exchange_digest(later)
    later.recipient = "agencies/2"
    assert receipts.exchange_digest(submitted) != receipts.exchange_digest(later)


def test_base64_that_readers_could_take_two_ways_is_refused() -> None:
    fields = file_of(logged=False)
    assert strict_base64.decode(fields["receipt"]["payload"])
    fields["receipt"]["payload"] += "="
    with pytest.raises(ReceiptError):
        verified(fields)
