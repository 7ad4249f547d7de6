"""Rules of supervision (监督规则) as data over a dictionary of facts: pure, without a database, a socket or a clock.

    book = RuleBook.load()                          # or with a site's overlays: RuleBook.load([("fujian.toml", data)])
    facts = CaseFacts.from_json(snapshot)           # what supervision keeps per case; the form stands in `facts`
    assessment = assess(book, facts, now)           # findings, next_check_at and failures in one pass
    assessment.findings[0].key                      # the same for the same matter in every evaluation

`evaluate` and `next_check_at` give the parts of `assess` by themselves. The same facts at the same moment give the same
answer, on replay as well, so that a dry run of a changed book is `assess` with that book on kept snapshots, compared by
key. No rule blocks until a site has reviewed it.
"""

from casemesh.supervision.rules.book import Rule, RuleBook, RuleError
from casemesh.supervision.rules.dictionary import Fact, FactType, Subject, known_facts
from casemesh.supervision.rules.evaluation import Assessment, RuleFailure, assess, evaluate, next_check_at
from casemesh.supervision.rules.facts import (
    CaseFacts,
    ExchangeFacts,
    FactsError,
    LimitFacts,
    LimitStep,
    PersonFacts,
    Said,
    StatedField,
)
from casemesh.supervision.rules.finding import Finding, Rank, Standing
from casemesh.supervision.rules.unevaluable import NotEvaluable

__all__ = [
    "Assessment",
    "CaseFacts",
    "ExchangeFacts",
    "Fact",
    "FactType",
    "FactsError",
    "Finding",
    "LimitFacts",
    "LimitStep",
    "NotEvaluable",
    "PersonFacts",
    "Rank",
    "Rule",
    "RuleBook",
    "RuleError",
    "RuleFailure",
    "Said",
    "Standing",
    "StatedField",
    "Subject",
    "assess",
    "evaluate",
    "known_facts",
    "next_check_at",
]
