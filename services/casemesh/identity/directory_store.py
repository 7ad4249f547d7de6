"""The directory in PostgreSQL: agencies, officers, and the clients with their certificates.

Reads take one statement. Writes take the caller's transaction, in which the request id was claimed and the event is
recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from casemesh.core.names import AGENCY, OFFICER, SYSTEM, UNIT, WORKSTATION
from casemesh.errors import AlreadyExists
from casemesh.identity.standing_store import STATES, certificate_of
from casemesh.identity.unit_store import ROLES
from casemesh.identity.v1.directory_pb2 import Agency, AgencyLevel, Certificate, Officer, System, Workstation
from casemesh.runtime.postgres import Database, Row, Transaction

LEVELS: Mapping[str, AgencyLevel] = {
    "central": AgencyLevel.AGENCY_LEVEL_CENTRAL,
    "province": AgencyLevel.AGENCY_LEVEL_PROVINCE,
    "city": AgencyLevel.AGENCY_LEVEL_CITY,
    "county": AgencyLevel.AGENCY_LEVEL_COUNTY,
}
"""Levels of the tree, the highest first."""

_AGENCY = """
SELECT id, code, display_name, organ, trust_domain, parent_id, level, state, created_at FROM agency WHERE id = $1
"""
_AGENCIES = """
SELECT id, code, display_name, organ, trust_domain, parent_id, level, state, created_at FROM agency
WHERE code > $1 ORDER BY code LIMIT $2
"""
_LEVEL = "SELECT level FROM agency WHERE id = $1"
_INSERT_AGENCY = """
INSERT INTO agency (id, code, display_name, organ, trust_domain, authority, parent_id, level)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (code) DO NOTHING
RETURNING id, code, display_name, organ, trust_domain, parent_id, level, state, created_at
"""
_OFFICERS = """
SELECT officer.id, officer.agency_id, display_name, state, created_at, unit_id, role
FROM officer LEFT JOIN unit_placement AS place ON place.officer_id = officer.id AND place.valid_until IS NULL
WHERE officer.agency_id = $1 AND officer.id > $2 ORDER BY officer.id LIMIT $3
"""
_INSERT_OFFICER = """
INSERT INTO officer (id, agency_id, display_name) SELECT $1, agency.id, $3 FROM agency WHERE agency.id = $2
RETURNING id, agency_id, display_name, state, created_at, NULL::uuid AS unit_id, NULL AS role
"""
_INSERT_SYSTEM = """
INSERT INTO client (id, agency_id, kind, display_name, state)
SELECT $1, agency.id, 'system', $3, $4 FROM agency WHERE agency.id = $2
RETURNING id, agency_id, display_name, state, created_at
"""
_INSERT_WORKSTATION = """
INSERT INTO client (id, agency_id, kind, officer_id, state)
SELECT $1, officer.agency_id, 'workstation', officer.id, $4 FROM officer
WHERE officer.agency_id = $2 AND officer.id = $3
RETURNING id, agency_id, officer_id, state, created_at
"""
_INSERT_CERTIFICATE = """
WITH inserted AS (
    INSERT INTO client_certificate (sha256, client_id, state, spiffe_id, not_after, registered_by)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (sha256) DO NOTHING
    RETURNING sha256, client_id, state, not_after, created_at
)
SELECT client.agency_id, client.kind, client.id, inserted.sha256, inserted.state, inserted.not_after,
    inserted.created_at
FROM inserted JOIN client ON client.id = inserted.client_id
"""
_AUTHORITY = "SELECT authority, trust_domain FROM agency WHERE id = $1"
_SPIFFE_ID = "SELECT spiffe_id FROM client_certificate WHERE sha256 = $1"
_VALID_CERTIFICATES = """
SELECT count(*) FROM client_certificate
WHERE client_id = $1 AND state = 'active' AND (not_after IS NULL OR not_after > now())
"""
_REGISTERED_BY = """
SELECT registered_by FROM client_certificate WHERE client_id = $1 AND state = 'registered' ORDER BY created_at LIMIT 1
"""
_ACTIVATE = "UPDATE client_certificate SET state = 'active' WHERE client_id = $1 AND state = 'registered'"
_HOLDER = """
SELECT client.id, client.agency_id, client.kind, client.officer_id,
    (SELECT officer.id FROM officer
     WHERE officer.agency_id = client.agency_id AND officer.id = coalesce($2, client.officer_id)
         AND officer.state = 'active') AS assertable_officer_id
