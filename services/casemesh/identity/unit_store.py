"""Units and placements in PostgreSQL.

Reads take one statement. Writes take the caller's transaction, in which the request id was claimed and the event is
recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from casemesh.core.names import OFFICER, UNIT
from casemesh.identity.v1.directory_pb2 import Unit, UnitPlacement, UnitRole
from casemesh.runtime.postgres import Database, Row, Transaction

ROLES: Mapping[str, UnitRole] = {
    "member": UnitRole.UNIT_ROLE_MEMBER,
    "supervisor": UnitRole.UNIT_ROLE_SUPERVISOR,
}

_UNITS = """
SELECT id, agency_id, parent_id, display_name, created_at FROM unit
WHERE agency_id = $1 AND id > $2 ORDER BY id LIMIT $3
"""
# One statement says both: no such agency, or no such unit above it in that agency.
_INSERT_UNIT = """
INSERT INTO unit (id, agency_id, parent_id, display_name)
SELECT $1, agency.id, $3, $4 FROM agency
WHERE agency.id = $2 AND ($3::uuid IS NULL OR EXISTS (SELECT 1 FROM unit WHERE agency_id = agency.id AND id = $3))
RETURNING id, agency_id, parent_id, display_name, created_at
"""
# Two changes of one officer's place follow each other.
_LOCK_OFFICER = "SELECT id FROM officer WHERE agency_id = $1 AND id = $2 FOR NO KEY UPDATE"
_UNIT_EXISTS = "SELECT EXISTS (SELECT 1 FROM unit WHERE agency_id = $1 AND id = $2)"
_OPEN_PLACEMENT = """
SELECT agency_id, officer_id, unit_id, role, valid_from, valid_until FROM unit_placement
WHERE agency_id = $1 AND officer_id = $2 AND valid_until IS NULL
"""
_END_PLACEMENT = """
UPDATE unit_placement SET valid_until = greatest(clock_timestamp(), valid_from)
WHERE agency_id = $1 AND officer_id = $2 AND valid_until IS NULL
"""
_INSERT_PLACEMENT = """
INSERT INTO unit_placement (id, agency_id, officer_id, unit_id, role) VALUES ($1, $2, $3, $4, $5)
RETURNING agency_id, officer_id, unit_id, role, valid_from, valid_until
"""


class UnitStore:
    """Reads. Identifiers are UUIDs as text."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def units(self, agency_id: str, after_id: str, limit: int) -> Sequence[Unit]:
        """Return up to `limit` units of an agency by identifier, those after `after_id`."""
        return [_unit(row) for row in await self._database.fetch(_UNITS, agency_id, after_id, limit)]


async def insert_unit(
    transaction: Transaction, unit_id: str, agency_id: str, parent_id: str | None, display_name: str
) -> Unit | None:
    """Return the new unit, or None when there is no such agency, or no such unit above it in the agency."""
    row = await transaction.fetchrow(_INSERT_UNIT, unit_id, agency_id, parent_id, display_name)
    return None if row is None else _unit(row)


async def lock_placement(transaction: Transaction, agency_id: str, officer_id: str, unit_id: str) -> bool:
    """Keep the officer's place from changing until the transaction ends; False when officer or unit do not exist."""
    if await transaction.fetchval(_LOCK_OFFICER, agency_id, officer_id) is None:
        return False
    return bool(await transaction.fetchval(_UNIT_EXISTS, agency_id, unit_id))


async def open_placement(transaction: Transaction, agency_id: str, officer_id: str) -> UnitPlacement | None:
    """Return the officer's present place, or None. Needs the lock."""
    row = await transaction.fetchrow(_OPEN_PLACEMENT, agency_id, officer_id)
    return None if row is None else _placement(row)


async def place(
    transaction: Transaction, placement_id: str, agency_id: str, officer_id: str, unit_id: str, role: str
) -> UnitPlacement:
    """End the officer's present place and return the new one. Needs the lock."""
    await transaction.execute(_END_PLACEMENT, agency_id, officer_id)
    row = await transaction.fetchrow(_INSERT_PLACEMENT, placement_id, agency_id, officer_id, unit_id, role)
    assert row is not None
    return _placement(row)


def _unit(row: Row) -> Unit:
    unit = Unit(name=UNIT.format(agency=row["agency_id"], unit=row["id"]), display_name=row["display_name"])
    if row["parent_id"] is not None:
        unit.parent = UNIT.format(agency=row["agency_id"], unit=row["parent_id"])
    unit.create_time.FromDatetime(row["created_at"])
    return unit


def _placement(row: Row) -> UnitPlacement:
    placement = UnitPlacement(
        officer=OFFICER.format(agency=row["agency_id"], officer=row["officer_id"]),
        unit=UNIT.format(agency=row["agency_id"], unit=row["unit_id"]),
        role=ROLES[row["role"]],
    )
    placement.valid_from.FromDatetime(row["valid_from"])
    return placement
