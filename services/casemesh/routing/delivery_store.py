"""Deliveries in the database: leased, acknowledged, given back.

A delivery is due from its release on and again whenever a lease has ended, so one column, `due_at`, says all of it;
what is set aside is due at infinity. Leases are taken with SKIP LOCKED by whoever asks, on any replica; nothing waits
for another case. After each attempt but the first the next waits longer, by a random part, so that what fails
together comes apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from casemesh.audit.v1 import event_pb2
from casemesh.core.names import AGENCY, DELIVERY
from casemesh.routing.exchange_states import MOVES, Step
from casemesh.routing.exchange_store import QUALIFIED_COLUMNS, exchange_of
from casemesh.routing.receipt_store import ExchangeDigests, IssuedReceipt, insert_each
from casemesh.routing.v1 import delivery_pb2, exchange_pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import record_each
from casemesh.runtime.postgres import Database, Row, Transaction, Writes

_EXCHANGE_COLUMNS = f"{QUALIFIED_COLUMNS}, exchange.sha256, exchange.dossier_root"
# Seconds to wait after {attempts} failed ones: none after the first, then doubling to five minutes.
_PAUSE = """CASE WHEN {attempts} > 1 THEN interval '1 second' * least(300, 2.0 ^ least({attempts} - 2, 9))
    * (0.5 + random() / 2) ELSE interval '0' END"""
_OPEN = "recipient = $1 AND acknowledge_time IS NULL AND due_at <= now() AND attempt - forgiven_attempts < $6"
# What was leased together has one time, so that it comes again in the order of its numbers.
# Heavy ones have a share of the room of their own, so that neither kind waits for the other; the small go first.
_LEASE = f"""
WITH heavy_due AS (
    SELECT delivery_id, due_at FROM delivery WHERE heavy AND {_OPEN}
    ORDER BY due_at, case_id, delivery_sequence LIMIT $7 FOR UPDATE SKIP LOCKED
), small_due AS (
    SELECT delivery_id, due_at FROM delivery WHERE NOT heavy AND {_OPEN}
        AND NOT EXISTS (SELECT FROM delivery AS earlier WHERE earlier.heavy AND earlier.attempt = 0
            AND earlier.case_id = delivery.case_id AND earlier.recipient = delivery.recipient
            AND earlier.delivery_sequence < delivery.delivery_sequence)
    ORDER BY due_at, case_id, delivery_sequence LIMIT $2 - (SELECT count(*) FROM heavy_due) FOR UPDATE SKIP LOCKED
), due AS (SELECT * FROM small_due UNION ALL SELECT * FROM heavy_due)
UPDATE delivery SET attempt = attempt + 1, lease_id = $4, lease_holder = $5,
    due_at = now() + $3 + {_PAUSE.format(attempts="(attempt + 1 - forgiven_attempts)")}
FROM due, exchange
WHERE delivery.delivery_id = due.delivery_id AND exchange.exchange_id = delivery.exchange_id
RETURNING delivery.delivery_id, delivery.delivery_sequence, delivery.attempt, delivery.purpose, delivery.heavy,
    now() + $3 AS lease_expire_time, due.due_at AS was_due_at, {_EXCHANGE_COLUMNS}
"""  # noqa: S608 - composed of this module's constants
_END_LEASES = f"""
UPDATE delivery SET due_at = now() + {_PAUSE.format(attempts="(attempt - forgiven_attempts)")}
WHERE delivery_id = ANY($1::uuid[]) AND lease_id = $2 AND acknowledge_time IS NULL AND due_at > clock_timestamp()
    AND set_aside_time IS NULL
"""  # noqa: S608
_LOCK = f"""
SELECT delivery.delivery_id, delivery_sequence, attempt, purpose, heavy, acknowledge_time, lease_holder, set_aside_time,
    due_at > clock_timestamp() AND set_aside_time IS NULL AS leased, delivery.recipient AS put_before,
    {_EXCHANGE_COLUMNS}
