"""Alerts and decoys in PostgreSQL.

Lists are for supervisors: their statements ask for the supervision, so that it is of the same moment as the answer.
Writes take the caller's transaction.
"""

# ruff: noqa: S608 - statements are composed of this package's constants alone

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from casemesh.core.names import CASE
from casemesh.identity.facts import officer_name
from casemesh.identity.v1.access_monitoring_service_pb2 import (
    AccessAlert,
    AccessAlertResolution,
    AccessAlertRule,
    Decoy,
)
from casemesh.runtime.postgres import Database, Row, Transaction

_SUPERVISED = """EXISTS (SELECT 1 FROM supervision WHERE supervision.agency_id = $1 AND supervision.officer_id = $2
    AND supervision.valid_from <= now() AND (supervision.valid_until IS NULL OR supervision.valid_until > now()))"""
_SUPERVISES = f"SELECT {_SUPERVISED}"
_ALERT = """access_alert.id, access_alert.agency_id, rule, officer_agency_id, access_alert.officer_id, case_id,
    observed, limit_count, created_at, resolution, resolver_id, resolve_reason, resolved_at"""
_INSERT = """
INSERT INTO access_alert (id, agency_id, rule, officer_agency_id, officer_id, case_id, observed, limit_count)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id
"""
_LIST = f"""
SELECT {_ALERT} FROM access_alert
WHERE agency_id = $1 AND officer_id <> $2 AND id > $3 AND ($4 OR resolution = 0) AND {_SUPERVISED}
ORDER BY id LIMIT $5
"""
_LOCK = f"""
SELECT {_ALERT} FROM access_alert WHERE agency_id = $1 AND officer_id <> $2 AND id = $3 AND {_SUPERVISED} FOR UPDATE
"""
_RESOLVE = f"""
UPDATE access_alert SET resolution = $2, resolver_id = $3, resolve_reason = $4, resolved_at = clock_timestamp()
WHERE id = $1 AND resolution = 0 RETURNING {_ALERT}
"""
_DECOY = "id, case_id, agency_id, officer_id, reason, valid_from, valid_until"
_LAST_DECOY = f"""
SELECT {_DECOY} FROM decoy WHERE case_id = $1 AND agency_id = $2 ORDER BY valid_until IS NULL DESC, id DESC LIMIT 1
"""
_INSERT_DECOY = f"""
INSERT INTO decoy (id, case_id, agency_id, officer_id, reason) VALUES ($1, $2, $3, $4, $5) RETURNING {_DECOY}
"""
_END_DECOY = f"""
UPDATE decoy SET valid_until = greatest(clock_timestamp(), valid_from), ended_by = $3, end_reason = $4
WHERE case_id = $1 AND agency_id = $2 AND valid_until IS NULL RETURNING {_DECOY}
"""
_DECOYS = f"""
SELECT {_DECOY} FROM decoy WHERE agency_id = $1 AND valid_until IS NULL AND id > $3 AND {_SUPERVISED}
ORDER BY id LIMIT $4
"""


@dataclass(frozen=True)
class StoredAlert:
    """One alert. Identifiers are UUIDs as text."""

    alert_id: str
    agency_id: str
    rule: AccessAlertRule
    officer_agency_id: str
    officer_id: str
    case_id: str | None
    observed: int
    limit: int
    created_at: datetime
    resolution: AccessAlertResolution
    resolver_id: str | None
    resolve_reason: str
    resolved_at: datetime | None

    def message(self) -> AccessAlert:
        """Return it as the contract has it."""
        alert = AccessAlert(
            alert=self.alert_id,
            rule=self.rule,
            officer=officer_name(self.officer_agency_id, self.officer_id),
            case=CASE.format(case=self.case_id) if self.case_id is not None else "",
            observed_count=self.observed,
            limit_count=self.limit,
            resolution=self.resolution,
            resolved_by=officer_name(self.agency_id, self.resolver_id),
            resolve_reason=self.resolve_reason,
        )
        alert.create_time.FromDatetime(self.created_at)
        if self.resolved_at is not None:
            alert.resolve_time.FromDatetime(self.resolved_at)
        return alert


@dataclass(frozen=True)
class StoredDecoy:
    """One decoy. Identifiers are UUIDs as text."""

    decoy_id: str
    case_id: str
    agency_id: str
    officer_id: str
    reason: str
    valid_from: datetime
    valid_until: datetime | None

    def message(self) -> Decoy:
        """Return it as the contract has it."""
        decoy = Decoy(
            decoy=self.decoy_id,
            case=CASE.format(case=self.case_id),
            marked_by=officer_name(self.agency_id, self.officer_id),
            reason=self.reason,
        )
        decoy.valid_from.FromDatetime(self.valid_from)
        if self.valid_until is not None:
            decoy.valid_until.FromDatetime(self.valid_until)
        return decoy


