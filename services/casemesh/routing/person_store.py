"""What is stated of persons, in the database: a history that only grows, and the last of it by effective time.

What is stated of a party is stated of those that took its place as well, so that what was in flight when cases or
parties were merged or split reaches them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from casemesh.core.names import AGENCY, CASE, EXCHANGE, PARTY
from casemesh.data.procedure import Aspect, Stage
from casemesh.routing.procedure import PersonState, Step
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.postgres import Database, Row, Writes

PLACE, CHARGES, IDENTITY = "place", "charges", "identity"
"""Aspects that no node changes."""

# Recorded only where it makes a difference at its time, and from the values it changes from.
_RECORD = """
INSERT INTO party_history (party_id, case_id, aspect, value, effective_time, record_time, cause, node, agency, reason)
WITH RECURSIVE stated AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
        AS stated (party_id, aspect, value, only_from, effective_time)
), heir AS (
    SELECT DISTINCT party_id AS named, party_id FROM stated
    UNION
    SELECT heir.named, link.successor_party FROM heir
    JOIN successor_link AS link ON link.predecessor_party = heir.party_id AND link.end_time IS NULL
)
SELECT DISTINCT ON (party.party_id, stated.aspect) party.party_id, party.case_id, stated.aspect, stated.value,
    stated.effective_time, $6::timestamptz, $7::text, $8::text, $9::uuid, $10::text
FROM stated JOIN heir ON heir.named = stated.party_id JOIN party ON party.party_id = heir.party_id
LEFT JOIN LATERAL (
    SELECT value FROM party_history AS earlier
    WHERE earlier.party_id = party.party_id AND earlier.aspect = stated.aspect
        AND earlier.effective_time <= stated.effective_time
    ORDER BY earlier.effective_time DESC, earlier.sequence DESC LIMIT 1
) AS standing ON true
WHERE standing.value IS DISTINCT FROM stated.value
    AND (stated.only_from = ''
        OR coalesce(nullif(standing.value, ''), '-') = ANY (string_to_array(stated.only_from, ';')))
RETURNING party_id, case_id, aspect, value, effective_time
"""
# What stood before each word of an exchange that still stands; "" where nothing did.
_TAKE_BACK = """
INSERT INTO party_history (party_id, case_id, aspect, value, effective_time, record_time, cause, node, agency, reason)
WITH RECURSIVE heir AS (
    SELECT unnest($1::uuid[]) AS party_id
    UNION
    SELECT link.successor_party FROM heir
    JOIN successor_link AS link ON link.predecessor_party = heir.party_id AND link.end_time IS NULL
)
SELECT DISTINCT ON (said.party_id, said.aspect) said.party_id, said.case_id, said.aspect, coalesce(before.value, ''),
    $3::timestamptz, $3::timestamptz, said.cause, said.node, said.agency, $4::text
FROM party_history AS said
JOIN heir USING (party_id)
JOIN party_state AS state ON state.party_id = said.party_id AND state.aspect = said.aspect
    AND state.value = said.value AND state.since = said.effective_time
