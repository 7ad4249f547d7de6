"""Evaluating cases that are due: after a change of theirs, and by the clock.

A case is claimed, its facts are asked of routing when something changed, the rules are evaluated, and what follows from
it commits together. Routing down: the case waits, shown as lag, and is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.errors import CaseMeshError, NotFound
from casemesh.routing.v1 import case_facts_service_pb2
from casemesh.runtime.call import Call
from casemesh.runtime.peers import Peer
from casemesh.runtime.postgres import Database
from casemesh.supervision import warning_store
from casemesh.supervision.case_snapshot import organs_of, snapshot_of
from casemesh.supervision.handling import record_move
from casemesh.supervision.reconciling import reconcile
from casemesh.supervision.rule_books import RuleBooks
from casemesh.supervision.rules import Assessment, CaseFacts, FactsError, assess
from casemesh.supervision.watch_store import Claim, WatchStore, keep_evaluation

if TYPE_CHECKING:
    from casemesh.routing.v1.case_facts_service_pb2_grpc import CaseFactsServiceAsyncStub

log = structlog.get_logger(__name__)

_TIMEOUT_SECONDS = 5.0
_IDLE_SECONDS = 1.0
_CLAIM = timedelta(seconds=60)
_LONGEST_PAUSE = timedelta(minutes=5)
_BY_SERVICE = Call("supervision evaluation", peer=Peer.SUPERVISION)
_NOTHING = Assessment((), None, ())


class Evaluating:
    """Evaluates on any number of replicas: a case is in the hands of one of them. `on_change` is set when cases may be
    due, `on_commit` is called when warnings may have changed."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        store: WatchStore,
        facts: CaseFactsServiceAsyncStub,
        books: RuleBooks,
        on_change: asyncio.Event,
        on_commit: Callable[[], None],
        *,
        escalate_after: timedelta,
        settle: timedelta,
        at_once: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = store
        self._facts = facts
        self._books = books
        self._on_change = on_change
        self._on_commit = on_commit
        self._escalate_after = escalate_after
        self._settle = settle
        self._at_once = at_once

    async def run(self) -> None:
        """Evaluate what is due until cancelled. A database that does not answer is asked again."""
        while True:
            self._on_change.clear()
            try:
                found = await self.evaluate_due()
            except CaseMeshError as error:
                log.warning("evaluation.waiting", reason=error.reason)
                found = 0
            if not found:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_IDLE_SECONDS):
                        await self._on_change.wait()

    async def evaluate_due(self) -> int:
        """Evaluate some cases that are due, and return how many there were. Raises Unavailable."""
        now = self._clock.now()
        claims = await self._store.claim(new_id(), self._at_once, now, now + _CLAIM)
        async with asyncio.TaskGroup() as group:
            for claim in claims:
                group.create_task(self._evaluate(claim))
        return len(claims)

    async def _evaluate(self, claim: Claim) -> None:
        try:
            snapshot, organs = await self._snapshot(claim)
            now = self._clock.now()
            await self._keep(claim, snapshot, organs, self._assess(claim, snapshot, now), now)
        except CaseMeshError as error:
            log.warning("evaluation.put_off", case=claim.case, reason=error.reason, attempts=claim.attempts)
            await self._put_off(claim)
        except Exception:
            # One case that cannot be evaluated must not keep the others from it.
            log.exception("evaluation.failed", case=claim.case, attempts=claim.attempts)
            await self._put_off(claim)

    async def _put_off(self, claim: Claim) -> None:
        pause = min(timedelta(seconds=2 ** min(claim.attempts, 16)), _LONGEST_PAUSE)
        with suppress(CaseMeshError):
            await self._store.put_off(claim, self._clock.now() + pause)

    async def _snapshot(self, claim: Claim) -> tuple[dict[str, Any] | None, dict[str, str]]:
        """Return the facts to evaluate: the kept ones where nothing changed. None for a case that routing does not
        have, e.g. of an event that came before its case was registered."""
        if claim.facts is not None and not claim.changed:
            return claim.facts, claim.organs
        request = case_facts_service_pb2.GetCaseFactsRequest(case=claim.case)
        try:
            answer = await self._facts.GetCaseFacts(request, timeout=_TIMEOUT_SECONDS)
        except NotFound as error:
            if error.reason != "NOT_FOUND":
                raise
            return None, {}
        return snapshot_of(answer.facts, await self._store.event_counts(claim.case_id)), organs_of(answer.facts)

    def _assess(self, claim: Claim, snapshot: dict[str, Any] | None, now: datetime) -> Assessment:
        if snapshot is None:
            return _NOTHING
        try:
            assessment = assess(self._books.book, CaseFacts.from_json(snapshot), now)
        except FactsError as error:
            log.error("evaluation.facts_unreadable", case=claim.case, why=str(error))
            return _NOTHING
        for failure in assessment.failures:
            log.error("evaluation.rule_failed", case=claim.case, rule=failure.rule, why=failure.problem)
        return assessment

    async def _keep(
        self,
        claim: Claim,
        snapshot: dict[str, Any] | None,
        organs: dict[str, str],
        assessment: Assessment,
        now: datetime,
    ) -> None:
        async with self._database.transaction() as transaction:
            next_check, again_at = assessment.next_check_at, now + self._settle
            if not await keep_evaluation(transaction, claim, snapshot, organs, now, next_check, again_at):
                # Another process took it over; its evaluation counts.
                return
            changes = list(
                reconcile(
                    claim.case_id,
                    await warning_store.lock_of_case(transaction, claim.case_id),
                    assessment.findings,
                    frozenset(organs),
                    now,
                    self._escalate_after,
                    new_id,
                )
            )
            for change in changes:
                if change.move is None:
                    await warning_store.reword(transaction, change.warning)
                    continue
                warning = await warning_store.keep(transaction, change.warning, change.move)
                await record_move(transaction, _BY_SERVICE, self._clock, warning, change.move)
        if any(change.move is not None for change in changes):
            self._on_commit()
