"""Successions in the database: who takes whose place, and what passes over with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from casemesh.core.names import AGENCY, CASE, PARTY, SUCCESSION
from casemesh.routing.case_store import case_of
from casemesh.routing.person_store import GIVE_NOTICE
from casemesh.routing.v1 import succession_pb2
from casemesh.runtime.postgres import Database, Row, Transaction, Writes

_INSERT = """
INSERT INTO succession (succession_id, case_id, kind, agency, reason, create_time, undoes)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_INSERT_LINK = """
INSERT INTO successor_link (
    succession_id, predecessor_case, successor_case, predecessor_party, successor_party, replaces, made
) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
# What is known of the predecessor is known of the successor since the same time; where both know something, the later
# word stands. Charges and names are a matter of their own.
_INHERIT = """
INSERT INTO party_history (party_id, case_id, aspect, value, effective_time, record_time, cause, agency, reason)
SELECT DISTINCT ON (pair.successor, state.aspect) pair.successor, party.case_id, state.aspect, state.value, state.since,
    $3::timestamptz, $4::text, $5::uuid, $6::text
FROM unnest($1::uuid[], $2::uuid[]) AS pair (predecessor, successor)
JOIN party_state AS state ON state.party_id = pair.predecessor
JOIN party ON party.party_id = pair.successor
LEFT JOIN party_state AS own ON own.party_id = pair.successor AND own.aspect = state.aspect
WHERE state.aspect NOT IN ('charges', 'identity') AND (own.since IS NULL OR state.since > own.since)
    AND own.value IS DISTINCT FROM state.value
ORDER BY pair.successor, state.aspect, state.since DESC
RETURNING party_id, case_id, aspect, value, effective_time
"""
_KEEP = """
INSERT INTO party_state (party_id, aspect, value, since) SELECT party_id, aspect, value, effective_time FROM inherited
ON CONFLICT (party_id, aspect) DO UPDATE SET value = excluded.value, since = excluded.since
"""
# Two halves, each with an index of its own: of what is fulfilled, and of what is open.
_PARTICIPANTS = """
SELECT agency FROM obligation WHERE case_id = ANY ($1::uuid[]) AND joins AND fulfil_time IS NOT NULL
UNION SELECT agency FROM obligation WHERE case_id = ANY ($1::uuid[]) AND joins AND fulfil_time IS NULL
    AND forgone_time IS NULL