LEFT JOIN LATERAL (
    SELECT value FROM party_history AS earlier
    WHERE earlier.party_id = said.party_id AND earlier.aspect = said.aspect
        AND (earlier.effective_time, earlier.sequence) < (said.effective_time, said.sequence)
    ORDER BY earlier.effective_time DESC, earlier.sequence DESC LIMIT 1
) AS before ON true
WHERE said.cause = $2
ORDER BY said.party_id, said.aspect, said.sequence DESC
RETURNING party_id, case_id, aspect, value, effective_time
"""
_KEEP_STATE = """
INSERT INTO party_state (party_id, aspect, value, since)
SELECT party_id, aspect, value, effective_time FROM {recorded}
ON CONFLICT (party_id, aspect) DO UPDATE SET value = excluded.value, since = excluded.since
WHERE excluded.since >= party_state.since
"""
_ONCE_MORE = "ON CONFLICT (case_id) DO UPDATE SET version = stage_notice.version + 1, next_attempt_at = now()"
_NOTICE_MOVES = f"""
INSERT INTO stage_notice (case_id, version) SELECT DISTINCT case_id, 1 FROM {{recorded}} WHERE aspect = 'stage'
{_ONCE_MORE}
"""  # noqa: S608 - composed of constants
GIVE_NOTICE = f"""
INSERT INTO stage_notice (case_id, version) SELECT case_id, 1 FROM unnest($1::uuid[]) AS moved (case_id) {_ONCE_MORE}
"""  # noqa: S608
"""Notes that the stages of cases are to be told anew; see `stage_notices`."""
_STATES = """
SELECT party.party_id, party.case_id, state.aspects, state.said, state.since
FROM party
LEFT JOIN LATERAL (
    SELECT array_agg(aspect) AS aspects, array_agg(value) AS said, array_agg(since) AS since
    FROM party_state WHERE party_state.party_id = party.party_id AND value <> ''
) AS state ON true
WHERE party.case_id = $1 ORDER BY party.position
"""
_MOST_STEPS = 2000
_STEPS = """
SELECT exchange_id, node, sender, recipient, state, submit_time, content FROM exchange
WHERE case_id = ANY ($1::uuid[]) AND ($2::text[] IS NULL OR node = ANY ($2)) ORDER BY exchange_id DESC LIMIT $3
"""
# Whose place the parties of a case took, over any number of steps.
_LINEAGE = """
WITH RECURSIVE line AS (
    SELECT successor_party AS heir, predecessor_party, predecessor_case FROM successor_link
    WHERE successor_case = $1 AND predecessor_party IS NOT NULL AND end_time IS NULL
    UNION
    SELECT line.heir, link.predecessor_party, link.predecessor_case FROM line
    JOIN successor_link AS link ON link.successor_party = line.predecessor_party AND link.end_time IS NULL
)
SELECT heir, predecessor_party, predecessor_case FROM line
"""
_HISTORY = """
SELECT sequence, party_id, case_id, aspect, value, effective_time, record_time, cause, node, agency, reason
FROM party_history WHERE party_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3
"""
_STAGES = """
SELECT DISTINCT state.value FROM party JOIN party_state AS state USING (party_id)
WHERE party.case_id = $1 AND state.aspect = 'stage' AND state.value <> '' AND NOT EXISTS (
    SELECT FROM successor_link AS link
    WHERE link.predecessor_party = party.party_id AND link.replaces AND link.end_time IS NULL
)
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing said of a party. `party` is its id; `only_from` as in `procedure.Change`."""

    party: str
    aspect: str
    value: str
    effective: datetime
    only_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """By what and by whom something was said: the cause's resource name, its node's code or "", the agency's name."""

    cause: str
    agency: str
    at: datetime
    node: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One row of a party's history; `agency` and `cause` are resource names."""

    sequence: int
    party: str
    aspect: str
    value: str
    effective_time: datetime
    record_time: datetime
    cause: str
    node: str
    agency: str
    reason: str


def state_persons(writes: Writes, statements: Sequence[Statement], source: Source) -> None:
    """Add what is said of parties to `writes`; nothing where nothing is said. A statement that changes nothing at its
    time leaves no row. At most once in `writes`, and not for parties that the same `writes` insert."""
    if not statements:
        return
    writes.add(
        "stated_of_persons",
        _RECORD,
        [said.party for said in statements],
        [said.aspect for said in statements],
        [said.value for said in statements],
        [";".join(said.only_from) for said in statements],
        [said.effective for said in statements],
        source.at,
        source.cause,
        source.node,
        AGENCY.parse(source.agency)["agency"],
        source.reason,
    )
    writes.add("kept_of_persons", _KEEP_STATE.format(recorded="stated_of_persons"))
    writes.add("noticed_of_persons", _NOTICE_MOVES.format(recorded="stated_of_persons"))


