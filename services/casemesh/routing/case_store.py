"""Cases, parties and local numbers in the database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import cast
from zoneinfo import ZoneInfo

from google.type import date_pb2

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.names import AGENCY, CASE, PARTY
from casemesh.data.number_formats import read_number
from casemesh.data.procedure import Aspect, Custody, Stage
from casemesh.routing.payload import to_date
from casemesh.routing.person_store import GIVE_NOTICE, IDENTITY, PLACE, person_state
from casemesh.routing.procedure import PersonState
from casemesh.routing.v1 import case_pb2
from casemesh.runtime.postgres import Database, Row, Transaction

CHINA = ZoneInfo("Asia/Shanghai")
_HELD = frozenset(
    case_pb2.CustodyState.Value(f"CUSTODY_STATE_{name}")
    for name in (
        *("DETAINED", "ARRESTED", "SERVING_SENTENCE", "DRUG_REHABILITATION"),
        *("COMPULSORY_TREATMENT", "SUPERVISORY_DETENTION", "JUDICIAL_DETENTION"),
    )
)

_INSERT_CASE = "INSERT INTO registered_case (case_id, title, agency, create_time) VALUES ($1, $2, $3, $4)"
_LINK_NUMBER = """
INSERT INTO local_number (case_id, agency, number, normalised, format, link_time) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
"""
# Whether all persons of whom a stage is known have reached the end; null where none is known.
_CLOSED = """
(SELECT bool_and(state.value = 'CONCLUDED') FROM party AS person JOIN party_state AS state USING (party_id)
 WHERE person.case_id = {case} AND state.aspect = 'stage' AND state.value <> '' AND NOT EXISTS (
    SELECT FROM successor_link AS link
    WHERE link.predecessor_party = person.party_id AND link.replaces AND link.end_time IS NULL))
"""
_CASES = f"""
SELECT case_id, title, agency, create_time, {_CLOSED.format(case="registered_case.case_id")} AS closed
FROM registered_case WHERE case_id = ANY($1::uuid[])
"""  # noqa: S608 - composed of constants
_PARTY_COLUMNS_READ = """
    party.party_id, party.case_id, party.kind, party.display_name, party.identity_unknown,
    state.aspects, state.said, state.since,
    (
        SELECT array_agg(ARRAY[code_system, code, display] ORDER BY position) FROM charge
        WHERE charge.party_id = party.party_id AND superseded_time IS NULL
    ) AS charges,
    ARRAY(
        SELECT 'cases/' || link.successor_case || '/parties/' || link.successor_party FROM successor_link AS link
        WHERE link.predecessor_party = party.party_id AND link.end_time IS NULL ORDER BY link.link_id
    ) AS successors
"""
_PREDECESSORS = """
    ARRAY(
        SELECT 'cases/' || link.predecessor_case || '/parties/' || link.predecessor_party FROM successor_link AS link
        WHERE link.successor_party = party.party_id AND link.end_time IS NULL ORDER BY link.link_id
    ) AS predecessors
"""
_STATE = """
LEFT JOIN LATERAL (
    SELECT array_agg(aspect) AS aspects, array_agg(value) AS said, array_agg(since) AS since
    FROM party_state WHERE party_state.party_id = party.party_id AND value <> ''
) AS state ON true
"""
_PARTIES_OF_CASES = f"""
SELECT {_PARTY_COLUMNS_READ}, {_PREDECESSORS} FROM party {_STATE}
WHERE party.case_id = ANY($1::uuid[]) ORDER BY party.case_id, party.position
"""  # noqa: S608
# One row even where no party is found: what is known of the case itself.
_STANDING = f"""
SELECT {_PARTY_COLUMNS_READ}, {_CLOSED.format(case="$1")} AS closed, (
    SELECT link.successor_case FROM successor_link AS link
    WHERE link.predecessor_case = $1 AND link.predecessor_party IS NULL AND link.replaces AND link.end_time IS NULL
    LIMIT 1
) AS superseded_by
FROM (SELECT) AS one
LEFT JOIN party ON party.case_id = $1 AND party.party_id = ANY($2::uuid[])
{_STATE} ORDER BY party.position
"""  # noqa: S608
_NUMBERS = """
SELECT case_id, agency, number, format, link_time, unlink_time FROM local_number
WHERE case_id = ANY($1::uuid[]) AND unlink_time IS NULL ORDER BY case_id, link_time, number
"""
_LINKED_CASES = """
SELECT predecessor_case, successor_case FROM successor_link
WHERE (predecessor_case = ANY($1::uuid[]) OR successor_case = ANY($1::uuid[])) AND predecessor_party IS NULL
    AND end_time IS NULL
