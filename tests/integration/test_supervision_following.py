"""Each event of the log has its effect once, whoever follows it and whatever fails between, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from casemesh.core.ids import new_id
from casemesh.errors import Unavailable
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.runtime.call import Call
from casemesh.runtime.peers import Peer
from casemesh.supervision.escalating import Escalating
from casemesh.supervision.rule_books import RuleBooks
from casemesh.supervision.v1 import supervision_admin_service_pb2 as pb2
from tests.support.supervision import RECIPIENT, SENDER, SupervisionDesk, supervision_desk

UNDELIVERED = "CK072"


@pytest.fixture
async def desk(embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[SupervisionDesk]:
    async with supervision_desk(embedded_postgres, tmp_path) as opened:
        yield opened


def a_case() -> str:
    return f"cases/{new_id()}"


async def test_two_who_follow_at_once_keep_each_event_once(desk: SupervisionDesk) -> None:
    case = a_case()
    for _ in range(5):
        desk.log.append(case)
    await asyncio.gather(desk.follower().follow(), desk.follower().follow())
    seen = await desk.database.fetch("SELECT count(*) AS count FROM seen_event")
    changes = await desk.database.fetchval("SELECT change_count FROM watched_case")
    assert (5, 5, 5) == (seen[0]["count"], changes, (await desk.watched.followed()).next_index)


async def test_events_of_no_case_are_passed_over_and_supervisions_own_mark_none(desk: SupervisionDesk) -> None:
    desk.log.append("", "identity.agency.created", "identity")
    desk.log.append(a_case(), "warning.raised", "supervision")
    await desk.follower().follow()
    assert (2, 0) == ((await desk.watched.followed()).next_index, (await desk.watched.followed()).waiting)


async def test_while_the_log_is_down_nothing_is_lost_and_the_rest_follows(desk: SupervisionDesk) -> None:
    follower, case = desk.follower(), a_case()
    desk.log.append(case)
    desk.log.is_down = True
    with pytest.raises(Unavailable):
        await follower.follow()
    assert 0 == (await desk.watched.followed()).next_index
    desk.log.is_down = False
    assert not await follower.follow()
    assert 1 == (await desk.watched.followed()).waiting


async def test_while_routing_is_down_a_case_waits_and_is_evaluated_afterwards(desk: SupervisionDesk) -> None:
    evaluator, case = desk.evaluator(), a_case()
    desk.log.append(case)
    await desk.follower().follow()
    desk.routing.is_down = True
    assert 1 == await evaluator.evaluate_due()
    followed = await desk.watched.followed()
    assert (1, desk.clock.now(), []) == (followed.waiting, followed.waiting_since, await desk.raised())
    assert 0 == await evaluator.evaluate_due()
    desk.routing.is_down = False
    desk.clock.move(2)
    assert 1 == await evaluator.evaluate_due()
    assert ([(UNDELIVERED, case)], 0) == (await desk.raised(), (await desk.watched.followed()).waiting)


async def test_evaluating_again_and_at_once_raises_no_second_warning(desk: SupervisionDesk) -> None:
    cases = [a_case() for _ in range(6)]
    for _ in range(2):
        for case in cases:
            desk.log.append(case)
        await desk.follower().follow()
        evaluators = [desk.evaluator(4) for _ in range(3)]
        while any(await asyncio.gather(*(evaluator.evaluate_due() for evaluator in evaluators))):
            pass
    assert sorted((UNDELIVERED, case) for case in cases) == sorted(await desk.raised())
    assert sorted(cases * 2) == sorted(desk.routing.asked)


async def test_a_change_that_comes_during_an_evaluation_is_evaluated_too(desk: SupervisionDesk) -> None:
    evaluator, follower, case = desk.evaluator(), desk.follower(), a_case()
    desk.log.append(case)
    await follower.follow()
    desk.log.append(case)

    async def follow_meanwhile() -> None:
        await follower.follow()

    desk.routing.while_asked = follow_meanwhile
    await evaluator.evaluate_due()
    assert 1 == (await desk.watched.followed()).waiting
    desk.routing.undelivered = False
    assert 1 == await evaluator.evaluate_due()
    assert (0, 0) == ((await desk.watched.followed()).waiting, await evaluator.evaluate_due())
    (warning,) = await desk.warnings.changed(0, None, None, 10)
    assert "the finding is gone" in warning.close_reason


async def test_a_claim_that_ran_out_writes_nothing_over_the_one_that_took_its_place(desk: SupervisionDesk) -> None:
    case = a_case()
    desk.log.append(case)
    await desk.follower().follow()
    slow, quick = desk.evaluator(), desk.evaluator()
    outcome: list[int] = []

    async def be_overtaken() -> None:
        desk.clock.move(61)
        outcome.append(await quick.evaluate_due())

    desk.routing.while_asked = be_overtaken
    await slow.evaluate_due()
    assert ([1], [(UNDELIVERED, case)]) == (outcome, await desk.raised())
    (warning,) = await desk.warnings.changed(0, None, None, 10)
    assert 1 == warning.change_sequence
    assert {SENDER, RECIPIENT} == {f"agencies/{agency}" for agency in warning.concerned}


async def test_a_case_that_breaks_its_evaluation_keeps_no_other_from_it(desk: SupervisionDesk) -> None:
    broken, whole = a_case(), a_case()
    desk.log.append(broken)
    desk.log.append(whole)
    await desk.follower().follow()

    async def break_first() -> None:
        raise RuntimeError("planted")

    desk.routing.while_asked = break_first
    evaluator = desk.evaluator()
    assert 2 == await evaluator.evaluate_due()
    assert (1, 1) == (len(await desk.raised()), (await desk.watched.followed()).waiting)
    desk.clock.move(2)
    assert 1 == await evaluator.evaluate_due()
    assert 2 == len(await desk.raised())


async def test_a_review_counts_for_every_replica_until_the_rule_has_another_version(desk: SupervisionDesk) -> None:
    first, second = (RuleBooks(desk.database, desk.clock, lambda: None, asyncio.Event()) for _ in range(2))
    call = Call("casemesh.supervision.v1.SupervisionAdminService/ReviewRule", peer=Peer.OPERATOR)
    version = first.book.rule(UNDELIVERED).version
    await first.review(call, pb2.ReviewRuleRequest(request_id=new_id(), rule=UNDELIVERED, version=version, note="已核"))
    assert first.book.rule(UNDELIVERED).reviewed
    assert not second.book.rule(UNDELIVERED).reviewed
    await second.refresh()
    assert [UNDELIVERED] == [rule.id for rule in second.book.rules if rule.reviewed]
    overlay = f'[[rule]]\nid = "{UNDELIVERED}"\nversion = "site-1"\nrank = "low"\n'
    await first.import_overlay(call, pb2.ImportRulesRequest(request_id=new_id(), overlay=overlay, note="本地"))
    await second.refresh()
    assert [False, False] == [books.book.rule(UNDELIVERED).reviewed for books in (first, second)]


async def test_what_nobody_takes_up_is_escalated_once(desk: SupervisionDesk) -> None:
    desk.log.append(a_case())
    await desk.follower().follow()
    await desk.evaluator().evaluate_due()
    escalating = [Escalating(desk.database, desk.clock, lambda: None) for _ in range(2)]
    assert [0, 0] == [await one.escalate_due() for one in escalating]
    desk.clock.move(24 * 3600)
    assert 1 == sum(await asyncio.gather(*(one.escalate_due() for one in escalating)))
    assert 0 == await escalating[0].escalate_due()