def take_back(writes: Writes, parties: Sequence[str], source: Source) -> None:
    """Add to `writes` that what the source's cause said of these parties no longer holds, from its time on: what stood
    before stands again. What was said since by others stays. At most once in `writes`."""
    writes.add("stated_of_persons", _TAKE_BACK, list(parties), source.cause, source.at, source.reason)
    writes.add("kept_of_persons", _KEEP_STATE.format(recorded="stated_of_persons"))
    writes.add("noticed_of_persons", _NOTICE_MOVES.format(recorded="stated_of_persons"))


def person_state(row: Row) -> PersonState:
    """Return the state in a row with the columns party_id, case_id, aspects, said and since; steps are not in it."""
    said = list(zip(row["aspects"] or (), row["said"] or (), row["since"] or (), strict=True))
    known = set(Aspect)
    return PersonState(
        party=PARTY.format(case=row["case_id"], party=row["party_id"]),
        values={Aspect(aspect): value for aspect, value, _ in said if aspect in known},
        since={Aspect(aspect): since for aspect, _, since in said if aspect in known},
    )


class PersonStore:
    """Reads where persons stand."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def states(self, case: str) -> list[PersonState]:
        """Return where each party of a case stands, in their order, with the newest 2,000 steps of the case."""
        case_id = CASE.parse(case)["case"]
        rows = await self._database.fetch(_STATES, case_id)
        return await self._with_steps(case_id, [person_state(row) for row in rows], None)

    async def with_steps(self, case: str, persons: Sequence[PersonState], nodes: Sequence[str]) -> list[PersonState]:
        """Return the persons with their steps by these nodes; asks nothing where there are none."""
        if not nodes:
            return list(persons)
        return await self._with_steps(CASE.parse(case)["case"], persons, nodes)

    async def history(self, party: str, *, after: int, limit: int) -> list[HistoryEntry]:
        """Return up to `limit` entries of a party after the one numbered `after`, in the order they were recorded."""
        rows = await self._database.fetch(_HISTORY, PARTY.parse(party)["party"], after, limit)
        return [
            HistoryEntry(
                sequence=row["sequence"],
                party=PARTY.format(case=row["case_id"], party=row["party_id"]),
                aspect=row["aspect"],
                value=row["value"],
                effective_time=row["effective_time"],
                record_time=row["record_time"],
                cause=row["cause"],
                node=row["node"],
                agency=AGENCY.format(agency=row["agency"]),
                reason=row["reason"],
            )
            for row in rows
        ]

    async def stages(self, case: str) -> set[Stage]:
        """Return the stages at which the parties of a case are, of those that nobody took the place of."""
        return {Stage(row["value"]) for row in await self._database.fetch(_STAGES, CASE.parse(case)["case"])}

    async def _with_steps(
        self, case_id: str, persons: Sequence[PersonState], nodes: Sequence[str] | None
    ) -> list[PersonState]:
        cases, names = {case_id}, {person.party: {person.party} for person in persons}
        for row in await self._database.fetch(_LINEAGE, case_id):
            cases.add(str(row["predecessor_case"]))
            earlier = PARTY.format(case=row["predecessor_case"], party=row["predecessor_party"])
            names.get(PARTY.format(case=case_id, party=row["heir"]), set()).add(earlier)
        rows = await self._database.fetch(_STEPS, sorted(cases), nodes, _MOST_STEPS)
        steps = [_step(row) for row in reversed(rows)]
        return [
            PersonState(
                person.party,
                person.values,
                person.since,
                tuple(step for parties, step in steps if not parties.isdisjoint(names[person.party])),
            )
            for person in persons
        ]


def _step(row: Row) -> tuple[frozenset[str], Step]:
    """Return an exchange as a step, with the parties it is about."""
    step = Step(
        exchange=EXCHANGE.format(exchange=row["exchange_id"]),
        node=row["node"],
        sender=AGENCY.format(agency=row["sender"]),
        recipient=AGENCY.format(agency=row["recipient"]),
        state=row["state"],
        at=row["submit_time"],
    )
    return frozenset(exchange_pb2.Exchange.FromString(row["content"]).parties), step
