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

# Recorded where it makes a difference at its time, and from the values it changes from; who says what stands already is
# kept beside, but for the cause of what stands.
_EXAMINE = """
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
    stated.effective_time, CASE WHEN standing.value = stated.value THEN standing.sequence END AS restates
FROM stated JOIN heir ON heir.named = stated.party_id JOIN party ON party.party_id = heir.party_id
LEFT JOIN LATERAL (
    SELECT value, sequence, cause FROM party_history AS earlier
    WHERE earlier.party_id = party.party_id AND earlier.aspect = stated.aspect AND earlier.end_time IS NULL
        AND earlier.effective_time <= stated.effective_time
    ORDER BY earlier.effective_time DESC, earlier.sequence DESC LIMIT 1
) AS standing ON true
WHERE CASE WHEN standing.value = stated.value THEN standing.cause <> $6
    ELSE stated.only_from = ''
        OR coalesce(nullif(standing.value, ''), '-') = ANY (string_to_array(stated.only_from, ';')) END
"""
_RECORD = """
INSERT INTO party_history (party_id, case_id, aspect, value, effective_time, record_time, cause, node, agency, reason)
SELECT party_id, case_id, aspect, value, effective_time, $1::timestamptz, $2::text, $3::text, $4::uuid, $5::text
FROM examined_of_persons WHERE restates IS NULL
RETURNING party_id, case_id, aspect, value, effective_time AS since
"""
_RESTATE = """
INSERT INTO party_restatement (party_id, aspect, restates, effective_time, record_time, cause, node, agency)
SELECT party_id, aspect, restates, effective_time, $1::timestamptz, $2::text, $3::text, $4::uuid
FROM examined_of_persons WHERE restates IS NOT NULL
ON CONFLICT (party_id, cause, aspect) DO UPDATE SET restates = excluded.restates,
    effective_time = excluded.effective_time, record_time = excluded.record_time, node = excluded.node
"""
_KEEP_STATE = """
INSERT INTO party_state (party_id, aspect, value, since)
SELECT party_id, aspect, value, since FROM stated_of_persons
ON CONFLICT (party_id, aspect) DO UPDATE SET value = excluded.value, since = excluded.since
WHERE excluded.since >= party_state.since
"""
_HEIRS = """
WITH RECURSIVE heir AS (
    SELECT unnest($1::uuid[]) AS party_id
    UNION
    SELECT link.successor_party FROM heir
    JOIN successor_link AS link ON link.predecessor_party = heir.party_id AND link.end_time IS NULL
)
SELECT party_id FROM heir
"""
_END = """
UPDATE party_history SET end_time = $2 FROM heir_of_persons AS heir
WHERE party_history.party_id = heir.party_id AND cause = $1 AND end_time IS NULL
RETURNING party_history.party_id, case_id, aspect, value, sequence
"""
_NO_LONGER_RESTATE = """
DELETE FROM party_restatement AS restatement USING heir_of_persons AS heir
WHERE restatement.party_id = heir.party_id AND cause = $1
"""
# The first to have said the same says it now; the others restate that.
_PROMOTE = """
INSERT INTO party_history (party_id, case_id, aspect, value, effective_time, record_time, cause, node, agency)
SELECT DISTINCT ON (ended.sequence) ended.party_id, case_id, ended.aspect, value, effective_time, record_time, cause,
    node, agency
FROM ended_of_persons AS ended JOIN party_restatement AS restatement ON restatement.restates = ended.sequence
    AND restatement.party_id = ended.party_id
WHERE cause <> $1
ORDER BY ended.sequence, effective_time, record_time, cause
RETURNING party_id, case_id, aspect, value, effective_time, sequence, cause
"""
_RESTATE_PROMOTED = """
UPDATE party_restatement AS restatement SET restates = promoted.sequence
FROM promoted_of_persons AS promoted, ended_of_persons AS ended
WHERE ended.party_id = promoted.party_id AND ended.aspect = promoted.aspect AND ended.value = promoted.value
    AND restatement.party_id = ended.party_id AND restatement.restates = ended.sequence
    AND restatement.cause NOT IN ($1, promoted.cause)
"""
# What stands of all that has not ended, with the time since when it does; "" where nothing does.
_STANDS_AGAIN = """
SELECT aspect.party_id, aspect.case_id, aspect.aspect, coalesce(standing.value, '') AS value,
    coalesce(standing.effective_time, $2) AS since
FROM (SELECT DISTINCT party_id, case_id, aspect FROM ended_of_persons) AS aspect
LEFT JOIN LATERAL (
    SELECT value, effective_time FROM (
        SELECT value, effective_time, sequence FROM party_history AS stated
        WHERE stated.party_id = aspect.party_id AND stated.aspect = aspect.aspect AND stated.end_time IS NULL
            AND stated.cause <> $1
        UNION ALL
        SELECT value, effective_time, sequence FROM promoted_of_persons AS promoted
        WHERE promoted.party_id = aspect.party_id AND promoted.aspect = aspect.aspect
    ) AS counting
    ORDER BY effective_time DESC, sequence DESC LIMIT 1
) AS standing ON true
"""
_TELL_AGAIN = """
INSERT INTO party_history
    (party_id, case_id, aspect, value, effective_time, record_time, cause, node, agency, reason, end_time)
SELECT again.party_id, again.case_id, again.aspect, again.value, $2::timestamptz, $2::timestamptz, $1::text, $3::text,
    $4::uuid, $5::text, $2::timestamptz
FROM again_of_persons AS again JOIN party_state AS state USING (party_id, aspect) WHERE state.value <> again.value
RETURNING party_id, case_id, aspect
"""
_KEEP_STATE_AGAIN = """
UPDATE party_state AS state SET value = again.value, since = again.since FROM again_of_persons AS again
WHERE state.party_id = again.party_id AND state.aspect = again.aspect
    AND (state.value, state.since) IS DISTINCT FROM (again.value, again.since)
"""
_ONCE_MORE = "ON CONFLICT (case_id) DO UPDATE SET version = stage_notice.version + 1, next_attempt_at = now()"
_NOTICE_MOVES = f"""
INSERT INTO stage_notice (case_id, version)
SELECT DISTINCT case_id, 1 FROM stated_of_persons WHERE aspect = 'stage'
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
# The content tells whom an older exchange is about.
_STEPS = """
SELECT exchange_id, case_id, node, sender, recipient, state, submit_time, parties,
    CASE WHEN parties IS NULL THEN content END AS content
