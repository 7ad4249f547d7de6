"""Receipts: what the platform signed of a step of an exchange, and its check without the platform.

The signed payload (canonical JSON in a DSSE envelope, see `statements`):

    {"format": 1, "receipt", "kind": "submission|delivery|acceptance|reading", "exchange", "case", "node", "sender",
     "recipient", "agency", "by", "delivery", "exchange_sha256", "dossier_version", "dossier_root", "time", "event_id"}

`agency` took the step and `by` is its officer or system. Digests are in lowercase hexadecimal: `exchange_sha256` over
the exchange as its sender submitted it (see `exchange_digest`), `dossier_root` the Merkle root of the dossier
version. Parties to the step stand by resource name alone; nothing of the case's content is in a receipt. What does
not apply is empty.

A file of a receipt carries the envelope and, once the step is in the audit log, the proof of its place there:

    {"format": "casemesh.receipt/v1", "receipt": envelope,
     "log": null | {"log_key", "checkpoint", "certificates": [...], "entry": {"index", "salt", "event", "proof"}}}

The event names the digest of the payload, and the payload names the event, so neither stands for another step.

Source: DSSE v1.0, RFC 8785 (JCS), RFC 8032 (Ed25519), RFC 9162 section 2.1.3 (inclusion).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509

from casemesh.client import canonical_json, statements, trail
from casemesh.client.canonical_json import Json
from casemesh.client.notes import Checkpoint, VerifierKey
from casemesh.client.statements import StatementError
from casemesh.core import merkle, strict_base64

if TYPE_CHECKING:
    from casemesh.routing.v1 import exchange_pb2

PAYLOAD_TYPE: Final = "application/vnd.casemesh.receipt+json"
RECEIPT_SIGNER: Final = "spiffe://mesh.casemesh/signing/routing"
"""The URI name in the certificate of the key that signs receipts."""
FILE_FORMAT: Final = "casemesh.receipt/v1"
MAX_FILE_BYTES: Final = 1 << 20
KINDS: Final = ("submission", "delivery", "acceptance", "reading")
EVENT_DIGEST: Final = "receipt_sha256"
"""The detail of the step's event that holds the digest of the payload."""
_FORMAT: Final = 1
_DIGESTS: Final = ("exchange_sha256", "dossier_root")
_SUBMITTED: Final[Any] = 1  # EXCHANGE_STATE_SUBMITTED


class ReceiptError(ValueError):
    """The receipt cannot be relied on. The message says what failed."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is stated of one step. `dossier_root` is empty bytes where no dossier goes along."""

    receipt: str
    kind: str
    exchange: str
    case: str
    node: str
    sender: str
    recipient: str
    agency: str
    by: str
    delivery: str
    exchange_sha256: bytes
    dossier_version: str
    dossier_root: bytes
    time: str
    """RFC 3339, UTC."""
    event_id: str


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """A receipt that was verified."""

    receipt: Receipt
    certificate: x509.Certificate
    """The signer's."""
    log_index: int | None
    """The place of the step's event in the audit log; None where the file carries no proof of it."""
    checkpoint: Checkpoint | None
    """The signed tree head that the event lies under; None without a proof."""


def payload(receipt: Receipt) -> dict[str, Json]:
    """Return the statement, ready to be signed."""
    fields: dict[str, Json] = {"format": _FORMAT}
    for name in Receipt.__slots__:
        value = getattr(receipt, name)
        fields[name] = value.hex() if isinstance(value, bytes) else value
    return fields


def exchange_digest(exchange: exchange_pb2.Exchange) -> bytes:
    """Return the SHA-256 that receipts state of an exchange, whatever has become of it since.

    It is over the deterministic serialisation of the exchange as it was submitted: SUBMITTED, and no later times.
    """
    submitted = type(exchange)()
    submitted.CopyFrom(exchange)
    submitted.state = _SUBMITTED
    for field in exchange.DESCRIPTOR.fields:
        if field.name.endswith("_time") and field.name != "submit_time":
            submitted.ClearField(field.name)
    return hashlib.sha256(submitted.SerializeToString(deterministic=True)).digest()


def encode_file(envelope: bytes, trail_bundle: bytes | None) -> bytes:
    """Return a receipt's file. `trail_bundle` is the exported trail of the case; None leaves the log's part out, as
    does a trail that does not hold the step yet. Checks nothing."""
    fields = statements.parse_envelope(envelope)
    event_id = json.loads(strict_base64.decode(fields["payload"]))["event_id"]
    place = _place(json.loads(trail_bundle), event_id) if trail_bundle is not None else None
    return json.dumps({"format": FILE_FORMAT, "receipt": fields, "log": place}, ensure_ascii=False, indent=1).encode()


