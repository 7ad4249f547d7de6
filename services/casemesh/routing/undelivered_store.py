"""Deliveries that have not arrived, and the reports of them, in the database."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from casemesh.core.ids import new_id
from casemesh.core.names import AGENCY, CASE, DELIVERY, DELIVERY_REPORT, EXCHANGE
from casemesh.routing.v1 import delivery_pb2
from casemesh.runtime.postgres import Database, Row, Transaction

_PUT = "delivery_id, exchange_id, case_id, recipient, attempt, reason, detail"
_SET_ASIDE_EXHAUSTED = f"""
UPDATE delivery SET set_aside_time = now(), due_at = 'infinity', reason = 'ATTEMPTS_EXHAUSTED',
    overdue_time = coalesce(overdue_time, now())
WHERE delivery_id IN (
    SELECT delivery_id FROM delivery
    WHERE acknowledge_time IS NULL AND attempt > 0 AND due_at <= now() AND attempt - forgiven_attempts >= $1
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING {_PUT}
"""  # noqa: S608 - columns are a constant
_FIND_OVERDUE = f"""
UPDATE delivery SET overdue_time = now(), reason = 'OVERDUE'
WHERE delivery_id IN (
    SELECT delivery_id FROM delivery
    WHERE acknowledge_time IS NULL AND overdue_time IS NULL AND delivery_id < $1 AND delivery_sequence IS NOT NULL
    ORDER BY delivery_id LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING {_PUT}
"""  # noqa: S608
_SET_ASIDE = f"""
UPDATE delivery SET set_aside_time = now(), due_at = 'infinity', reason = $2, detail = $3,
    overdue_time = coalesce(overdue_time, now())
WHERE delivery_id = $1 RETURNING {_PUT}
"""  # noqa: S608
_REDRIVE = """
UPDATE delivery SET set_aside_time = NULL, due_at = clock_timestamp(), forgiven_attempts = attempt, reason = '',
detail = '' WHERE delivery_id = $1
"""
# The other side of the exchange is told, which for a notice to its sender is the recipient.
_REPORT = """
INSERT INTO delivery_report
    (report_id, delivery_id, exchange_id, case_id, agency, recipient, reason, detail, report_time)
SELECT $1, $2, $3, $4, CASE WHEN exchange.sender = $5 THEN exchange.recipient ELSE exchange.sender END, $5, $6, $7, $8
FROM exchange WHERE exchange_id = $3 RETURNING agency
"""
_REPORTS = """
SELECT report_id, delivery_id, exchange_id, case_id, recipient, reason, detail, report_time
FROM delivery_report WHERE agency = $1 AND acknowledge_time IS NULL AND report_id > $2 ORDER BY report_id LIMIT $3
"""
# Not all that is open: one that nobody acknowledges would wake its receivers for good.
_REPORTED_TO = """
SELECT agency FROM unnest($1::uuid[]) AS asked (agency) WHERE EXISTS (
    SELECT FROM delivery_report WHERE delivery_report.agency = asked.agency AND acknowledge_time IS NULL
        AND report_time > now() - interval '10 seconds'
)
"""
_ACKNOWLEDGE_REPORT = """
UPDATE delivery_report SET acknowledge_time = now()
WHERE report_id = $1 AND exchange_id = $2 AND agency = $3 AND acknowledge_time IS NULL RETURNING case_id
"""
_REPORT_IS_THERE = "SELECT FROM delivery_report WHERE report_id = $1 AND exchange_id = $2 AND agency = $3"
_STATUS = """delivery.delivery_id, delivery.exchange_id, delivery.case_id, exchange.sender,
    delivery.recipient AS put_before, purpose, delivery_sequence, attempt, reason, detail, due_at, acknowledge_time,
    set_aside_time"""
_OF_EXCHANGE = f"""
SELECT {_STATUS} FROM delivery JOIN exchange USING (exchange_id)
WHERE exchange_id = $1 AND delivery_id > $3
    AND (exchange.sender = $2 OR delivery.recipient = $2 AND delivery_sequence IS NOT NULL)
ORDER BY delivery_id LIMIT $4
"""  # noqa: S608
_AMISS = f"""
SELECT {_STATUS} FROM delivery JOIN exchange USING (exchange_id)
WHERE delivery_id IN (
    (SELECT delivery_id FROM delivery WHERE recipient = $1 AND acknowledge_time IS NULL AND reason <> ''
        AND delivery_id > $2 ORDER BY delivery_id LIMIT $3)
    UNION
    (SELECT delivery_id FROM delivery_report JOIN delivery USING (delivery_id) WHERE agency = $1
        AND delivery.acknowledge_time IS NULL AND delivery.reason <> '' AND delivery_id > $2
        ORDER BY delivery_id LIMIT $3)
) ORDER BY delivery_id LIMIT $3
"""  # noqa: S608
_OF_DELIVERY = f"SELECT {_STATUS} FROM delivery JOIN exchange USING (exchange_id) WHERE delivery_id = $1"  # noqa: S608
_FIRST = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Undelivered:
    """A delivery that has not arrived."""

    name: str
    exchange: str
    case: str
    recipient: str
    attempt: int
    reason: str
    """A value of UndeliveredReason without its prefix."""
    detail: str


async def take_exhausted(transaction: Transaction, max_attempts: int, limit: int) -> list[Undelivered]:
    """Set aside what was put before its recipient as often as is allowed, and whose last lease and pause have ended."""
    return [_undelivered(row) for row in await transaction.fetch(_SET_ASIDE_EXHAUSTED, max_attempts, limit)]


async def take_overdue(transaction: Transaction, before: datetime, limit: int) -> list[Undelivered]:
    """Mark what was committed before an instant and has not arrived; each once."""
    return [_undelivered(row) for row in await transaction.fetch(_FIND_OVERDUE, _least_id_at(before), limit)]


async def set_aside(transaction: Transaction, name: str, reason: str, detail: str) -> Undelivered:
    """Set a locked delivery aside."""
    row = await transaction.fetchrow(_SET_ASIDE, DELIVERY.parse(name)["delivery"], reason, detail)
    assert row is not None
    return _undelivered(row)


async def redrive(transaction: Transaction, name: str) -> None:
    """Make a locked delivery due at once, with all attempts anew."""
    await transaction.execute(_REDRIVE, DELIVERY.parse(name)["delivery"])


async def insert_report(transaction: Transaction, undelivered: Undelivered, at: datetime) -> str:
    """Keep a report for the other side of the exchange and return that agency."""
    parts = DELIVERY.parse(undelivered.name)
    agency_id = await transaction.fetchval(
        _REPORT,
        new_id(),
        parts["delivery"],
        parts["exchange"],
        CASE.parse(undelivered.case)["case"],
        AGENCY.parse(undelivered.recipient)["agency"],
        undelivered.reason,
        undelivered.detail,
        at,
    )
    return AGENCY.format(agency=agency_id)


async def acknowledge_report(transaction: Transaction, name: str, agency: str) -> str | None:
    """Keep that `agency` knows of its report and return the report's case; None when it knew before."""
    case_id = await transaction.fetchval(_ACKNOWLEDGE_REPORT, *_report_ids(name, agency))
    return CASE.format(case=case_id) if case_id is not None else None


async def has_report(transaction: Transaction, name: str, agency: str) -> bool:
    """Say whether there is such a report for `agency`."""
    return await transaction.fetchrow(_REPORT_IS_THERE, *_report_ids(name, agency)) is not None


def _report_ids(name: str, agency: str) -> tuple[str, str, str]:
    parts = DELIVERY_REPORT.parse(name)
    return parts["report"], parts["exchange"], AGENCY.parse(agency)["agency"]


async def status_of(transaction: Transaction, name: str) -> delivery_pb2.DeliveryStatus:
    """Return a delivery that is there as it stands, as its recipient sees it."""
    row = await transaction.fetchrow(_OF_DELIVERY, DELIVERY.parse(name)["delivery"])
    assert row is not None
    return _status(row, row["put_before"])


class UndeliveredStore:
    """Reads how far deliveries have come."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reports(self, agency: str, *, after: str = "", limit: int) -> list[delivery_pb2.DeliveryReport]:
        """Return reports for `agency` that it has not acknowledged, oldest first, after the one named `after`."""
        last = DELIVERY_REPORT.parse(after)["report"] if after else _FIRST
        return [
            _report(row) for row in await self._database.fetch(_REPORTS, AGENCY.parse(agency)["agency"], last, limit)
        ]

    async def reported_to(self, agencies: Sequence[str]) -> list[str]:
        """Return those of `agencies` for which there is a new report."""
        rows = await self._database.fetch(_REPORTED_TO, [AGENCY.parse(agency)["agency"] for agency in agencies])
        return [AGENCY.format(agency=row["agency"]) for row in rows]

    async def of_exchange(
        self, exchange: str, agency: str, *, after: str, limit: int
    ) -> list[delivery_pb2.DeliveryStatus]:
        """Return deliveries of an exchange, oldest first: all to its sender, else those to `agency`."""
        agency_id = AGENCY.parse(agency)["agency"]
        exchange_id = EXCHANGE.parse(exchange)["exchange"]
        rows = await self._database.fetch(_OF_EXCHANGE, exchange_id, agency_id, after or _FIRST, limit)
        return [_status(row, agency_id) for row in rows]

    async def amiss(self, agency: str, *, after: str, limit: int) -> list[delivery_pb2.DeliveryStatus]:
        """Return what has not arrived, from or to `agency`, oldest first."""
        agency_id = AGENCY.parse(agency)["agency"]
        rows = await self._database.fetch(_AMISS, agency_id, after or _FIRST, limit)
        return [_status(row, agency_id) for row in rows]


def _least_id_at(instant: datetime) -> uuid.UUID:
    """Return what no UUIDv7 made at or after `instant` is below."""
    return uuid.UUID(int=int(instant.timestamp() * 1000) << 80)


def _undelivered(row: Row) -> Undelivered:
    exchange = EXCHANGE.format(exchange=row["exchange_id"])
    return Undelivered(
        name=f"{exchange}/deliveries/{row['delivery_id']}",
        exchange=exchange,
        case=CASE.format(case=row["case_id"]),
        recipient=AGENCY.format(agency=row["recipient"]),
        attempt=row["attempt"],
        reason=row["reason"],
        detail=row["detail"],
    )


def _report(row: Row) -> delivery_pb2.DeliveryReport:
    report = delivery_pb2.DeliveryReport(
        name=DELIVERY_REPORT.format(exchange=row["exchange_id"], report=row["report_id"]),
        case=CASE.format(case=row["case_id"]),
        delivery=DELIVERY.format(exchange=row["exchange_id"], delivery=row["delivery_id"]),
        recipient=AGENCY.format(agency=row["recipient"]),
        reason=f"UNDELIVERED_REASON_{row['reason'] or 'UNSPECIFIED'}",
        detail=row["detail"],
    )
    report.report_time.FromDatetime(row["report_time"])
    return report


def _status(row: Row, seen_by: object) -> delivery_pb2.DeliveryStatus:
    status = delivery_pb2.DeliveryStatus(
        name=DELIVERY.format(exchange=row["exchange_id"], delivery=row["delivery_id"]),
        case=CASE.format(case=row["case_id"]),
        sender=AGENCY.format(agency=row["sender"]),
        recipient=AGENCY.format(agency=row["put_before"]),
        purpose=f"DELIVERY_PURPOSE_{row['purpose']}",
        state=_state(row),
        attempt=row["attempt"],
        reason=f"UNDELIVERED_REASON_{row['reason'] or 'UNSPECIFIED'}",
        detail=row["detail"],
    )
    if str(seen_by) == str(row["put_before"]):
        status.delivery_sequence = row["delivery_sequence"]
    times: Mapping[str, datetime | None] = {
        "acknowledge_time": row["acknowledge_time"],
        "set_aside_time": row["set_aside_time"],
        "next_attempt_time": row["due_at"] if status.state in _COMES_AGAIN else None,
    }
    for name, instant in times.items():
        if instant is not None:
            getattr(status, name).FromDatetime(instant.astimezone(UTC))
    return status


_COMES_AGAIN: Sequence[delivery_pb2.DeliveryState] = (
    delivery_pb2.DELIVERY_STATE_WAITING,
    delivery_pb2.DELIVERY_STATE_OFFERED,
)


def _state(row: Row) -> delivery_pb2.DeliveryState:
    if row["acknowledge_time"] is not None:
        return delivery_pb2.DELIVERY_STATE_ACKNOWLEDGED
    if row["delivery_sequence"] is None:
        return delivery_pb2.DELIVERY_STATE_WITHHELD
    if row["set_aside_time"] is not None:
        return delivery_pb2.DELIVERY_STATE_SET_ASIDE
    return delivery_pb2.DELIVERY_STATE_OFFERED if row["attempt"] else delivery_pb2.DELIVERY_STATE_WAITING
