"""Agreements on a single track, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from google.type import date_pb2

from casemesh.core.names import AGENCY, NODE, SINGLE_TRACK
from casemesh.routing.exchange_store import FIRST_ID
from casemesh.routing.payload import to_date
from casemesh.routing.v1 import single_track_service_pb2 as pb2
from casemesh.runtime.postgres import Database, Row, Transaction

_COLUMNS = """single_track_id, node, sender, recipient, effective_from, basis, propose_time, agree_time, end_time"""
_INSERT = f"""
INSERT INTO single_track ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, NULL)
ON CONFLICT (node, sender, recipient) WHERE end_time IS NULL DO NOTHING
"""  # noqa: S608 - columns are a constant
_LOCK = f"SELECT {_COLUMNS} FROM single_track WHERE single_track_id = $1 FOR UPDATE"  # noqa: S608
_AGREE = "UPDATE single_track SET agree_time = $2 WHERE single_track_id = $1"
_END = "UPDATE single_track SET end_time = $2 WHERE single_track_id = $1"
_LIST = f"""
SELECT {_COLUMNS} FROM single_track WHERE (sender = $1 OR recipient = $1) AND single_track_id > $2
ORDER BY single_track_id LIMIT $3
"""  # noqa: S608
_AGREED = f"SELECT {_COLUMNS} FROM single_track WHERE agree_time IS NOT NULL AND end_time IS NULL"  # noqa: S608
# Counted, since what commits later may bear an earlier time.
_STAMP = "SELECT count(agree_time) AS agreed, count(end_time) AS ended FROM single_track"


async def insert_track(transaction: Transaction, track: pb2.SingleTrack, at: datetime) -> bool:
    """Keep a proposal; False where there is one already, or an agreement, for its node and direction."""
    return (
        await transaction.execute(
            _INSERT,
            SINGLE_TRACK.parse(track.name)["single_track"],
            NODE.parse(track.node)["node"],
            AGENCY.parse(track.sender)["agency"],
            AGENCY.parse(track.recipient)["agency"],
            to_date(track.effective_from),
            track.basis,
            at,
        )
        == 1
    )


async def lock_track(transaction: Transaction, name: str) -> pb2.SingleTrack | None:
    """Return an agreement that nobody else changes before the transaction ends, or None."""
    row = await transaction.fetchrow(_LOCK, SINGLE_TRACK.parse(name)["single_track"])
    return _track(row) if row is not None else None


async def mark_agreed(transaction: Transaction, name: str, at: datetime) -> None:
    """Keep that a proposal was agreed to."""
    await transaction.execute(_AGREE, SINGLE_TRACK.parse(name)["single_track"], at)


async def mark_ended(transaction: Transaction, name: str, at: datetime) -> None:
    """Keep that an agreement or a proposal ended."""
    await transaction.execute(_END, SINGLE_TRACK.parse(name)["single_track"], at)


class SingleTrackStore:
    """Reads agreements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_of_agency(self, agency: str, *, after: str, limit: int) -> Sequence[pb2.SingleTrack]:
        """Return what an agency proposed or was proposed, oldest first, from after the id `after` on."""
        rows = await self._database.fetch(_LIST, AGENCY.parse(agency)["agency"], after or FIRST_ID, limit)
        return [_track(row) for row in rows]

    async def agreed(self) -> Sequence[pb2.SingleTrack]:
        """Return all agreements that hold, or will from their day on."""
        return [_track(row) for row in await self._database.fetch(_AGREED)]

    async def stamp(self) -> object:
        """Return what is another value whenever an agreement was made or ended."""
        row = await self._database.fetchrow(_STAMP)
        assert row is not None
        return row["agreed"], row["ended"]


def _track(row: Row) -> pb2.SingleTrack:
    day: date = row["effective_from"]
    track = pb2.SingleTrack(
        name=SINGLE_TRACK.format(single_track=row["single_track_id"]),
        node=NODE.format(node=row["node"]),
        sender=AGENCY.format(agency=row["sender"]),
        recipient=AGENCY.format(agency=row["recipient"]),
        effective_from=date_pb2.Date(year=day.year, month=day.month, day=day.day),
        state=pb2.SINGLE_TRACK_STATE_PROPOSED,
        basis=row["basis"],
    )
    track.propose_time.FromDatetime(row["propose_time"])
    if row["agree_time"] is not None:
        track.state = pb2.SINGLE_TRACK_STATE_AGREED
        track.agree_time.FromDatetime(row["agree_time"])
    if row["end_time"] is not None:
        track.state = pb2.SINGLE_TRACK_STATE_ENDED
        track.end_time.FromDatetime(row["end_time"])
    return track
