"""Uses of break-glass in PostgreSQL: asked for, approved where the case is sealed, reviewed.

Writes take the caller's transaction and need the lock on the case (`fact_store.lock_case`).
"""

# ruff: noqa: S608 - statements are composed of this package's constants alone

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from casemesh.core.names import CASE
from casemesh.identity.facts import officer_name
from casemesh.identity.v1.case_protection_service_pb2 import BreakGlassOutcome, BreakGlassUse
from casemesh.runtime.postgres import Database, Row, Transaction

_COLUMNS = """id, case_id, agency_id, officer_id, reason, created_at, approver_id, valid_from, valid_until, outcome,
    reviewer_id"""
_SEALED = """
SELECT EXISTS (SELECT 1 FROM seal WHERE case_id = $1 AND valid_from <= clock_timestamp()
    AND (valid_until IS NULL OR valid_until > clock_timestamp()))
"""
# Where the case is sealed, one that opened it before does not count: it opens nothing now.
_STANDING = f"""
SELECT {_COLUMNS} FROM break_glass
WHERE case_id = $1 AND agency_id = $2 AND officer_id = $3 AND reviewer_id IS NULL
    AND (valid_until > clock_timestamp() OR valid_from IS NULL)
    AND (NOT $4 OR valid_from IS NULL OR approver_id IS NOT NULL)
ORDER BY id DESC LIMIT 1
"""
_INSERT = f"""
INSERT INTO break_glass (id, case_id, agency_id, officer_id, reason, valid_from, valid_until)
SELECT $1, $2, $3, $4, $5, opened.at, opened.at + $7::interval
FROM (SELECT CASE WHEN $6 THEN NULL ELSE clock_timestamp() END AS at) AS opened
RETURNING {_COLUMNS}
"""
_ONE = f"SELECT {_COLUMNS} FROM break_glass WHERE id = $1 AND case_id = $2 AND agency_id = $3"
_APPROVE = f"""
UPDATE break_glass SET approver_id = $2, valid_from = opened.at, valid_until = opened.at + $3::interval
FROM (SELECT clock_timestamp() AS at) AS opened
WHERE id = $1 AND valid_from IS NULL AND reviewer_id IS NULL RETURNING {_COLUMNS}
"""
_REVIEW = f"""
UPDATE break_glass SET outcome = $2, reviewer_id = $3, review_reason = $4, reviewed_at = clock_timestamp(),
    valid_until = greatest(valid_from, least(valid_until, clock_timestamp()))
WHERE id = $1 AND reviewer_id IS NULL RETURNING {_COLUMNS}
"""
_TO_REVIEW = f"""
SELECT {_COLUMNS} FROM break_glass WHERE agency_id = $1 AND id > $2 AND reviewer_id IS NULL ORDER BY id LIMIT $3
"""


@dataclass(frozen=True)
class Use:
    """One use. Identifiers are UUIDs as text."""

    fact_id: str
    case_id: str
    agency_id: str
    officer_id: str
    reason: str
    created_at: datetime
    approver_id: str | None
    valid_from: datetime | None
    """None while it waits for a second officer."""
    valid_until: datetime | None
    outcome: BreakGlassOutcome
    reviewer_id: str | None

    @property
    def case(self) -> str:
        """Resource name of the case."""
        return CASE.format(case=self.case_id)

    def message(self) -> BreakGlassUse:
        """Return it as the contract has it."""
        use = BreakGlassUse(
            fact=self.fact_id,
            case=self.case,
            officer=officer_name(self.agency_id, self.officer_id),
            reason=self.reason,
            approved_by=officer_name(self.agency_id, self.approver_id),
            outcome=self.outcome,
            reviewed_by=officer_name(self.agency_id, self.reviewer_id),
        )
        use.create_time.FromDatetime(self.created_at)
        if self.valid_from is not None and self.valid_until is not None:
            use.valid_from.FromDatetime(self.valid_from)
            use.valid_until.FromDatetime(self.valid_until)
        return use


class BreakGlassStore:
    """Reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def to_review(self, agency_id: str, after_id: str, limit: int) -> Sequence[Use]:
        """Return up to `limit` uses of the agency that nobody reviewed, oldest first, those after `after_id`."""
        return [_use(row) for row in await self._database.fetch(_TO_REVIEW, agency_id, after_id, limit)]


async def is_sealed(transaction: Transaction, case_id: str) -> bool:
    """Say whether any agency's seal on the case is in force."""
    return bool(await transaction.fetchval(_SEALED, case_id))


async def standing_use(
    transaction: Transaction, case_id: str, agency_id: str, officer_id: str, *, sealed: bool
) -> Use | None:
    """Return the officer's use that is open or waits for approval, if there is one."""
    row = await transaction.fetchrow(_STANDING, case_id, agency_id, officer_id, sealed)
    return None if row is None else _use(row)


async def insert_use(
    transaction: Transaction,
    use_id: str,
    case_id: str,
    agency_id: str,
    officer_id: str,
    reason: str,
    life: timedelta,
    *,
    waits: bool,
) -> Use:
    """Return a new use, open from now for `life`, or waiting for approval."""
    row = await transaction.fetchrow(_INSERT, use_id, case_id, agency_id, officer_id, reason, waits, life)
    assert row is not None
    return _use(row)


async def use_of(transaction: Transaction, use_id: str, case_id: str, agency_id: str) -> Use | None:
    """Return a use of the agency on the case, in whatever state."""
    row = await transaction.fetchrow(_ONE, use_id, case_id, agency_id)
    return None if row is None else _use(row)


async def approve(transaction: Transaction, use_id: str, approver_id: str, life: timedelta) -> Use | None:
    """Open a waiting use for `life`; None when it does not wait."""
    row = await transaction.fetchrow(_APPROVE, use_id, approver_id, life)
    return None if row is None else _use(row)


async def review(
    transaction: Transaction, use_id: str, outcome: BreakGlassOutcome, reviewer_id: str, reason: str
) -> Use | None:
    """Note a review and end the use; None when it was reviewed before."""
    row = await transaction.fetchrow(_REVIEW, use_id, outcome, reviewer_id, reason)
    return None if row is None else _use(row)


def _use(row: Row) -> Use:
    return Use(
        fact_id=str(row["id"]),
        case_id=str(row["case_id"]),
        agency_id=str(row["agency_id"]),
        officer_id=str(row["officer_id"]),
        reason=row["reason"],
        created_at=row["created_at"],
        approver_id=_text(row["approver_id"]),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        outcome=row["outcome"],
        reviewer_id=_text(row["reviewer_id"]),
    )


def _text(identifier: object | None) -> str | None:
    return None if identifier is None else str(identifier)
