"""Versions of the node catalogue and the provinces of agencies, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from casemesh.core.names import AGENCY
from casemesh.runtime.postgres import Database, Row, Transaction

_COLUMNS = """version_id, province, effective_from, content, node_count, note, imported_by, import_time, activated_by,
    activate_time"""
_INSERT = f"INSERT INTO node_catalogue ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', NULL)"  # noqa: S608
_GET = f"SELECT {_COLUMNS} FROM node_catalogue WHERE version_id = $1"  # noqa: S608
_LIST = f"""
SELECT {_COLUMNS} FROM node_catalogue WHERE $1 = '' OR version_id < $1::uuid ORDER BY version_id DESC LIMIT $2
"""  # noqa: S608
_ACTIVATED = f"SELECT {_COLUMNS} FROM node_catalogue WHERE activate_time IS NOT NULL"  # noqa: S608
_ACTIVATE = f"""
UPDATE node_catalogue SET activated_by = $2, activate_time = $3 WHERE version_id = $1 AND activate_time IS NULL
RETURNING {_COLUMNS}
"""  # noqa: S608
_PROVINCES = "SELECT agency, province FROM agency_province WHERE province <> ''"
_SET_PROVINCE = """
INSERT INTO agency_province (agency, province, set_time) VALUES ($1, $2, $3)
ON CONFLICT (agency) DO UPDATE SET province = excluded.province, set_time = excluded.set_time
"""
# Of all of them, since what commits later may bear an earlier time.
_STAMP = """
SELECT (SELECT count(activate_time) FROM node_catalogue) AS activated,
    (SELECT sum(extract(epoch FROM set_time)) FROM agency_province) AS placed
"""


@dataclass(frozen=True)
class CatalogueVersion:
    """One version of the national catalogue, or of a province's overlay."""

    version: str
    province: str
    effective_from: date
    content: bytes
    node_count: int
    note: str
    imported_by: str
    import_time: datetime
    activated_by: str = ""
    activate_time: datetime | None = None


async def insert_version(transaction: Transaction, version: CatalogueVersion) -> None:
    """Keep a version for preview."""
    await transaction.execute(
        _INSERT,
        version.version,
        version.province,
        version.effective_from,
        version.content,
        version.node_count,
        version.note,
        version.imported_by,
        version.import_time,
    )


async def mark_activated(transaction: Transaction, version: str, by: str, at: datetime) -> CatalogueVersion | None:
    """Put a version in force from its date on; None when it was before, or there is none."""
    row = await transaction.fetchrow(_ACTIVATE, version, by, at)
    return _version(row) if row is not None else None


async def set_province(transaction: Transaction, agency: str, province: str, at: datetime) -> None:
    """Say which province's overlay an agency uses; empty for none."""
    await transaction.execute(_SET_PROVINCE, AGENCY.parse(agency)["agency"], province, at)


class NodeCatalogueStore:
    """Reads versions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, version: str) -> CatalogueVersion | None:
        """Return a version, or None."""
        row = await self._database.fetchrow(_GET, version)
        return _version(row) if row is not None else None

    async def list(self, *, after: str, limit: int) -> Sequence[CatalogueVersion]:
        """Return versions, newest first, from after the identifier `after` on, at most `limit`."""
        return [_version(row) for row in await self._database.fetch(_LIST, after, limit)]

    async def activated(self) -> Sequence[CatalogueVersion]:
        """Return all versions that were ever put in force."""
        return [_version(row) for row in await self._database.fetch(_ACTIVATED)]

    async def provinces(self) -> dict[str, str]:
        """Return the provinces of agencies that use an overlay."""
        rows = await self._database.fetch(_PROVINCES)
        return {AGENCY.format(agency=row["agency"]): row["province"] for row in rows}

    async def stamp(self) -> object:
        """Return what is another value whenever anything of this was changed."""
        row = await self._database.fetchrow(_STAMP)
        assert row is not None
        return row["activated"], row["placed"]


def _version(row: Row) -> CatalogueVersion:
    return CatalogueVersion(
        version=str(row["version_id"]),
        province=row["province"],
        effective_from=row["effective_from"],
        content=row["content"],
        node_count=row["node_count"],
        note=row["note"],
        imported_by=row["imported_by"],
        import_time=row["import_time"],
        activated_by=row["activated_by"],
        activate_time=row["activate_time"],
    )
