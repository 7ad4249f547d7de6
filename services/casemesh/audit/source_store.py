"""How far each source has told its numbered events, in PostgreSQL: what is missing, and what came twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from casemesh.audit.events import Submitted
from casemesh.runtime.postgres import Database, Row, Transaction

log = structlog.get_logger(__name__)

# Ranges do the arithmetic: what came before and comes again is repeated; what lies below the end and never came is
# missing.
_FOLLOW = """
INSERT INTO source_progress AS known (source, received, append_time, lag_millis)
SELECT source, range_agg(int8range(number, number, '[]')), now(), max(lag_millis)
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS told (source, number, lag_millis) GROUP BY source
ON CONFLICT (source) DO UPDATE SET received = known.received + EXCLUDED.received,
    repeated = known.repeated + known.received * EXCLUDED.received, append_time = EXCLUDED.append_time,
    lag_millis = EXCLUDED.lag_millis
RETURNING source, received <> int8multirange(int8range(1, upper(received))) AS gaps, NOT isempty(repeated) AS repeats
"""
_LIST = """
SELECT source, upper(received) - 1 AS last_sequence, append_time, lag_millis,
    ARRAY(SELECT ARRAY[lower(run), upper(run) - 1] FROM unnest(
        int8multirange(int8range(1, upper(received))) - received) AS run) AS missing,
    ARRAY(SELECT ARRAY[lower(run), upper(run) - 1] FROM unnest(repeated) AS run) AS repeated
FROM source_progress ORDER BY source
"""


@dataclass(frozen=True, slots=True)
class SourceProgress:
    """How far one source has come. Runs are first and last number."""

    source: str
    last_sequence: int
    missing: tuple[tuple[int, int], ...]
    repeated: tuple[tuple[int, int], ...]
    append_time: datetime
    lag_millis: int
    """How long before that the oldest event of the last batch had happened."""


async def follow(transaction: Transaction, events: Iterable[Submitted], now: datetime) -> None:
    """Count the numbered among new events, in the transaction that appends them; a gap or a number given twice is named
    in the process's log, and kept until it is closed, or for ever."""
    told = [(event.source, number, _lag(event, now)) for event in events if (number := _number(event))]
    if not told:
        return
    sources, numbers, lags = zip(*told, strict=True)
    for row in await transaction.fetch(_FOLLOW, sources, numbers, lags):
        if row["gaps"]:
            log.warning("source.numbers_missing", source=row["source"])
        if row["repeats"]:
            log.error("source.numbers_repeated", source=row["source"])


async def list_sources(database: Database) -> list[SourceProgress]:
    """Return all sources by name. Raises Unavailable."""
    return [_progress(row) for row in await database.fetch(_LIST)]


def _progress(row: Row) -> SourceProgress:
    return SourceProgress(
        row["source"],
        row["last_sequence"],
        _runs(row["missing"]),
        _runs(row["repeated"]),
        row["append_time"],
        row["lag_millis"],
    )


def _runs(pairs: Sequence[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((first, last) for first, last in pairs)


def _number(event: Submitted) -> int:
    number = event.fields.get("source_sequence", 0)
    assert isinstance(number, int)
    return number


def _lag(event: Submitted, now: datetime) -> int:
    occurred = datetime.fromisoformat(str(event.fields["occur_time"])).astimezone(UTC)
    return max(0, int((now - occurred).total_seconds() * 1000))