FROM delivery JOIN exchange USING (exchange_id)
WHERE delivery_id = $1 AND exchange_id = $2 FOR UPDATE OF delivery
"""  # noqa: S608
_ACKNOWLEDGE = """
UPDATE delivery SET acknowledge_time = $2, set_aside_time = NULL, reason = '', detail = '' WHERE delivery_id = $1
"""
_ACKNOWLEDGE_LEASED = """
UPDATE delivery SET acknowledge_time = $2
WHERE delivery_id = ANY($1::uuid[]) AND lease_id = $3 AND acknowledge_time IS NULL AND set_aside_time IS NULL
RETURNING delivery_id, exchange_id, purpose
"""
_DELIVER_ACKNOWLEDGED = """
UPDATE exchange SET state = 'DELIVERED', deliver_time = $1 FROM acknowledged
WHERE exchange.exchange_id = acknowledged.exchange_id AND purpose = 'HANDLE' AND state = ANY($2)
"""
_DUE_FOR = """
SELECT agency FROM unnest($1::uuid[]) AS asked (agency) WHERE EXISTS (
    SELECT FROM delivery
    WHERE recipient = asked.agency AND acknowledge_time IS NULL AND due_at <= now() AND attempt - forgiven_attempts < $2
)
"""
_PURPOSES: Mapping[str, delivery_pb2.DeliveryPurpose] = {
    "HANDLE": delivery_pb2.DELIVERY_PURPOSE_HANDLE,
    "COPY": delivery_pb2.DELIVERY_PURPOSE_COPY,
    "CHANGE": delivery_pb2.DELIVERY_PURPOSE_CHANGE,
}


@dataclass(frozen=True)
class Leased:
    """A delivery under a lease, with what a receipt of it states."""

    message: exchange_pb2.Delivery
    heavy: bool
    digests: ExchangeDigests


@dataclass(frozen=True)
class LockedDelivery:
    """A delivery that nobody else changes before the transaction ends."""

    leased: Leased
    recipient: str
    """The agency it is put before."""
    acknowledged: bool
    set_aside: bool
    lease_runs: bool
    lease_holder: str
    """The system that took the last lease."""


@dataclass(frozen=True)
class Acknowledgement:
    """What is written when a leased delivery is acknowledged."""

    event: event_pb2.Event
    receipt: IssuedReceipt


async def lock_delivery(transaction: Transaction, name: str) -> LockedDelivery | None:
    """Lock a delivery; None when there is no such one."""
    parts = DELIVERY.parse(name)
    row = await transaction.fetchrow(_LOCK, parts["delivery"], parts["exchange"])
    if row is None:
        return None
    return LockedDelivery(
        leased=_leased(row),
        recipient=AGENCY.format(agency=row["put_before"]),
        acknowledged=row["acknowledge_time"] is not None,
        set_aside=row["set_aside_time"] is not None,
        lease_runs=bool(row["leased"]),
        lease_holder=row["lease_holder"],
    )


async def mark_acknowledged(transaction: Transaction, name: str, at: datetime) -> None:
    """Keep that the recipient has stored a delivery; it does not come again."""
    await transaction.execute(_ACKNOWLEDGE, DELIVERY.parse(name)["delivery"], at)


class DeliveryStore:
    """Leases deliveries. One that was put before its recipient `max_attempts` times is leased no more."""

    def __init__(self, database: Database, max_attempts: int) -> None:
        self._database = database
        self._max_attempts = max_attempts

    async def lease(
        self, agency: str, system: str, *, lease_id: str, lease_seconds: float, limit: int, heavy_limit: int
    ) -> list[Leased]:
        """Take up to `limit` due deliveries of `agency`, those longest due first, each for `lease_seconds`; of the
        heavy ones among them up to `heavy_limit`.

        What two ask for at once is given to one of them. First attempts of one case come in the order of their numbers.
        """
        rows = await self._database.fetch(
            _LEASE,
            AGENCY.parse(agency)["agency"],
            limit,
            timedelta(seconds=lease_seconds),
            lease_id,
            system,
            self._max_attempts,
            heavy_limit,
        )
        return [_leased(row) for row in sorted(rows, key=_turn)]

    async def end_leases(self, names: Sequence[str], lease_id: str) -> None:
        """Make deliveries due again that are still under this lease, so that the next receiver need not wait for it."""
        await self._database.execute(_END_LEASES, [DELIVERY.parse(name)["delivery"] for name in names], lease_id)

    async def acknowledge(
        self, call: Call, lease_id: str, kept: Mapping[str, Acknowledgement], at: datetime
    ) -> set[str]:
        """Keep that deliveries are stored that are still under this lease, with their events and receipts, in one
        transaction; return the names of those for which that held."""
        ids = {DELIVERY.parse(name)["delivery"]: name for name in kept}
        writes = Writes()
        writes.add("acknowledged", _ACKNOWLEDGE_LEASED, list(ids), at, lease_id)
        await writes.execute(_DELIVER_ACKNOWLEDGED, at, sorted(MOVES[Step.DELIVER].sources))
        acknowledged = "SELECT delivery_id FROM acknowledged"
        await record_each(writes, call, {key: kept[name].event for key, name in ids.items()}, acknowledged)
        await insert_each(writes, {key: kept[name].receipt for key, name in ids.items()}, acknowledged)
        row = await self._database.write(writes, "SELECT array_agg(delivery_id) AS delivery_ids FROM acknowledged")
        assert row is not None
        return {ids[str(delivery_id)] for delivery_id in row["delivery_ids"] or ()}

    async def due_for(self, agencies: Sequence[str]) -> list[str]:
        """Return those of `agencies` for which something is due."""
        asked = [AGENCY.parse(agency)["agency"] for agency in agencies]
        rows = await self._database.fetch(_DUE_FOR, asked, self._max_attempts)
        return [AGENCY.format(agency=row["agency"]) for row in rows]


def _turn(row: Row) -> tuple[object, ...]:
    return row["heavy"], row["was_due_at"], row["case_id"], row["delivery_sequence"]


def _leased(row: Row) -> Leased:
    exchange = exchange_of(row)
    delivery = exchange_pb2.Delivery(
        name=f"{exchange.name}/deliveries/{row['delivery_id']}",
        delivery_sequence=row["delivery_sequence"],
        attempt=row["attempt"],
        purpose=_PURPOSES[row["purpose"]],
    )
    delivery.exchange.CopyFrom(exchange)
    if "lease_expire_time" in row:
        delivery.lease_expire_time.FromDatetime(row["lease_expire_time"])
    return Leased(delivery, row["heavy"], ExchangeDigests(row["sha256"], row["dossier_root"] or b""))
