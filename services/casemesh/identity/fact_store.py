"""Adding and ending the facts of case access, in the caller's transaction, in which the request id was claimed and the
event is recorded.

Facts of one case change one transaction at a time: `lock_case` first, so that "is it there?" and "add it" are one step.
"""

# ruff: noqa: S608 - statements are composed of this package's constants alone

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from casemesh.identity import facts
from casemesh.identity.facts import Fact
from casemesh.identity.v1.case_access_pb2 import CasePermission, CaseStage, SealKind
from casemesh.runtime.postgres import Transaction

# Two keys: the runtime's own locks have one.
_LOCK = "SELECT pg_advisory_xact_lock(1, hashtext($1))"
_OFFICER_EXISTS = "SELECT EXISTS (SELECT 1 FROM officer WHERE agency_id = $1 AND id = $2)"
# Participation at every stage includes each.
_OPEN_PARTICIPATION = f"""
SELECT {facts.PARTICIPATION} FROM participation
WHERE case_id = $1 AND agency_id = $2 AND stage IN (0, $3) AND valid_until IS NULL ORDER BY stage LIMIT 1
"""
_INSERT_PARTICIPATION = f"""
INSERT INTO participation (id, case_id, agency_id, cause, stage)
SELECT $3, $1, agency.id, $4, $5 FROM agency WHERE agency.id = $2
RETURNING {facts.PARTICIPATION}
"""
_STAGES = "SELECT stage FROM case_stage WHERE case_id = $1 AND valid_until IS NULL"
_END_STAGES = """
UPDATE case_stage SET valid_until = greatest(clock_timestamp(), valid_from)
WHERE case_id = $1 AND stage = ANY($2::smallint[]) AND valid_until IS NULL
"""
_INSERT_STAGE = "INSERT INTO case_stage (id, case_id, stage, cause) VALUES ($1, $2, $3, $4)"
_OPEN_ASSIGNMENT = f"""
SELECT {facts.ASSIGNMENT} FROM assignment
WHERE case_id = $1 AND agency_id = $2 AND officer_id = $3 AND valid_until IS NULL
"""
_LAST_ASSIGNMENT = f"""
SELECT {facts.ASSIGNMENT} FROM assignment
WHERE case_id = $1 AND agency_id = $2 AND officer_id = $3 ORDER BY id DESC LIMIT 1
"""
_INSERT_ASSIGNMENT = f"""
INSERT INTO assignment (id, case_id, agency_id, officer_id, cause, reason) VALUES ($4, $1, $2, $3, $5, $6)
RETURNING {facts.ASSIGNMENT}
"""
_END = "SET valid_until = greatest(clock_timestamp(), valid_from), ended_by = {by}, end_reason = {reason}"
_END_ASSIGNMENT = f"""
UPDATE assignment {_END.format(by="$4", reason="$5")}
WHERE case_id = $1 AND agency_id = $2 AND officer_id = $3 AND valid_until IS NULL
RETURNING {facts.ASSIGNMENT}
"""
_LAST_SUPERVISION = f"""
SELECT {facts.SUPERVISION} FROM supervision WHERE agency_id = $1 AND officer_id = $2
ORDER BY valid_until IS NULL DESC, id DESC LIMIT 1
"""
_INSERT_SUPERVISION = f"""
INSERT INTO supervision (id, agency_id, officer_id, cause, reason) VALUES ($3, $1, $2, $4, $5)
RETURNING {facts.SUPERVISION}
"""
_END_SUPERVISION = f"""
UPDATE supervision {_END.format(by="$3", reason="$4")}
WHERE agency_id = $1 AND officer_id = $2 AND valid_until IS NULL
RETURNING {facts.SUPERVISION}
"""
_INSERT_GRANT = f"""
INSERT INTO officer_grant (id, kind, case_id, agency_id, officer_id, giver_agency_id, giver_id, permissions, reason,
    valid_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::smallint[], $9, $10)
RETURNING {facts.GRANT}
"""
_DELEGATION = f"""
SELECT {facts.GRANT} FROM officer_grant
WHERE id = $1 AND case_id = $2 AND agency_id = $3 AND officer_grant.kind = 'delegation'
"""
_END_DELEGATION = f"""
UPDATE officer_grant {_END.format(by="$4", reason="$5")}
WHERE id = $1 AND case_id = $2 AND agency_id = $3 AND officer_grant.kind = 'delegation'
    AND valid_until > clock_timestamp()
RETURNING {facts.GRANT}
"""
_GRANT = f"""
SELECT {facts.GRANT} FROM officer_grant
WHERE id = $1 AND case_id = $2 AND giver_agency_id = $3 AND officer_grant.kind = 'grant'
"""
_END_GRANT = f"""
UPDATE officer_grant {_END.format(by="$4", reason="$5")}
WHERE id = $1 AND case_id = $2 AND giver_agency_id = $3 AND officer_grant.kind = 'grant'
    AND valid_until > clock_timestamp()
RETURNING {facts.GRANT}
"""
_LAST_SEAL = f"""
SELECT {facts.SEAL} FROM seal WHERE case_id = $1 AND agency_id = $2 AND ($3 = 0 OR seal.kind = $3)
ORDER BY valid_until IS NULL DESC, id DESC LIMIT 1
"""
_INSERT_SEAL = f"""
INSERT INTO seal (id, case_id, agency_id, kind, sealed_by, reason) VALUES ($4, $1, $2, $3, $5, $6)
RETURNING {facts.SEAL}
"""
_LIFT_SEAL = f"""
UPDATE seal {_END.format(by="$4", reason="$5")}
WHERE case_id = $1 AND agency_id = $2 AND seal.kind = $3 AND valid_until IS NULL
RETURNING {facts.SEAL}
"""


