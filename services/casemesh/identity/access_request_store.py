"""Requests to see a case of another agency, in PostgreSQL.

Reads take one statement, but for the grants beside one's own requests. Writes take the caller's transaction; those that
decide need the lock on the case (`fact_store.lock_case`).
"""

# ruff: noqa: S608 - statements are composed of this package's constants alone

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from casemesh.core.names import AGENCY, CASE
from casemesh.identity import facts
from casemesh.identity.facts import Fact, officer_name
from casemesh.identity.v1.access_request_pb2 import AccessRequest, AccessRequestState
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.runtime.postgres import Database, Row, Transaction

_STATES: Mapping[str, AccessRequestState] = {
    "filed": AccessRequestState.ACCESS_REQUEST_STATE_FILED,
    "approved": AccessRequestState.ACCESS_REQUEST_STATE_APPROVED,
    "refused": AccessRequestState.ACCESS_REQUEST_STATE_REFUSED,
    "expired": AccessRequestState.ACCESS_REQUEST_STATE_EXPIRED,
}
# Nobody ends a request that nobody decided: that it expired follows from the time.
_COLUMNS = """id, case_id, asked_agency_id, agency_id, officer_id, permissions, purpose, reason, until_at, created_at,
    expires_at, CASE WHEN state = 'filed' AND expires_at <= clock_timestamp() THEN 'expired' ELSE state END AS state,
    decide_reason, decided_at, grant_id"""
_INSERT = f"""
INSERT INTO access_request (id, case_id, asked_agency_id, agency_id, officer_id, permissions, purpose, reason, until_at,
    expires_at)
SELECT $1, $2, agency.id, $4, $5, $6::smallint[], $7, $8, $9, $10 FROM agency WHERE agency.id = $3
RETURNING {_COLUMNS}
"""
_WAITING_OF = """
SELECT count(*) FROM access_request WHERE officer_id = $1 AND state = 'filed' AND expires_at > clock_timestamp()
"""
_OF_OFFICER = f"""
SELECT {_COLUMNS} FROM access_request WHERE officer_id = $1 AND agency_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4
"""
_WAITING = f"""
SELECT {_COLUMNS} FROM access_request
WHERE asked_agency_id = $1 AND id > $2 AND state = 'filed' AND expires_at > now() ORDER BY id LIMIT $3
"""
_ONE = f"SELECT {_COLUMNS} FROM access_request WHERE id = $1 AND asked_agency_id = $2"
_DECIDE = f"""
UPDATE access_request SET state = $2, decider_id = $3, decide_reason = $4, grant_id = $5, decided_at = clock_timestamp()
WHERE id = $1 AND state = 'filed' AND expires_at > clock_timestamp() RETURNING {_COLUMNS}
"""
_GRANTS = f"SELECT {facts.GRANT} FROM officer_grant WHERE id = ANY($1::uuid[])"


@dataclass(frozen=True)
class StoredRequest:
    """One request. Identifiers are UUIDs as text."""

    request_id: str
    case_id: str
    asked_agency_id: str
    agency_id: str
    officer_id: str
    permissions: Sequence[CasePermission]
    purpose: str
    reason: str
    until: datetime
    created_at: datetime
    expires_at: datetime
    state: AccessRequestState
    decide_reason: str
    decided_at: datetime | None
    grant_id: str | None
    grant: Fact | None = None
    """What was given, where it was asked for."""

    @property
    def case(self) -> str:
        """Resource name of the case."""
        return CASE.format(case=self.case_id)

    @property
    def officer(self) -> str:
        """Resource name of who asks."""
        return officer_name(self.agency_id, self.officer_id)

    def message(self) -> AccessRequest:
        """Return it as the contract has it."""
        message = AccessRequest(
            request=self.request_id,
            case=self.case,
            agency=AGENCY.format(agency=self.asked_agency_id),
            officer=self.officer,
            permissions=self.permissions,
            purpose=self.purpose,
            reason=self.reason,
            state=self.state,
            decide_reason=self.decide_reason,
        )
        message.until_time.FromDatetime(self.until)
        message.create_time.FromDatetime(self.created_at)
        message.expire_time.FromDatetime(self.expires_at)
        if self.decided_at is not None:
            message.decided_by = message.agency
            message.decide_time.FromDatetime(self.decided_at)
        if self.grant is not None:
            message.access.CopyFrom(self.grant.message())
            # Who approved is for the own agency's log.
            message.access.given_by = ""
        return message


class AccessRequestStore:
    """Reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_officer(self, agency_id: str, officer_id: str, before_id: str, limit: int) -> list[StoredRequest]:
        """Return up to `limit` of the officer's own, newest first, those before `before_id`, with what was given."""
        rows = await self._database.fetch(_OF_OFFICER, officer_id, agency_id, before_id, limit)
        found = [_request(row) for row in rows]
        grants = {
            (fact := Fact.of(row)).fact_id: fact
            for row in await self._database.fetch(_GRANTS, [one.grant_id for one in found if one.grant_id])
        }
        return [replace(one, grant=grants.get(one.grant_id or "")) for one in found]

    async def waiting(self, agency_id: str, after_id: str, limit: int) -> list[StoredRequest]:
        """Return up to `limit` that wait for the agency, oldest first, those after `after_id`."""
        return [_request(row) for row in await self._database.fetch(_WAITING, agency_id, after_id, limit)]

    async def one(self, request_id: str, asked_agency_id: str) -> StoredRequest | None:
        """Return a request to the agency, in whatever state."""
        row = await self._database.fetchrow(_ONE, request_id, asked_agency_id)
        return None if row is None else _request(row)


async def waiting_count(transaction: Transaction, officer_id: str) -> int:
    """Return how many requests of the officer wait."""
    return int(await transaction.fetchval(_WAITING_OF, officer_id))


async def insert(
    transaction: Transaction,
    request_id: str,
    case_id: str,
    asked_agency_id: str,
    asker: tuple[str, str],
    permissions: Sequence[CasePermission],
    purpose: str,
    reason: str,
    until: datetime,
    expires_at: datetime,
) -> StoredRequest | None:
    """Return the new request, or None when there is no such agency. `asker` by agency and own identifier."""
    row = await transaction.fetchrow(
        _INSERT, request_id, case_id, asked_agency_id, *asker, permissions, purpose, reason, until, expires_at
    )
    return None if row is None else _request(row)


async def decide(
    transaction: Transaction, request_id: str, decider_id: str, reason: str, grant: Fact | None
) -> StoredRequest | None:
    """Return the request as decided: approved with what is given, refused without; None when it does not wait."""
    state = "refused" if grant is None else "approved"
    row = await transaction.fetchrow(
        _DECIDE, request_id, state, decider_id, reason, grant.fact_id if grant is not None else None
    )
    return None if row is None else replace(_request(row), grant=grant)


def _request(row: Row) -> StoredRequest:
    return StoredRequest(
        request_id=str(row["id"]),
        case_id=str(row["case_id"]),
        asked_agency_id=str(row["asked_agency_id"]),
        agency_id=str(row["agency_id"]),
        officer_id=str(row["officer_id"]),
        permissions=row["permissions"],
        purpose=row["purpose"],
        reason=row["reason"],
        until=row["until_at"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        state=_STATES[row["state"]],
        decide_reason=row["decide_reason"],
        decided_at=row["decided_at"],
        grant_id=None if row["grant_id"] is None else str(row["grant_id"]),
    )
