"""Trying a changed book of rules on the facts that are stored. Nothing is changed by it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from casemesh.core.clock import Clock
from casemesh.core.names import CASE
from casemesh.supervision.reconciling import RANKS
from casemesh.supervision.rule_books import RuleBooks, load_book
from casemesh.supervision.rules import CaseFacts, Finding, RuleBook, evaluate
from casemesh.supervision.v1 import rule_pb2, warning_pb2
from casemesh.supervision.v1 import supervision_admin_service_pb2 as pb2
from casemesh.supervision.watch_store import WatchStore

_CASES = 1000
_MOST_SHOWN = 500


class Trying:
    """Dry runs."""

    def __init__(self, clock: Clock, store: WatchStore, books: RuleBooks) -> None:
        self._clock = clock
        self._store = store
        self._books = books

    async def run(self, request: pb2.DryRunRulesRequest) -> pb2.DryRunRulesResponse:
        """Return what would appear and what would go. Raises InvalidArgument (RULES_INVALID)."""
        book = load_book(request.overlay)
        snapshots = await self._store.snapshots(request.max_cases or _CASES)
        # Seconds of reckoning: other calls go on meanwhile.
        return await asyncio.to_thread(compare, self._books.book, book, snapshots, self._clock.now())


def compare(
    before: RuleBook, after: RuleBook, snapshots: Sequence[tuple[str, Mapping[str, Any]]], now: datetime
) -> pb2.DryRunRulesResponse:
    """Return what `after` finds that `before` does not, and the other way round."""
    response = pb2.DryRunRulesResponse(case_count=len(snapshots))
    for case_id, snapshot in snapshots:
        facts = CaseFacts.from_json(snapshot)
        old = {finding.key: finding for finding in evaluate(before, facts, now)}
        new = {finding.key: finding for finding in evaluate(after, facts, now)}
        appearing = [new[key] for key in new.keys() - old.keys()]
        disappearing = [old[key] for key in old.keys() - new.keys()]
        response.appearing_count += len(appearing)
        response.disappearing_count += len(disappearing)
        case = CASE.format(case=case_id)
        response.appearing.extend(_changes(case, appearing, _MOST_SHOWN - len(response.appearing)))
        response.disappearing.extend(_changes(case, disappearing, _MOST_SHOWN - len(response.disappearing)))
    return response


def _changes(case: str, findings: Sequence[Finding], room: int) -> list[rule_pb2.RuleChange]:
    return [
        rule_pb2.RuleChange(
            case=case,
            rule=finding.rule,
            subject=finding.subject,
            rank=warning_pb2.WarningRank.Name(RANKS[finding.rank]),
            explanation_zh=finding.explanation_zh,
            explanation_en=finding.explanation_en,
        )
        for finding in sorted(findings, key=lambda finding: finding.key)[:room]
    ]
