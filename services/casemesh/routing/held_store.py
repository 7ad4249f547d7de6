"""Exchanges that wait for a code, in the database: when each is worth another try."""

from __future__ import annotations

from datetime import timedelta

from casemesh.core.names import EXCHANGE
from casemesh.runtime.postgres import Database, Transaction, Writes

_HOLD = "INSERT INTO held_exchange (exchange_id) VALUES ($1)"
_END = "DELETE FROM held_exchange WHERE exchange_id = $1"
_OLDEST = "SELECT min(revision) FROM held_exchange WHERE revision > 0"
_WAKE = "UPDATE held_exchange SET next_try_at = now() WHERE revision < $1 AND next_try_at > now()"
# Who took it tries at once; another does only when that one is gone.
_TAKE = """
UPDATE held_exchange SET next_try_at = now() + interval '10 seconds'
WHERE exchange_id IN (
    SELECT exchange_id FROM held_exchange WHERE next_try_at <= now()
    ORDER BY next_try_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
RETURNING exchange_id
"""
_WAIT = "UPDATE held_exchange SET revision = $2, next_try_at = now() + $3 WHERE exchange_id = $1"


async def hold(transaction: Transaction | Writes, exchange: str) -> None:
    """Let an exchange wait, in the transaction that commits it."""
    await transaction.execute(_HOLD, EXCHANGE.parse(exchange)["exchange"])


async def wait_no_more(transaction: Transaction, exchange: str) -> None:
    """Let an exchange wait no more, since it goes on or has ended."""
    await transaction.execute(_END, EXCHANGE.parse(exchange)["exchange"])


class HeldStore:
    """Takes what is held."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def oldest_revision(self) -> int | None:
        """Return the oldest state of the maps by which one of them was tried; None where none was."""
        revision: int | None = await self._database.fetchval(_OLDEST)
        return revision

    async def wake(self, revision: int) -> None:
        """Make due what was last tried by an older state of the maps than `revision`."""
        await self._database.execute(_WAKE, revision)

    async def take(self, limit: int) -> list[str]:
        """Take up to `limit` exchanges that are due; on any number of replicas, each is given to one."""
        rows = await self._database.fetch(_TAKE, limit)
        return [EXCHANGE.format(exchange=row["exchange_id"]) for row in rows]

    async def wait(self, exchange: str, revision: int, pause: timedelta) -> None:
        """Keep that an exchange still waits as of a state of the maps; it is due after `pause`, or woken before."""
        await self._database.execute(_WAIT, EXCHANGE.parse(exchange)["exchange"], revision, pause)
