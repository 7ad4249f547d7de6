"""Exchanges in the database. Their states move by compare-and-set alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from casemesh.core.names import AGENCY, CASE, EXCHANGE, NODE, PARTY
from casemesh.routing.exchange_states import MOVES, Step
from casemesh.routing.paging import PAGE_MAX_BYTES
from casemesh.routing.receipt_store import ExchangeDigests
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.postgres import Database, Row, Transaction, Writes

_COLUMNS = """exchange_id, case_id, node, sender, recipient, answers, dossier_version, content, state, submit_time,
    deliver_time, accept_time, answer_time, revision, returned, answer_by, end_time, withdraw_ground"""
QUALIFIED_COLUMNS = ", ".join(f"exchange.{column.strip()}" for column in _COLUMNS.split(","))
"""What `exchange_of` needs, for a statement over several tables."""
_INSERT = """
INSERT INTO exchange (exchange_id, case_id, node, sender, recipient, answers, dossier_version, content, sha256, state,
    submit_time, dossier_root, answer_by, parties)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $14, $10, $11, $12, $13)
"""
_CASE_OF = """
SELECT case_id FROM exchange WHERE exchange_id = $1
UNION ALL SELECT case_id FROM exchange_draft WHERE exchange_id = $1 LIMIT 1
"""
_GET = f"SELECT {_COLUMNS} FROM exchange WHERE exchange_id = $1"  # noqa: S608 - columns are a constant
_LOCK = f"SELECT {_COLUMNS} FROM exchange WHERE exchange_id = $1 FOR UPDATE"  # noqa: S608
# What ended before it was put before an agency, that agency never hears of.
_HEARD_OF = """(sender = $2 OR state NOT IN ('HELD', 'WITHDRAWN', 'EXPIRED') OR state <> 'HELD' AND EXISTS (
    SELECT FROM delivery WHERE delivery.exchange_id = exchange.exchange_id AND delivery.recipient = $2
        AND delivery_sequence IS NOT NULL
))"""
_GET_HEARD_OF = f"{_GET} AND {_HEARD_OF}"
# The page is cut where its bytes would no longer fit a message; sizes are read without the contents.
_LIST = f"""
SELECT {_COLUMNS}, found FROM (
    SELECT {_COLUMNS}, count(*) OVER () AS found, sum(octet_length(content) + 1024) OVER (ORDER BY exchange_id) AS total
    FROM (
        SELECT {_COLUMNS} FROM exchange
        WHERE case_id = $1 AND (sender = $2 OR recipient = $2) AND {_HEARD_OF} AND exchange_id > $3
        ORDER BY exchange_id LIMIT $4
    ) AS candidate
) AS sized
WHERE total <= {PAGE_MAX_BYTES} ORDER BY exchange_id
"""  # noqa: S608
# What each step writes beside the state; the first parameters are the exchange, the states it may start from, the time.
_WRITTEN = {
    Step.DELIVER: "deliver_time = $3",
    Step.ACCEPT: "accept_time = $3",
    Step.ANSWER: "answer_time = $3",
    Step.RETURN: "returned = $4",
    Step.WITHDRAW: "end_time = $3, withdraw_ground = $4",
    Step.EXPIRE: "end_time = $3",
    Step.RELEASE: "content = $4, sha256 = $5",
    Step.SUPPLEMENT: "revision = revision + 1, content = $4, dossier_version = $5, sha256 = $6, dossier_root = $7, "
    "parties = $8",
}
_MOVE = {
    step: f"""
UPDATE exchange SET state = '{MOVES[step].target}', {written}
WHERE exchange_id = $1 AND state = ANY($2) AND $3::timestamptz IS NOT NULL
RETURNING {_COLUMNS}
"""  # noqa: S608 - composed of this module's constants
    for step, written in _WRITTEN.items()
}
_KEEP_REVISION = """
INSERT INTO exchange_revision (exchange_id, revision, dossier_version, content, sha256, returned)
SELECT exchange_id, revision, dossier_version, content, sha256, returned FROM exchange WHERE exchange_id = $1
"""
_REVISIONS = """
SELECT exchange_id, case_id, node, sender, recipient, answers, revision.dossier_version, revision.content,
    'RETURNED' AS state, submit_time, deliver_time, NULL AS accept_time, NULL AS answer_time, revision.revision,
    revision.returned, answer_by, NULL AS end_time, '' AS withdraw_ground
