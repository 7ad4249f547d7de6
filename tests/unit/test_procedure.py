"""The closed loop as a state model: effects of nodes, their order, and what may come next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from casemesh.data import nodes
from casemesh.data.procedure import (
    Aspect,
    Custody,
    Measure,
    Moment,
    Stage,
    node_orders,
    nodes_without_effect,
    person_effects,
)
from casemesh.routing.nodes import shipped_catalogue
from casemesh.routing.procedure import (
    NextReason,
    OrderReason,
    PersonState,
    Step,
    shipped_procedure,
)

POLICE, PROCURATORATE, HOUSE = "agencies/police", "agencies/procuratorate", "agencies/house"
START = datetime(2026, 3, 9, tzinfo=UTC)


def step(node: str, number: int, state: str = "ANSWERED") -> Step:
    return Step(f"exchanges/{number}", node, POLICE, PROCURATORATE, state, START + timedelta(days=number))


def person(stage: str = "", custody: str = "", *steps: Step) -> PersonState:
    said = {Aspect.STAGE: stage, Aspect.CUSTODY: custody}
    return PersonState("the person", {aspect: value for aspect, value in said.items() if value}, {}, steps)


def test_every_custody_effect_of_the_catalogue_is_accounted_for() -> None:
    known = {*person_effects(), *nodes_without_effect()}
    left = [
        node.code
        for node in nodes()
        if node.custody_effect and node.code not in known and known.isdisjoint(node.feedback_nodes)
    ]
    assert [] == left


def test_no_request_changes_custody_when_it_is_submitted() -> None:
    held = {Aspect.CUSTODY, Aspect.CUSTODIAN, Aspect.AUTHORITY}
    kinds = {node.code: node.kind.value for node in nodes()}
    by_request = [
        effect.node
        for effects in person_effects().values()
        for effect in effects
        if effect.aspect in held and effect.moment is Moment.SUBMITTED and kinds[effect.node] == "request"
    ]
    assert [] == by_request


def test_custody_follows_the_custodians_word_and_not_a_refusal_to_take_in() -> None:
    procedure = shipped_procedure()
    sides = {"sender": HOUSE, "recipient": POLICE}
    assert () == procedure.changes("QZ001", Moment.SUBMITTED, sender=POLICE, recipient=HOUSE, flags={})
    said = procedure.changes("QZ002", Moment.SUBMITTED, **sides, flags={"admitted": True})
    assert {
        Aspect.STAGE: Stage.INVESTIGATION,
        Aspect.CUSTODY: Custody.HELD,
        Aspect.CUSTODIAN: HOUSE,
        Aspect.AUTHORITY: POLICE,
        Aspect.MEASURE: Measure.DETAINED,
    } == {change.aspect: change.value for change in said}
    assert said == procedure.changes("QZ002", Moment.SUBMITTED, **sides, flags={})
    assert () == procedure.changes("QZ002", Moment.SUBMITTED, **sides, flags={"admitted": False})


def test_what_asks_for_a_word_does_nothing_without_it() -> None:
    procedure = shipped_procedure()
    sides = {"sender": PROCURATORATE, "recipient": POLICE}
    assert () == procedure.changes("QS021", Moment.SUBMITTED, **sides, flags={})
    (reopened,) = procedure.changes("QS021", Moment.SUBMITTED, **sides, flags={"changed": True})
    assert (Stage.PROSECUTION, ("CONCLUDED",)) == (reopened.value, reopened.only_from)


@pytest.mark.parametrize(
    ("node", "state", "reason"),
    [
        ("YS001", person("INVESTIGATION"), OrderReason.STAGE),
        ("DB009", person("INVESTIGATION"), OrderReason.PRECEDING),
        ("QZ007", person("INVESTIGATION", "NOT_HELD"), OrderReason.CUSTODY),
        (
            "QS013",
            person("PROSECUTION", "", step("QS013", 1), step("QS013", 2), step("QS013", 3, "WITHDRAWN")),
            OrderReason.TOO_OFTEN,
        ),
    ],
)
def test_a_node_out_of_its_order_is_told_with_its_remedy(node: str, state: PersonState, reason: OrderReason) -> None:
    (finding,) = shipped_procedure().findings(node, state)
    assert (reason, state.party) == (finding.reason, finding.party)
    assert finding.zh
    assert finding.en


@pytest.mark.parametrize(
    ("node", "state"),
    [
        ("YS001", person()),
        ("YS001", person("PROSECUTION")),
        ("DB009", person("INVESTIGATION", "", step("DB006", 1))),
        ("QZ007", person("INVESTIGATION")),
        ("QS013", person("PROSECUTION", "", step("QS013", 1), step("QS013", 2, "WITHDRAWN"))),
        ("SJG01", person("CIVIL")),
    ],
)
def test_a_node_in_its_order_is_passed_and_so_is_what_nothing_was_said_of(node: str, state: PersonState) -> None:
    assert [] == shipped_procedure().findings(node, state)


def test_every_step_that_a_finding_looks_at_is_asked_for() -> None:
    procedure = shipped_procedure()
    for node, order in node_orders().items():
        looked_at = {*order.after, *([node] if order.at_most else [])}
        assert looked_at == set(procedure.preceding(node)), node


def test_open_requests_are_awaited_until_they_are_over() -> None:
    catalogue = shipped_catalogue()
    steps = [step("LA003", 0, "DELIVERED"), step("XX999", 0, "DELIVERED")]
    steps += [step("DB001", number, state) for number, state in enumerate(("ACCEPTED", "ANSWERED", "WITHDRAWN"), 1)]
    (awaited,) = shipped_procedure().awaited(catalogue, person("INVESTIGATION", "", *steps))
    assert ("exchanges/1", True) == (awaited.step.exchange, "DB005" in awaited.answers)


def test_what_may_come_next_says_why() -> None:
    catalogue, procedure = shipped_catalogue(), shipped_procedure()
    held = person("INVESTIGATION", "HELD", step("DB005", 1, "ANSWERED"), step("DB001", 2, "DELIVERED"))
    coming = {item.node.code: (item.reason, item.because) for item in procedure.next_nodes(catalogue, held)}
    assert (NextReason.ANSWERS, "exchanges/2") == coming["DB006"]
    assert (NextReason.FOLLOWS, "exchanges/1") == coming["QZ005"]
    assert (NextReason.MOVES, "PROSECUTION") == coming["QS001"]
    assert (NextReason.FITS, "") == coming["QZ007"]
    assert "YS001" not in coming, "there is no prosecution during the investigation"
    assert "QZ001" not in coming, "who is held is not delivered again"
    done = person("INVESTIGATION", "HELD", step("DB005", 1), step("QZ005", 2))
    assert "QZ005" not in [item.node.code for item in procedure.next_nodes(catalogue, done)]
    ranks = [list(NextReason).index(item.reason) for item in procedure.next_nodes(catalogue, held)]
    assert sorted(ranks) == ranks


def test_who_has_reached_the_end_has_only_what_follows_from_it() -> None:
    procedure = shipped_procedure()
    coming = [item.node.code for item in procedure.next_nodes(shipped_catalogue(), person("CONCLUDED"))]
    assert {"ZS005", "PC001", "ZX031"} <= set(coming)
    assert all(procedure.admitted_after_end(code) for code in coming)
    assert not procedure.admitted_after_end("DB001")
