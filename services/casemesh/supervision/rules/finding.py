"""What a rule found in a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Rank(StrEnum):
    """How heavily a finding weighs, the heaviest first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Standing(StrEnum):
    """How a finding stands to time."""

    FOUND = "found"
    """It is so; time plays no part."""
    AHEAD = "ahead"
    """It is still in time, and the table of ranks asks to warn so many days before."""
    OVER = "over"
    """The time is over and it is not done."""
    LATE = "late"
    """It was done, too late."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One irregularity, or one that is about to be. It states facts to be checked by a person and decides nothing.

    `key` is the same for the same matter in every evaluation, whatever the day, the standing or the rule's version, so
    that nothing is warned of twice. `rank` is what it weighs now, `rule_rank` at most. `subject` is the resource name
    of the person, the exchange or the case; `party`, `exchange` and `limit` are empty where they play no part. `due` is
    the first moment too late and `days_left` whole days to the last day, negative afterwards; None without time.
    `concerned` are agencies, without repeats. `explanation_*` gives the facts used and the sums; `law` the articles.
    `blocks` is always False until a site has reviewed the rule and says that it may.
    """

    key: str
    rule: str
    version: str
    kind: str
    subject: str
    party: str
    exchange: str
    limit: str
    rule_rank: Rank
    rank: Rank
    standing: Standing
    due: datetime | None
    days_left: int | None
    title_zh: str
    title_en: str
    law: tuple[str, ...]
    explanation_zh: str
    explanation_en: str
    concerned: tuple[str, ...]
    to_supervisor: bool
    reviewed: bool
    blocks: bool