FROM exchange_revision AS revision JOIN exchange USING (exchange_id)
WHERE exchange_id = $1 AND revision.revision > $2::bigint ORDER BY revision.revision LIMIT $3
"""
_OVERDUE = """
SELECT exchange_id FROM exchange
WHERE answer_by <= $1 AND answer_by > $2 AND state = ANY($3) ORDER BY answer_by LIMIT $4
"""
_STATES: Mapping[str, exchange_pb2.ExchangeState] = {
    "SUBMITTED": exchange_pb2.EXCHANGE_STATE_SUBMITTED,
    "DELIVERED": exchange_pb2.EXCHANGE_STATE_DELIVERED,
    "ACCEPTED": exchange_pb2.EXCHANGE_STATE_ACCEPTED,
    "ANSWERED": exchange_pb2.EXCHANGE_STATE_ANSWERED,
    "RETURNED": exchange_pb2.EXCHANGE_STATE_RETURNED,
    "SUPPLEMENTED": exchange_pb2.EXCHANGE_STATE_SUPPLEMENTED,
    "WITHDRAWN": exchange_pb2.EXCHANGE_STATE_WITHDRAWN,
    "EXPIRED": exchange_pb2.EXCHANGE_STATE_EXPIRED,
    "HELD": exchange_pb2.EXCHANGE_STATE_HELD,
}
_TIMES = ("submit_time", "deliver_time", "accept_time", "answer_time", "answer_by", "end_time")
FIRST_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class ExchangePage:
    """A page of exchanges; `more` says that others come after."""

    exchanges: list[exchange_pb2.Exchange]
    more: bool


def digest_of(exchange: exchange_pb2.Exchange) -> bytes:
    """Return the SHA-256 of an exchange as committed: its deterministic serialisation in the state SUBMITTED."""
    return hashlib.sha256(exchange.SerializeToString(deterministic=True)).digest()


def content_of(exchange: exchange_pb2.Exchange) -> bytes:
    """Return what is kept of an exchange in one piece: nobody searches for it, and only a supplement changes it."""
    content = exchange_pb2.Exchange(
        parties=exchange.parties,
        fields=exchange.fields,
        translations=exchange.translations,
        catalogue_version=exchange.catalogue_version,
        single_track=exchange.single_track,
        copies_to=exchange.copies_to,
        paper=exchange.paper if exchange.HasField("paper") else None,
    )
    return content.SerializeToString(deterministic=True)


async def insert_exchange(
    transaction: Transaction | Writes, exchange: exchange_pb2.Exchange, digests: ExchangeDigests
) -> None:
    """Store a new exchange; see `placing` for its deliveries."""
    await transaction.execute(
        _INSERT,
        EXCHANGE.parse(exchange.name)["exchange"],
        CASE.parse(exchange.case)["case"],
        NODE.parse(exchange.node)["node"],
        AGENCY.parse(exchange.sender)["agency"],
        AGENCY.parse(exchange.recipient)["agency"],
        EXCHANGE.parse(exchange.answers)["exchange"] if exchange.answers else None,
        exchange.dossier_version,
        content_of(exchange),
        digests.sha256,
        exchange.submit_time.ToDatetime(tzinfo=UTC),
        digests.dossier_root or None,
        exchange.answer_by.ToDatetime(tzinfo=UTC) if exchange.HasField("answer_by") else None,
        _party_ids(exchange),
        "HELD" if exchange.state == exchange_pb2.EXCHANGE_STATE_HELD else "SUBMITTED",
    )


async def lock_exchange(transaction: Transaction, name: str) -> exchange_pb2.Exchange | None:
    """Return an exchange whose state nobody else moves before the transaction ends, or None."""
    row = await transaction.fetchrow(_LOCK, EXCHANGE.parse(name)["exchange"])
    return exchange_of(row) if row is not None else None


async def mark_delivered(transaction: Transaction, exchange_id: str, at: datetime) -> bool:
    """Take the step DELIVER; False when the state does not allow it."""
    return await _move(transaction, Step.DELIVER, exchange_id, at) is not None


async def mark_accepted(transaction: Transaction, name: str, at: datetime) -> exchange_pb2.Exchange | None:
    """Take the step ACCEPT and return the exchange; None when the state does not allow it."""
    return await _move(transaction, Step.ACCEPT, EXCHANGE.parse(name)["exchange"], at)


async def mark_answered(transaction: Transaction, name: str, at: datetime) -> bool:
    """Take the step ANSWER; False when the state does not allow it."""
    return await _move(transaction, Step.ANSWER, EXCHANGE.parse(name)["exchange"], at) is not None


async def mark_returned(
    transaction: Transaction, name: str, returned: exchange_pb2.ExchangeReturn
) -> exchange_pb2.Exchange | None:
    """Take the step RETURN and return the exchange; None when the state does not allow it."""
    at = returned.return_time.ToDatetime(tzinfo=UTC)
    return await _move(
        transaction, Step.RETURN, EXCHANGE.parse(name)["exchange"], at, returned.SerializeToString(deterministic=True)
    )


async def mark_withdrawn(
    transaction: Transaction, name: str, at: datetime, ground: str
) -> exchange_pb2.Exchange | None:
    """Take the step WITHDRAW and return the exchange; None when the state does not allow it."""
    return await _move(transaction, Step.WITHDRAW, EXCHANGE.parse(name)["exchange"], at, ground)


async def mark_expired(transaction: Transaction, name: str, at: datetime) -> exchange_pb2.Exchange | None:
    """Take the step EXPIRE and return the exchange; None when the state does not allow it."""
    return await _move(transaction, Step.EXPIRE, EXCHANGE.parse(name)["exchange"], at)


async def mark_released(
    transaction: Transaction, released: exchange_pb2.Exchange, at: datetime
) -> exchange_pb2.Exchange | None:
    """Take the step RELEASE: put what its codes have become in the place of what a held exchange held; None when the
    state does not allow it."""
    exchange_id = EXCHANGE.parse(released.name)["exchange"]
    return await _move(transaction, Step.RELEASE, exchange_id, at, content_of(released), digest_of(released))


async def supplement(
    transaction: Transaction, mended: exchange_pb2.Exchange, at: datetime, *, dossier_root: bytes
) -> exchange_pb2.Exchange | None:
    """Take the step SUPPLEMENT: keep what a locked, returned exchange held as a revision, and put `mended` in its
    place; None when the state does not allow it."""
    exchange_id = EXCHANGE.parse(mended.name)["exchange"]
    await transaction.execute(_KEEP_REVISION, exchange_id)
    return await _move(
        transaction,
        Step.SUPPLEMENT,
        exchange_id,
        at,
        content_of(mended),
        mended.dossier_version,
        digest_of(mended),
        dossier_root or None,
        _party_ids(mended),
    )


def _party_ids(exchange: exchange_pb2.Exchange) -> list[str]:
    return [PARTY.parse(party)["party"] for party in exchange.parties]


async def _move(
    transaction: Transaction, step: Step, exchange_id: str, at: datetime, *written: object
) -> exchange_pb2.Exchange | None:
    row = await transaction.fetchrow(_MOVE[step], exchange_id, sorted(MOVES[step].sources), at, *written)
    return exchange_of(row) if row is not None else None


class ExchangeStore:
    """Reads exchanges."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def case_of(self, name: str) -> str | None:
        """Return the case of an exchange, or None when there is no such exchange."""
        case_id = await self._database.fetchval(_CASE_OF, EXCHANGE.parse(name)["exchange"])
        return CASE.format(case=case_id) if case_id is not None else None

    async def get(self, name: str) -> exchange_pb2.Exchange | None:
        """Return an exchange, or None when there is no such one."""
        row = await self._database.fetchrow(_GET, EXCHANGE.parse(name)["exchange"])
        return exchange_of(row) if row is not None else None

    async def heard_of(self, name: str, agency: str) -> exchange_pb2.Exchange | None:
        """Return an exchange, or None when there is no such one, or it ended before it was put before `agency`, which
        did not send it."""
        row = await self._database.fetchrow(
            _GET_HEARD_OF, EXCHANGE.parse(name)["exchange"], AGENCY.parse(agency)["agency"]
        )
        return exchange_of(row) if row is not None else None

    async def revisions(self, name: str, *, after: int, limit: int) -> list[exchange_pb2.Exchange]:
        """Return what an exchange held when it was returned, oldest first, from after the revision `after` on."""
        rows = await self._database.fetch(_REVISIONS, EXCHANGE.parse(name)["exchange"], after, limit)
        return [exchange_of(row) for row in rows]

    async def overdue(self, now: datetime, since: datetime, limit: int) -> list[str]:
        """Return exchanges that may expire and were to be answered after `since` and by `now`, the oldest first."""
        sources = sorted(MOVES[Step.EXPIRE].sources)
        rows = await self._database.fetch(_OVERDUE, now, since, sources, limit)
        return [EXCHANGE.format(exchange=row["exchange_id"]) for row in rows]

    async def list_of_case(self, case: str, agency: str, *, after: str, limit: int) -> ExchangePage:
        """Return exchanges of `case` that `agency` sent or received, oldest first, from after the id `after` on: at
        most `limit`, and no more than fit a message."""
        rows = await self._database.fetch(
            _LIST, CASE.parse(case)["case"], AGENCY.parse(agency)["agency"], after or FIRST_ID, limit + 1
        )
        found = rows[0]["found"] if rows else 0
        exchanges = [exchange_of(row) for row in rows[:limit]]
        return ExchangePage(exchanges, more=found > len(exchanges))


def exchange_of(row: Row) -> exchange_pb2.Exchange:
    """Return the exchange in a row that has all its columns."""
    exchange = exchange_pb2.Exchange.FromString(row["content"])
    exchange.name = EXCHANGE.format(exchange=row["exchange_id"])
    exchange.case = CASE.format(case=row["case_id"])
    exchange.node = NODE.format(node=row["node"])
    exchange.sender = AGENCY.format(agency=row["sender"])
    exchange.recipient = AGENCY.format(agency=row["recipient"])
    exchange.dossier_version = row["dossier_version"]
    if row["answers"] is not None:
        exchange.answers = EXCHANGE.format(exchange=row["answers"])
    exchange.state = _STATES[row["state"]]
    exchange.revision = row["revision"]
    if row["returned"] is not None:
        exchange.returned.MergeFromString(row["returned"])
    exchange.withdraw_ground = row["withdraw_ground"]
    _stamp(exchange, row, _TIMES)
    return exchange


def _stamp(exchange: exchange_pb2.Exchange, row: Row, columns: Sequence[str]) -> None:
    for column in columns:
        if row[column] is not None:
            getattr(exchange, column).FromDatetime(row[column])
