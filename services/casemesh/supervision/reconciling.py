"""What becomes of a case's warnings when it is evaluated: findings and warnings in, changes out. Pure.

The same matter raises one warning. What an officer resolved is raised again only when it has become graver; what an
officer found not applicable is never raised again; what went by itself comes back with its finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from casemesh.core.names import AGENCY
from casemesh.supervision.rules.finding import Finding, Rank, Standing
from casemesh.supervision.warning_store import (
    ACKNOWLEDGED,
    NOT_APPLICABLE,
    OPEN,
    RESOLVED,
    SUPERSEDED,
    TO_WORK,
    Move,
    StoredWarning,
)

RANKS: Mapping[Rank, int] = {Rank.LOW: 1, Rank.MEDIUM: 2, Rank.HIGH: 3, Rank.CRITICAL: 4}
STANDINGS: Mapping[Standing, int] = {Standing.FOUND: 1, Standing.AHEAD: 2, Standing.OVER: 3, Standing.LATE: 4}
GONE = "事实或规则已变更, 该情形不复存在 / the facts or the rules changed, and the finding is gone"


@dataclass(frozen=True, slots=True)
class Change:
    """A warning as it is to be kept, and the move that made it so; without a move only its words are new."""

    warning: StoredWarning
    move: Move | None


def reconcile(
    case_id: str,
    warnings: Sequence[StoredWarning],
    findings: Sequence[Finding],
    agencies: frozenset[str],
    now: datetime,
    escalate_after: timedelta,
    new_id: Callable[[], str],
) -> Iterator[Change]:
    """Yield what changes. `agencies` are the resource names of those on the case: no other is concerned."""
    known = {warning.finding_key: warning for warning in warnings}
    for finding in findings:
        warning = known.get(finding.key)
        if warning is None:
            yield Change(_raised(case_id, new_id(), finding, agencies, now, escalate_after), Move("raised"))
        elif warning.state in TO_WORK:
            yield from _found_again(warning, finding, agencies, now)
        elif warning.state == SUPERSEDED or (warning.state == RESOLVED and RANKS[finding.rank] > warning.rank):
            again = replace(
                _told(warning, finding, agencies),
                state=OPEN,
                update_time=now,
                acknowledge_time=None,
                escalate_at=now + escalate_after,
                escalate_time=None,
                close_time=None,
                close_reason="",
            )
            yield Change(again, Move("raised_again"))
    found = {finding.key for finding in findings}
    for warning in warnings:
        if warning.state in TO_WORK and warning.finding_key not in found:
            gone = replace(warning, state=SUPERSEDED, update_time=now, close_time=now, close_reason=GONE)
            yield Change(gone, Move("superseded", reason=GONE))


def acknowledged(warning: StoredWarning, officer: str, now: datetime) -> StoredWarning:
    """Return an open warning taken up by an officer, its owner where it has none."""
    return replace(warning, state=ACKNOWLEDGED, owner=warning.owner or officer, acknowledge_time=now, update_time=now)


def closed(warning: StoredWarning, state: int, reason: str, now: datetime) -> StoredWarning:
    """Return a warning closed by an officer's word: RESOLVED or NOT_APPLICABLE."""
    assert state in (RESOLVED, NOT_APPLICABLE)
    return replace(warning, state=state, update_time=now, close_time=now, close_reason=reason)


def _raised(
    case_id: str, warning_id: str, finding: Finding, agencies: frozenset[str], now: datetime, escalate_after: timedelta
) -> StoredWarning:
    return StoredWarning(
        warning_id=warning_id,
        case_id=case_id,
        finding_key=finding.key,
        rule=finding.rule,
        rule_version=finding.version,
        kind=finding.kind,
        rank=RANKS[finding.rank],
        standing=STANDINGS[finding.standing],
        state=OPEN,
        subject=finding.subject,
        title_zh=finding.title_zh,
        title_en=finding.title_en,
        explanation_zh=finding.explanation_zh,
        explanation_en=finding.explanation_en,
        legal_basis="; ".join(finding.law),
        due_time=finding.due,
        concerned=_concerned(finding, agencies),
        owner="",
        create_time=now,
        update_time=now,
        acknowledge_time=None,
        escalate_at=now + escalate_after,
        escalate_time=None,
        close_time=None,
        close_reason="",
    )


def _found_again(warning: StoredWarning, finding: Finding, agencies: frozenset[str], now: datetime) -> Iterator[Change]:
    told = _told(warning, finding, agencies)
    if told == warning:
        return
    if replace(told, explanation_zh=warning.explanation_zh, explanation_en=warning.explanation_en) == warning:
        yield Change(told, None)
        return
    yield Change(replace(told, update_time=now), Move("changed"))


def _told(warning: StoredWarning, finding: Finding, agencies: frozenset[str]) -> StoredWarning:
    """Return the warning with what the finding says now. Who was concerned once stays so: it is their work, too."""
    concerned = _concerned(finding, agencies)
    return replace(
        warning,
        rule=finding.rule,
        rule_version=finding.version,
        kind=finding.kind,
        rank=RANKS[finding.rank],
        standing=STANDINGS[finding.standing],
        subject=finding.subject,
        title_zh=finding.title_zh,
        title_en=finding.title_en,
        explanation_zh=finding.explanation_zh,
        explanation_en=finding.explanation_en,
        legal_basis="; ".join(finding.law),
        due_time=finding.due,
        concerned=tuple(dict.fromkeys((*warning.concerned, *concerned))),
    )


def _concerned(finding: Finding, agencies: frozenset[str]) -> tuple[str, ...]:
    return tuple(AGENCY.parse(name)["agency"] for name in finding.concerned if name in agencies)
