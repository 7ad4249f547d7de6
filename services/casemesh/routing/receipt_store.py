"""Receipts in the database: the signed payload and its signature; the certificates stand once for each signing key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from casemesh.core.names import AGENCY, EXCHANGE, RECEIPT
from casemesh.runtime.postgres import Database, Row, Transaction, Writes

_COLUMNS = "receipt_id, exchange_id, kind, agency, event_id, issue_time, payload, signature, key_id"
_INSERT = f"INSERT INTO receipt ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"  # noqa: S608 - a constant
_INSERT_EACH = f"""
INSERT INTO receipt ({_COLUMNS})
SELECT receipt_id, exchange_id, kind, agency, event_id, issue_time, payload, signature, key_id
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::bytea[],
    $9::bytea[], $10::bytea[])
    AS issued (key, receipt_id, exchange_id, kind, agency, event_id, issue_time, payload, signature, key_id)
WHERE key IN ({{happened}})
"""  # noqa: S608 - columns are a constant
_KEEP_SIGNER = "INSERT INTO receipt_signer (key_id, certificates) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_LIST = f"""
SELECT {_COLUMNS}, certificates FROM receipt JOIN receipt_signer USING (key_id)
WHERE exchange_id = $1 AND receipt_id > $2 AND ($3::uuid IS NULL OR agency = $3) ORDER BY receipt_id LIMIT $4
"""  # noqa: S608
_GET = f"""
SELECT {_COLUMNS}, certificates FROM receipt JOIN receipt_signer USING (key_id)
WHERE exchange_id = $1 AND receipt_id = $2 AND ($3::uuid IS NULL OR agency = $3)
"""  # noqa: S608
_DIGESTS = "SELECT sha256, dossier_root FROM exchange WHERE exchange_id = $1"
_UNREAD = """
SELECT sha256, dossier_root FROM exchange WHERE exchange_id = $1
    AND NOT EXISTS (SELECT FROM receipt WHERE exchange_id = $1 AND agency = $2 AND kind = 'READING')
"""
_FIRST = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class ExchangeDigests:
    """What a receipt states of the exchange itself."""

    sha256: bytes
    """Of the exchange as committed."""
    dossier_root: bytes
    """Of the dossier version that goes along; empty where none does."""


@dataclass(frozen=True)
class IssuedReceipt:
    """A signed receipt as it is kept."""

    name: str
    kind: str
    """`SUBMISSION`, `DELIVERY`, `ACCEPTANCE` or `READING`."""
    agency: str
    event_id: str
    issue_time: datetime
    payload: bytes
    signature: bytes
    key_id: bytes


@dataclass(frozen=True)
class StoredReceipt:
    """A receipt with the certificates that its signature is verified by, in DER, signer first."""

    receipt: IssuedReceipt
    certificates: Sequence[bytes]


async def digests_of(transaction: Transaction, exchange: str) -> ExchangeDigests:
    """Return the digests of an exchange that is there."""
    row = await transaction.fetchrow(_DIGESTS, EXCHANGE.parse(exchange)["exchange"])
    assert row is not None
    return _digests(row)


async def insert_receipt(transaction: Transaction | Writes, receipt: IssuedReceipt) -> None:
    """Keep a receipt in the transaction of the step it attests."""
    await transaction.execute(_INSERT, *_row(receipt))


async def insert_each(writes: Writes, receipts: Mapping[str, IssuedReceipt], happened: str) -> None:
    """Keep those of `receipts` whose key, a UUID, is among what the query `happened` over the other writes gives."""
    columns = zip(*(_row(receipt) for receipt in receipts.values()), strict=True)
    await writes.execute(_INSERT_EACH.format(happened=happened), list(receipts), *(list(column) for column in columns))


class ReceiptStore:
    """Reads receipts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep_signer(self, key_id: bytes, certificates: Sequence[bytes]) -> None:
        """Keep the certificates of a signing key, before anything is signed with it."""
        await self._database.execute(_KEEP_SIGNER, key_id, certificates)

    async def unread(self, exchange: str, agency: str) -> ExchangeDigests | None:
        """Return the digests of an exchange that no officer of `agency` has opened yet; None of one that was opened."""
        row = await self._database.fetchrow(_UNREAD, EXCHANGE.parse(exchange)["exchange"], _agency_id(agency))
        return _digests(row) if row is not None else None

    async def get(self, name: str, agency: str | None) -> StoredReceipt | None:
        """Return a receipt, None when there is none; with `agency` only one of that agency's own steps."""
        parts = RECEIPT.parse(name)
        row = await self._database.fetchrow(_GET, parts["exchange"], parts["receipt"], _agency_id(agency))
        return _stored(row) if row is not None else None

    async def list_of_exchange(
        self, exchange: str, agency: str | None, *, after: str, limit: int
    ) -> list[StoredReceipt]:
        """Return receipts of an exchange, oldest first, from after the id `after` on, at most `limit`; with `agency`
        only those of that agency's own steps."""
        exchange_id = EXCHANGE.parse(exchange)["exchange"]
        rows = await self._database.fetch(_LIST, exchange_id, after or _FIRST, _agency_id(agency), limit)
        return [_stored(row) for row in rows]


def _row(receipt: IssuedReceipt) -> tuple[object, ...]:
    parts = RECEIPT.parse(receipt.name)
    return (
        parts["receipt"],
        parts["exchange"],
        receipt.kind,
        _agency_id(receipt.agency),
        receipt.event_id,
        receipt.issue_time,
        receipt.payload,
        receipt.signature,
        receipt.key_id,
    )


def _stored(row: Row) -> StoredReceipt:
    receipt = IssuedReceipt(
        name=RECEIPT.format(exchange=row["exchange_id"], receipt=row["receipt_id"]),
        kind=row["kind"],
        agency=AGENCY.format(agency=row["agency"]),
        event_id=str(row["event_id"]),
        issue_time=row["issue_time"],
        payload=row["payload"],
        signature=row["signature"],
        key_id=row["key_id"],
    )
    return StoredReceipt(receipt, row["certificates"])


def _digests(row: Row) -> ExchangeDigests:
    return ExchangeDigests(row["sha256"], row["dossier_root"] or b"")


def _agency_id(agency: str | None) -> str | None:
    return AGENCY.parse(agency)["agency"] if agency is not None else None
