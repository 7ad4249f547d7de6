"""Figures in PostgreSQL. Writes take the transaction that moves the cursor: only one process at a time is there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from casemesh.audit.v1.audit_feed_service_pb2 import FedEvent
from casemesh.runtime.postgres import Database, Transaction
from casemesh.supervision.figures.counting import PLATFORM, Account, KnownCase, KnownExchange, subjects

_EXCHANGES = """
SELECT exchange_id, node, sender, recipient, on_paper, submit_time, deliver_time, accept_time, answer_time
FROM figure_exchange WHERE exchange_id = ANY($1::uuid[])
"""
_VERSIONS = "SELECT version_id, page_count FROM figure_version WHERE version_id = ANY($1::uuid[])"
_CASES = "SELECT case_id, agencies, stages::text AS stages FROM figure_case WHERE case_id = ANY($1::uuid[])"
_KEEP_EXCHANGES = """
INSERT INTO figure_exchange (
    exchange_id, node, sender, recipient, on_paper, submit_time, deliver_time, accept_time, answer_time
)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::boolean[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[], $9::timestamptz[]
)
ON CONFLICT (exchange_id) DO UPDATE SET deliver_time = excluded.deliver_time, accept_time = excluded.accept_time,
    answer_time = excluded.answer_time
"""
_KEEP_VERSIONS = """
INSERT INTO figure_version (version_id, page_count) SELECT * FROM unnest($1::uuid[], $2::bigint[])
ON CONFLICT (version_id) DO NOTHING
"""
_KEEP_CASE = """
INSERT INTO figure_case (case_id, agencies, stages) VALUES ($1, $2, $3::jsonb)
ON CONFLICT (case_id) DO UPDATE SET agencies = excluded.agencies, stages = excluded.stages
"""
_ADD = """
INSERT INTO figure_day (day, agency, measure, node, detail, count, amount)
SELECT * FROM unnest($1::date[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
ON CONFLICT (day, agency, measure, node, detail) DO UPDATE SET count = figure_day.count + excluded.count,
    amount = figure_day.amount + excluded.amount
"""
# What several agencies share is counted for the platform once, and for each of them.
_SUMS = f"""
SELECT CASE $5 WHEN 'node' THEN node WHEN 'agency' THEN agency::text WHEN 'day' THEN day::text ELSE '' END AS grouped,
    measure, detail, sum(count)::bigint AS count, sum(amount)::bigint AS amount
FROM figure_day
WHERE day BETWEEN $1 AND $2 AND measure = ANY($3::text[])
    AND CASE WHEN $4::uuid IS NOT NULL THEN agency = $4
        WHEN measure = 'stage' THEN (agency = '{PLATFORM}') <> ($5 = 'agency') ELSE true END
GROUP BY 1, 2, 3
"""  # noqa: S608 - composed of a constant
# Standing 2: the limit is ahead; 3: it is over; 4: it was kept too late. State 4: the rule did not fit.
_DEADLINES = """
SELECT CASE $4 WHEN 'agency' THEN agency::text WHEN 'day' THEN day::text ELSE '' END AS grouped,
    CASE standing WHEN 2 THEN 'near' WHEN 3 THEN 'passed' ELSE 'late' END AS measure, rule AS detail,
    count(DISTINCT warning_id) AS count, 0::bigint AS amount
FROM (
    SELECT warning_id, rule, standing, state, concerned,
        -- A limit that ends with a day is over at the midnight after it.
        ((due_time - interval '1 microsecond') AT TIME ZONE 'Asia/Shanghai')::date AS day
    FROM warning WHERE standing IN (2, 3, 4) AND due_time IS NOT NULL
) AS due CROSS JOIN LATERAL unnest(concerned) AS agency
WHERE day BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR agency = $3) AND state <> 4
    AND (standing <> 2 OR state IN (1, 2))
GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Sum:
    """Counts under one measure; `grouped` is what they are grouped by, an agency as a UUID, "" for nothing."""

    grouped: str
    measure: str
    detail: str
    count: int
    amount: int


class FigureStore:
    """Reads. Days are those of Asia/Shanghai, both included; `group_by` is node, agency, day or "" for nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sums(
        self, first: date, last: date, measures: Sequence[str], agency: str | None, group_by: str
    ) -> list[Sum]:
        """Return what was counted for an agency, None for all."""
        rows = await self._database.fetch(_SUMS, first, last, list(measures), agency, group_by)
        return [Sum(**row) for row in rows]

    async def deadlines(self, first: date, last: date, agency: str | None, group_by: str) -> list[Sum]:
        """Return the limits that end on these days and of which there is a warning that concerns an agency, None for
        any. A warning that concerns several is one, but of each of them where they are grouped by agency."""
        rows = await self._database.fetch(_DEADLINES, first, last, agency, group_by)
        return [Sum(**row) for row in rows]


async def count_events(transaction: Transaction, events: Sequence[FedEvent]) -> None:
    """Add what a page of the log brings. The transaction must be the one that moves the cursor over the page."""
    account = await _opened(transaction, events)
    known = {case: (set(kept.agencies), dict(kept.stages)) for case, kept in account.cases.items()}
    for fed in events:
        account.take(fed)
    if account.exchanges:
        await transaction.execute(_KEEP_EXCHANGES, *_columns(account))
    if account.versions:
        await transaction.execute(_KEEP_VERSIONS, list(account.versions), list(account.versions.values()))
    changed = [
        (case_id, sorted(case.agencies), json.dumps({stage: since.isoformat() for stage, since in case.stages.items()}))
        for case_id, case in account.cases.items()
        if known.get(case_id) != (case.agencies, case.stages)
    ]
    if changed:
        await transaction.executemany(_KEEP_CASE, changed)
    if tallies := list(account.counts):
        await transaction.execute(
            _ADD,
            [tally.day for tally in tallies],
            [tally.agency for tally in tallies],
            [tally.measure for tally in tallies],
            [tally.node for tally in tallies],
            [tally.detail for tally in tallies],
            [account.counts[tally] for tally in tallies],
            [account.amounts[tally] for tally in tallies],
        )


async def _opened(transaction: Transaction, events: Sequence[FedEvent]) -> Account:
    about = subjects(events)
    exchanges = await transaction.fetch(_EXCHANGES, list(about.exchanges)) if about.exchanges else []
    versions = await transaction.fetch(_VERSIONS, list(about.versions)) if about.versions else []
    cases = await transaction.fetch(_CASES, list(about.cases)) if about.cases else []
    return Account(
        {
            str(row["exchange_id"]): KnownExchange(
                row["node"],
                str(row["sender"]),
                str(row["recipient"]),
                row["on_paper"],
                row["submit_time"],
                row["deliver_time"],
                row["accept_time"],
                row["answer_time"],
            )
            for row in exchanges
        },
        {str(row["version_id"]): row["page_count"] for row in versions},
        {
            str(row["case_id"]): KnownCase(
                {str(agency) for agency in row["agencies"]},
                {stage: datetime.fromisoformat(since) for stage, since in json.loads(row["stages"]).items()},
            )
            for row in cases
        },
    )


def _columns(account: Account) -> list[list[object]]:
    exchanges = account.exchanges.values()
    return [
        list(account.exchanges),
        [exchange.node for exchange in exchanges],
        [exchange.sender for exchange in exchanges],
        [exchange.recipient for exchange in exchanges],
        [exchange.on_paper for exchange in exchanges],
        [exchange.submit_time for exchange in exchanges],
        [exchange.deliver_time for exchange in exchanges],
        [exchange.accept_time for exchange in exchanges],
        [exchange.answer_time for exchange in exchanges],
    ]