ORDER BY link_id
"""
_LAST_POSITION = "SELECT coalesce(max(position), -1) FROM party WHERE case_id = $1"
_LOCK_CASE = "SELECT pg_advisory_xact_lock(3, hashtext($1))"
_PARTY_COLUMNS = (
    *("party_id", "case_id", "position", "kind", "display_name", "identity_unknown"),
    *("custody_state", "custody_since", "custody_place"),
)
_CHARGE_COLUMNS = ("party_id", "position", "code_system", "code", "display")
_HISTORY_COLUMNS = (*("party_id", "case_id", "aspect", "value", "effective_time", "record_time", "cause", "agency"),)
_STATE_COLUMNS = ("party_id", "aspect", "value", "since")


@dataclass(frozen=True)
class Standing:
    """What a step about some parties of a case must know: the parties, where they stand, and the case's end."""

    parties: list[case_pb2.Party]
    persons: list[PersonState]
    closed: bool
    """Whether every person of whom a stage is known has reached the end."""
    superseded_by: str
    """The case that took the place of this one; empty for none."""


def case_of(name: str) -> str:
    """Return the case of a case, or of what is named within one: a party, a succession."""
    return "/".join(name.split("/")[:2])


async def lock_cases(transaction: Transaction, cases: Iterable[str]) -> None:
    """Wait until nobody else changes who is in these cases, and keep others out until the transaction ends."""
    for case in sorted(set(cases)):
        await transaction.execute(_LOCK_CASE, CASE.parse(case)["case"])


async def insert_case(transaction: Transaction, case: case_pb2.Case) -> None:
    """Store a new case with its parties and numbers."""
    case_id = CASE.parse(case.name)["case"]
    created = case.create_time.ToDatetime(tzinfo=UTC)
    await transaction.execute(_INSERT_CASE, case_id, case.title, _agency_id(case.agency), created)
    await insert_parties(transaction, case.parties, first=0, cause=case.name, agency=case.agency, at=created)
    for number in case.local_numbers:
        await link_number(transaction, case.name, number.agency, number.number, created)


async def add_parties(
    transaction: Transaction, case: str, parties: Sequence[case_pb2.Party], *, cause: str, agency: str, at: datetime
) -> None:
    """Store parties behind those of a case that is locked."""
    last = await transaction.fetchval(_LAST_POSITION, CASE.parse(case)["case"])
    await insert_parties(transaction, parties, first=last + 1, cause=cause, agency=agency, at=at)


async def insert_parties(
    transaction: Transaction, parties: Sequence[case_pb2.Party], *, first: int, cause: str, agency: str, at: datetime
) -> None:
    """Store new parties from position `first` on, with what is stated of them at the start."""
    rows, history, charges = [], [], []
    for position, party in enumerate(parties, start=first):
        names = PARTY.parse(party.name)
        rows.append(_party_row(names["case"], position, party))
        charges += [
            (names["party"], number, charge.code_system, charge.code, charge.display)
            for number, charge in enumerate(party.charges)
        ]
        history += [
            (names["party"], names["case"], aspect, value, since, at, cause, _agency_id(agency))
            for aspect, value, since in first_statements(party, at)
        ]
    await transaction.copy("party", _PARTY_COLUMNS, rows)
    if charges:
        await transaction.copy("charge", _CHARGE_COLUMNS, charges)
    if history:
        await transaction.copy("party_history", _HISTORY_COLUMNS, history)
        await transaction.copy("party_state", _STATE_COLUMNS, [(row[0], row[2], row[3], row[4]) for row in history])
    for case_id in {row[1] for row in history if row[2] == Aspect.STAGE}:
        await transaction.execute(GIVE_NOTICE, [case_id])


