"""Exchanges in the database, as far as limits look at them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from casemesh.core.names import AGENCY, CASE, EXCHANGE
from casemesh.routing.payload import to_date
from casemesh.routing.running_limits import Move
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.postgres import Database, Row

_MOST = 2000
_MOVES = """
SELECT exchange_id, node, sender, recipient, answers, submit_time, deliver_time, content FROM exchange
WHERE case_id = $1 AND state NOT IN ('WITHDRAWN', 'HELD') ORDER BY exchange_id DESC LIMIT $2
"""


class LimitStore:
    """Reads what limits are reckoned from."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def moves(self, case: str) -> list[Move]:
        """Return the newest 2,000 exchanges of a case that were neither withdrawn nor are held."""
        return [_move(row) for row in await self._database.fetch(_MOVES, CASE.parse(case)["case"], _MOST)]


def _move(row: Row) -> Move:
    content = exchange_pb2.Exchange.FromString(row["content"])
    return Move(
        exchange=EXCHANGE.format(exchange=row["exchange_id"]),
        node=row["node"],
        sender=AGENCY.format(agency=row["sender"]),
        recipient=AGENCY.format(agency=row["recipient"]),
        parties=frozenset(content.parties),
        answers=EXCHANGE.format(exchange=row["answers"]) if row["answers"] is not None else "",
        submitted=row["submit_time"],
        received=row["deliver_time"],
        limit_from=_stated(content.fields, "limit_from"),
        limit_until=_stated(content.fields, "limit_until"),
    )


def _stated(fields: Iterable[exchange_pb2.PayloadField], key: str) -> date | None:
    for field in fields:
        if field.key == key and field.HasField("date"):
            return to_date(field.date)
    return None
