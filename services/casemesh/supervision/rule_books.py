"""The rules in force: the shipped ones with the site's overlay, the newest of those imported.

Every replica looks for a newer overlay by itself. A review is a lawyer's word on one version of one rule; no rule
blocks anything here, reviewed or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from casemesh.core.clock import Clock
from casemesh.errors import CaseMeshError, FailedPrecondition, InvalidArgument, NotFound
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember
from casemesh.supervision.reconciling import RANKS
from casemesh.supervision.rules import NotEvaluable, Rule, RuleBook, RuleError
from casemesh.supervision.v1 import rule_pb2, warning_pb2
from casemesh.supervision.v1 import supervision_admin_service_pb2 as pb2
from casemesh.supervision.watch_store import make_every_case_due

log = structlog.get_logger(__name__)

_LOOK_EVERY_SECONDS = 5.0
_NEWEST = "SELECT version, content FROM rule_overlay ORDER BY version DESC LIMIT 1"
_INSERT = """
INSERT INTO rule_overlay (content, note, imported_by, import_time) VALUES ($1, $2, $3, $4) RETURNING version
"""
_REVIEW = """
INSERT INTO rule_review (rule, rule_version, note, reviewed_by, review_time) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (rule, rule_version) DO NOTHING
"""
_REVIEWS = "SELECT rule, rule_version, note, reviewed_by, review_time FROM rule_review"


@dataclass(frozen=True, slots=True)
class Review:
    """A lawyer's word on a version of a rule."""

    by: str
    at: datetime
    note: str


class RuleBooks:
    """Holds the book in force and changes it. `on_change` is called when cases are due since the rules changed."""

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None], on_change: asyncio.Event) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake
        self._on_change = on_change
        self._version = 0
        self._unreviewed = RuleBook.load()
        self._reviewed: frozenset[tuple[str, str]] = frozenset()
        self.book = self._unreviewed

    async def refresh(self) -> None:
        """Take up the newest overlay, and what was reviewed. Raises Unavailable."""
        row = await self._database.fetchrow(_NEWEST)
        if row is not None and row["version"] != self._version:
            # Read by another version of the service, it may not fit this one's dictionary: the book before stays.
            try:
                self._unreviewed = load_book(row["content"])
            except InvalidArgument as error:
                log.error("rules.overlay_refused", version=row["version"], why=error.message)
            self._version = row["version"]
            self.book = self._unreviewed.with_reviews(self._reviewed)
        if (reviewed := frozenset(await self._reviews())) != self._reviewed:
            self._reviewed = reviewed
            self.book = self._unreviewed.with_reviews(reviewed)

    async def run(self) -> None:
        """Look for newer overlays until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            try:
                await self.refresh()
            except CaseMeshError as error:
                log.warning("rules.waiting", reason=error.reason)

    async def rules(self) -> list[rule_pb2.Rule]:
        """Return all rules by code, those that cannot be evaluated included."""
        reviews = await self._reviews()
        found = [_message(rule, reviews.get((rule.id, rule.version))) for rule in self.book.rules]
        found += [_unevaluable(entry) for entry in self.book.not_evaluable]
        return sorted(found, key=lambda rule: rule.rule)

    async def rule(self, code: str) -> rule_pb2.Rule:
        """Return one. Raises NotFound (RULE_UNKNOWN)."""
        for rule in await self.rules():
            if rule.rule == code:
                return rule
        raise _unknown(code)

    async def import_overlay(self, call: Call, request: pb2.ImportRulesRequest) -> pb2.ImportRulesResponse:
        """Put an overlay in force. Raises InvalidArgument (RULES_INVALID)."""
        book = load_book(request.overlay)
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, pb2.ImportRulesResponse)) is not None:
                return answered
            now = self._clock.now()
            version: int = await transaction.fetchval(
                _INSERT, request.overlay, request.note, call.peer_name or str(call.peer), now
            )
            await make_every_case_due(transaction, now)
            details = {"version": str(version), "digest": book.digest, "note": request.note}
            event = event_of(call, self._clock, "supervision.rules.imported", "rules", details=details)
            await record(transaction, call, event)
            response = pb2.ImportRulesResponse(version=version, rule_count=len(book.rules))
            await remember(transaction, call, request, response)
        await self.refresh()
        self._wake()
        self._on_change.set()
        return response

    async def review(self, call: Call, request: pb2.ReviewRuleRequest) -> pb2.ReviewRuleResponse:
        """Keep a review; one that is there stays. Raises NotFound (RULE_UNKNOWN), FailedPrecondition
        (RULE_VERSION_WRONG)."""
        try:
            rule = self.book.rule(request.rule)
        except KeyError:
            raise _unknown(request.rule) from None
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, pb2.ReviewRuleResponse)) is not None:
                return answered
            if rule.version != request.version:
                raise FailedPrecondition(
                    "RULE_VERSION_WRONG",
                    "another version of the rule is in force; read it again",
                    {"rule": rule.id, "version": rule.version},
                )
            now, by = self._clock.now(), call.peer_name or str(call.peer)
            await transaction.execute(_REVIEW, rule.id, rule.version, request.note, by, now)
            details = {"rule": rule.id, "version": rule.version, "note": request.note}
            event = event_of(call, self._clock, "supervision.rule.reviewed", f"rules/{rule.id}", details=details)
            await record(transaction, call, event)
            response = pb2.ReviewRuleResponse(rule=_message(rule, Review(by, now, request.note)))
            await remember(transaction, call, request, response)
        await self.refresh()
        self._wake()
        return response

    async def _reviews(self) -> Mapping[tuple[str, str], Review]:
        return {
            (row["rule"], row["rule_version"]): Review(row["reviewed_by"], row["review_time"], row["note"])
            for row in await self._database.fetch(_REVIEWS)
        }


def load_book(overlay: str) -> RuleBook:
    """Return the shipped rules with an overlay, "" for none. Raises InvalidArgument (RULES_INVALID)."""
    try:
        return RuleBook.load([("overlay", overlay.encode())] if overlay.strip() else ())
    except RuleError as error:
        raise InvalidArgument("RULES_INVALID", str(error), {"rule": error.rule}) from error


def _message(rule: Rule, review: Review | None) -> rule_pb2.Rule:
    message = rule_pb2.Rule(
        rule=rule.id,
        version=rule.version,
        title_zh=rule.title_zh,
        title_en=rule.title_en,
        legal_basis="; ".join(rule.law),
        rank=warning_pb2.WarningRank.Name(RANKS[rule.rank]),
        kind=rule.kind,
        inputs=rule.inputs,
        expression=rule.when.text,
    )
    if review is not None:
        message.reviewed_by, message.review_note = review.by, review.note
        message.review_time.FromDatetime(review.at)
    return message


def _unevaluable(entry: NotEvaluable) -> rule_pb2.Rule:
    return rule_pb2.Rule(
        rule=entry.check,
        title_zh=entry.name_zh,
        title_en=entry.name_en,
        inputs=entry.has,
        missing_facts=entry.lacks,
    )


def _unknown(code: str) -> NotFound:
    return NotFound("RULE_UNKNOWN", f"the rule book has no rule {code}", {"rule": code})
