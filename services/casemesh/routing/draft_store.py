"""Drafts of exchanges in the database, apart from what was committed: nothing refers to them but their own agency."""

from __future__ import annotations

from casemesh.core.names import AGENCY, CASE, EXCHANGE
from casemesh.routing.exchange_store import FIRST_ID
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.postgres import Database, Transaction

_INSERT = """
INSERT INTO exchange_draft (exchange_id, case_id, sender, content, update_time) VALUES ($1, $2, $3, $4, now())
"""
_REPLACE = """
UPDATE exchange_draft SET content = $4, update_time = now() WHERE exchange_id = $1 AND case_id = $2 AND sender = $3
    AND discard_time IS NULL
"""
_GET = "SELECT content FROM exchange_draft WHERE exchange_id = $1 AND sender = $2 AND discard_time IS NULL"
_LIST = """
SELECT content FROM exchange_draft WHERE case_id = $1 AND sender = $2 AND exchange_id > $3
    AND discard_time IS NULL ORDER BY exchange_id LIMIT $4
"""
_DELETE = "DELETE FROM exchange_draft WHERE exchange_id = $1 AND sender = $2 AND discard_time IS NULL"
_DISCARD = """
UPDATE exchange_draft SET discard_time = now(), content = '' WHERE exchange_id = $1 AND sender = $2
    AND discard_time IS NULL
"""
_LOCK = f"{_GET} FOR UPDATE"


async def insert_draft(transaction: Transaction, draft: exchange_pb2.Exchange) -> None:
    """Keep a new draft."""
    await transaction.execute(_INSERT, *_ids(draft), draft.SerializeToString(deterministic=True))


async def replace_draft(transaction: Transaction, draft: exchange_pb2.Exchange) -> bool:
    """Keep what became of a draft; False when its sender has no such draft on the case."""
    return await transaction.execute(_REPLACE, *_ids(draft), draft.SerializeToString(deterministic=True)) == 1


async def delete_draft(transaction: Transaction, name: str, sender: str) -> bool:
    """End a draft, since it is submitted; False when its sender has none, or somebody else was first."""
    return await transaction.execute(_DELETE, EXCHANGE.parse(name)["exchange"], AGENCY.parse(sender)["agency"]) == 1


async def discard_draft(transaction: Transaction, name: str, sender: str) -> bool:
    """End a draft and what it held; False as `delete_draft`. Its case stays known, so that who repeats the call is
    found to have a right on it."""
    return await transaction.execute(_DISCARD, EXCHANGE.parse(name)["exchange"], AGENCY.parse(sender)["agency"]) == 1


async def lock_draft(transaction: Transaction, name: str, sender: str) -> exchange_pb2.Exchange | None:
    """Return a draft of `sender` that nobody else changes before the transaction ends, or None."""
    content = await transaction.fetchval(_LOCK, EXCHANGE.parse(name)["exchange"], AGENCY.parse(sender)["agency"])
    return exchange_pb2.Exchange.FromString(content) if content is not None else None


class DraftStore:
    """Reads drafts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str, sender: str) -> exchange_pb2.Exchange | None:
        """Return a draft of `sender`, or None."""
        content = await self._database.fetchval(_GET, EXCHANGE.parse(name)["exchange"], AGENCY.parse(sender)["agency"])
        return exchange_pb2.Exchange.FromString(content) if content is not None else None

    async def list_of_case(self, case: str, sender: str, *, after: str, limit: int) -> list[exchange_pb2.Exchange]:
        """Return the drafts of `sender` on a case, oldest first, from after the id `after` on, at most `limit`."""
        rows = await self._database.fetch(
            _LIST, CASE.parse(case)["case"], AGENCY.parse(sender)["agency"], after or FIRST_ID, limit
        )
        return [exchange_pb2.Exchange.FromString(row["content"]) for row in rows]


def _ids(draft: exchange_pb2.Exchange) -> tuple[str, str, str]:
    return (
        EXCHANGE.parse(draft.name)["exchange"],
        CASE.parse(draft.case)["case"],
        AGENCY.parse(draft.sender)["agency"],
    )
