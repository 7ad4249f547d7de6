"""The dictionary holds facts that exist, a book of rules is checked at load, and evaluating it is a pure function."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml

from casemesh.data import nodes, time_limits
from casemesh.data.event_actions import event_actions
from casemesh.data.payload_schemas import subjects
from casemesh.data.procedure import Aspect
from casemesh.data.tables import shipped_bytes
from casemesh.routing.v1 import exchange_pb2
from casemesh.supervision.rules import (
    CaseFacts,
    ExchangeFacts,
    FactsError,
    Finding,
    LimitFacts,
    Rank,
    RuleBook,
    RuleError,
    Standing,
    Subject,
    assess,
    evaluate,
    known_facts,
    next_check_at,
)
from casemesh.supervision.rules.dictionary import WHOLE, Fact, fact_of
from casemesh.supervision.rules.expressions import Activation, EvaluationFailed, Expression
from casemesh.supervision.rules.facts import StatedField
from casemesh.supervision.rules.guards import guard_of
from casemesh.supervision.rules.scopes import CaseScopes, Scope
from tests.support.case_facts import CASE, POLICE, A, B, as_told, at, case, day, exchange, held, limit, person
from tests.support.shared_vectors import SHARED
from tests.unit.test_supervision_rules_trials import TRIALS, findings_of

BOOK = RuleBook.load()
CHECKS = SHARED / "domain" / "checks.yaml"


def overlay(*tables: str) -> RuleBook:
    return RuleBook.load([("site.toml", table.encode()) for table in tables])


def rule(**fields: str) -> str:
    """A new rule of a site as TOML; a field overrides the plain one, "" leaves it out."""
    plain = {
        "id": '"X1"',
        "check": '"X1"',
        "version": '"1"',
        "zh": '"虚构规则"',
        "en": '"Invented rule"',
        "kind": '"operation"',
        "rank": '"low"',
        "subject": '"person"',
        "law": "[]",
        "when": "'person.held'",
        "why_zh": '"因为"',
        "why_en": '"because"',
        "concerned": "[]",
    } | fields
    return "[[rule]]\n" + "\n".join(f"{key} = {value}" for key, value in plain.items() if value)


def example() -> Mapping[str, Any]:
    return json.loads(shipped_bytes("supervision/example_case.json"))


# What there is to know


def sources(fact: Fact) -> Iterator[tuple[str, str]]:
    kind, _, values = fact.source.partition("=")
    for value in values.split(";"):
        yield kind, value


def source_exists(kind: str, value: str) -> bool:
    payload = {field.key: field.type for subject in subjects().values() for field in subject}
    exchange_fields = set(exchange_pb2.Exchange.DESCRIPTOR.fields_by_name)
    match kind:
        case "aspect":
            return value == "*" or value in set(Aspect)
        case "payload":
            return value in payload or value in set(payload.values())
        case "node" | "exchange":
            return value in exchange_fields
        case "case":
            return value in exchange_fields
        case "step":
            times = {"deliver_time", "accept_time", "answer_time", "answer_by", "end_time", "returned"}
            return value == "*" and times <= exchange_fields
        case "limit":
            return value in LimitFacts.__slots__
        case "dossier":
            return value in ExchangeFacts.__slots__
        case "event":
            return value == "*" and bool(event_actions())
        case _:
            return False


@pytest.mark.parametrize("fact", known_facts().values(), ids=lambda fact: fact.id)
def test_every_fact_comes_from_something_that_exists(fact: Fact) -> None:
    assert all(source_exists(kind, value) for kind, value in sources(fact))


@pytest.mark.parametrize(
    ("root", "member"),
    [("first", "DB999"), ("over", "TL999"), ("date", "charge"), ("flag", "lawyer"), ("person", "name"), ("at", "read")],
)
def test_the_dictionary_knows_no_member_without_a_source(root: str, member: str) -> None:
    assert fact_of(root, member) is None


def test_the_dictionary_knows_every_node_limit_and_event() -> None:
    assert all(fact_of("first", node.code) for node in nodes())
    assert all(fact_of("over", item.code) for item in time_limits())
    assert all(fact_of("events", action) for action in event_actions())


def test_no_fact_is_a_name_a_number_or_a_text_somebody_wrote() -> None:
    texts = {field.key for subject in subjects().values() for field in subject if field.type == "text"}

    readable = {(fact.root, key) for fact in known_facts().values() for key in texts if fact.has_member(key)}

    assert {"told"} == {root for root, _ in readable}


# All 74


@pytest.mark.skipif(not CHECKS.exists(), reason="../shared/domain/checks.yaml is not here")
def test_every_check_has_a_rule_or_says_what_it_lacks() -> None:
    checks = {check["id"] for check in yaml.safe_load(CHECKS.read_text(encoding="utf-8"))["checks"]}
    # A rule counts where what routing tells of a case that breaks it is enough to find that.
    found = {trial.rule for trial in TRIALS if findings_of(trial.rule, as_told(trial.breaks), trial.now)}
    implemented = {item.check for item in BOOK.rules if item.id in found}
    missing = {item.check for item in BOOK.not_evaluable}

    assert checks == implemented | missing
    assert set() == implemented & missing
    assert 74 == len(implemented) + len(missing)


@pytest.mark.parametrize("item", BOOK.not_evaluable, ids=lambda item: item.check)
def test_what_is_not_evaluable_lacks_a_fact_that_nobody_has(item: Any) -> None:
    assert item.lacks
    assert not any(fact_of(*name.split(".", 1)) for name in item.lacks)


@pytest.mark.parametrize("item", BOOK.rules, ids=lambda item: item.id)
def test_every_input_of_a_rule_is_a_fact_of_its_subject(item: Any) -> None:
    assert item.inputs
    for name in item.inputs:
        root, member = name.split(".", 1)
        facts = [fact for fact in known_facts().values() if fact.root == root and fact.has_member(member)]
        assert [True] == [item.subject in fact.subjects for fact in facts]


def test_no_shipped_rule_blocks_or_counts_as_reviewed() -> None:
    assert [] == [item.id for item in BOOK.rules if item.blocks or item.reviewed or item.may_block]


# Loading


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"when": "'person.height > 3'"}, "when"),
        ({"when": "'first.DB006 == \"x\"'"}, "when"),
        ({"when": "'person.stage'"}, "when"),
        ({"when": "'person.held &&'"}, "when"),
        ({"when": "'exchange.state == \"EXPIRED\"'"}, "when"),
        ({"when": "'[\"DB999\"].exists(n, n in first)'"}, "when"),
        ({"when": ""}, "when"),
        ({"why_zh": '"{person.name}"'}, "why_zh"),
        ({"rank": '"grave"'}, "rank"),
        ({"kind": '"other"'}, "kind"),
        ({"subject": '"judge"'}, "rank"),
        ({"on": '["DB001"]'}, "on"),
        ({"from": "'since.stage'"}, "limit"),
        ({"from": "'since.stage'", "limit": '"TL999"'}, "limit"),
        ({"from": "'since.stage'", "limit": '"TL008"', "hours": "3"}, "limit"),
        ({"from": "'person.stage'", "hours": "3"}, "from"),
        ({"hours": "-1", "from": "'since.stage'"}, "hours"),
        ({"concerned": '["sender"]'}, "concerned"),
        ({"enabled": '"yes"'}, "enabled"),
        ({"effective_from": '"2026-01-01"'}, "effective_from"),
        ({"frequency": '"daily"'}, "frequency"),
    ],
)
def test_a_rule_that_cannot_be_meant_so_is_refused_with_its_place(fields: dict[str, str], field: str) -> None:
    with pytest.raises(RuleError) as refused:
        overlay(rule(**fields))

    assert ("site.toml", "X1", field) == (refused.value.file, refused.value.rule, refused.value.field)


@pytest.mark.parametrize("text", ["[[rule]", "[rules]\nx = 1", "[warn_ahead]\nshare = 2.0"])
def test_a_file_that_is_no_overlay_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        overlay(text)


def test_a_changed_rule_needs_a_new_version() -> None:
    with pytest.raises(RuleError, match="version"):
        overlay('[[rule]]\nid = "CK072"\nhours = 48')


def test_an_overlay_changes_what_it_names_and_nothing_else() -> None:
    book = overlay('[[rule]]\nid = "CK072"\nversion = "site-2"\nhours = 48')

    changed = book.rule("CK072")

    assert ("site-2", 48) == (changed.version, changed.hours)
    assert BOOK.rule("CK072").title_zh == changed.title_zh
    assert len(BOOK.rules) == len(book.rules)
    assert BOOK.digest != book.digest


def test_what_a_site_reviewed_is_a_version_of_a_rule_and_no_other() -> None:
    reviewed = BOOK.with_reviews({("CK001", "1"), ("CK002", "1"), ("CK068", "0")})
    assert ["CK001"] == [item.id for item in reviewed.rules if item.reviewed]
    assert BOOK.digest == reviewed.digest
    (trial,) = [trial for trial in TRIALS if trial.rule == "CK001"]
    assert [(True, False)] == [
        (finding.reviewed, finding.blocks)
        for finding in evaluate(reviewed, trial.breaks, at(trial.now))
        if finding.rule == "CK001"
    ]


def test_a_review_lapses_when_what_the_rule_asks_changes() -> None:
    reviewed = '[[rule]]\nid = "CK068"\nversion = "2"\nreviewed = true\nmay_block = true'
    reworded = '[[rule]]\nid = "CK068"\nversion = "3"\nzh = "内卷外发"'
    changed = '[[rule]]\nid = "CK068"\nversion = "3"\nwhen = \'"C" in exchange.volumes\''

    assert overlay(reviewed).rule("CK068").blocks
    assert overlay(reviewed, reworded).rule("CK068").blocks
    assert not overlay(reviewed, changed).rule("CK068").blocks


def test_two_loads_of_the_same_data_have_one_digest() -> None:
    assert BOOK.digest == RuleBook.load().digest


# Evaluating


def found_in(book: RuleBook, facts: CaseFacts, now: datetime, wanted: str) -> list[Finding]:
    return [finding for finding in evaluate(book, facts, now) if finding.rule == wanted]


def test_the_same_facts_at_the_same_moment_give_the_same_answer_from_json_too() -> None:
    facts = CaseFacts.from_json(example()["facts"])
    now = datetime.fromisoformat(example()["now"])
    replayed = CaseFacts.from_json(json.loads(json.dumps(facts.to_json())))

    assert facts == replayed
    assert assess(BOOK, facts, now) == assess(RuleBook.load(), replayed, now)


def test_the_example_case_breaks_more_than_ten_rules() -> None:
    facts, now = CaseFacts.from_json(example()["facts"]), datetime.fromisoformat(example()["now"])

    found = evaluate(BOOK, facts, now)

    assert example()["findings"] == sorted(finding.rule for finding in found)
    assert len(found) > 10
    assert [rank for rank in Rank if rank in {item.rank for item in found}] == list(
        dict.fromkeys(item.rank for item in found)
    )


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.rule)
def test_nothing_new_is_found_before_the_moment_to_look_again(trial: Any) -> None:
    """From every moment named, until none is: what is found just before the next is what was found before."""
    now = at("2026-03-01")
    for _ in range(20):
        coming = next_check_at(BOOK, trial.breaks, now)
        last = coming - timedelta(microseconds=1) if coming is not None else at("2030-01-01")
        known = {(item.key, item.rank, item.standing) for item in evaluate(BOOK, trial.breaks, now)}
        assert known == {(item.key, item.rank, item.standing) for item in evaluate(BOOK, trial.breaks, last)}
        if coming is None:
            return
        assert coming > now
        now = coming
    pytest.fail("there is always a next moment")


def test_a_limit_is_warned_of_only_by_the_table_of_ranks_and_its_last_third() -> None:
    facts = case(held("ARRESTED"), limit("TL021", "2026-03-02", "2026-05-03"))

    def standing(now: str) -> list[tuple[str, str, int | None]]:
        return [(item.standing, item.rank, item.days_left) for item in found_in(BOOK, facts, at(now), "CK014")]

    assert [] == standing("2026-04-24 23:59")
    assert [(Standing.AHEAD, Rank.LOW, 7)] == standing("2026-04-25")
    assert [(Standing.AHEAD, Rank.MEDIUM, 3)] == standing("2026-04-29")
    assert [(Standing.AHEAD, Rank.HIGH, 1)] == standing("2026-05-01")
    assert [(Standing.OVER, Rank.CRITICAL, -1)] == standing("2026-05-03")


def test_a_limit_of_three_days_is_not_warned_of_on_its_first() -> None:
    facts = case(held(), limit("TL008", "2026-03-02", "2026-03-06"))

    assert [] == found_in(BOOK, facts, at("2026-03-03 12:00"), "CK001")
    assert Standing.AHEAD == found_in(BOOK, facts, at("2026-03-04"), "CK001")[0].standing


def test_a_finding_keeps_its_key_while_time_passes_and_the_rule_changes() -> None:
    facts = case(held("ARRESTED"), limit("TL021", "2026-03-02", "2026-05-03"))
    other = overlay('[[rule]]\nid = "CK014"\nversion = "2"\nrank = "high"')
    keys = [
        finding.key
        for book, now in ((BOOK, "2026-04-25"), (BOOK, "2026-05-01"), (BOOK, "2026-06-01"), (other, "2026-06-01"))
        for finding in found_in(book, facts, at(now), "CK014")
    ]

    assert 4 == len(keys)
    assert 1 == len(set(keys))


def test_a_paused_limit_is_no_matter() -> None:
    facts = case(held("ARRESTED"), limit("TL021", "2026-03-02", ""))

    assert [] == found_in(BOOK, facts, at("2027-01-01"), "CK014")


def test_two_persons_are_two_matters() -> None:
    facts = case(person(A), person(B), exchange("QZ005", "2026-03-10", parties=(A, B)))

    found = found_in(BOOK, facts, at("2026-03-11"), "CK005")

    assert {A, B} == {finding.party for finding in found}
    assert 2 == len({finding.key for finding in found})


def test_what_is_said_of_one_person_is_not_believed_of_another() -> None:
    of_b = ExchangeFacts(
        exchange="exchanges/x",
        node="DB001",
        sender=POLICE,
        recipient=POLICE,
        state="DELIVERED",
        submitted=at("2026-03-03"),
        parties=(A, B),
        fields=(StatedField("minor", True, B),),
    )
    facts = CaseFacts(CASE, None, (held(age=17), person(B)), (of_b,))

    assert [A] == [finding.party for finding in found_in(BOOK, facts, at("2026-03-04"), "CK036")]


def test_a_step_entered_later_is_not_out_of_order() -> None:
    facts = case(exchange("QZ005", "2026-03-10", entered_later=True))

    assert [] == found_in(BOOK, facts, at("2026-03-11"), "CK005")


def test_a_rule_finds_nothing_before_it_is_in_force_and_is_looked_at_on_its_day() -> None:
    book = overlay(rule(effective_from="2026-05-01", effective_until="2026-05-31"))
    facts = case(held())

    assert [] == found_in(book, facts, at("2026-04-30 23:59"), "X1")
    assert 1 == len(found_in(book, facts, at("2026-05-01"), "X1"))
    assert [] == found_in(book, facts, at("2026-06-01"), "X1")
    assert at("2026-06-01") == next_check_at(book, CaseFacts(CASE), at("2026-05-02"))


def test_a_rule_that_breaks_on_a_case_is_named_and_keeps_no_other_from_finding() -> None:
    book = overlay(rule(when="'1 / case.person_count == 1 && person.age_at_offence / (case.person_count - 1) == 0'"))
    facts = case(held(age=17))

    assessment = assess(book, facts, at("2026-03-03"))

    assert [("X1", A)] == [(failure.rule, failure.subject) for failure in assessment.failures]
    assert "CK036" in {finding.rule for finding in assessment.findings}


def test_a_moment_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        evaluate(BOOK, case(), datetime(2026, 3, 2))


def test_a_dry_run_tells_what_a_changed_rule_would_find() -> None:
    facts = case(exchange("DB001", "2026-03-02 10:00", state="SUBMITTED"))
    milder = overlay('[[rule]]\nid = "CK072"\nversion = "2"\nhours = 48')
    now = at("2026-03-03 10:00")

    gone = {item.key for item in evaluate(BOOK, facts, now)} - {item.key for item in evaluate(milder, facts, now)}

    assert {"CK072"} == {key.split("|")[0] for key in gone}


def test_access_alerts_are_told_to_supervisors_and_to_no_party_of_the_case() -> None:
    facts = CaseFacts(CASE, None, (), (exchange("DB001", "2026-03-02"),), (), {"access.alert.raised": 1})

    (found,) = found_in(BOOK, facts, at("2026-03-03"), "CK064")

    assert () == found.concerned
    assert found.to_supervisor


def test_the_explanation_shows_the_sums_step_by_step() -> None:
    steps = [("start_not_counted", "2026-03-03"), ("length", "2026-05-03"), ("extended", "2026-06-03")]
    facts = case(held("ARRESTED"), limit("TL021", "2026-03-02", "2026-06-03", steps=steps))

    (found,) = found_in(BOOK, facts, at("2026-06-05"), "CK014")

    for part in ("自 2026-03-02 起算", "至 2026-05-02", "延长至 2026-06-02", "已逾 3 日", "刑事诉讼法第156条"):
        assert part in found.explanation_zh
    for part in ("from 2026-03-02", "extended to 2026-06-02", "over by 3 d"):
        assert part in found.explanation_en


# Guards


def scopes_of(facts: CaseFacts) -> Iterator[tuple[Subject, str, Scope]]:
    scopes = CaseScopes(facts)
    yield Subject.CASE, "", scopes.case()
    for one in scopes.persons():
        yield Subject.PERSON, "", one
    for item in scopes.exchanges:
        yield Subject.EXCHANGE, item.node, scopes.exchange(item)
        for step in scopes.steps(item):
            yield Subject.STEP, item.node, step
    for running in facts.limits:
        yield Subject.LIMIT, running.limit, scopes.limit(running)


def test_a_guard_never_passes_over_what_holds() -> None:
    passed_over = 0
    cases = [facts for trial in TRIALS for facts in (trial.breaks, trial.keeps)]
    for facts in (*cases, CaseFacts.from_json(example()["facts"])):
        for subject, code, scope in scopes_of(facts):
            for item in BOOK.about(subject, code):
                if not item.may_hold(scope.values):
                    passed_over += 1
                    assert not item.when.holds(Activation(subject, scope.values, item.names)), item.id
    assert passed_over > 1000


@pytest.mark.parametrize(
    "condition",
    ["person.stage.startsWith('X')", "person.held ? true : false", "person.held || size(since) > 3", "!person.held"],
)
def test_what_a_guard_cannot_read_is_left_to_the_expression(condition: str) -> None:
    assert guard_of(condition) is None


def test_an_absent_fact_makes_a_condition_absent_and_a_broken_one_fails() -> None:
    values = {"person.stage": "", "first": {}, "case.person_count": 0}

    def holds(text: str) -> bool:
        expression = Expression(text, Subject.PERSON, None)
        return expression.holds(Activation(Subject.PERSON, values, ["person.stage", "first", "case.person_count"]))

    assert not holds("first.DB006 == first.DB006")
    assert not holds("!(first.DB006 == first.DB006)")
    assert holds("!has(first.DB006)")
    assert holds('person.stage == "" || first.DB006 == first.DB006')
    with pytest.raises(EvaluationFailed):
        holds("1 / case.person_count == 1")


# Snapshots


@pytest.mark.parametrize(
    "snapshot",
    [
        {},
        {"case": 3},
        {"case": CASE, "registered_at": "2026-03-02T10:00:00"},
        {"case": CASE, "registered_at": "yesterday"},
        {"case": CASE, "exchanges": [{"exchange": "exchanges/a"}]},
        {"case": CASE, "persons": [{"party": A, "said": {"stage": {"value": "X"}}}]},
        {"case": CASE, "persons": [3]},
        {"case": CASE, "limits": [{"limit": "TL008", "started_at": None}]},
    ],
)
def test_a_snapshot_that_cannot_be_read_is_refused(snapshot: dict[str, Any]) -> None:
    with pytest.raises(FactsError):
        CaseFacts.from_json(snapshot)


def test_a_snapshot_may_tell_more_than_is_known_here() -> None:
    assert CaseFacts(CASE) == CaseFacts.from_json({"case": CASE, "weather": "rain"})


def test_each_kind_of_field_survives_the_snapshot() -> None:
    said = {"measure_from": day("2026-03-02"), "minor": True, "page_count": 3, "charge": ["XZ1", "XZ2"], "lawyer": None}
    facts = case(exchange("DB001", "2026-03-02", says=said))

    assert facts == CaseFacts.from_json(facts.to_json())
    assert fact_of("first", WHOLE) is not None
