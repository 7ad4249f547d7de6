"""Numbers, releases and leases against a real database, without the services around it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest

from casemesh.core.ids import new_id
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.routing.arrivals import Arrivals
from casemesh.routing.case_store import insert_case
from casemesh.routing.delivery_store import DeliveryStore, mark_acknowledged
from casemesh.routing.endings import end
from casemesh.routing.exchange_store import (
    ExchangeStore,
    digest_of,
    insert_exchange,
    mark_accepted,
    mark_answered,
    mark_delivered,
    mark_returned,
    supplement,
)
from casemesh.routing.obligation_store import (
    Obligation,
    ObligationStore,
    insert_obligation,
    mark_fulfilled,
    mark_joined,
)
from casemesh.routing.obligations import Obligations
from casemesh.routing.payload import RECORD_MAX_BYTES
from casemesh.routing.person_store import PersonStore
from casemesh.routing.placing import delivery_of, place_owing, release
from casemesh.routing.receipt_store import ExchangeDigests
from casemesh.routing.v1 import case_pb2, exchange_pb2
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database, Writes
from tests.support.postgres import clone_database

SENDER, RECIPIENT, OTHER = (f"agencies/{new_id()}" for _ in range(3))
MAX_ATTEMPTS = 3
# Of this database alone: other tests use the same server.
WAITS_FOR_LOCK = """
SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()
"""
SYSTEM = f"{RECIPIENT}/systems/{new_id()}"


class Routing:
    """The stores around one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.deliveries = DeliveryStore(database, MAX_ATTEMPTS)
        self.exchanges = ExchangeStore(database)
        self.obligations = ObligationStore(database)

    async def case(self) -> str:
        case = case_pb2.Case(name=f"cases/{new_id()}", title="t", agency=SENDER)
        case.create_time.FromDatetime(datetime.now(UTC))
        async with self.database.transaction() as transaction:
            await insert_case(transaction, case)
        return case.name

    async def party(self, case: str) -> str:
        party = f"{case}/parties/{new_id()}"
        sql = """INSERT INTO party (party_id, case_id, position, kind, display_name)
            SELECT $1, $2, count(*), 1, 't' FROM party"""
        await self.database.execute(sql, party.split("/")[3], case.split("/")[1])
        return party

    async def exchange(
        self,
        case: str,
        recipient: str = RECIPIENT,
        text: str = "",
        dossier: str = "",
        joins: bool = True,
        parties: Sequence[str] = (),
        then: Callable[[], object] = lambda: None,
    ) -> exchange_pb2.Exchange:
        exchange = exchange_pb2.Exchange(
            name=f"exchanges/{new_id()}",
            case=case,
            node="nodes/LA001",
            sender=SENDER,
            recipient=recipient,
            dossier_version=dossier,
            parties=parties,
        )
        exchange.fields.add(key="text", text=text)
        exchange.submit_time.FromDatetime(datetime.now(UTC))
        async with self.database.transaction() as transaction:
            await transaction.write(await self.writes(exchange, joins=joins))
            then()
        return exchange

    async def writes(self, exchange: exchange_pb2.Exchange, *, joins: bool = True) -> Writes:
        writes = Writes()
        await insert_exchange(writes, exchange, ExchangeDigests(digest_of(exchange), b""))
        owed = Obligation(
            resource=delivery_of(exchange.name),
            case=exchange.case,
            agency=exchange.recipient,
            joins=joins,
            dossier_version=exchange.dossier_version,
            sender=exchange.sender,
        )
        place_owing(writes, exchange, owed)
        return writes

    async def release(self, exchange: exchange_pb2.Exchange) -> None:
        (row,) = await self.database.fetch(
            "SELECT delivery_id FROM delivery WHERE exchange_id = $1", exchange.name.split("/")[1]
        )
        delivery = f"{exchange.name}/deliveries/{row['delivery_id']}"
        async with self.database.transaction() as transaction:
            if await mark_fulfilled(transaction, delivery):
                await release(transaction, delivery, exchange.case, exchange.recipient)

    async def number_of(self, exchange: exchange_pb2.Exchange) -> int:
        number: int = await self.database.fetchval(
            "SELECT delivery_sequence FROM delivery WHERE exchange_id = $1", exchange.name.split("/")[1]
        )
        return number

    async def lease(
        self, limit: int = 16, lease_seconds: float = 30, lease_id: str | None = None, heavy_limit: int = 4
    ) -> list[exchange_pb2.Delivery]:
        leased = await self.deliveries.lease(
            RECIPIENT,
            SYSTEM,
            lease_id=lease_id or new_id(),
            lease_seconds=lease_seconds,
            limit=limit,
            heavy_limit=heavy_limit,
        )
        return [each.message for each in leased]


