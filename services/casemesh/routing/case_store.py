"""Cases, parties and local numbers in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from google.type import date_pb2

from casemesh.core.names import AGENCY, CASE, PARTY
from casemesh.routing.payload import to_date
from casemesh.routing.v1 import case_pb2
from casemesh.runtime.postgres import Database, Row, Transaction

_INSERT_CASE = "INSERT INTO registered_case (case_id, title, agency, create_time) VALUES ($1, $2, $3, $4)"
_LINK_NUMBER = """
INSERT INTO local_number (case_id, agency, number, link_time) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
_CASES = "SELECT case_id, title, agency, create_time FROM registered_case WHERE case_id = ANY($1::uuid[])"
_PARTIES_OF_CASES = """
SELECT party_id, case_id, kind, display_name, custody_state, custody_since, custody_place
FROM party WHERE case_id = ANY($1::uuid[]) ORDER BY case_id, position
"""
_PARTIES = """
SELECT party_id, case_id, kind, display_name, custody_state, custody_since, custody_place
FROM party WHERE case_id = $1 AND party_id = ANY($2::uuid[]) ORDER BY position
"""
_CHARGES = """
SELECT party_id, code_system, code, display FROM charge WHERE party_id = ANY($1::uuid[]) ORDER BY party_id, position
"""
_NUMBERS = """
SELECT case_id, agency, number FROM local_number WHERE case_id = ANY($1::uuid[]) ORDER BY case_id, link_time, number
"""
_PARTY_COLUMNS = (
    *("party_id", "case_id", "position", "kind", "display_name"),
    *("custody_state", "custody_since", "custody_place"),
)
_CHARGE_COLUMNS = ("party_id", "position", "code_system", "code", "display")


async def insert_case(transaction: Transaction, case: case_pb2.Case) -> None:
    """Store a new case with its parties and numbers."""
    case_id = CASE.parse(case.name)["case"]
    created = case.create_time.ToDatetime(tzinfo=UTC)
    await transaction.execute(_INSERT_CASE, case_id, case.title, _agency_id(case.agency), created)
    await transaction.copy("party", _PARTY_COLUMNS, [_party_row(case_id, *item) for item in enumerate(case.parties)])
    charges = [
        (PARTY.parse(party.name)["party"], position, charge.code_system, charge.code, charge.display)
        for party in case.parties
        for position, charge in enumerate(party.charges)
    ]
    if charges:
        await transaction.copy("charge", _CHARGE_COLUMNS, charges)
    for number in case.local_numbers:
        await transaction.execute(_LINK_NUMBER, case_id, _agency_id(number.agency), number.number, created)


async def link_number(transaction: Transaction, case: str, agency: str, number: str, at: datetime) -> None:
    """Keep an agency's own number of a case. Linking it again changes nothing."""
    await transaction.execute(_LINK_NUMBER, CASE.parse(case)["case"], _agency_id(agency), number, at)


class CaseStore:
    """Reads cases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, names: Sequence[str]) -> list[case_pb2.Case]:
        """Return the cases of these names that exist, in the order of the names, whole."""
        case_ids = [CASE.parse(name)["case"] for name in names]
        async with self._database.connection() as connection:
            case_rows = await connection.fetch(_CASES, case_ids)
            party_rows = await connection.fetch(_PARTIES_OF_CASES, case_ids)
            charge_rows = await connection.fetch(_CHARGES, [row["party_id"] for row in party_rows])
            number_rows = await connection.fetch(_NUMBERS, case_ids)
        cases = {}
        for row in case_rows:
            case = case_pb2.Case(
                name=CASE.format(case=row["case_id"]), title=row["title"], agency=AGENCY.format(agency=row["agency"])
            )
            case.create_time.FromDatetime(row["create_time"])
            cases[case.name] = case
        for party in _parties(party_rows, charge_rows):
            cases[party.name.split("/parties/")[0]].parties.append(party)
        for row in number_rows:
            cases[CASE.format(case=row["case_id"])].local_numbers.add(
                agency=AGENCY.format(agency=row["agency"]), number=row["number"]
            )
        return [cases[name] for name in names if name in cases]

    async def parties(self, case: str, names: Iterable[str]) -> list[case_pb2.Party]:
        """Return those parties of `case` that have one of these names; others are left out."""
        case_id = CASE.parse(case)["case"]
        party_ids = [PARTY.parse(name)["party"] for name in names if name.startswith(f"{case}/")]
        async with self._database.connection() as connection:
            party_rows = await connection.fetch(_PARTIES, case_id, party_ids)
            charge_rows = await connection.fetch(_CHARGES, [row["party_id"] for row in party_rows])
        return _parties(party_rows, charge_rows)


def _party_row(case_id: str, position: int, party: case_pb2.Party) -> tuple[object, ...]:
    held = party.HasField("custody")
    custody = (
        party.custody.state if held else None,
        to_date(party.custody.since) if party.custody.HasField("since") else None,
        party.custody.place,
    )
    return (PARTY.parse(party.name)["party"], case_id, position, party.kind, party.display_name, *custody)


def _parties(party_rows: Sequence[Row], charge_rows: Sequence[Row]) -> list[case_pb2.Party]:
    parties = {}
    for row in party_rows:
        party = case_pb2.Party(
            name=PARTY.format(case=row["case_id"], party=row["party_id"]),
            kind=row["kind"],
            display_name=row["display_name"],
        )
        if row["custody_state"] is not None:
            party.custody.state = row["custody_state"]
            party.custody.place = row["custody_place"]
            if (since := row["custody_since"]) is not None:
                party.custody.since.CopyFrom(date_pb2.Date(year=since.year, month=since.month, day=since.day))
        parties[row["party_id"]] = party
    for row in charge_rows:
        parties[row["party_id"]].charges.add(code_system=row["code_system"], code=row["code"], display=row["display"])
    return list(parties.values())


def _agency_id(agency: str) -> str:
    return AGENCY.parse(agency)["agency"]