async def lock_case(transaction: Transaction, case_id: str) -> None:
    """Wait until no other transaction changes facts of this case, and keep others out until this one ends."""
    await transaction.execute(_LOCK, case_id)


async def lock_agency(transaction: Transaction, agency_id: str) -> None:
    """The same for facts of an agency."""
    await transaction.execute(_LOCK, agency_id)


async def lock_officer(transaction: Transaction, officer_id: str) -> None:
    """The same for what one officer files."""
    await transaction.execute(_LOCK, officer_id)


async def officer_exists(transaction: Transaction, agency_id: str, officer_id: str) -> bool:
    """Say whether the agency has this officer, in whatever state."""
    return bool(await transaction.fetchval(_OFFICER_EXISTS, agency_id, officer_id))


async def open_participation(transaction: Transaction, case_id: str, agency_id: str, stage: CaseStage) -> Fact | None:
    """Return the participation without an end that includes the stage, if there is one. Needs the lock on the case."""
    return await _one(transaction, _OPEN_PARTICIPATION, case_id, agency_id, stage)


async def insert_participation(
    transaction: Transaction, case_id: str, agency_id: str, fact_id: str, cause: str, stage: CaseStage
) -> Fact | None:
    """Return the new participation, or None when there is no such agency. Needs the lock and that none is open."""
    return await _one(transaction, _INSERT_PARTICIPATION, case_id, agency_id, fact_id, cause, stage)


async def open_stages(transaction: Transaction, case_id: str) -> set[int]:
    """Return the stages at which the case is. Needs the lock on the case."""
    return {row["stage"] for row in await transaction.fetch(_STAGES, case_id)}


async def end_stages(transaction: Transaction, case_id: str, stages: Sequence[int]) -> None:
    """End these stages of a case. Needs the lock on the case."""
    await transaction.execute(_END_STAGES, case_id, stages)


async def insert_stage(transaction: Transaction, case_id: str, stage: int, fact_id: str, cause: str) -> None:
    """Begin a stage of a case. Needs the lock, and that the case is not at it."""
    await transaction.execute(_INSERT_STAGE, fact_id, case_id, stage, cause)


async def open_assignment(transaction: Transaction, case_id: str, agency_id: str, officer_id: str) -> Fact | None:
    """Return the assignment without an end, if there is one. Needs the lock on the case."""
    return await _one(transaction, _OPEN_ASSIGNMENT, case_id, agency_id, officer_id)


async def last_assignment(transaction: Transaction, case_id: str, agency_id: str, officer_id: str) -> Fact | None:
    """Return the latest assignment, ended or not, if there was one. Needs the lock on the case."""
    return await _one(transaction, _LAST_ASSIGNMENT, case_id, agency_id, officer_id)


async def insert_assignment(
    transaction: Transaction, case_id: str, agency_id: str, officer_id: str, fact_id: str, cause: str, reason: str
) -> Fact:
    """Return the new assignment. Needs the lock, that none is open, and that the agency has the officer."""
    return await _new(transaction, _INSERT_ASSIGNMENT, case_id, agency_id, officer_id, fact_id, cause, reason)


async def end_assignment(
    transaction: Transaction, case_id: str, agency_id: str, officer_id: str, ended_by: str, reason: str
) -> Fact | None:
    """Return the assignment that ended now, or None when none was open. Needs the lock on the case."""
    return await _one(transaction, _END_ASSIGNMENT, case_id, agency_id, officer_id, ended_by, reason)


async def last_supervision(transaction: Transaction, agency_id: str, officer_id: str) -> Fact | None:
    """Return the open supervision, or the latest, or None. Needs the lock on the agency."""
    return await _one(transaction, _LAST_SUPERVISION, agency_id, officer_id)


