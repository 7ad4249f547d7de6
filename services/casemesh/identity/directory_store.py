"""The directory in PostgreSQL: agencies, officers, and the clients with their certificates.

Reads take one statement. Writes take the caller's transaction, in which the request id was claimed and the event is
recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemesh.core.names import AGENCY, OFFICER, SYSTEM, WORKSTATION
from casemesh.identity.v1.directory_pb2 import Agency, Officer, System, Workstation
from casemesh.runtime.postgres import Database, Row, Transaction

_AGENCY = "SELECT id, code, display_name, organ, trust_domain, created_at FROM agency WHERE id = $1"
_AGENCIES = """
SELECT id, code, display_name, organ, trust_domain, created_at FROM agency WHERE code > $1 ORDER BY code LIMIT $2
"""
_INSERT_AGENCY = """
INSERT INTO agency (id, code, display_name, organ, trust_domain) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (code) DO NOTHING RETURNING id, code, display_name, organ, trust_domain, created_at
"""
_OFFICERS = """
SELECT id, agency_id, display_name, created_at FROM officer WHERE agency_id = $1 AND id > $2 ORDER BY id LIMIT $3
"""
_INSERT_OFFICER = """
INSERT INTO officer (id, agency_id, display_name) SELECT $1, agency.id, $3 FROM agency WHERE agency.id = $2
RETURNING id, agency_id, display_name, created_at
"""
_INSERT_SYSTEM = """
INSERT INTO client (id, agency_id, kind, display_name)
SELECT $1, agency.id, 'system', $3 FROM agency WHERE agency.id = $2
RETURNING id, agency_id, display_name, created_at
"""
_INSERT_WORKSTATION = """
INSERT INTO client (id, agency_id, kind, officer_id)
SELECT $1, officer.agency_id, 'workstation', officer.id FROM officer WHERE officer.agency_id = $2 AND officer.id = $3
RETURNING id, agency_id, officer_id, created_at
"""
_INSERT_CERTIFICATE = """
INSERT INTO client_certificate (sha256, client_id) VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING RETURNING true
"""
_HOLDER = """
SELECT client.id, client.agency_id, client.kind, client.officer_id,
    (SELECT officer.id FROM officer
     WHERE officer.agency_id = client.agency_id AND officer.id = coalesce($2, client.officer_id)
         AND officer.state = 'active') AS assertable_officer_id
FROM client_certificate JOIN client ON client.id = client_certificate.client_id
WHERE client_certificate.sha256 = $1 AND client.state = 'active'
"""


@dataclass(frozen=True)
class CertificateHolder:
    """The active system or workstation behind a certificate."""

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
    transaction: Transaction, agency_id: str, code: str, display_name: str, organ: str, trust_domain: str
) -> Agency | None:
    """Return the new agency, or None when the code is taken."""
    row = await transaction.fetchrow(_INSERT_AGENCY, agency_id, code, display_name, organ, trust_domain)
    return None if row is None else _agency(row)


async def insert_officer(
    transaction: Transaction, officer_id: str, agency_id: str, display_name: str
) -> Officer | None:
    """Return the new officer, or None when there is no such agency."""
    row = await transaction.fetchrow(_INSERT_OFFICER, officer_id, agency_id, display_name)
    return None if row is None else _officer(row)


async def insert_system(transaction: Transaction, system_id: str, agency_id: str, display_name: str) -> System | None:
    """Return the new system, still without a certificate, or None when there is no such agency."""
    row = await transaction.fetchrow(_INSERT_SYSTEM, system_id, agency_id, display_name)
    if row is None:
        return None
    system = System(
        name=SYSTEM.format(agency=row["agency_id"], system=row["id"]),
        display_name=row["display_name"],
    )
    system.create_time.FromDatetime(row["created_at"])
    return system


async def insert_workstation(
    transaction: Transaction, workstation_id: str, agency_id: str, officer_id: str
) -> Workstation | None:
    """Return the new workstation, still without a certificate, or None when there is no such officer."""
    row = await transaction.fetchrow(_INSERT_WORKSTATION, workstation_id, agency_id, officer_id)
    if row is None:
        return None
    workstation = Workstation(
        name=WORKSTATION.format(agency=row["agency_id"], workstation=row["id"]),
        officer=OFFICER.format(agency=row["agency_id"], officer=row["officer_id"]),
    )
    workstation.create_time.FromDatetime(row["created_at"])
    return workstation


async def insert_certificate(transaction: Transaction, sha256: bytes, client_id: str) -> bool:
    """Give a client its certificate; False when another client has it."""
    return bool(await transaction.fetchval(_INSERT_CERTIFICATE, sha256, client_id))


def _agency(row: Row) -> Agency:
    agency = Agency(
        name=AGENCY.format(agency=row["id"]),
        code=row["code"],
        display_name=row["display_name"],
        organ=row["organ"],
        trust_domain=row["trust_domain"],
    )
    agency.create_time.FromDatetime(row["created_at"])
    return agency


def _officer(row: Row) -> Officer:
    officer = Officer(name=OFFICER.format(agency=row["agency_id"], officer=row["id"]), display_name=row["display_name"])
    officer.create_time.FromDatetime(row["created_at"])
    return officer


def _text(identifier: object | None) -> str | None:
    return None if identifier is None else str(identifier)