class AlertStore:
    """Reads, for supervisors: `agency_id` and `officer_id` are who asks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def supervises(self, agency_id: str, officer_id: str) -> bool:
        """Say whether the officer supervises the agency now."""
        return bool(await self._database.fetchval(_SUPERVISES, agency_id, officer_id))

    async def alerts(
        self, agency_id: str, officer_id: str, after_id: str, limit: int, *, resolved: bool
    ) -> Sequence[StoredAlert]:
        """Return up to `limit` alerts that are not about who asks, oldest first, those after `after_id`."""
        rows = await self._database.fetch(_LIST, agency_id, officer_id, after_id, resolved, limit)
        return [_alert(row) for row in rows]

    async def decoys(self, agency_id: str, officer_id: str, after_id: str, limit: int) -> Sequence[StoredDecoy]:
        """Return up to `limit` decoys in force, oldest first, those after `after_id`."""
        return [_decoy(row) for row in await self._database.fetch(_DECOYS, agency_id, officer_id, after_id, limit)]


async def insert(
    transaction: Transaction,
    alert_id: str,
    told_agency_id: str,
    rule: AccessAlertRule,
    officer: tuple[str, str],
    case_id: str | None,
    observed: int,
    limit: int,
) -> bool:
    """Insert an alert; False when there is one of its rule, officer, case and day. `officer` by agency and own
    identifier."""
    row = await transaction.fetchval(_INSERT, alert_id, told_agency_id, rule, *officer, case_id, observed, limit)
    return row is not None


async def lock(transaction: Transaction, agency_id: str, officer_id: str, alert_id: str) -> StoredAlert | None:
    """Return an alert that who asks may resolve, and keep others from it."""
    row = await transaction.fetchrow(_LOCK, agency_id, officer_id, alert_id)
    return None if row is None else _alert(row)


async def resolve(
    transaction: Transaction, alert_id: str, resolution: AccessAlertResolution, resolver_id: str, reason: str
) -> StoredAlert | None:
    """Note what came of an alert; None when that was noted before."""
    row = await transaction.fetchrow(_RESOLVE, alert_id, resolution, resolver_id, reason)
    return None if row is None else _alert(row)


async def last_decoy(transaction: Transaction, case_id: str, agency_id: str) -> StoredDecoy | None:
    """Return the open decoy of the agency on the case, or its latest, or None. Needs the lock on the case."""
    row = await transaction.fetchrow(_LAST_DECOY, case_id, agency_id)
    return None if row is None else _decoy(row)


async def insert_decoy(
    transaction: Transaction, decoy_id: str, case_id: str, agency_id: str, officer_id: str, reason: str
) -> StoredDecoy:
    """Return the new decoy. Needs the lock on the case, and that the agency has none open there."""
    row = await transaction.fetchrow(_INSERT_DECOY, decoy_id, case_id, agency_id, officer_id, reason)
    assert row is not None
    return _decoy(row)


async def end_decoy(
    transaction: Transaction, case_id: str, agency_id: str, ended_by: str, reason: str
) -> StoredDecoy | None:
    """Return the decoy that ended now, or None when none was open."""
    row = await transaction.fetchrow(_END_DECOY, case_id, agency_id, ended_by, reason)
    return None if row is None else _decoy(row)


def _alert(row: Row) -> StoredAlert:
    return StoredAlert(
        alert_id=str(row["id"]),
        agency_id=str(row["agency_id"]),
        rule=row["rule"],
        officer_agency_id=str(row["officer_agency_id"]),
        officer_id=str(row["officer_id"]),
        case_id=None if row["case_id"] is None else str(row["case_id"]),
        observed=row["observed"],
        limit=row["limit_count"],
        created_at=row["created_at"],
        resolution=row["resolution"],
        resolver_id=None if row["resolver_id"] is None else str(row["resolver_id"]),
        resolve_reason=row["resolve_reason"],
        resolved_at=row["resolved_at"],
    )


def _decoy(row: Row) -> StoredDecoy:
    return StoredDecoy(
        decoy_id=str(row["id"]),
        case_id=str(row["case_id"]),
        agency_id=str(row["agency_id"]),
        officer_id=str(row["officer_id"]),
        reason=row["reason"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
    )
