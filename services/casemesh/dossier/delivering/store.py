"""Recipients' states with versions, in PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from casemesh.dossier.store import StoredVersion
from casemesh.runtime.postgres import Database, Transaction

_START = """
UPDATE version_delivery SET started_at = $3 WHERE version_id = $1 AND agency = $2 AND started_at IS NULL
"""
_COLUMNS = "agency, granted_at, started_at, confirmed_at, confirmation"
# The agency that made a version has no grant: it may read it since it was finalised.
_LOCK = f"""
INSERT INTO version_delivery (version_id, agency, granted_at) VALUES ($1, $2, $3)
ON CONFLICT (version_id, agency) DO UPDATE SET granted_at = version_delivery.granted_at RETURNING {_COLUMNS}
"""  # noqa: S608 - columns are a constant
_CONFIRM = f"""
UPDATE version_delivery
SET confirmed_at = $3, confirmation = $4, started_at = coalesce(started_at, $3)
WHERE version_id = $1 AND agency = $2 RETURNING {_COLUMNS}
"""  # noqa: S608
_LIST = f"""
SELECT {_COLUMNS} FROM version_delivery
WHERE version_id = $1 AND ($2::text IS NULL OR agency = $2) AND agency > $3 ORDER BY agency LIMIT $4
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """How far one agency has come with a version. ``confirmation`` is its signed statement."""

    agency: str
    granted_at: datetime
    started_at: datetime | None
    confirmed_at: datetime | None
    confirmation: bytes | None


class DeliveryStore:
    """One row a version and agency; it is there from the first grant on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self, version: StoredVersion, agency: str, now: datetime) -> None:
        """Note that bytes leave for a recipient; what was noted first stays."""
        await self._database.execute(_START, version.version_id, agency, now)

    async def lock(self, transaction: Transaction, version: StoredVersion, agency: str) -> StoredDelivery:
        """The state of an agency that may read the version, which nobody else changes until the transaction ends."""
        row = await transaction.fetchrow(_LOCK, version.version_id, agency, version.finalized_at)
        assert row is not None
        return StoredDelivery(**row)

    async def confirm(
        self, transaction: Transaction, version: StoredVersion, agency: str, now: datetime, confirmation: bytes
    ) -> StoredDelivery:
        """Note the confirmation of an agency whose state is locked."""
        row = await transaction.fetchrow(_CONFIRM, version.version_id, agency, now, confirmation)
        assert row is not None
        return StoredDelivery(**row)

    async def deliveries(
        self, version: StoredVersion, only: str | None, after: str, limit: int
    ) -> list[StoredDelivery]:  # fmt: skip
        """States by agency from behind ``after`` on; those of one agency alone where ``only`` is given."""
        rows = await self._database.fetch(_LIST, version.version_id, only, after, limit)
        return [StoredDelivery(**row) for row in rows]