"""
_COLUMNS = """succession.succession_id, succession.case_id, succession.kind, succession.agency, succession.reason,
    succession.create_time, undone.case_id AS undone_case, undone.succession_id AS undone_id,
    undoing.case_id AS undoing_case, undoing.succession_id AS undoing_id"""
_JOINS = """
LEFT JOIN succession AS undone ON undone.succession_id = succession.undoes
LEFT JOIN succession AS undoing ON undoing.undoes = succession.succession_id
"""
_GET = f"SELECT {_COLUMNS} FROM succession {_JOINS} WHERE succession.succession_id = $1 AND succession.case_id = $2"  # noqa: S608
_OF_CASE = f"""
SELECT {_COLUMNS} FROM succession {_JOINS}
WHERE succession.succession_id > $2 AND succession.succession_id IN (
    SELECT succession_id FROM succession WHERE case_id = $1
    UNION SELECT succession_id FROM successor_link WHERE predecessor_case = $1
    UNION SELECT succession_id FROM successor_link WHERE successor_case = $1
)
ORDER BY succession.succession_id LIMIT $3
"""  # noqa: S608
_LINKS = """
SELECT succession_id, predecessor_case, successor_case, predecessor_party, successor_party, replaces, made
FROM successor_link WHERE succession_id = ANY ($1::uuid[]) ORDER BY link_id
"""
_END = "UPDATE successor_link SET end_time = $2 WHERE succession_id = $1 AND end_time IS NULL"
# A party that was replaced since, a case that was, or a party that came into a new case otherwise.
_BUILT_UPON = """
SELECT EXISTS (
    SELECT FROM successor_link AS link
    JOIN successor_link AS later ON later.end_time IS NULL AND later.replaces AND later.succession_id <> $1
        AND later.predecessor_case = link.successor_case
        AND later.predecessor_party IS NOT DISTINCT FROM link.successor_party
    WHERE link.succession_id = $1
) OR EXISTS (
    SELECT FROM successor_link AS link
    JOIN party ON party.case_id = link.successor_case
    WHERE link.succession_id = $1 AND link.predecessor_party IS NULL AND link.made AND NOT EXISTS (
        SELECT FROM successor_link AS own WHERE own.succession_id = $1 AND own.successor_party = party.party_id
    )
)
"""
FIRST = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Link:
    """One takes another's place: two cases or two parties, by resource name.

    `replaces` is false only for a case and what was split from it, which go on side by side; `made` says that the
    successor was made by the succession.
    """

    predecessor: str
    successor: str
    replaces: bool
    made: bool

    @property
    def of_parties(self) -> bool:
        return "/parties/" in self.predecessor

    @property
    def cases(self) -> tuple[str, str]:
        """The cases of both."""
        return case_of(self.predecessor), case_of(self.successor)


@dataclass(frozen=True, slots=True)
class Succession:
    """A succession with its links; `undoes` and `undone_by` are resource names or empty."""

    name: str
    kind: succession_pb2.SuccessionKind
    agency: str
    reason: str
    create_time: datetime
    links: tuple[Link, ...]
    undoes: str = ""
    undone_by: str = ""

    def seen_from(self, cases: Collection[str]) -> Succession:
        """Return it without the links to cases that are not among these."""
        return replace(self, links=tuple(link for link in self.links if set(link.cases) <= set(cases)))

    def message(self) -> succession_pb2.Succession:
        """Return it as the contract has it."""
        message = succession_pb2.Succession(
            name=self.name,
            kind=self.kind,
            links=[
                succession_pb2.SuccessorLink(predecessor=link.predecessor, successor=link.successor)
                for link in self.links
            ],
            agency=self.agency,
            reason=self.reason,
            undoes=self.undoes,
            undone_by=self.undone_by,
        )
        message.create_time.FromDatetime(self.create_time)
        return message


async def insert_succession(transaction: Transaction, succession: Succession) -> None:
    """Store a succession, end the links of the one it undoes, and pass on what is known of the predecessors."""
    names = SUCCESSION.parse(succession.name)
    undoes = SUCCESSION.parse(succession.undoes)["succession"] if succession.undoes else None
    if undoes is not None:
        await transaction.execute(_END, undoes, succession.create_time)
    await transaction.execute(
        _INSERT,
        names["succession"],
        names["case"],
        succession.kind,
        AGENCY.parse(succession.agency)["agency"],
        succession.reason,
        succession.create_time,
        undoes,
    )
    await transaction.executemany(_INSERT_LINK, [_link_row(names["succession"], link) for link in succession.links])
    await _inherit(transaction, succession)


async def _inherit(transaction: Transaction, succession: Succession) -> None:
    writes = Writes()
    writes.add(
        "inherited",
        _INHERIT,
        [PARTY.parse(link.predecessor)["party"] for link in succession.links if link.of_parties],
        [PARTY.parse(link.successor)["party"] for link in succession.links if link.of_parties],
        succession.create_time,
        succession.name,
        AGENCY.parse(succession.agency)["agency"],
        succession.reason,
    )
    writes.add("kept", _KEEP)
    cases = {case for link in succession.links for case in link.cases} or {case_of(succession.name)}
    writes.add("noticed", GIVE_NOTICE, [CASE.parse(case)["case"] for case in sorted(cases)])
    await transaction.write(writes)


async def participants(transaction: Transaction, cases: Iterable[str]) -> list[str]:
    """Return the agencies that were ever brought into any of these cases."""
    rows = await transaction.fetch(_PARTICIPANTS, [CASE.parse(case)["case"] for case in cases])
    return [AGENCY.format(agency=row["agency"]) for row in rows]


async def built_upon(transaction: Transaction, name: str) -> bool:
    """Say whether what a succession made is more than it made: replaced since, or joined by others."""
    return bool(await transaction.fetchval(_BUILT_UPON, SUCCESSION.parse(name)["succession"]))


async def get_succession(database: Database | Transaction, name: str) -> Succession | None:
    """Return a succession, or None."""
    names = SUCCESSION.parse(name)
    row = await database.fetchrow(_GET, names["succession"], names["case"])
    if row is None:
        return None
    return _succession(row, await database.fetch(_LINKS, [names["succession"]]))


class SuccessionStore:
    """Reads successions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_case(self, case: str, *, after: str, limit: int) -> list[Succession]:
        """Return up to `limit` successions with a part in `case`, oldest first, those after the id `after`."""
        rows = await self._database.fetch(_OF_CASE, CASE.parse(case)["case"], after or FIRST, limit)
        links = await self._database.fetch(_LINKS, [row["succession_id"] for row in rows])
        return [
            _succession(row, [link for link in links if link["succession_id"] == row["succession_id"]]) for row in rows
        ]


def _link_row(succession_id: str, link: Link) -> tuple[object, ...]:
    cases = [CASE.parse(case)["case"] for case in link.cases]
    parties: list[str | None] = [None, None]
    if link.of_parties:
        parties = [PARTY.parse(name)["party"] for name in (link.predecessor, link.successor)]
    return (succession_id, *cases, *parties, link.replaces, link.made)


def _succession(row: Row, links: Sequence[Row]) -> Succession:
    return Succession(
        name=SUCCESSION.format(case=row["case_id"], succession=row["succession_id"]),
        kind=row["kind"],
        agency=AGENCY.format(agency=row["agency"]),
        reason=row["reason"],
        create_time=row["create_time"],
        links=tuple(
            Link(_end(link, "predecessor"), _end(link, "successor"), link["replaces"], link["made"]) for link in links
        ),
        undoes=_other(row, "undone"),
        undone_by=_other(row, "undoing"),
    )


def _end(link: Row, side: str) -> str:
    if link[f"{side}_party"] is None:
        return CASE.format(case=link[f"{side}_case"])
    return PARTY.format(case=link[f"{side}_case"], party=link[f"{side}_party"])


def _other(row: Row, which: str) -> str:
    if row[f"{which}_id"] is None:
        return ""
    return SUCCESSION.format(case=row[f"{which}_case"], succession=row[f"{which}_id"])