async def insert_supervision(
    transaction: Transaction, agency_id: str, officer_id: str, fact_id: str, cause: str, reason: str
) -> Fact:
    """Return the new supervision. Needs the lock, that none is open, and that the agency has the officer."""
    return await _new(transaction, _INSERT_SUPERVISION, agency_id, officer_id, fact_id, cause, reason)


async def end_supervision(
    transaction: Transaction, agency_id: str, officer_id: str, ended_by: str, reason: str
) -> Fact | None:
    """Return the supervision that ended now, or None when none was open. Needs the lock on the agency."""
    return await _one(transaction, _END_SUPERVISION, agency_id, officer_id, ended_by, reason)


async def insert_delegation(
    transaction: Transaction,
    case_id: str,
    agency_id: str,
    officer_id: str,
    giver_id: str,
    fact_id: str,
    permissions: Sequence[CasePermission],
    reason: str,
    until: datetime,
) -> Fact:
    """Return the new delegation. Needs that the agency has both officers, and that they are two."""
    return await _new(
        transaction,
        _INSERT_GRANT,
        fact_id,
        "delegation",
        case_id,
        agency_id,
        officer_id,
        agency_id,
        giver_id,
        permissions,
        reason,
        until,
    )


async def delegation(transaction: Transaction, fact_id: str, case_id: str, agency_id: str) -> Fact | None:
    """Return a delegation of the agency, ended or not."""
    return await _one(transaction, _DELEGATION, fact_id, case_id, agency_id)


async def end_delegation(
    transaction: Transaction, fact_id: str, case_id: str, agency_id: str, ended_by: str, reason: str
) -> Fact | None:
    """Return the delegation that ended now, or None when it had ended."""
    return await _one(transaction, _END_DELEGATION, fact_id, case_id, agency_id, ended_by, reason)


async def insert_grant(
    transaction: Transaction,
    case_id: str,
    officer: tuple[str, str],
    giver: tuple[str, str],
    fact_id: str,
    permissions: Sequence[CasePermission],
    reason: str,
    until: datetime,
) -> Fact:
    """Return what lets an officer of another agency see the case. Officers by agency and own identifier; they must
    exist."""
    return await _new(
        transaction, _INSERT_GRANT, fact_id, "grant", case_id, *officer, *giver, permissions, reason, until
    )


async def grant(transaction: Transaction, fact_id: str, case_id: str, giver_agency_id: str) -> Fact | None:
    """Return a grant that the agency gave, ended or not."""
    return await _one(transaction, _GRANT, fact_id, case_id, giver_agency_id)


async def end_grant(
    transaction: Transaction, fact_id: str, case_id: str, giver_agency_id: str, ended_by: str, reason: str
) -> Fact | None:
    """Return the grant that ended now, or None when it had ended."""
    return await _one(transaction, _END_GRANT, fact_id, case_id, giver_agency_id, ended_by, reason)


async def insert_opening(
    transaction: Transaction,
    case_id: str,
    officer: tuple[str, str],
    giver: tuple[str, str],
    fact_id: str,
    reason: str,
    until: datetime,
) -> Fact:
    """Return what opens the sealed case to an officer. Officers by agency and own identifier; they must exist and be
    two."""
    return await _new(transaction, _INSERT_GRANT, fact_id, "seal_opening", case_id, *officer, *giver, [], reason, until)


async def last_seal(transaction: Transaction, case_id: str, agency_id: str, kind: SealKind) -> Fact | None:
    """Return the agency's open seal of this kind, or its latest, or None; kind 0 stands for any."""
    return await _one(transaction, _LAST_SEAL, case_id, agency_id, kind)


async def insert_seal(
    transaction: Transaction, case_id: str, agency_id: str, kind: SealKind, fact_id: str, sealed_by: str, reason: str
) -> Fact:
    """Return the new seal. Needs the lock on the case, and that none of the agency and kind is open."""
    return await _new(transaction, _INSERT_SEAL, case_id, agency_id, kind, fact_id, sealed_by, reason)


async def lift_seal(
    transaction: Transaction, case_id: str, agency_id: str, kind: SealKind, lifted_by: str, reason: str
) -> Fact | None:
    """Return the seal that was lifted now, or None when none was open."""
    return await _one(transaction, _LIFT_SEAL, case_id, agency_id, kind, lifted_by, reason)


async def _one(transaction: Transaction, statement: str, *arguments: object) -> Fact | None:
    row = await transaction.fetchrow(statement, *arguments)
    return None if row is None else Fact.of(row)


async def _new(transaction: Transaction, statement: str, *arguments: object) -> Fact:
    fact = await _one(transaction, statement, *arguments)
    assert fact is not None
    return fact
