"""Exchanges in a real database against a small model of their states, written down a second time.

Steps come in any order, lawful or not, some of them two at once. What the database says is what the model says; of two
that race for the same move one wins.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from casemesh.core.ids import new_id
from casemesh.core.names import EXCHANGE
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.routing import exchange_store
from casemesh.routing.case_store import insert_case
from casemesh.routing.exchange_store import ExchangeStore, digest_of, insert_exchange
from casemesh.routing.receipt_store import ExchangeDigests
from casemesh.routing.v1 import case_pb2, exchange_pb2
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database
from tests.support.postgres import clone_database

# As a lawyer would tell it: where an exchange stands, and where each step takes it. What is absent is not lawful.
MODEL = {
    "HELD": {"release": "SUBMITTED", "withdraw": "WITHDRAWN", "expire": "EXPIRED"},
    "SUBMITTED": {"deliver": "DELIVERED", "withdraw": "WITHDRAWN", "expire": "EXPIRED"},
    "DELIVERED": {
        "accept": "ACCEPTED",
        "return": "RETURNED",
        "answer": "ANSWERED",
        "withdraw": "WITHDRAWN",
        "expire": "EXPIRED",
    },
    "ACCEPTED": {"answer": "ANSWERED", "expire": "EXPIRED"},
    "RETURNED": {"supplement": "SUPPLEMENTED", "withdraw": "WITHDRAWN", "expire": "EXPIRED"},
    "SUPPLEMENTED": {"deliver": "DELIVERED", "withdraw": "WITHDRAWN", "expire": "EXPIRED"},
    "ANSWERED": {},
    "WITHDRAWN": {},
    "EXPIRED": {},
}
STEPS = sorted({step for moves in MODEL.values() for step in moves})
AGENCY = f"agencies/{new_id()}"


class Exchanges:
    """One exchange and the steps on it, each in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = ExchangeStore(database)
        self.name = f"exchanges/{new_id()}"

    async def submit(self, state: exchange_pb2.ExchangeState) -> None:
        now = datetime.now(UTC)
        case = case_pb2.Case(name=f"cases/{new_id()}", title="t", agency=AGENCY)
        case.create_time.FromDatetime(now)
        exchange = exchange_pb2.Exchange(
            name=self.name,
            case=case.name,
            node="nodes/LA001",
            sender=AGENCY,
            recipient=f"agencies/{new_id()}",
            state=state,
        )
        exchange.submit_time.FromDatetime(now)
        async with self.database.transaction() as transaction:
            await insert_case(transaction, case)
            await insert_exchange(transaction, exchange, ExchangeDigests(digest_of(exchange), b""))

    async def take(self, step: str) -> bool:
        """Take a step as its module does; say whether it was made."""
        now = datetime.now(UTC)
        async with self.database.transaction() as transaction:
            match step:
                case "deliver":
                    made: object = await exchange_store.mark_delivered(
                        transaction, EXCHANGE.parse(self.name)["exchange"], now
                    )
                case "accept":
                    made = await exchange_store.mark_accepted(transaction, self.name, now)
                case "answer":
                    made = await exchange_store.mark_answered(transaction, self.name, now)
                case "return":
                    returned = exchange_pb2.ExchangeReturn()
                    returned.return_time.FromDatetime(now)
                    made = await exchange_store.mark_returned(transaction, self.name, returned)
                case "withdraw":
                    made = await exchange_store.mark_withdrawn(transaction, self.name, now, "t")
                case "expire":
                    made = await exchange_store.mark_expired(transaction, self.name, now)
                case "release":
                    current = await exchange_store.lock_exchange(transaction, self.name)
                    assert current is not None
                    made = await exchange_store.mark_released(transaction, current, now)
                case "supplement":
                    current = await exchange_store.lock_exchange(transaction, self.name)
                    assert current is not None
                    if current.state != exchange_pb2.EXCHANGE_STATE_RETURNED:
                        return False
                    made = await exchange_store.supplement(transaction, current, now, dossier_root=b"")
        return bool(made)


class StateMachine(RuleBasedStateMachine):
    """Steps, one at a time and two at once."""

    database: Database
    runner: asyncio.Runner

    @initialize(state=st.sampled_from(["HELD", "SUBMITTED"]))
    def submit(self, state: str) -> None:
        self.exchanges, self.state, self.revision = Exchanges(self.database), state, 0
        self.run(self.exchanges.submit(exchange_pb2.ExchangeState.Value(f"EXCHANGE_STATE_{state}")))

    def run(self, step: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(step)

    def made(self, step: str) -> None:
        self.state = MODEL[self.state][step]
        self.revision += step == "supplement"

    @rule(step=st.sampled_from(STEPS))
    def take(self, step: str) -> None:
        lawful = step in MODEL[self.state]
        assert lawful == self.run(self.exchanges.take(step))
        if lawful:
            self.made(step)

    @rule(first=st.sampled_from(STEPS), second=st.sampled_from(STEPS))
    def race(self, first: str, second: str) -> None:
        async def both() -> list[bool]:
            return await asyncio.gather(self.exchanges.take(first), self.exchanges.take(second))

        outcomes = self.run(both())
        orders = []
        for order in ((0, 1), (1, 0)):
            state, expected = self.state, [False, False]
            for index in order:
                step = (first, second)[index]
                if step in MODEL[state]:
                    state, expected[index] = MODEL[state][step], True
            orders.append((expected, order))
        matching = [order for expected, order in orders if expected == outcomes]
        assert matching, (self.state, first, second, outcomes)
        states = set()
        for order in matching:
            state = self.state
            for index in order:
                state = MODEL[state].get((first, second)[index], state)
            states.add(state)
        now = self.shown().state
        name = exchange_pb2.ExchangeState.Name(now).removeprefix("EXCHANGE_STATE_")
        assert name in states
        self.state = name
        self.revision += sum(made for made, step in zip(outcomes, (first, second), strict=True) if step == "supplement")

    def shown(self) -> exchange_pb2.Exchange:
        exchange = self.run(self.exchanges.store.get(self.exchanges.name))
        assert isinstance(exchange, exchange_pb2.Exchange)
        return exchange

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        shown = self.shown()
        assert f"EXCHANGE_STATE_{self.state}" == exchange_pb2.ExchangeState.Name(shown.state)
        assert self.revision == shown.revision
        assert (self.state in ("WITHDRAWN", "EXPIRED")) == shown.HasField("end_time")
        kept = self.run(self.exchanges.store.revisions(self.exchanges.name, after=-1, limit=100))
        assert list(range(self.revision)) == [revision.revision for revision in kept]


@asynccontextmanager
async def opened(postgres: EmbeddedPostgres, directory: Path) -> AsyncIterator[Database]:
    async with clone_database(
        postgres, "routing", lambda dsn: migrate(dsn, "routing", "casemesh_routing_runtime")
    ) as clone:
        database = Database(clone.runtime_dsn, DatabaseConfig(directory))
        await database.open()
        try:
            yield database
        finally:
            await database.close()


def test_exchanges_move_as_the_model_says(embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        opening = opened(embedded_postgres, tmp_path)
        database = runner.run(opening.__aenter__())
        try:
            machine = type("Machine", (StateMachine,), {"database": database, "runner": runner})
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=40,
                    stateful_step_count=25,
                    deadline=None,
                    derandomize=True,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(opening.__aexit__(None, None, None))
