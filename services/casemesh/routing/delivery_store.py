"""Deliveries in the database: released once the recipient has access, leased, acknowledged.

A delivery is due from its release on and again whenever a lease has ended, so one column, `due_at`, says all of it.
Leases are taken with SKIP LOCKED by whoever asks, on any replica; nothing waits for another case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from casemesh.core.names import AGENCY, CASE, DELIVERY, EXCHANGE
from casemesh.routing.exchange_store import exchange_of
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.postgres import Database, Transaction

_LOCK_COUNTER = "SELECT last_sequence FROM delivery_counter WHERE case_id = $1 AND recipient = $2 FOR UPDATE"
# In the order of their numbers: what an earlier one still owes holds a later one of the same case and recipient. A
# statement does not see its own changes, so the exchange in hand counts as fulfilled by its id.
_RELEASE = """
UPDATE delivery
SET fulfilled = fulfilled OR exchange_id = $3,
    due_at = CASE WHEN (fulfilled OR exchange_id = $3) AND NOT EXISTS (
        SELECT FROM delivery AS earlier
        WHERE earlier.case_id = $1 AND earlier.recipient = $2 AND earlier.due_at IS NULL AND NOT earlier.fulfilled
            AND earlier.exchange_id <> $3 AND earlier.delivery_sequence < delivery.delivery_sequence
    ) THEN clock_timestamp() END
WHERE case_id = $1 AND recipient = $2 AND due_at IS NULL
"""
_LEASE = """
WITH due AS (
    SELECT delivery_id, due_at FROM delivery
    WHERE recipient = $1 AND acknowledge_time IS NULL AND due_at <= now()
    ORDER BY due_at, case_id, delivery_sequence LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE delivery SET due_at = clock_timestamp() + $3, attempt = attempt + 1, lease_id = $4, lease_holder = $5
FROM due, exchange
WHERE delivery.delivery_id = due.delivery_id AND exchange.exchange_id = delivery.exchange_id
RETURNING delivery.delivery_id, delivery.delivery_sequence, delivery.attempt, delivery.due_at AS lease_expire_time,
    due.due_at AS was_due_at, exchange.exchange_id, exchange.case_id, exchange.node, exchange.sender,
    exchange.recipient, exchange.answers, exchange.dossier_version, exchange.content, exchange.state,
    exchange.submit_time, exchange.deliver_time, exchange.accept_time, exchange.answer_time
"""
_END_LEASES = """
UPDATE delivery SET due_at = clock_timestamp()
WHERE delivery_id = ANY($1::uuid[]) AND lease_id = $2 AND acknowledge_time IS NULL AND due_at > clock_timestamp()
"""
_LOCK = """
SELECT attempt, acknowledge_time, lease_holder, due_at > clock_timestamp() AS leased, recipient, case_id, exchange_id
FROM delivery WHERE delivery_id = $1 AND exchange_id = $2 FOR UPDATE
"""
_ACKNOWLEDGE = "UPDATE delivery SET acknowledge_time = $2 WHERE delivery_id = $1"
_DUE_FOR = """
SELECT agency FROM unnest($1::uuid[]) AS agency WHERE EXISTS (
    SELECT FROM delivery
    WHERE recipient = agency AND acknowledge_time IS NULL AND due_at <= now()
)
"""


@dataclass(frozen=True)
class LockedDelivery:
    """A delivery that nobody else changes before the transaction ends."""

    recipient: str
    case: str
    exchange: str
    acknowledged: bool
    attempt: int
    leased: bool
    """Whether a lease runs now."""
    lease_holder: str
    """The system that took the last lease."""


async def release(transaction: Transaction, exchange_id: str, case: str, recipient: str) -> None:
    """Say that the recipient has what access the exchange brings, and make due what nothing holds any more."""
    case_id, agency_id = CASE.parse(case)["case"], AGENCY.parse(recipient)["agency"]
    await transaction.execute(_LOCK_COUNTER, case_id, agency_id)
    await transaction.execute(_RELEASE, case_id, agency_id, exchange_id)


async def lock_delivery(transaction: Transaction, name: str) -> LockedDelivery | None:
    """Lock a delivery; None when there is no such one."""
    parts = DELIVERY.parse(name)
    row = await transaction.fetchrow(_LOCK, parts["delivery"], parts["exchange"])
    if row is None:
        return None
    return LockedDelivery(
        recipient=AGENCY.format(agency=row["recipient"]),
        case=CASE.format(case=row["case_id"]),
        exchange=EXCHANGE.format(exchange=row["exchange_id"]),
        acknowledged=row["acknowledge_time"] is not None,
        attempt=row["attempt"],
        leased=bool(row["leased"]),
        lease_holder=row["lease_holder"],
    )


async def mark_acknowledged(transaction: Transaction, name: str, at: datetime) -> None:
    """Keep that the recipient has stored a delivery; it does not come again."""
    await transaction.execute(_ACKNOWLEDGE, DELIVERY.parse(name)["delivery"], at)


class DeliveryStore:
    """Leases deliveries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lease(
        self, agency: str, system: str, *, lease_id: str, lease_seconds: float, limit: int
    ) -> list[exchange_pb2.Delivery]:
        """Take up to `limit` due deliveries of `agency`, those longest due first, each for `lease_seconds`.

        What two ask for at once is given to one of them. First attempts of one case come in the order of their numbers.
        """
        rows = await self._database.fetch(
            _LEASE, AGENCY.parse(agency)["agency"], limit, timedelta(seconds=lease_seconds), lease_id, system
        )
        deliveries = []
        for row in sorted(rows, key=lambda row: (row["was_due_at"], row["case_id"], row["delivery_sequence"])):
            exchange = exchange_of(row)
            delivery = exchange_pb2.Delivery(
                name=f"{exchange.name}/deliveries/{row['delivery_id']}",
                exchange=exchange,
                delivery_sequence=row["delivery_sequence"],
                attempt=row["attempt"],
            )
            delivery.lease_expire_time.FromDatetime(row["lease_expire_time"])
            deliveries.append(delivery)
        return deliveries

    async def end_leases(self, names: Sequence[str], lease_id: str) -> None:
        """Make deliveries due at once that are still under this lease, so that the next receiver need not wait."""
        await self._database.execute(_END_LEASES, [DELIVERY.parse(name)["delivery"] for name in names], lease_id)

    async def due_for(self, agencies: Sequence[str]) -> list[str]:
        """Return those of `agencies` for which something is due."""
        rows = await self._database.fetch(_DUE_FOR, [AGENCY.parse(agency)["agency"] for agency in agencies])
        return [AGENCY.format(agency=row["agency"]) for row in rows]