FROM exchange
WHERE case_id = ANY ($1::uuid[]) AND ($2::text[] IS NULL OR node = ANY ($2)) AND state <> 'HELD'
ORDER BY exchange_id DESC LIMIT $3
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
    cause, agency_id = source.cause, AGENCY.parse(source.agency)["agency"]
    writes.add(
        "examined_of_persons",
        _EXAMINE,
        [said.party for said in statements],
        [said.aspect for said in statements],
        [said.value for said in statements],
        [";".join(said.only_from) for said in statements],
        [said.effective for said in statements],
        cause,
    )
    writes.add("stated_of_persons", _RECORD, source.at, cause, source.node, agency_id, source.reason)
    writes.add("restated_of_persons", _RESTATE, source.at, cause, source.node, agency_id)
    writes.add("kept_of_persons", _KEEP_STATE)
    writes.add("noticed_of_persons", _NOTICE_MOVES)


def take_back(writes: Writes, parties: Sequence[str], source: Source) -> None:
    """Add to `writes` that what the source's cause said of these parties no longer holds, from its time on. What others
    said too stays, since they said it; else what stood before stands again, since when it did. At most once in
    `writes`."""
    agency_id = AGENCY.parse(source.agency)["agency"]
    writes.add("heir_of_persons", _HEIRS, list(parties))
    writes.add("ended_of_persons", _END, source.cause, source.at)
    writes.add("silent_of_persons", _NO_LONGER_RESTATE, source.cause)
    writes.add("promoted_of_persons", _PROMOTE, source.cause)
    writes.add("restated_of_persons", _RESTATE_PROMOTED, source.cause)
    writes.add("again_of_persons", _STANDS_AGAIN, source.cause, source.at)
    writes.add("stated_of_persons", _TELL_AGAIN, source.cause, source.at, source.node, agency_id, source.reason)
    writes.add("kept_of_persons", _KEEP_STATE_AGAIN)
    writes.add("noticed_of_persons", _NOTICE_MOVES)


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
    if row["parties"] is None:
        return frozenset(exchange_pb2.Exchange.FromString(row["content"]).parties), step
    return frozenset(PARTY.format(case=row["case_id"], party=party) for party in row["parties"]), step
