"""What supervision is told of a case, in the database: no names and no text leave it here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casemesh.core.names import CASE
from casemesh.data.procedure import Aspect
from casemesh.routing.v1 import case_facts_service_pb2 as pb2
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.postgres import Database, Row

_MOST = 2000
_PERSONAL = frozenset({"birth_date"})
_CASE = """
SELECT agency, create_time,
    coalesce((
        SELECT bool_and(state.value = 'CONCLUDED') FROM party JOIN party_state AS state USING (party_id)
        WHERE party.case_id = $1 AND state.aspect = 'stage' AND state.value <> '' AND NOT EXISTS (
            SELECT FROM successor_link AS link
            WHERE link.predecessor_party = party.party_id AND link.replaces AND link.end_time IS NULL)
    ), false) AS closed,
    ARRAY(
        SELECT 'cases/' || link.successor_case FROM successor_link AS link
        WHERE link.predecessor_case = $1 AND link.predecessor_party IS NULL AND link.replaces AND link.end_time IS NULL
        ORDER BY link.link_id
    ) AS superseded_by
FROM registered_case WHERE case_id = $1
"""
_PERSONS = """
SELECT party.party_id, party.identity_unknown, ARRAY(
    SELECT code_system || ':' || code FROM charge
    WHERE charge.party_id = party.party_id AND superseded_time IS NULL ORDER BY position
) AS charges
FROM party WHERE party.case_id = $1 AND NOT EXISTS (
    SELECT FROM successor_link AS link
    WHERE link.predecessor_party = party.party_id AND link.replaces AND link.end_time IS NULL
) ORDER BY party.position
"""
_STATEMENTS = """
SELECT party_id, aspect, value, effective_time, record_time, node, cause FROM party_history
WHERE case_id = $1 AND aspect = ANY($2::text[]) AND end_time IS NULL
ORDER BY effective_time, sequence
"""
# What is held waits for codes, and its sender alone sees it.
_EXCHANGES = """
SELECT * FROM (
    SELECT exchange_id, node, sender, recipient, state, parties, answers, submit_time, deliver_time, accept_time,
        answer_time, end_time, answer_by, revision, returned, dossier_version, content,
        delivery.attempts, coalesce(delivery.undelivered, false) AS undelivered
    FROM exchange LEFT JOIN LATERAL (
        SELECT max(attempt) AS attempts,
            bool_or(acknowledge_time IS NULL AND coalesce(set_aside_time, overdue_time) IS NOT NULL) AS undelivered
        FROM delivery WHERE delivery.exchange_id = exchange.exchange_id AND purpose = 'HANDLE'
    ) AS delivery ON true
    WHERE case_id = $1 AND state <> 'HELD' ORDER BY exchange_id DESC LIMIT $2
) AS newest ORDER BY submit_time, exchange_id
"""


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """What the database says of a case; limits are reckoned from other reads."""

    case: Row
    persons: Sequence[Row]
    statements: Mapping[str, Sequence[Row]]
    exchanges: Sequence[Row]


class CaseFactsStore:
    """Reads the facts of cases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, case: str) -> StoredFacts | None:
        """Return what is known of a case, None for one that is not there."""
        case_id = CASE.parse(case)["case"]
        found = await self._database.fetchrow(_CASE, case_id)
        if found is None:
            return None
        statements: dict[str, list[Row]] = {}
        for row in await self._database.fetch(_STATEMENTS, case_id, list(Aspect)):
            statements.setdefault(str(row["party_id"]), []).append(row)
        return StoredFacts(
            found,
            await self._database.fetch(_PERSONS, case_id),
            statements,
            await self._database.fetch(_EXCHANGES, case_id, _MOST),
        )


def payload_fact(field: exchange_pb2.PayloadField) -> pb2.PayloadFact:
    """Return what is told of a field: of a text and of a birth date only that it is there."""
    fact = pb2.PayloadFact(key=field.key, party=field.party)
    if field.key in _PERSONAL:
        fact.present = True
        return fact
    match field.WhichOneof("value"):
        case "coded":
            fact.code = field.coded.code
        case "date":
            fact.date.CopyFrom(field.date)
        case "integer":
            fact.integer = field.integer
        case "flag":
            fact.flag = field.flag
        case _:
            fact.present = True
    return fact