FROM client_certificate JOIN client ON client.id = client_certificate.client_id
    JOIN agency ON agency.id = client.agency_id
WHERE client_certificate.sha256 = $1 AND client_certificate.state = 'active' AND client.state = 'active'
    AND (client_certificate.not_after IS NULL OR client_certificate.not_after > now())
    AND agency.state = 'active'
"""


@dataclass(frozen=True)
class CertificateHolder:
    """The active system or workstation, of an active agency, behind a certificate that is not revoked."""

    agency_id: str
    kind: str
    client_id: str
    own_officer_id: str | None
    """The one officer of a workstation."""
    assertable_officer_id: str | None
    """The officer asked about, or a workstation's own when none was, if it is active and of the agency."""


class DirectoryStore:
    """Reads. Identifiers are UUIDs as text."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def agency(self, agency_id: str) -> Agency | None:
        """Return one agency, or None."""
        row = await self._database.fetchrow(_AGENCY, agency_id)
        return None if row is None else _agency(row)

    async def agencies(self, after_code: str, limit: int) -> Sequence[Agency]:
        """Return up to `limit` agencies by code, those after `after_code`."""
        return [_agency(row) for row in await self._database.fetch(_AGENCIES, after_code, limit)]

    async def officers(self, agency_id: str, after_id: str, limit: int) -> Sequence[Officer]:
        """Return up to `limit` officers of an agency by identifier, those after `after_id`."""
        return [_officer(row) for row in await self._database.fetch(_OFFICERS, agency_id, after_id, limit)]

    async def certificate_holder(self, sha256: bytes, officer_id: str | None) -> CertificateHolder | None:
        """Return the active client with this certificate and whether it exists and is active, the officer; or None."""
        row = await self._database.fetchrow(_HOLDER, sha256, officer_id)
        if row is None:
            return None
        return CertificateHolder(
            agency_id=str(row["agency_id"]),
            kind=row["kind"],
            client_id=str(row["id"]),
            own_officer_id=_text(row["officer_id"]),
            assertable_officer_id=_text(row["assertable_officer_id"]),
        )


async def insert_agency(
    transaction: Transaction,
    agency_id: str,
    code: str,
    display_name: str,
    organ: str,
    trust_domain: str,
    authority: bytes | None,
    parent_id: str | None,
    level: str | None,
) -> Agency | None:
    """Return the new agency, or None when the code is taken."""
    row = await transaction.fetchrow(
        _INSERT_AGENCY, agency_id, code, display_name, organ, trust_domain, authority, parent_id, level
    )
    return None if row is None else _agency(row)


async def level_of(transaction: Transaction, agency_id: str) -> tuple[str | None] | None:
    """Return the level of an agency, which may be none; or None when there is no such agency."""
    row = await transaction.fetchrow(_LEVEL, agency_id)
    return None if row is None else (row["level"],)


async def insert_officer(
    transaction: Transaction, officer_id: str, agency_id: str, display_name: str
) -> Officer | None:
    """Return the new officer, or None when there is no such agency."""
    row = await transaction.fetchrow(_INSERT_OFFICER, officer_id, agency_id, display_name)
    return None if row is None else _officer(row)


async def insert_system(
    transaction: Transaction, system_id: str, agency_id: str, display_name: str, state: str
) -> System | None:
    """Return the new system, still without a certificate, or None when there is no such agency."""
    row = await transaction.fetchrow(_INSERT_SYSTEM, system_id, agency_id, display_name, state)
    if row is None:
        return None
    system = System(
        name=SYSTEM.format(agency=row["agency_id"], system=row["id"]),
        display_name=row["display_name"],
        state=STATES[row["state"]],
    )
    system.create_time.FromDatetime(row["created_at"])
    return system


async def insert_workstation(
    transaction: Transaction, workstation_id: str, agency_id: str, officer_id: str, state: str
) -> Workstation | None:
    """Return the new workstation, still without a certificate, or None when there is no such officer."""
    row = await transaction.fetchrow(_INSERT_WORKSTATION, workstation_id, agency_id, officer_id, state)
    if row is None:
        return None
    workstation = Workstation(
        name=WORKSTATION.format(agency=row["agency_id"], workstation=row["id"]),
        officer=OFFICER.format(agency=row["agency_id"], officer=row["officer_id"]),
        state=STATES[row["state"]],
    )
    workstation.create_time.FromDatetime(row["created_at"])
    return workstation


async def insert_certificate(
    transaction: Transaction,
    sha256: bytes,
    client_id: str,
    *,
    state: str = "active",
    spiffe_id: str | None = None,
    not_after: datetime | None = None,
    registered_by: str = "",
) -> Certificate | None:
    """Give a client a certificate; None when it is registered already."""
    row = await transaction.fetchrow(_INSERT_CERTIFICATE, sha256, client_id, state, spiffe_id, not_after, registered_by)
    return None if row is None else certificate_of(row)


def certificate_taken(field: str) -> AlreadyExists:
    """Return the refusal of a certificate that is registered already."""
    return AlreadyExists("ALREADY_EXISTS", f"{field} is that of another system or workstation", {"field": field})


async def authority_of(transaction: Transaction, agency_id: str) -> tuple[bytes | None, str] | None:
    """Return the certificate of the agency's CA, if it is known, and its trust domain; None without such an agency."""
    row = await transaction.fetchrow(_AUTHORITY, agency_id)
    return None if row is None else (row["authority"], row["trust_domain"])