def first_statements(party: case_pb2.Party, at: datetime) -> list[tuple[str, str, datetime]]:
    """Return what is stated of a party when it is registered: aspect, value, since when."""
    said: list[tuple[str, str, datetime]] = []
    if party.stage:
        said.append((Aspect.STAGE, case_pb2.ProcedureStage.Name(party.stage).removeprefix("PROCEDURE_STAGE_"), at))
    if party.custody.state:
        since = day_begins(party.custody.since, at) if party.custody.HasField("since") else at
        name = case_pb2.CustodyState.Name(party.custody.state).removeprefix("CUSTODY_STATE_")
        said.append((Aspect.MEASURE, name, since))
        said.append((Aspect.CUSTODY, Custody.HELD if party.custody.state in _HELD else Custody.NOT_HELD, since))
        if party.custody.place:
            said.append((PLACE, party.custody.place, since))
    if party.charges:
        said.append(("charges", charges_text(party.charges), at))
    return said


def charges_text(charges: Iterable[CodedValue]) -> str:
    """Return charges as the history keeps them."""
    values = [[charge.code_system, charge.code, charge.display] for charge in charges]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def charges_in(text: str) -> list[CodedValue]:
    """Return the charges that `charges_text` wrote."""
    return [CodedValue(code_system=system, code=code, display=display) for system, code, display in json.loads(text)]


def day_begins(day: date_pb2.Date, now: datetime) -> datetime:
    """Return when a statutory day begins in Asia/Shanghai; for today, now, so that what is said later of it counts as
    later."""
    begins = datetime.combine(to_date(day), time.min, CHINA)
    return now if begins.date() == now.astimezone(CHINA).date() else begins.astimezone(UTC)


async def link_number(transaction: Transaction, case: str, agency: str, number: str, at: datetime) -> bool:
    """Keep an agency's own number of a case; False when it was linked already, which changes nothing."""
    reading = read_number(number)
    linked = await transaction.execute(
        _LINK_NUMBER, CASE.parse(case)["case"], _agency_id(agency), number, reading.normalised, reading.format, at
    )
    return linked == 1


class CaseStore:
    """Reads cases: from the pool, or within a transaction, which then sees its own changes."""

    def __init__(self, database: Database | Transaction) -> None:
        self._database = database

    async def get(self, names: Sequence[str]) -> list[case_pb2.Case]:
        """Return the cases of these names that exist, in the order of the names, whole."""
        case_ids = [CASE.parse(name)["case"] for name in names]
        case_rows = await self._database.fetch(_CASES, case_ids)
        party_rows = await self._database.fetch(_PARTIES_OF_CASES, case_ids)
        cases = {}
        for row in case_rows:
            case = case_pb2.Case(
                name=CASE.format(case=row["case_id"]),
                title=row["title"],
                agency=AGENCY.format(agency=row["agency"]),
                closed=bool(row["closed"]),
            )
            case.create_time.FromDatetime(row["create_time"])
            cases[case.name] = case
        for row in party_rows:
            party = _party(row)
            party.predecessors.extend(row["predecessors"])
            cases[case_of(party.name)].parties.append(party)
        for row in await self._database.fetch(_NUMBERS, case_ids):
            cases[CASE.format(case=row["case_id"])].local_numbers.append(number_of(row))
        for row in await self._database.fetch(_LINKED_CASES, case_ids):
            before, after = (CASE.format(case=row[side]) for side in ("predecessor_case", "successor_case"))
            if before in cases:
                cases[before].successors.append(after)
            if after in cases:
                cases[after].predecessors.append(before)
        return [cases[name] for name in names if name in cases]

    async def standing(self, case: str, names: Iterable[str]) -> Standing:
        """Return what is known of those parties of `case` that have one of these names, others left out, and of its
        end: one round trip. Whose place a party took is not said."""
        party_ids = [PARTY.parse(name)["party"] for name in names if name.startswith(f"{case}/")]
        rows = await self._database.fetch(_STANDING, CASE.parse(case)["case"], party_ids)
        found = [row for row in rows if row["party_id"] is not None]
        superseded_by = rows[0]["superseded_by"]
        return Standing(
            parties=[_party(row) for row in found],
            persons=[person_state(row) for row in found],
            closed=bool(rows[0]["closed"]),
            superseded_by=CASE.format(case=superseded_by) if superseded_by is not None else "",
        )

    async def parties(self, case: str, names: Iterable[str]) -> list[case_pb2.Party]:
        """Return those parties of `case` that have one of these names; others are left out."""
        return (await self.standing(case, names)).parties