@pytest.fixture
async def routing(embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Routing]:
    async with clone_database(
        embedded_postgres, "routing", lambda dsn: migrate(dsn, "routing", "casemesh_routing_runtime")
    ) as clone:
        database = Database(clone.runtime_dsn, DatabaseConfig(tmp_path))
        await database.open()
        try:
            yield Routing(database)
        finally:
            await database.close()


def numbers(deliveries: list[exchange_pb2.Delivery]) -> list[int]:
    return [delivery.delivery_sequence for delivery in deliveries]


async def test_numbers_have_no_gaps_however_many_submit_at_once_and_fail(routing: Routing) -> None:
    case = await routing.case()

    async def submit(index: int) -> None:
        if index % 3:
            await routing.release(await routing.exchange(case))
        else:
            with pytest.raises(ZeroDivisionError):
                await routing.exchange(case, then=lambda: 1 // 0)

    await asyncio.gather(*(submit(index) for index in range(12)))
    assert list(range(1, 9)) == sorted(numbers(await routing.lease()))


async def test_each_case_and_recipient_counts_for_itself(routing: Routing) -> None:
    first, second = await routing.case(), await routing.case()
    exchanges = [
        await routing.exchange(case, recipient)
        for case, recipient in ((first, RECIPIENT), (first, OTHER), (second, RECIPIENT), (first, RECIPIENT))
    ]
    for exchange in exchanges:
        await routing.release(exchange)
    leased = [(delivery.exchange.case, delivery.delivery_sequence) for delivery in await routing.lease()]
    assert [(first, 1), (second, 1), (first, 2)] == leased


async def test_nothing_is_put_before_the_recipient_before_its_release(routing: Routing) -> None:
    exchange = await routing.exchange(await routing.case())
    assert await routing.lease() == []
    assert await routing.deliveries.due_for([RECIPIENT]) == []
    await routing.release(exchange)
    assert await routing.deliveries.due_for([RECIPIENT, OTHER]) == [RECIPIENT]
    assert numbers(await routing.lease()) == [1]
    assert await routing.deliveries.due_for([RECIPIENT]) == []


async def test_what_an_earlier_one_owes_holds_the_later_of_its_case_and_no_other_case(routing: Routing) -> None:
    held, free = await routing.case(), await routing.case()
    first, second, third = [await routing.exchange(held) for _ in range(3)]
    await routing.release(third)
    await routing.release(second)
    await routing.release(await routing.exchange(free))
    assert [free] == [delivery.exchange.case for delivery in await routing.lease()]

    await routing.release(first)
    assert [first.name, second.name, third.name] == [delivery.exchange.name for delivery in await routing.lease()]


async def test_releases_at_once_leave_nothing_behind(routing: Routing) -> None:
    case = await routing.case()
    exchanges = [await routing.exchange(case) for _ in range(8)]
    await asyncio.gather(*(routing.release(exchange) for exchange in reversed(exchanges)))
    assert list(range(1, 9)) == numbers(await routing.lease())


async def test_what_ends_before_its_release_gives_its_number_to_those_after_it(routing: Routing) -> None:
    case = await routing.case()
    seen = await routing.exchange(case)
    await routing.release(seen)
    ended, held, later = [await routing.exchange(case, dossier="v", joins=False) for _ in range(3)]
    assert [1] == numbers(await routing.lease())
    async with routing.database.transaction() as transaction:
        assert [] == await end(transaction, ended, tell_sender=False)
    assert [] == await routing.lease(), "what comes after it still owes access"
    await routing.release(ended)
    await routing.release(later)
    assert [] == await routing.lease()
    await routing.release(held)
    assert [(2, held.name), (3, later.name)] == [
        (each.delivery_sequence, each.exchange.name) for each in await routing.lease()
    ]
    assert [4] == [await routing.number_of(await routing.exchange(case))]


async def test_what_one_is_about_to_lease_another_neither_gets_nor_waits_for(routing: Routing) -> None:
    case = await routing.case()
    for _ in range(6):
        await routing.release(await routing.exchange(case))
    async with routing.database.transaction() as transaction:
        # Not committed yet: the moment at which two receivers ask at once.
        undecided = DeliveryStore(transaction, MAX_ATTEMPTS)  # type: ignore[arg-type]
        first = await undecided.lease(RECIPIENT, SYSTEM, lease_id=new_id(), lease_seconds=30, limit=2, heavy_limit=0)
        async with asyncio.timeout(10):
            second = await routing.lease()
    assert numbers([each.message for each in first]) == [1, 2]
    assert numbers(second) == [3, 4, 5, 6]


async def test_a_lease_that_ended_brings_the_delivery_again_behind_what_waits(routing: Routing) -> None:
    case, other = await routing.case(), await routing.case()
    exchange = await routing.exchange(case)
    await routing.release(exchange)
    (first,) = await routing.lease()
    await routing.release(await routing.exchange(other))
    (waiting,) = await routing.lease(limit=1)
    assert (1, other) == (waiting.attempt, waiting.exchange.case)

    delivery_id = first.name.rpartition("/")[2]
    await routing.database.execute("UPDATE delivery SET due_at = now() WHERE delivery_id = $1", delivery_id)
    again = await routing.lease()
    assert [(first.name, 2)] == [(delivery.name, delivery.attempt) for delivery in again]
    assert again[0].lease_expire_time.ToDatetime(UTC) > first.lease_expire_time.ToDatetime(UTC)


async def test_leases_are_ended_by_their_holder_alone(routing: Routing) -> None:
    exchange = await routing.exchange(await routing.case())
    await routing.release(exchange)
    lease_id = new_id()
    (delivery,) = await routing.lease(lease_id=lease_id)
    await routing.deliveries.end_leases([delivery.name], new_id())
    assert await routing.lease() == []
    await routing.deliveries.end_leases([delivery.name], lease_id)
    assert [again.attempt for again in await routing.lease()] == [2]


async def test_what_was_acknowledged_does_not_come_again(routing: Routing) -> None:
    exchange = await routing.exchange(await routing.case())
    await routing.release(exchange)
    lease_id = new_id()
    (delivery,) = await routing.lease(lease_id=lease_id)
    async with routing.database.transaction() as transaction:
        await mark_acknowledged(transaction, delivery.name, datetime.now(UTC))
    await routing.deliveries.end_leases([delivery.name], lease_id)
    assert await routing.lease() == []


async def test_states_move_one_way_and_once(routing: Routing) -> None:
    exchange = await routing.exchange(await routing.case())
    exchange_id, now = exchange.name.split("/")[1], datetime.now(UTC)
    async with routing.database.transaction() as transaction:
        assert await mark_accepted(transaction, exchange.name, now) is None
        assert not await mark_answered(transaction, exchange.name, now)
        assert await mark_delivered(transaction, exchange_id, now)
        assert not await mark_delivered(transaction, exchange_id, now)
        accepted = await mark_accepted(transaction, exchange.name, now)
        assert accepted is not None
        assert accepted.state == exchange_pb2.EXCHANGE_STATE_ACCEPTED
        assert await mark_accepted(transaction, exchange.name, now) is None
        assert await mark_answered(transaction, exchange.name, now)
        assert not await mark_answered(transaction, exchange.name, now)
        assert not await mark_delivered(transaction, exchange_id, now)


async def test_an_exchange_comes_back_as_it_was_committed(routing: Routing) -> None:
    committed = await routing.exchange(await routing.case(), text="某事由")
    committed.state = exchange_pb2.EXCHANGE_STATE_SUBMITTED
    assert committed == await routing.exchanges.get(committed.name)
    assert committed.case == await routing.exchanges.case_of(committed.name)
    assert await routing.exchanges.get(f"exchanges/{new_id()}") is None
    assert await routing.exchanges.case_of(f"exchanges/{new_id()}") is None


async def test_where_persons_stand_is_told_without_reading_what_exchanges_hold(routing: Routing) -> None:
    case = await routing.case()
    party = await routing.party(case)
    exchange = await routing.exchange(case, parties=[party])
    persons = PersonStore(routing.database)
    assert [[exchange.name]] == [[step.exchange for step in person.steps] for person in await persons.states(case)]
    other = await routing.party(case)
    mended = exchange_pb2.Exchange.FromString(exchange.SerializeToString())
    mended.parties[:] = [other]
    returned = exchange_pb2.ExchangeReturn()
    returned.return_time.GetCurrentTime()
    async with routing.database.transaction() as transaction:
        await mark_delivered(transaction, exchange.name.split("/")[1], datetime.now(UTC))
        await mark_returned(transaction, exchange.name, returned)
        await supplement(transaction, mended, datetime.now(UTC), dossier_root=b"")
    await routing.database.execute("UPDATE exchange SET content = 'unreadable'")
    assert {party: [], other: [exchange.name]} == {
        person.party: [step.exchange for step in person.steps] for person in await persons.states(case)
    }


async def test_whom_an_older_exchange_is_about_is_read_from_what_it_holds(routing: Routing) -> None:
    case = await routing.case()
    party = await routing.party(case)
    await routing.exchange(case, parties=[party])
    persons = PersonStore(routing.database)
    expected = await persons.states(case)
    await routing.database.execute("UPDATE exchange SET parties = NULL")
    assert expected == await persons.states(case)


async def test_a_list_shows_each_side_its_own_in_pages_that_fit_a_message(routing: Routing) -> None:
    case = await routing.case()
    mine = [(await routing.exchange(case, RECIPIENT)).name for _ in range(3)]
    await routing.exchange(case, OTHER)
    large = await routing.exchange(case, text="x" * (RECORD_MAX_BYTES - 1024))
    larger = await routing.exchange(case, text="x" * (RECORD_MAX_BYTES - 1024))

    pages, after = [], ""
    while True:
        page = await routing.exchanges.list_of_case(case, RECIPIENT, after=after, limit=100)
        pages.append([exchange.name for exchange in page.exchanges])
        assert sum(exchange.ByteSize() for exchange in page.exchanges) < 4 * 1024 * 1024
        if not page.more:
            break
        after = pages[-1][-1].split("/")[1]
    assert [[*sorted(mine), large.name], [larger.name]] == pages
    assert len((await routing.exchanges.list_of_case(case, SENDER, after="", limit=2)).exchanges) == 2
    assert (await routing.exchanges.list_of_case(case, f"agencies/{new_id()}", after="", limit=9)).exchanges == []


async def test_an_obligation_is_taken_by_one_and_comes_again_until_it_is_fulfilled(routing: Routing) -> None:
    case = await routing.case()
    owed = Obligation(
        resource=case, case=case, agency=RECIPIENT, joins=True, officer="o", dossier_version="v", sender=SENDER
    )
    async with routing.database.transaction() as transaction:
        await insert_obligation(transaction, owed)
    assert await routing.obligations.take(9) == [], "the process that committed tries first"
    assert owed == await routing.obligations.open_of(case)

    await routing.database.execute("UPDATE obligation SET next_attempt_at = now()")
    taken = await asyncio.gather(*(routing.obligations.take(9) for _ in range(4)))
    assert [each.attempts for batch in taken for each in batch] == [1]

    await routing.database.execute("UPDATE obligation SET next_attempt_at = now()")
    async with routing.database.transaction() as transaction:
        assert await mark_fulfilled(transaction, case)
        assert not await mark_fulfilled(transaction, case)
    assert await routing.obligations.take(9) == []
    assert await routing.obligations.open_of(case) is None


class Participation:
    """Stands for identity: brings agencies into cases once `lets_in` is set."""

    def __init__(self) -> None:
        self.lets_in, self.asked = asyncio.Event(), asyncio.Event()

    async def AddParticipation(self, request: Any, *, timeout: float) -> None:
        self.asked.set()
        await self.lets_in.wait()


async def test_an_ending_waits_for_access_that_is_being_given_and_none_is_given_after_it(routing: Routing) -> None:
    identity, arrivals = Participation(), Arrivals(routing.deliveries.due_for)
    obligations = Obligations(routing.database, cast(Any, identity), cast(Any, None), arrivals)

    async def ending(exchange: exchange_pb2.Exchange) -> list[str]:
        async with routing.database.transaction() as transaction:
            return await end(transaction, exchange, tell_sender=False)

    async def owed_now() -> Obligation:
        sql = "SELECT resource FROM obligation WHERE fulfil_time IS NULL AND forgone_time IS NULL"
        owed = await routing.obligations.open_of(await routing.database.fetchval(sql))
        assert owed is not None
        return owed

    case = await routing.case()
    exchange = await routing.exchange(case)
    giving = asyncio.create_task(obligations.carry_out(await owed_now()))
    await identity.asked.wait()
    ended = asyncio.create_task(ending(exchange))
    async with asyncio.timeout(20):
        while not await routing.database.fetch(WAITS_FOR_LOCK):
            assert not ended.done(), "it must wait"
            await asyncio.sleep(0.02)
    identity.lets_in.set()
    await giving
    assert [RECIPIENT] == await ended, "what was released is followed by word of its end"
    assert [] == await routing.obligations.strangers(case, [RECIPIENT])

    identity.asked.clear()
    another = await routing.case()
    exchange = await routing.exchange(another)
    owed = await owed_now()
    assert [] == await ending(exchange)
    await obligations.carry_out(owed)
    assert not identity.asked.is_set()
    assert [RECIPIENT] == await routing.obligations.strangers(another, [RECIPIENT])


async def test_who_was_brought_in_takes_part_though_the_rest_was_forgone(routing: Routing) -> None:
    case = await routing.case()
    exchange = await routing.exchange(case, dossier="v")
    async with routing.database.transaction() as transaction:
        await mark_joined(transaction, await routing.database.fetchval("SELECT resource FROM obligation"))
    assert [RECIPIENT] == await routing.obligations.strangers(case, [RECIPIENT])
    async with routing.database.transaction() as transaction:
        assert [] == await end(transaction, exchange, tell_sender=False)
    assert [] == await routing.obligations.strangers(case, [RECIPIENT])


async def test_the_runtime_role_changes_no_exchange_and_deletes_nothing(routing: Routing) -> None:
    await routing.exchange(await routing.case())
    for statement in (
        "UPDATE exchange SET case_id = case_id",
        "UPDATE exchange SET recipient = sender",
        "UPDATE delivery SET recipient = recipient",
        "DELETE FROM exchange",
        "DELETE FROM delivery",
        "UPDATE registered_case SET title = ''",
        "TRUNCATE obligation",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await routing.database.execute(statement)
