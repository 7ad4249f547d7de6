"""What is stated of persons, against a real database: a history that only grows, and the last of it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from casemesh.core.ids import new_id
from casemesh.core.names import PARTY
from casemesh.data.procedure import Aspect
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.routing.case_store import insert_case
from casemesh.routing.person_store import PersonStore, Source, Statement, state_persons, take_back
from casemesh.routing.v1 import case_pb2
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database, Writes
from tests.support.postgres import clone_database

AGENCY = f"agencies/{new_id()}"
START = datetime(2026, 3, 9, tzinfo=UTC)


@pytest.fixture
async def database(embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Database]:
    async with clone_database(
        embedded_postgres, "routing", lambda dsn: migrate(dsn, "routing", "casemesh_routing_runtime")
    ) as clone:
        dsn_file = tmp_path / "dsn"
        dsn_file.write_text(clone.runtime_dsn)
        database = Database.from_config(DatabaseConfig(dsn_file=dsn_file))
        await database.open()
        try:
            yield database
        finally:
            await database.close()


async def registered(database: Database) -> str:
    """Return the only party of a new case."""
    case = case_pb2.Case(name=f"cases/{new_id()}", title="t", agency=AGENCY)
    case.create_time.FromDatetime(START)
    case.parties.add(name=f"{case.name}/parties/{new_id()}", kind=case_pb2.PARTY_KIND_PERSON, display_name="某甲")
    async with database.transaction() as transaction:
        await insert_case(transaction, case)
    return case.parties[0].name


async def state(database: Database, party: str, day: int, value: str, only_from: tuple[str, ...] = ()) -> Source:
    writes = Writes()
    said = Statement(PARTY.parse(party)["party"], Aspect.STAGE, value, START + timedelta(days=day), only_from)
    source = Source(f"exchanges/{new_id()}", AGENCY, START, "LA001")
    state_persons(writes, [said], source)
    await database.write(writes)
    return source


async def test_what_stands_is_the_last_by_the_day_it_holds_whatever_came_in_first(database: Database) -> None:
    party, store, source = await registered(database), PersonStore(database), random.Random(7)
    recorded: list[tuple[int, str]] = []
    for _ in range(60):
        day, value = source.randrange(20), source.choice(["INVESTIGATION", "PROSECUTION", "FIRST_INSTANCE"])
        only_from = tuple(source.sample(["-", "INVESTIGATION", "PROSECUTION"], source.randrange(3)))
        earlier = [item for item in recorded if item[0] <= day]
        standing = max(enumerate(earlier), key=lambda item: (item[1][0], item[0]))[1][1] if earlier else ""
        if value != standing and (not only_from or (standing or "-") in only_from):
            recorded.append((day, value))
        await state(database, party, day, value, only_from)
        (person,) = await store.states(party.partition("/parties/")[0])
        if recorded:
            last = max(enumerate(recorded), key=lambda item: (item[1][0], item[0]))[1]
            assert (last[1], START + timedelta(days=last[0])) == (person.stage, person.since[Aspect.STAGE])
    history = await store.history(party, after=0, limit=100)
    assert recorded == [((entry.effective_time - START).days, entry.value) for entry in history]
    assert len(recorded) > 10


async def withdraw(database: Database, party: str, source: Source, day: int) -> tuple[str, int]:
    """Take back what a source said; return what then stands, and since which day."""
    writes = Writes()
    take_back(writes, [PARTY.parse(party)["party"]], replace(source, at=START + timedelta(days=day)))
    await database.write(writes)
    (person,) = await PersonStore(database).states(party.partition("/parties/")[0])
    return person.stage, (person.since[Aspect.STAGE] - START).days if person.stage else day


async def test_what_a_withdrawn_exchange_said_no_longer_holds_unless_others_said_more_since(
    database: Database,
) -> None:
    party = await registered(database)
    only = await state(database, party, 1, "INVESTIGATION")
    assert ("", 2) == await withdraw(database, party, only, 2)
    await state(database, party, 3, "INVESTIGATION", ("-",))
    ending = await state(database, party, 4, "CONCLUDED")
    assert ("INVESTIGATION", 3) == await withdraw(database, party, ending, 5), "since when it first stood"
    overtaken = await state(database, party, 6, "PROSECUTION")
    await state(database, party, 7, "FIRST_INSTANCE")
    assert ("FIRST_INSTANCE", 7) == await withdraw(database, party, overtaken, 8)


async def test_what_two_said_stands_until_both_have_taken_it_back(database: Database) -> None:
    party = await registered(database)
    await state(database, party, 0, "INVESTIGATION")
    first, second, third = [await state(database, party, day, "PROSECUTION") for day in (2, 4, 6)]
    assert ("PROSECUTION", 4) == await withdraw(database, party, first, 7)
    assert ("PROSECUTION", 4) == await withdraw(database, party, third, 8)
    assert ("INVESTIGATION", 0) == await withdraw(database, party, second, 9)
    history = await PersonStore(database).history(party, after=0, limit=10)
    assert ["INVESTIGATION", "PROSECUTION", "PROSECUTION", "INVESTIGATION"] == [entry.value for entry in history]


async def test_what_was_withdrawn_does_not_stand_again(database: Database) -> None:
    party = await registered(database)
    first = await state(database, party, 1, "PROSECUTION")
    second = await state(database, party, 2, "FIRST_INSTANCE")
    assert ("FIRST_INSTANCE", 2) == await withdraw(database, party, first, 3)
    assert ("", 4) == await withdraw(database, party, second, 4)


async def test_each_move_of_a_stage_is_noted_once_for_identity(database: Database) -> None:
    party = await registered(database)
    for value in ("INVESTIGATION", "INVESTIGATION", "PROSECUTION"):
        await state(database, party, 1, value)
    rows = await database.fetch("SELECT version, told_version FROM stage_notice")
    assert [(2, 0)] == [(row["version"], row["told_version"]) for row in rows]


async def test_the_service_itself_cannot_rewrite_what_was_stated(database: Database) -> None:
    party = await registered(database)
    await state(database, party, 1, "INVESTIGATION")
    for statement in ("UPDATE party_history SET value = 'CONCLUDED'", "DELETE FROM party_history"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute(statement)
