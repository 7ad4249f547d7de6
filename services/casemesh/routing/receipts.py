"""Issuing receipts: what each states, its signature, and the event that names it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from enum import StrEnum

from casemesh.audit.v1 import event_pb2
from casemesh.client import canonical_json, receipts
from casemesh.client.statements import SigningKey, envelope_of, signature_over
from casemesh.core.ids import new_id
from casemesh.core.names import EXCHANGE, RECEIPT
from casemesh.routing.receipt_store import ExchangeDigests, IssuedReceipt, ReceiptStore, StoredReceipt
from casemesh.routing.v1 import exchange_pb2, receipt_pb2
from casemesh.runtime.call import Call


class Kind(StrEnum):
    """What a receipt attests."""

    SUBMISSION = "SUBMISSION"
    DELIVERY = "DELIVERY"
    ACCEPTANCE = "ACCEPTANCE"
    READING = "READING"


class Receipts:
    """Signs receipts with the platform's document-signing key of routing."""

    def __init__(self, signing: SigningKey) -> None:
        self._signing = signing
        # Not asked of the key at each receipt: it hashes the public key.
        self._key_id = signing.key_id

    async def open(self, store: ReceiptStore) -> None:
        """Keep the key's certificates, so that what it signs from now on stays verifiable."""
        await store.keep_signer(self._key_id, self._signing.chain)

    def issue(
        self,
        kind: Kind,
        call: Call,
        exchange: exchange_pb2.Exchange,
        event: event_pb2.Event,
        digests: ExchangeDigests,
        *,
        delivery: str = "",
    ) -> IssuedReceipt:
        """Return the receipt of the step that `call` takes and `event` tells of; `event` then names the receipt's
        digest.

        Keep it in the transaction that records the event.
        """
        caller = call.require_caller()
        issued = event.occur_time.ToDatetime(tzinfo=UTC)
        receipt = receipts.Receipt(
            receipt=RECEIPT.format(exchange=EXCHANGE.parse(exchange.name)["exchange"], receipt=new_id()),
            kind=kind.value.lower(),
            exchange=exchange.name,
            case=exchange.case,
            node=exchange.node,
            sender=exchange.sender,
            recipient=exchange.recipient,
            agency=caller.agency,
            by=caller.subject,
            delivery=delivery,
            exchange_sha256=digests.sha256,
            dossier_version=exchange.dossier_version,
            dossier_root=digests.dossier_root,
            time=_rfc3339(issued),
            event_id=event.event_id,
        )
        payload = canonical_json.dumps(receipts.payload(receipt))
        event.details[receipts.EVENT_DIGEST] = hashlib.sha256(payload).hexdigest()
        signature = signature_over(payload, receipts.PAYLOAD_TYPE, self._signing)
        return IssuedReceipt(
            receipt.receipt, kind.value, caller.agency, event.event_id, issued, payload, signature, self._key_id
        )


def message_of(stored: StoredReceipt) -> receipt_pb2.Receipt:
    """Return a receipt as the contract shows it."""
    issued = stored.receipt
    message = receipt_pb2.Receipt(
        name=issued.name,
        kind=f"RECEIPT_KIND_{issued.kind}",
        agency=issued.agency,
        event_id=issued.event_id,
        statement=envelope_of(
            issued.payload, receipts.PAYLOAD_TYPE, issued.signature, issued.key_id, stored.certificates
        ),
    )
    message.issue_time.FromDatetime(issued.issue_time)
    return message


def _rfc3339(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")
