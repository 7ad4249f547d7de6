"""Figures in a real database: the same however the log is cut into pages, and deadlines by the warnings of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from casemesh.audit.v1.audit_feed_service_pb2 import FedEvent
from casemesh.core.clock import CHINA
from casemesh.core.ids import new_id
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.supervision import warning_store
from casemesh.supervision.figures.figure_store import FigureStore
from casemesh.supervision.warning_store import Move, StoredWarning
from tests.support.supervision import RECIPIENT, SENDER, PlayedLog, SupervisionDesk, supervision_desk

DAYS = (date(2020, 1, 1), date(2040, 1, 1))
POLICE, COURT = SENDER.removeprefix("agencies/"), RECIPIENT.removeprefix("agencies/")
BETWEEN = {"sender": SENDER, "recipient": RECIPIENT}


@pytest.fixture
async def desk(embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[SupervisionDesk]:
    async with supervision_desk(embedded_postgres, tmp_path) as opened:
        yield opened


def history(desk: SupervisionDesk) -> list[FedEvent]:
    """Return the events of a case in which each step needs what another told before it."""
    case, exchange, version = f"cases/{new_id()}", f"exchanges/{new_id()}", f"dossiers/{new_id()}/versions/{new_id()}"
    told = [
        ("access.stages.set", case, {"stages": "INVESTIGATION"}),
        ("case.registered", case, {}),
        ("dossier.version.finalized", version, {"page_count": "7"}),
        ("exchange.submitted", exchange, {"node": "nodes/LA001", **BETWEEN}),
        ("dossier.version.granted", version, BETWEEN),
        ("exchange.delivered", exchange, {}),
        ("exchange.returned", exchange, {"codes": "FIELD_WRONG"}),
        ("exchange.delivered", exchange, {}),
        ("exchange.accepted", exchange, {}),
        ("access.stages.set", case, {"stages": "PROSECUTION"}),
        ("exchange.answered", exchange, {}),
    ]
    for action, resource, details in told:
        desk.log.append(case, action)
        desk.log.events[-1].event.resource = resource
        desk.log.events[-1].event.details.update(details)
        desk.clock.move(3600)
    return desk.log.events


async def counters(desk: SupervisionDesk) -> list[tuple[object, ...]]:
    rows = await desk.database.fetch("SELECT * FROM figure_day ORDER BY day, agency, measure, node, detail")
    return [tuple(row.values()) for row in rows]


async def test_figures_are_the_same_event_by_event_and_in_one_page(
    desk: SupervisionDesk, embedded_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    events = history(desk)
    await desk.follower().follow()
    async with supervision_desk(embedded_postgres, tmp_path, desk.clock) as other:
        other.log = PlayedLog(desk.clock, page_size=1)
        other.log.events = events
        follower = other.follower()
        while await follower.follow():
            pass
        assert len(events) == (await other.watched.followed()).next_index
        assert await counters(desk) == await counters(other)
    sums = await FigureStore(desk.database).sums(
        *DAYS, ["stage", "handed_over", "paper_saved", "to_acceptance"], None, ""
    )
    assert {
        ("stage", "INVESTIGATION", 1, 9 * 3600),
        ("handed_over", "", 1, 7),
        ("paper_saved", "", 1, 4),
        ("to_acceptance", "", 1, 3 * 3600),
    } == {(one.measure, one.detail, one.count, one.amount) for one in sums}
    by_agency = await FigureStore(desk.database).sums(*DAYS, ["stage"], None, "agency")
    assert {POLICE, COURT} == {one.grouped for one in by_agency}
    assert [("", "stage")] == [
        (one.grouped, one.measure) for one in await FigureStore(desk.database).sums(*DAYS, ["stage"], COURT, "")
    ]


async def test_two_who_follow_at_once_count_each_event_once(desk: SupervisionDesk) -> None:
    history(desk)
    await asyncio.gather(*(desk.follower().follow() for _ in range(3)))
    sent = await FigureStore(desk.database).sums(*DAYS, ["sent", "received", "returned"], None, "agency")
    assert {(POLICE, "sent", 1), (COURT, "received", 1), (COURT, "returned", 1)} == {
        (one.grouped, one.measure, one.count) for one in sent
    }


async def test_deadlines_count_once_each_by_how_their_warning_stands_and_for_each_agency_concerned(
    desk: SupervisionDesk,
) -> None:
    # 2 is ahead, 3 over, 4 late; 1 is open, 2 taken up, 4 not applicable, 5 gone by itself.
    for standing, state in ((2, 1), (2, 5), (3, 2), (3, 4), (4, 5), (1, 1)):
        await warn(desk, standing, state)
    store, day = FigureStore(desk.database), date(2026, 11, 9)
    whole = await store.deadlines(day, day, None, "")
    assert {("near", 1), ("passed", 1), ("late", 1)} == {(one.measure, one.count) for one in whole}
    each = await store.deadlines(day, day, None, "agency")
    assert {(agency, measure) for agency in (POLICE, COURT) for measure in ("near", "passed", "late")} == {
        (one.grouped, one.measure) for one in each
    }
    assert {"2026-11-09"} == {one.grouped for one in await store.deadlines(*DAYS, COURT, "day")}
    assert [] == await store.deadlines(*DAYS, new_id(), "")
    assert [] == await store.deadlines(date(2026, 11, 10), DAYS[1], None, "")


async def warn(desk: SupervisionDesk, standing: int, state: int) -> None:
    """Keep a warning of a limit that ends with the 9th."""
    now = desk.clock.now()
    warning = StoredWarning(
        warning_id=new_id(), case_id=new_id(), finding_key="k", rule="CK001", rule_version="1", kind="limit", rank=1,
        standing=standing, state=state, subject="", title_zh="", title_en="", explanation_zh="", explanation_en="",
        legal_basis="", due_time=datetime(2026, 11, 10, tzinfo=CHINA), concerned=(POLICE, COURT), owner="",
        create_time=now, update_time=now, acknowledge_time=None, escalate_at=now + timedelta(days=1),
        escalate_time=None, close_time=None, close_reason="",
    )  # fmt: skip
    async with desk.database.transaction() as transaction:
        await warning_store.keep(transaction, warning, Move("raised"))
