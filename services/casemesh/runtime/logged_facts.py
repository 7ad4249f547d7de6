"""What a service holds in its database that the log must tell of: the form in which each service states it.

A service's `logged_facts` lists its statements; the operator's reconciler reads them with that service's own connection
and holds them against the log. Nobody reads another's database for it, and no service needs to be running.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from casemesh.runtime.postgres import Database

BY_ID = "event_id"
"""The mark of a fact that names its event itself."""
_IN_WINDOW = """
SELECT case_name, resource, mark, at FROM ({sql}) AS fact
WHERE at >= $1 AND at < $2 AND ($3 = '' OR case_name = $3)
"""


@dataclass(frozen=True, slots=True)
class FactKind:
    """One kind of change that leaves a row behind."""

    name: str
    """What people call it, e.g. `exchange submitted`."""
    actions: tuple[str, ...]
    """One of these must be in the log for each row."""
    sql: str
    """A SELECT of `case_name` (empty for none), `resource` (as the event names it), `mark` and `at`, all of them."""
    mark: str = ""
    """Where in the event the mark stands: `event_id`, `actor.agency`, or the name of a detail. Empty: rows are told
    apart by their resource alone, and `mark` is empty."""
    both_ways: bool = True
    """Whether each event of these actions must have its row, too."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of a kind."""

    kind: FactKind
    case: str
    resource: str
    mark: str
    at: datetime


async def read_facts(
    database: Database, kinds: Sequence[FactKind], start: datetime, end: datetime, case: str
) -> list[Fact]:
    """Return the facts of a service from `start` to before `end`, of `case` alone unless it is empty.

    Raises Unavailable when the database does not answer.
    """
    facts = []
    for kind in kinds:
        rows = await database.fetch(_IN_WINDOW.format(sql=kind.sql), start, end, case)
        facts += [Fact(kind, row["case_name"], row["resource"], row["mark"], row["at"]) for row in rows]
    return facts