async def spiffe_id_of(transaction: Transaction, sha256: bytes | None) -> str | None:
    """Return the name in a certificate, or None when it was registered by its fingerprint."""
    spiffe_id: str | None = await transaction.fetchval(_SPIFFE_ID, sha256)
    return spiffe_id


async def count_valid_certificates(transaction: Transaction, client_id: str) -> int:
    """Return how many certificates of a client are active and not past their end."""
    return int(await transaction.fetchval(_VALID_CERTIFICATES, client_id))


async def registered_by(transaction: Transaction, client_id: str) -> str:
    """Return who registered a client that waits for approval."""
    return str(await transaction.fetchval(_REGISTERED_BY, client_id))


async def activate_certificates(transaction: Transaction, client_id: str) -> None:
    """Make the certificates that a client was registered with active."""
    await transaction.execute(_ACTIVATE, client_id)


def _agency(row: Row) -> Agency:
    agency = Agency(
        name=AGENCY.format(agency=row["id"]),
        code=row["code"],
        display_name=row["display_name"],
        organ=row["organ"],
        trust_domain=row["trust_domain"],
        state=STATES[row["state"]],
    )
    if row["parent_id"] is not None:
        agency.parent = AGENCY.format(agency=row["parent_id"])
    if row["level"] is not None:
        agency.level = LEVELS[row["level"]]
    agency.create_time.FromDatetime(row["created_at"])
    return agency


def _officer(row: Row) -> Officer:
    officer = Officer(
        name=OFFICER.format(agency=row["agency_id"], officer=row["id"]),
        display_name=row["display_name"],
        state=STATES[row["state"]],
    )
    if row["unit_id"] is not None:
        officer.unit = UNIT.format(agency=row["agency_id"], unit=row["unit_id"])
        officer.unit_role = ROLES[row["role"]]
    officer.create_time.FromDatetime(row["created_at"])
    return officer


def _text(identifier: object | None) -> str | None:
    return None if identifier is None else str(identifier)
