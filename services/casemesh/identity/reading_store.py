"""What officers read, in PostgreSQL: admitted and counted before the first byte leaves, and marks of copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from casemesh.core.names import CASE
from casemesh.identity.browsing import Counts, Limits
from casemesh.identity.facts import officer_name
from casemesh.identity.v1.export_mark_service_pb2 import ExportMark
from casemesh.runtime.postgres import Database, Row, Transaction

# One statement counts, compares and inserts. Readings that begin at the same moment do not see each other: a limit is
# overrun by at most as many as one officer has in flight.
_ADMIT = """
WITH past AS (
    SELECT count(*) FILTER (WHERE at > now() - interval '1 hour') AS reads, count(DISTINCT case_id) AS cases,
        coalesce(sum(size_bytes), 0)::bigint AS size_bytes, coalesce(bool_or(case_id = $4), false) AS case_known,
        min(at) FILTER (WHERE at > now() - interval '1 hour') + interval '1 hour' - now() AS hour_left,
        min(at) + interval '1 day' - now() AS day_left
    FROM reading WHERE officer_id = $3 AND at > now() - interval '1 day'
), admitted AS (
    INSERT INTO reading (id, agency_id, officer_id, case_id, purpose)
    SELECT $1, $2, $3, $4, $5 FROM past WHERE reads < $6 AND (cases < $7 OR case_known) AND size_bytes < $8
    RETURNING id
)
SELECT reads, cases, size_bytes, case_known, hour_left, day_left, EXISTS (SELECT 1 FROM admitted) AS admitted FROM past
"""
_SIZE = "UPDATE reading SET size_bytes = $2 WHERE id = $1"
_INSERT_MARK = """
INSERT INTO export_mark (id, reading_id, version)
SELECT $1, id, $4 FROM reading
WHERE officer_id = $2 AND case_id = $3 AND at > now() - interval '1 day' ORDER BY at DESC LIMIT 1
RETURNING id
"""
_MARK = """
SELECT export_mark.id, reading_id, case_id, version, reading.agency_id, officer_id, purpose, at, export_mark.created_at,
    officer.display_name AS officer_display_name, agency.display_name AS agency_display_name
FROM export_mark JOIN reading ON reading.id = reading_id JOIN officer ON officer.id = officer_id
    JOIN agency ON agency.id = reading.agency_id
WHERE export_mark.id = $1
"""


@dataclass(frozen=True)
class Admission:
    """Whether a reading was let through, after what, and how long until the oldest of the hour and of the day no longer
    count."""

    admitted: bool
    counts: Counts
    hour_left: timedelta | None
    day_left: timedelta | None


@dataclass(frozen=True)
class StoredMark:
    """A mark and the reading it leads back to. Identifiers are UUIDs as text."""

    mark_id: str
    reading_id: str
    case_id: str
    version: str
    agency_id: str
    officer_id: str
    purpose: str
    read_at: datetime
    created_at: datetime
    officer_display_name: str
    agency_display_name: str

    @property
    def case(self) -> str:
        """Resource name of the case."""
        return CASE.format(case=self.case_id)

    def message(self) -> ExportMark:
        """Return it as the contract has it."""
        mark = ExportMark(
            mark=self.mark_id,
            reading=self.reading_id,
            case=self.case,
            version=self.version,
            officer=officer_name(self.agency_id, self.officer_id),
            officer_display_name=self.officer_display_name,
            agency_display_name=self.agency_display_name,
            purpose=self.purpose,
        )
        mark.reading_time.FromDatetime(self.read_at)
        mark.create_time.FromDatetime(self.created_at)
        return mark


class ReadingStore:
    """Counts readings. Identifiers are UUIDs as text."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def admit(
        self, reading_id: str, agency_id: str, officer_id: str, case_id: str, purpose: str, limits: Limits
    ) -> Admission:
        """Count a reading that begins now, unless a limit refuses it."""
        row = await self._database.fetchrow(
            _ADMIT, reading_id, agency_id, officer_id, case_id, purpose,
            limits.reads.refuse_at, limits.cases.refuse_at, limits.size_bytes.refuse_at,
        )  # fmt: skip
        assert row is not None
        counts = Counts(row["reads"], row["cases"], row["size_bytes"], row["case_known"])
        return Admission(row["admitted"], counts, row["hour_left"], row["day_left"])

    async def set_size(self, reading_id: str, size_bytes: int) -> None:
        """Note how much of a reading was sent."""
        await self._database.execute(_SIZE, reading_id, size_bytes)

    async def mark(self, mark_id: str) -> StoredMark | None:
        """Return a mark, or None."""
        row = await self._database.fetchrow(_MARK, mark_id)
        return None if row is None else _mark(row)


async def insert_mark(
    transaction: Transaction, mark_id: str, officer_id: str, case_id: str, version: str
) -> StoredMark | None:
    """Return a new mark for the officer's latest reading of the case; None when there was none within the last day."""
    if await transaction.fetchval(_INSERT_MARK, mark_id, officer_id, case_id, version) is None:
        return None
    row = await transaction.fetchrow(_MARK, mark_id)
    assert row is not None
    return _mark(row)


def _mark(row: Row) -> StoredMark:
    return StoredMark(
        mark_id=str(row["id"]),
        reading_id=str(row["reading_id"]),
        case_id=str(row["case_id"]),
        version=row["version"],
        agency_id=str(row["agency_id"]),
        officer_id=str(row["officer_id"]),
        purpose=row["purpose"],
        read_at=row["at"],
        created_at=row["created_at"],
        officer_display_name=row["officer_display_name"],
        agency_display_name=row["agency_display_name"],
    )
