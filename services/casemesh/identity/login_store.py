"""What clients stated of their officers' logins, in PostgreSQL: each statement once, each assertion used once."""

from __future__ import annotations

from casemesh.core.names import OFFICER, SYSTEM, WORKSTATION
from casemesh.identity.v1.token_service_pb2 import GetOfficerLoginResponse
from casemesh.runtime.postgres import Database, Transaction

# One statement, so that of two uses at the same time one sees the other's row or waits for it.
_USE = """
WITH used AS (
    INSERT INTO assertion_use (client_id, jti, usable_until) VALUES ($1, $2, to_timestamp($3))
    ON CONFLICT DO NOTHING RETURNING true
)
SELECT EXISTS (SELECT FROM used) AS first_use,
    (SELECT assertion_sha256 FROM officer_login
        WHERE client_id = $1 AND officer_id = $4 AND logged_in_at = to_timestamp($5) AND acr = $6) AS login
"""
_KEEP = """
INSERT INTO officer_login (assertion_sha256, client_id, officer_id, logged_in_at, acr, assertion)
VALUES ($1, $2, $3, to_timestamp($4), $5, $6) ON CONFLICT DO NOTHING RETURNING assertion_sha256
"""
_KEPT = """
SELECT assertion_sha256 FROM officer_login
WHERE client_id = $1 AND officer_id = $2 AND logged_in_at = to_timestamp($3) AND acr = $4
"""
_LOGIN = """
SELECT client.agency_id, client.kind, client_id, officer_login.officer_id, logged_in_at, acr, assertion, recorded_at
FROM officer_login JOIN client ON client.id = client_id WHERE assertion_sha256 = $1 AND client.agency_id = $2
"""
_FORGET_USES = "DELETE FROM assertion_use WHERE usable_until < to_timestamp($1)"


class LoginStore:
    """Identifiers are UUIDs as text, times are Unix seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def use(
        self, client_id: str, jti: str, usable_until: int, officer_id: str, auth_time: int, acr: str
    ) -> tuple[bool, bytes | None]:
        """Use up an assertion. Return whether it was the first use, and the digest of the statement of the same login
        that is kept, if one is."""
        row = await self._database.fetchrow(_USE, client_id, jti, usable_until, officer_id, auth_time, acr)
        assert row is not None
        return row["first_use"], row["login"]

    async def login(self, sha256: bytes, agency_id: str) -> GetOfficerLoginResponse | None:
        """Return a statement that a client of the agency made, or None."""
        row = await self._database.fetchrow(_LOGIN, sha256, agency_id)
        if row is None:
            return None
        client = SYSTEM if row["kind"] == "system" else WORKSTATION
        login = GetOfficerLoginResponse(
            officer=OFFICER.format(agency=row["agency_id"], officer=row["officer_id"]),
            client=client.format(**{"agency": row["agency_id"], row["kind"]: row["client_id"]}),
            acr=row["acr"],
            assertion=row["assertion"],
        )
        login.login_time.FromDatetime(row["logged_in_at"])
        login.record_time.FromDatetime(row["recorded_at"])
        return login

    async def forget_uses(self, before: float) -> None:
        """Forget the uses of assertions that were usable until before then."""
        await self._database.execute(_FORGET_USES, before)


async def keep(
    transaction: Transaction,
    sha256: bytes,
    client_id: str,
    officer_id: str,
    auth_time: int,
    acr: str,
    assertion: str,
) -> tuple[bytes, bool]:
    """Keep a statement unless one of the same login is kept; return the kept one's digest, and whether it is new."""
    kept = await transaction.fetchval(_KEEP, sha256, client_id, officer_id, auth_time, acr, assertion)
    if kept is not None:
        return kept, True
    return await transaction.fetchval(_KEPT, client_id, officer_id, auth_time, acr), False
