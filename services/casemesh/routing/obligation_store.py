"""What a committed case or exchange still owes, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemesh.core.names import AGENCY, CASE, EXCHANGE
from casemesh.runtime.postgres import Database, Row, Transaction, Writes

_COLUMNS = "resource, case_id, agency, joins, officer, dossier_version, sender, traceparent, attempts"
_INSERT = """
INSERT INTO obligation (resource, case_id, agency, joins, officer, dossier_version, sender, traceparent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_TAKES_PART = (
    "SELECT FROM obligation WHERE case_id = {case} AND agency = {agency} AND joins AND fulfil_time IS NOT NULL"
)
OWE = f"""
INSERT INTO obligation (resource, case_id, agency, joins, officer, dossier_version, sender, traceparent)
SELECT $1, $2::uuid, $3::uuid, $4::boolean AND NOT known.takes_part, $5, $6, $7::uuid, $8
FROM (SELECT EXISTS ({_TAKES_PART.format(case="$2", agency="$3")}) AS takes_part) AS known
WHERE $6 <> '' OR $4 AND NOT known.takes_part
RETURNING resource
"""  # noqa: S608
"""Keeps an obligation (see `arguments_of`) but for what was carried out before; nothing where that is all of it. A
participation that just ended its own transaction may be missed and is then asked for again, which has no effect."""
_STRANGERS = f"""
SELECT agency FROM unnest($2::uuid[]) AS asked (agency)
WHERE NOT EXISTS ({_TAKES_PART.format(case="$1", agency="asked.agency")})
"""  # noqa: S608
_IS_OPEN = "fulfil_time IS NULL AND forgone_time IS NULL"
_OPEN = f"SELECT {_COLUMNS} FROM obligation WHERE resource = $1 AND {_IS_OPEN}"  # noqa: S608 - a constant
_LOCK_OPEN = f"SELECT FROM obligation WHERE resource = $1 AND {_IS_OPEN} FOR UPDATE"
# The wait doubles from two seconds to one minute.
_TAKE = f"""
UPDATE obligation
SET attempts = attempts + 1, next_attempt_at = now() + interval '1 second' * least(60, 2 ^ least(attempts + 1, 6))
WHERE resource IN (
    SELECT resource FROM obligation WHERE {_IS_OPEN} AND next_attempt_at <= now()
    ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
RETURNING {_COLUMNS}
"""  # noqa: S608
_FULFIL = f"UPDATE obligation SET fulfil_time = now() WHERE resource = $1 AND {_IS_OPEN}"  # noqa: S608
_JOIN = "UPDATE obligation SET join_time = now() WHERE resource = $1 AND join_time IS NULL"
# Who was brought into the case takes part in it, whatever else is no longer owed.
_FORGO = f"""
UPDATE obligation SET forgone_time = now(), fulfil_time = join_time
WHERE {_IS_OPEN} AND resource IN (
    SELECT 'exchanges/' || exchange_id || '/deliveries/' || delivery_id FROM delivery WHERE exchange_id = $1
)
"""  # noqa: S608


@dataclass(frozen=True)
class Obligation:
    """Access that is owed to an agency because a case was registered or an exchange committed."""

    resource: str
    """The case or the delivery that is the cause."""
    case: str
    agency: str
    """Who gets the access."""
    joins: bool = False
    """Whether the agency is to take part in the case."""
    officer: str = ""
    """Its officer to assign at once; empty for none."""
    dossier_version: str = ""
    """The version it is to read; empty for none."""
    sender: str = ""
    """The agency that hands the version on; empty without one."""
    traceparent: str = ""
    """The span of the call that brought it about."""
    attempts: int = 0
    """How often the worker has tried."""


async def insert_obligation(transaction: Transaction | Writes, owed: Obligation) -> None:
    """Keep what is owed, in the transaction of its cause."""
    await transaction.execute(_INSERT, *arguments_of(owed))


def arguments_of(owed: Obligation) -> tuple[object, ...]:
    """Return what a statement that keeps `owed` takes."""
    return (
        owed.resource,
        CASE.parse(owed.case)["case"],
        AGENCY.parse(owed.agency)["agency"],
        owed.joins,
        owed.officer,
        owed.dossier_version,
        AGENCY.parse(owed.sender)["agency"] if owed.sender else None,
        owed.traceparent,
    )


async def mark_fulfilled(transaction: Transaction, resource: str) -> bool:
    """Close an obligation; False when another was first, or it was forgone."""
    return await transaction.execute(_FULFIL, resource) == 1


async def lock_open(transaction: Transaction, resource: str) -> bool:
    """Say whether something is still owed for `resource`; if so, nobody fulfils or forgoes it before the transaction
    ends."""
    return await transaction.fetchrow(_LOCK_OPEN, resource) is not None


async def mark_joined(transaction: Transaction, resource: str) -> None:
    """Keep that the agency was brought into the case, though the rest is still owed."""
    await transaction.execute(_JOIN, resource)


async def forgo(transaction: Transaction, exchange: str) -> None:
    """Let nobody get access any more that an exchange still owes. Waits for who is about to give it."""
    await transaction.execute(_FORGO, EXCHANGE.parse(exchange)["exchange"])


class ObligationStore:
    """Reads and takes obligations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_of(self, resource: str) -> Obligation | None:
        """Return what `resource` still owes, or None."""
        row = await self._database.fetchrow(_OPEN, resource)
        return _obligation(row) if row is not None else None

    async def strangers(self, case: str, agencies: Sequence[str]) -> list[str]:
        """Return those of `agencies` that were never brought into `case`."""
        rows = await self._database.fetch(
            _STRANGERS, CASE.parse(case)["case"], [AGENCY.parse(agency)["agency"] for agency in agencies]
        )
        return [AGENCY.format(agency=row["agency"]) for row in rows]

    async def take(self, limit: int) -> list[Obligation]:
        """Take up to `limit` obligations whose turn has come; another taker gets them only after a wait."""
        return [_obligation(row) for row in await self._database.fetch(_TAKE, limit)]


def _obligation(row: Row) -> Obligation:
    return Obligation(
        resource=row["resource"],
        case=CASE.format(case=row["case_id"]),
        agency=AGENCY.format(agency=row["agency"]),
        joins=row["joins"],
        officer=row["officer"],
        dossier_version=row["dossier_version"],
        sender=AGENCY.format(agency=row["sender"]) if row["sender"] is not None else "",
        traceparent=row["traceparent"],
        attempts=row["attempts"],
    )