def number_of(row: Row) -> case_pb2.LocalNumber:
    """Return the number in a row that has all its columns."""
    number = case_pb2.LocalNumber(
        agency=AGENCY.format(agency=row["agency"]), number=row["number"], format=row["format"]
    )
    number.link_time.FromDatetime(row["link_time"])
    if row["unlink_time"] is not None:
        number.unlink_time.FromDatetime(row["unlink_time"])
    return number


def _party_row(case_id: str, position: int, party: case_pb2.Party) -> tuple[object, ...]:
    held = party.HasField("custody")
    custody = (
        party.custody.state if held else None,
        to_date(party.custody.since) if party.custody.HasField("since") else None,
        party.custody.place,
    )
    names = (PARTY.parse(party.name)["party"], case_id, position)
    return (*names, party.kind, party.display_name, party.identity_unknown, *custody)


def _party(row: Row) -> case_pb2.Party:
    said = dict(zip(row["aspects"] or (), zip(row["said"] or (), row["since"] or (), strict=True), strict=True))
    party = case_pb2.Party(
        name=PARTY.format(case=row["case_id"], party=row["party_id"]),
        kind=row["kind"],
        display_name=said[IDENTITY][0] if IDENTITY in said else row["display_name"],
        identity_unknown=row["identity_unknown"] and IDENTITY not in said,
        successors=row["successors"],
    )
    for code_system, code, display in row["charges"] or ():
        party.charges.add(code_system=code_system, code=code, display=display)
    if Aspect.STAGE in said:
        party.stage = stage_number(said[Aspect.STAGE][0])
    if Aspect.MEASURE in said:
        measure, since = said[Aspect.MEASURE]
        party.custody.state = measure_number(measure)
        day = since.astimezone(CHINA).date()
        party.custody.since.CopyFrom(date_pb2.Date(year=day.year, month=day.month, day=day.day))
        if said.get(Aspect.CUSTODY, ("",))[0] == Custody.HELD and Aspect.CUSTODIAN not in said and PLACE in said:
            party.custody.place = said[PLACE][0]
    return party


def stage_number(stage: str) -> case_pb2.ProcedureStage:
    """Return the contract's value of a stage; unspecified for ""."""
    number = case_pb2.ProcedureStage.Value(f"PROCEDURE_STAGE_{Stage(stage) if stage else 'UNSPECIFIED'}")
    return cast(case_pb2.ProcedureStage, number)


def measure_number(measure: str) -> case_pb2.CustodyState:
    """Return the contract's value of a measure; unspecified for ""."""
    return cast(case_pb2.CustodyState, case_pb2.CustodyState.Value(f"CUSTODY_STATE_{measure or 'UNSPECIFIED'}"))


def _agency_id(agency: str) -> str:
    return AGENCY.parse(agency)["agency"]
