"""Exchanges in the database. Their states move by compare-and-set alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from casemesh.core.names import AGENCY, CASE, DELIVERY, EXCHANGE, NODE
from casemesh.routing.paging import PAGE_MAX_BYTES
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.postgres import Database, Row, Transaction

_COLUMNS = """exchange_id, case_id, node, sender, recipient, answers, dossier_version, content, state, submit_time,
    deliver_time, accept_time, answer_time"""
# One statement, one round trip: the counter's row is locked from here to the end of the transaction.
_INSERT = """
WITH numbered AS (
    INSERT INTO delivery_counter AS counter (case_id, recipient, last_sequence) VALUES ($2, $5, 1)
    ON CONFLICT (case_id, recipient) DO UPDATE SET last_sequence = counter.last_sequence + 1
    RETURNING last_sequence
), committed AS (
    INSERT INTO exchange
        (exchange_id, case_id, node, sender, recipient, answers, dossier_version, content, sha256, state, submit_time)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'SUBMITTED', $10)
)
INSERT INTO delivery (delivery_id, exchange_id, case_id, recipient, delivery_sequence)
SELECT $11, $1, $2, $5, last_sequence FROM numbered
"""
_CASE_OF = "SELECT case_id FROM exchange WHERE exchange_id = $1"
_GET = f"SELECT {_COLUMNS} FROM exchange WHERE exchange_id = $1"  # noqa: S608 - columns are a constant
_LOCK = f"SELECT {_COLUMNS} FROM exchange WHERE exchange_id = $1 FOR UPDATE"  # noqa: S608
# The page is cut where its bytes would no longer fit a message; sizes are read without the contents.
_LIST = f"""
SELECT {_COLUMNS}, found FROM (
    SELECT {_COLUMNS}, count(*) OVER () AS found, sum(octet_length(content) + 1024) OVER (ORDER BY exchange_id) AS total
    FROM (
        SELECT {_COLUMNS} FROM exchange
        WHERE case_id = $1 AND (sender = $2 OR recipient = $2) AND exchange_id > $3
        ORDER BY exchange_id LIMIT $4
    ) AS candidate
) AS sized
WHERE total <= {PAGE_MAX_BYTES} ORDER BY exchange_id
"""  # noqa: S608
_DELIVER = """
UPDATE exchange SET state = 'DELIVERED', deliver_time = $2 WHERE exchange_id = $1 AND state = 'SUBMITTED'
"""
_ACCEPT = f"""
UPDATE exchange SET state = 'ACCEPTED', accept_time = $2 WHERE exchange_id = $1 AND state = 'DELIVERED'
RETURNING {_COLUMNS}
"""  # noqa: S608
_ANSWER = """
UPDATE exchange SET state = 'ANSWERED', answer_time = $2
WHERE exchange_id = $1 AND state IN ('DELIVERED', 'ACCEPTED')
"""
_STATES = {
    "SUBMITTED": exchange_pb2.EXCHANGE_STATE_SUBMITTED,
    "DELIVERED": exchange_pb2.EXCHANGE_STATE_DELIVERED,
    "ACCEPTED": exchange_pb2.EXCHANGE_STATE_ACCEPTED,
    "ANSWERED": exchange_pb2.EXCHANGE_STATE_ANSWERED,
}
_FIRST = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class ExchangePage:
    """A page of exchanges; `more` says that others come after."""

    exchanges: list[exchange_pb2.Exchange]
    more: bool


def digest_of(exchange: exchange_pb2.Exchange) -> bytes:
    """Return the SHA-256 of an exchange as committed: its deterministic serialisation in the state SUBMITTED."""
    return hashlib.sha256(exchange.SerializeToString(deterministic=True)).digest()


async def insert_exchange(transaction: Transaction, exchange: exchange_pb2.Exchange, delivery: str) -> None:
    """Store a new exchange and its delivery, which takes the next number of its case and recipient."""
    content = exchange_pb2.Exchange(
        parties=exchange.parties, fields=exchange.fields, translations=exchange.translations
    )
    await transaction.execute(
        _INSERT,
        EXCHANGE.parse(exchange.name)["exchange"],
        CASE.parse(exchange.case)["case"],
        NODE.parse(exchange.node)["node"],
        AGENCY.parse(exchange.sender)["agency"],
        AGENCY.parse(exchange.recipient)["agency"],
        EXCHANGE.parse(exchange.answers)["exchange"] if exchange.answers else None,
        exchange.dossier_version,
        content.SerializeToString(deterministic=True),
        digest_of(exchange),
        exchange.submit_time.ToDatetime(tzinfo=UTC),
        DELIVERY.parse(delivery)["delivery"],
    )


async def lock_exchange(transaction: Transaction, name: str) -> exchange_pb2.Exchange | None:
    """Return an exchange whose state nobody else moves before the transaction ends, or None."""
    row = await transaction.fetchrow(_LOCK, EXCHANGE.parse(name)["exchange"])
    return exchange_of(row) if row is not None else None


async def mark_delivered(transaction: Transaction, exchange_id: str, at: datetime) -> bool:
    """Move SUBMITTED to DELIVERED; False when it is no longer SUBMITTED."""
    return await transaction.execute(_DELIVER, exchange_id, at) == 1


async def mark_accepted(transaction: Transaction, name: str, at: datetime) -> exchange_pb2.Exchange | None:
    """Move DELIVERED to ACCEPTED and return the exchange; None when it is not DELIVERED."""
    row = await transaction.fetchrow(_ACCEPT, EXCHANGE.parse(name)["exchange"], at)
    return exchange_of(row) if row is not None else None


async def mark_answered(transaction: Transaction, name: str, at: datetime) -> bool:
    """Move DELIVERED or ACCEPTED to ANSWERED; False when it is neither."""
    return await transaction.execute(_ANSWER, EXCHANGE.parse(name)["exchange"], at) == 1


class ExchangeStore:
    """Reads exchanges."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def case_of(self, name: str) -> str | None:
        """Return the case of an exchange, or None when there is no such exchange."""
        case_id = await self._database.fetchval(_CASE_OF, EXCHANGE.parse(name)["exchange"])
        return CASE.format(case=case_id) if case_id is not None else None

    async def get(self, name: str) -> exchange_pb2.Exchange | None:
        """Return an exchange, or None when there is no such one."""
        row = await self._database.fetchrow(_GET, EXCHANGE.parse(name)["exchange"])
        return exchange_of(row) if row is not None else None

    async def list_of_case(self, case: str, agency: str, *, after: str, limit: int) -> ExchangePage:
        """Return exchanges of `case` that `agency` sent or received, oldest first, from after the id `after` on: at
        most `limit`, and no more than fit a message."""
        rows = await self._database.fetch(
            _LIST, CASE.parse(case)["case"], AGENCY.parse(agency)["agency"], after or _FIRST, limit + 1
        )
        found = rows[0]["found"] if rows else 0
        exchanges = [exchange_of(row) for row in rows[:limit]]
        return ExchangePage(exchanges, more=found > len(exchanges))


def exchange_of(row: Row) -> exchange_pb2.Exchange:
    """Return the exchange in a row that has all its columns."""
    exchange = exchange_pb2.Exchange.FromString(row["content"])
    exchange.name = EXCHANGE.format(exchange=row["exchange_id"])
    exchange.case = CASE.format(case=row["case_id"])
    exchange.node = NODE.format(node=row["node"])
    exchange.sender = AGENCY.format(agency=row["sender"])
    exchange.recipient = AGENCY.format(agency=row["recipient"])
    exchange.dossier_version = row["dossier_version"]
    if row["answers"] is not None:
        exchange.answers = EXCHANGE.format(exchange=row["answers"])
    exchange.state = _STATES[row["state"]]
    _stamp(exchange, row, ("submit_time", "deliver_time", "accept_time", "answer_time"))
    return exchange


def _stamp(exchange: exchange_pb2.Exchange, row: Row, columns: Sequence[str]) -> None:
    for column in columns:
        if row[column] is not None:
            getattr(exchange, column).FromDatetime(row[column])