def verify(
    file: bytes,
    signing_roots: Sequence[x509.Certificate],
    *,
    log_key: VerifierKey | None = None,
    exchange_sha256: bytes | None = None,
    at: dt.datetime | None = None,
) -> VerifiedReceipt:
    """Return what a receipt's file proves, only if all of it holds. Needs no connection and public keys alone.

    `signing_roots` are the roots of document signing. The log's key is `log_key`, or without it the one that the file's
    certificates lead to the roots. `exchange_sha256` is the digest of the exchange one holds, to compare. Certificates
    must have been valid `at`; by default at the stated time, which is the signer's word.

    Not shown: that the step was lawful, or that no later step undid it. Raises ReceiptError, whose message says what
    failed.
    """
    fields = _file_fields(file)
    envelope = fields["receipt"]
    when = at or _stated_time(envelope)
    try:
        statement = statements.verify(envelope, signing_roots, PAYLOAD_TYPE, at=when, signer=RECEIPT_SIGNER)
    except StatementError as error:
        raise ReceiptError(f"the signed statement does not hold: {error}") from error
    receipt = _receipt(statement.payload)
    if exchange_sha256 is not None and receipt.exchange_sha256 != exchange_sha256:
        raise ReceiptError("the receipt is of another exchange than the one given: the digests differ")
    log = fields["log"]
    if log is None:
        return VerifiedReceipt(receipt, statement.certificate, None, None)
    digest = hashlib.sha256(statement.payload_bytes).hexdigest()
    index, checkpoint = _verified_place(log, receipt, digest, signing_roots, log_key, when)
    return VerifiedReceipt(receipt, statement.certificate, index, checkpoint)


def _verified_place(
    log: Any,
    receipt: Receipt,
    digest: str,
    signing_roots: Sequence[x509.Certificate],
    log_key: VerifierKey | None,
    at: dt.datetime,
) -> tuple[int, Checkpoint]:
    if not isinstance(log, dict) or set(log) != {"log_key", "checkpoint", "certificates", "entry"}:
        raise ReceiptError("the place in the log has other fields than it must have")
    try:
        key = log_key or trail.log_key_of(log, signing_roots, at=at)
        index, event, checkpoint = trail.verify_entry(log, key)
    except trail.TrailError as error:
        raise ReceiptError(f"the place in the log does not hold: {error}") from error
    details = event.get("details")
    stated = (event.get("event_id"), event.get("case"), event.get("resource"))
    if stated != (receipt.event_id, receipt.case, receipt.exchange):
        raise ReceiptError("the log's entry is of another step than the receipt")
    if not isinstance(details, dict) or details.get(EVENT_DIGEST) != digest:
        raise ReceiptError("the log's entry names another receipt: the digests differ")
    return index, checkpoint


def _place(bundle: dict[str, Any], event_id: str) -> dict[str, Any] | None:
    for entry in bundle["entries"]:
        if entry["event"].get("event_id") == event_id:
            return {name: bundle[name] for name in ("log_key", "checkpoint", "certificates")} | {"entry": entry}
    return None


def _file_fields(file: bytes) -> Mapping[str, Any]:
    if len(file) > MAX_FILE_BYTES:
        raise ReceiptError(f"a receipt's file is at most {MAX_FILE_BYTES} bytes")
    try:
        fields = canonical_json.loads(file)
    except canonical_json.CanonicalJsonError as error:
        raise ReceiptError(f"not a receipt: {error}") from error
    if not isinstance(fields, dict) or set(fields) != {"format", "receipt", "log"} or fields["format"] != FILE_FORMAT:
        raise ReceiptError(f"not a receipt's file in the format {FILE_FORMAT}")
    if not isinstance(fields["receipt"], dict):
        raise ReceiptError("the receipt is not an envelope")
    return fields


def _stated_time(envelope: Any) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(json.loads(strict_base64.decode(envelope["payload"]))["time"])
    except (KeyError, TypeError, ValueError) as error:
        raise ReceiptError("the signed statement does not hold: it states no time") from error


def _receipt(value: Json) -> Receipt:
    if not isinstance(value, dict) or value.get("format") != _FORMAT or set(value) != {"format", *Receipt.__slots__}:
        raise ReceiptError("the statement has other fields than a receipt of this release")
    texts = {name: value[name] for name in Receipt.__slots__}
    if not all(isinstance(text, str) for text in texts.values()) or value["kind"] not in KINDS:
        raise ReceiptError("a field of the statement is malformed")
    try:
        digests = {name: bytes.fromhex(str(texts[name])) for name in _DIGESTS}
    except ValueError as error:
        raise ReceiptError("a digest of the statement is malformed") from error
    if len(digests["exchange_sha256"]) != merkle.HASH_SIZE or len(digests["dossier_root"]) not in (0, merkle.HASH_SIZE):
        raise ReceiptError("a digest of the statement is not 32 bytes")
    return Receipt(**{**texts, **digests})  # type: ignore[arg-type] # checked to be texts above
