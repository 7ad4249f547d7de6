"""The facts of case access in PostgreSQL.

Reads take one statement. Writes take the caller's transaction, in which the request id was claimed and the event is
recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from casemesh.core.names import AGENCY, CASE, OFFICER
from casemesh.identity.access_rules import CaseFacts
from casemesh.identity.subjects import Subject
from casemesh.identity.v1.case_access_pb2 import CaseAccess
from casemesh.runtime.postgres import Database, Row, Transaction

# One round trip, one moment: all of it is read by one statement, and now() is that of the database.
_FACTS = """
SELECT
    EXISTS (SELECT 1 FROM client WHERE id = $1 AND agency_id = $2 AND kind = $3 AND state = 'active'
        AND (officer_id IS NULL OR officer_id = $4)) AS client_active,
    EXISTS (SELECT 1 FROM officer WHERE agency_id = $2 AND id = $4 AND state = 'active') AS officer_active,
    (SELECT id FROM participation WHERE agency_id = $2 AND case_id = $5
        AND valid_from <= now() AND (valid_until IS NULL OR valid_until > now())
        ORDER BY id LIMIT 1) AS participation_id,
    (SELECT id FROM assignment WHERE officer_id = $4 AND case_id = $5 AND agency_id = $2
        AND valid_from <= now() AND (valid_until IS NULL OR valid_until > now())
        ORDER BY id LIMIT 1) AS assignment_id
"""
# The cases that any rule could open to the subject, newest first, each with its facts; the rules then decide.
_OFFICER_CASES = """
SELECT assigned.case_id,
    EXISTS (SELECT 1 FROM client WHERE id = $1 AND agency_id = $2 AND kind = $3 AND state = 'active'
        AND (officer_id IS NULL OR officer_id = $4)) AS client_active,
    EXISTS (SELECT 1 FROM officer WHERE agency_id = $2 AND id = $4 AND state = 'active') AS officer_active,
    (SELECT id FROM participation WHERE agency_id = $2 AND case_id = assigned.case_id
        AND valid_from <= now() AND (valid_until IS NULL OR valid_until > now())
        ORDER BY id LIMIT 1) AS participation_id,
    assigned.id AS assignment_id
FROM (SELECT DISTINCT ON (case_id) case_id, id FROM assignment
    WHERE officer_id = $4 AND agency_id = $2 AND case_id < $5
        AND valid_from <= now() AND (valid_until IS NULL OR valid_until > now())
    ORDER BY case_id DESC, id LIMIT $6) AS assigned
ORDER BY assigned.case_id DESC
"""
_SYSTEM_CASES = """
SELECT part.case_id,
    EXISTS (SELECT 1 FROM client WHERE id = $1 AND agency_id = $2 AND kind = $3 AND state = 'active'
        AND officer_id IS NULL) AS client_active,
    false AS officer_active,
    part.id AS participation_id,
    NULL::uuid AS assignment_id
FROM (SELECT DISTINCT ON (case_id) case_id, id FROM participation
    WHERE agency_id = $2 AND case_id < $4
        AND valid_from <= now() AND (valid_until IS NULL OR valid_until > now())
    ORDER BY case_id DESC, id LIMIT $5) AS part
ORDER BY part.case_id DESC
"""
# Taken before facts of a case change, so that "is it there?" and "add it" are one step. Two keys: the runtime's own
# locks have one.
_LOCK_CASE = "SELECT pg_advisory_xact_lock(1, hashtext($1))"
_OPEN_PARTICIPATION = """
SELECT id, case_id, agency_id, NULL::uuid AS officer_id, cause, valid_from, valid_until
FROM participation WHERE case_id = $1 AND agency_id = $2 AND valid_until IS NULL
"""
_INSERT_PARTICIPATION = """
INSERT INTO participation (id, case_id, agency_id, cause) SELECT $3, $1, agency.id, $4 FROM agency WHERE agency.id = $2
RETURNING id, case_id, agency_id, NULL::uuid AS officer_id, cause, valid_from, valid_until
"""
_OPEN_ASSIGNMENT = """
SELECT id, case_id, agency_id, officer_id, cause, valid_from, valid_until
FROM assignment WHERE case_id = $1 AND agency_id = $2 AND officer_id = $3 AND valid_until IS NULL
"""
_LAST_ASSIGNMENT = """
SELECT id, case_id, agency_id, officer_id, cause, valid_from, valid_until
FROM assignment WHERE case_id = $1 AND agency_id = $2 AND officer_id = $3 ORDER BY id DESC LIMIT 1
"""
_INSERT_ASSIGNMENT = """
INSERT INTO assignment (id, case_id, agency_id, officer_id, cause, reason) VALUES ($4, $1, $2, $3, $5, $6)
RETURNING id, case_id, agency_id, officer_id, cause, valid_from, valid_until
"""
_END_ASSIGNMENT = """
UPDATE assignment SET valid_until = greatest(clock_timestamp(), valid_from), ended_by = $4, end_reason = $5
WHERE case_id = $1 AND agency_id = $2 AND officer_id = $3 AND valid_until IS NULL
RETURNING id, case_id, agency_id, officer_id, cause, valid_from, valid_until
"""
_CASE_ACCESS = """
SELECT id, case_id, agency_id, officer_id, cause, valid_from, valid_until
FROM (
    SELECT id, case_id, agency_id, NULL::uuid AS officer_id, cause, valid_from, valid_until
    FROM participation WHERE case_id = $1 AND id > $3
    UNION ALL
    SELECT id, case_id, agency_id, officer_id, cause, valid_from, valid_until
    FROM assignment WHERE case_id = $1 AND agency_id = $2 AND id > $3
) AS fact
WHERE valid_from <= now() AND (valid_until IS NULL OR valid_until > now())
ORDER BY id LIMIT $4
"""
_OFFICER_EXISTS = "SELECT EXISTS (SELECT 1 FROM officer WHERE agency_id = $1 AND id = $2)"


@dataclass(frozen=True)
class Fact:
    """A participation or, with `officer_id`, an assignment."""

    fact_id: str
    case_id: str
    agency_id: str
    officer_id: str | None
    cause: str
    valid_from: datetime
    valid_until: datetime | None

    def message(self) -> CaseAccess:
        """Return it as the contract has it."""
        access = CaseAccess(
            case=CASE.format(case=self.case_id),
            agency=AGENCY.format(agency=self.agency_id),
            officer=OFFICER.format(agency=self.agency_id, officer=self.officer_id) if self.officer_id else "",
            cause=self.cause,
        )
        access.valid_from.FromDatetime(self.valid_from)
        if self.valid_until is not None:
            access.valid_until.FromDatetime(self.valid_until)
        return access


class AccessStore:
    """Reads. Identifiers are UUIDs as text."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def case_facts(self, subject: Subject, case_id: str) -> CaseFacts:
        """Return what is in force now; for a case that nobody knows, that nothing is."""
        row = await self._database.fetchrow(
            _FACTS, subject.client_id, subject.agency_id, subject.client_kind, subject.officer_id, case_id
        )
        assert row is not None
        return _case_facts(row, case_id)

    async def open_cases(self, subject: Subject, before_id: str, limit: int) -> Sequence[CaseFacts]:
        """Return up to `limit` cases on which any fact in force concerns the subject, by falling identifier, those
        before `before_id`."""
        client = (subject.client_id, subject.agency_id, subject.client_kind)
        if subject.officer_id is None:
            rows = await self._database.fetch(_SYSTEM_CASES, *client, before_id, limit)
        else:
            rows = await self._database.fetch(_OFFICER_CASES, *client, subject.officer_id, before_id, limit)
        return [_case_facts(row, str(row["case_id"])) for row in rows]

    async def case_access(self, case_id: str, agency_id: str, after_id: str, limit: int) -> Sequence[Fact]:
        """Return up to `limit` facts in force, oldest first: all participations, and the agency's own assignments."""
        rows = await self._database.fetch(_CASE_ACCESS, case_id, agency_id, after_id, limit)
        return [_fact(row) for row in rows]


