"""What routing tells of a case becomes facts that rules can be evaluated on, and holds nothing of what was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.data import nodes
from casemesh.data.payload_schemas import schema_of
from casemesh.routing.case_facts_store import payload_fact
from casemesh.routing.v1 import case_facts_service_pb2 as pb2
from casemesh.routing.v1.exchange_pb2 import PayloadField
from casemesh.supervision.case_snapshot import organs_of, snapshot_of
from casemesh.supervision.rules import CaseFacts, Rule, RuleBook
from casemesh.supervision.trying import compare
from tests.support.case_facts import as_told
from tests.unit.test_supervision_rules_trials import TRIALS, Trial, findings_of

NOW = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)
CASE_ID = "01990000-0000-7000-8000-000000000001"
CASE = f"cases/{CASE_ID}"
PARTY = f"{CASE}/parties/01990000-0000-7000-8000-000000000002"
SENDER, RECIPIENT = "agencies/01990000-0000-7000-8000-0000000000aa", "agencies/01990000-0000-7000-8000-0000000000bb"


def stamp(moment: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(moment)
    return found


def facts() -> pb2.CaseFacts:
    """A case with one exchange that was submitted two days ago and that nobody has stored."""
    said = pb2.PersonStatement(aspect="measure", value="DETAINED", effective_time=stamp(NOW - timedelta(days=3)))
    taken_back = pb2.PersonStatement(aspect="custodian", value="", effective_time=stamp(NOW))
    exchange = pb2.ExchangeFacts(
        exchange="exchanges/01990000-0000-7000-8000-000000000003",
        node="DB001",
        sender=SENDER,
        recipient=RECIPIENT,
        state="SUBMITTED",
        parties=[PARTY],
        submit_time=stamp(NOW - timedelta(days=2)),
        payload=[
            payload_fact(PayloadField(key="opinion", text="某甲称…")),
            payload_fact(PayloadField(key="birth_date", date=date_pb2.Date(year=1990, month=1, day=2))),
            payload_fact(PayloadField(key="admitted", flag=True)),
            payload_fact(PayloadField(key="charge", coded=CodedValue(code_system="t", code="XZ101", display="盗窃罪"))),
            payload_fact(PayloadField(key="custody_until", date=date_pb2.Date(year=2026, month=7, day=2))),
        ],
    )
    return pb2.CaseFacts(
        case=CASE,
        agency=SENDER,
        create_time=stamp(NOW - timedelta(days=3)),
        persons=[pb2.PersonFacts(party=PARTY, statements=[said, taken_back])],
        exchanges=[exchange],
        agencies=[pb2.AgencyFacts(agency=SENDER, organ="GA"), pb2.AgencyFacts(agency=RECIPIENT, organ="JCY")],
    )


def test_the_snapshot_reads_as_facts_and_counts_the_events() -> None:
    read = CaseFacts.from_json(snapshot_of(facts(), {"exchange.submitted": 1}))
    (person,), (exchange,) = read.persons, read.exchanges
    assert ({"measure"}, "DETAINED") == (set(person.said), person.said["measure"].value)
    assert ("DB001", NOW - timedelta(days=2), None) == (exchange.node, exchange.submitted, exchange.delivered)
    stated = {field.key: field.value for field in exchange.fields}
    assert (True, "XZ101") == (stated["admitted"], stated["charge"])
    assert {"exchange.submitted": 1} == dict(read.events)
    assert {SENDER: "GA", RECIPIENT: "JCY"} == organs_of(facts())


def test_no_text_no_name_and_no_birth_date_is_kept() -> None:
    kept = repr(snapshot_of(facts(), {}))
    assert [] == [word for word in ("某甲", "盗窃", "1990-01-02") if word in kept]
    assert "'opinion'" in kept


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.rule)
def test_what_routing_can_tell_of_a_case_is_enough_for_each_rule(trial: Trial) -> None:
    found = findings_of(trial.rule, as_told(trial.breaks), trial.now)
    assert [] != found
    assert findings_of(trial.rule, trial.breaks, trial.now) == found


@pytest.mark.parametrize("rule", RuleBook.load().rules, ids=lambda rule: rule.id)
def test_what_a_rule_asks_of_payloads_some_node_that_it_looks_at_can_state(rule: Rule) -> None:
    anywhere = {"date", "flag", "number", "codes", "told", "earlier_codes"}
    at_its_nodes = {"own_date", "own_flag", "own_number", "own_codes"}
    asked = [name.split(".", 1) for name in rule.inputs]
    fields = {key for root, key in asked if root in anywhere}
    own = {key for root, key in asked if root in at_its_nodes}
    assert set() == fields - {key for node in nodes() for key in schema_of(node).fields}
    looked_at = [schema_of(node).fields for node in nodes() if not rule.on or node.code in rule.on]
    assert set() == own - {key for stated in looked_at for key in stated}


def test_of_a_birth_date_the_age_at_the_offence_is_told_where_it_is_known() -> None:
    told = facts()
    assert [None] == [person.age_at_offence for person in CaseFacts.from_json(snapshot_of(told, {})).persons]
    told.persons[0].age_at_offence_years = 0
    assert [0] == [person.age_at_offence for person in CaseFacts.from_json(snapshot_of(told, {})).persons]


def test_while_the_type_of_a_document_is_unknown_no_other_is_said_to_be_missing() -> None:
    told = facts()
    told.exchanges[0].dossier.CopyFrom(pb2.DossierFacts(page_count=9, document_types=["A032"], volumes=["A"]))
    (listed,) = CaseFacts.from_json(snapshot_of(told, {})).exchanges
    assert (("A032",), ("A",), 9) == (listed.document_types, listed.volumes, listed.pages)
    told.exchanges[0].dossier.untyped_count = 1
    (unlisted,) = CaseFacts.from_json(snapshot_of(told, {})).exchanges
    assert (None, ("A",), 9) == (unlisted.document_types, unlisted.volumes, unlisted.pages)


def test_a_dry_run_says_what_would_go_and_what_would_appear_and_counts_both() -> None:
    shipped = RuleBook.load()
    without = RuleBook.load([("site", b'[[rule]]\nid = "CK072"\nversion = "site-1"\nenabled = false\n')])
    snapshots = [(CASE_ID, snapshot_of(facts(), {}))]
    gone = compare(shipped, without, snapshots, NOW)
    assert (0, 1, 1) == (gone.appearing_count, gone.disappearing_count, gone.case_count)
    assert [("CK072", CASE)] == [(change.rule, change.case) for change in gone.disappearing]
    back = compare(without, shipped, snapshots, NOW)
    assert ["CK072"] == [change.rule for change in back.appearing]