async def lock_case(transaction: Transaction, case_id: str) -> None:
    """Wait until no other transaction changes facts of this case, and keep others out until this one ends."""
    await transaction.execute(_LOCK_CASE, case_id)


async def officer_exists(transaction: Transaction, agency_id: str, officer_id: str) -> bool:
    """Say whether the agency has this officer, in whatever state."""
    return bool(await transaction.fetchval(_OFFICER_EXISTS, agency_id, officer_id))


async def open_participation(transaction: Transaction, case_id: str, agency_id: str) -> Fact | None:
    """Return the participation without an end, if there is one. Needs the lock on the case."""
    row = await transaction.fetchrow(_OPEN_PARTICIPATION, case_id, agency_id)
    return None if row is None else _fact(row)


async def insert_participation(
    transaction: Transaction, case_id: str, agency_id: str, fact_id: str, cause: str
) -> Fact | None:
    """Return the new participation, or None when there is no such agency. Needs the lock and that none is open."""
    row = await transaction.fetchrow(_INSERT_PARTICIPATION, case_id, agency_id, fact_id, cause)
    return None if row is None else _fact(row)


async def open_assignment(transaction: Transaction, case_id: str, agency_id: str, officer_id: str) -> Fact | None:
    """Return the assignment without an end, if there is one. Needs the lock on the case."""
    row = await transaction.fetchrow(_OPEN_ASSIGNMENT, case_id, agency_id, officer_id)
    return None if row is None else _fact(row)


async def last_assignment(transaction: Transaction, case_id: str, agency_id: str, officer_id: str) -> Fact | None:
    """Return the latest assignment, ended or not, if there was one. Needs the lock on the case."""
    row = await transaction.fetchrow(_LAST_ASSIGNMENT, case_id, agency_id, officer_id)
    return None if row is None else _fact(row)


async def insert_assignment(
    transaction: Transaction, case_id: str, agency_id: str, officer_id: str, fact_id: str, cause: str, reason: str
) -> Fact:
    """Return the new assignment. Needs the lock, that none is open, and that the agency has the officer."""
    row = await transaction.fetchrow(_INSERT_ASSIGNMENT, case_id, agency_id, officer_id, fact_id, cause, reason)
    assert row is not None
    return _fact(row)


async def end_assignment(
    transaction: Transaction, case_id: str, agency_id: str, officer_id: str, ended_by: str, reason: str
) -> Fact | None:
    """Return the assignment that ended now, or None when none was open. Needs the lock on the case."""
    row = await transaction.fetchrow(_END_ASSIGNMENT, case_id, agency_id, officer_id, ended_by, reason)
    return None if row is None else _fact(row)


def _fact(row: Row) -> Fact:
    return Fact(
        fact_id=str(row["id"]),
        case_id=str(row["case_id"]),
        agency_id=str(row["agency_id"]),
        officer_id=_text(row["officer_id"]),
        cause=row["cause"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
    )


def _case_facts(row: Row, case_id: str) -> CaseFacts:
    return CaseFacts(
        case_id=case_id,
        client_active=row["client_active"],
        officer_active=row["officer_active"],
        participation_id=_text(row["participation_id"]),
        assignment_id=_text(row["assignment_id"]),
    )


def _text(identifier: object | None) -> str | None:
    return None if identifier is None else str(identifier)
