"""The facts that routing tells, in the form that rules are evaluated on and that is kept per case. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.routing.v1 import case_facts_service_pb2 as pb2

_EXCHANGE_TIMES = {
    "submitted": "submit_time",
    "delivered": "deliver_time",
    "accepted": "accept_time",
    "answered": "answer_time",
    "returned": "return_time",
    "answer_by": "answer_by",
    "ended": "end_time",
}
_LIMIT_TIMES = {"started_at": "start_time", "over_at": "over_time", "met_at": "meet_time"}


def snapshot_of(facts: pb2.CaseFacts, events: Mapping[str, int]) -> dict[str, Any]:
    """Return the snapshot of a case with the counts of its events, as `CaseFacts.from_json` reads it."""
    return {
        "case": facts.case,
        "registered_at": _text(facts.create_time),
        "persons": [_person(person) for person in facts.persons],
        "exchanges": [_exchange(exchange) for exchange in facts.exchanges],
        "limits": [_limit(limit) for limit in facts.limits],
        "events": dict(events),
    }


def organs_of(facts: pb2.CaseFacts) -> dict[str, str]:
    """Return the agencies in a case with their kinds of organ."""
    return {agency.agency: agency.organ for agency in facts.agencies}


def _person(person: pb2.PersonFacts) -> dict[str, Any]:
    # Oldest first, so that the last word of each aspect remains; "" takes back what was said.
    said = {
        statement.aspect: {"value": statement.value, "since": _text(statement.effective_time)}
        for statement in person.statements
    }
    known = {aspect: word for aspect, word in said.items() if word["value"]}
    age = {"age_at_offence": person.age_at_offence_years} if person.HasField("age_at_offence_years") else {}
    return {"party": person.party, "said": known, **age}


def _exchange(exchange: pb2.ExchangeFacts) -> dict[str, Any]:
    return {
        "exchange": exchange.exchange,
        "node": exchange.node,
        "sender": exchange.sender,
        "recipient": exchange.recipient,
        "state": exchange.state,
        "parties": list(exchange.parties),
        "answers": exchange.answers,
        "returns": exchange.revision + (exchange.state == "RETURNED"),
        "return_reasons": list(exchange.return_reasons),
        "entered_later": exchange.on_paper,
        "unmapped_codes": exchange.unmapped_count,
        "fields": [_field(fact) for fact in exchange.payload],
        **(_dossier(exchange.dossier) if exchange.HasField("dossier") else {}),
        **_times(exchange, _EXCHANGE_TIMES),
    }


def _dossier(dossier: pb2.DossierFacts) -> dict[str, Any]:
    # While a document has no known type, nobody can say of one that it is missing.
    types = {"document_types": list(dossier.document_types)} if not dossier.untyped_count else {}
    return {**types, "volumes": list(dossier.volumes), "pages": dossier.page_count}


def _field(fact: pb2.PayloadFact) -> dict[str, Any]:
    value: dict[str, Any]
    match fact.WhichOneof("value"):
        case "date":
            value = {"date": f"{fact.date.year:04}-{fact.date.month:02}-{fact.date.day:02}"}
        case "integer":
            value = {"integer": fact.integer}
        case "flag":
            value = {"flag": fact.flag}
        case "code":
            value = {"code": fact.code}
        case _:
            value = {}  # a text: that there is one, and no more
    return {"key": fact.key, **value, "party": fact.party}


def _limit(limit: pb2.LimitFacts) -> dict[str, Any]:
    return {
        "limit": limit.limit,
        "party": limit.party,
        "exchange": limit.exchange,
        "duty": limit.duty,
        "steps": [{"rule": step.rule, "until": _text(step.until_time)} for step in limit.steps],
        **_times(limit, _LIMIT_TIMES),
    }


def _times(message: pb2.ExchangeFacts | pb2.LimitFacts, names: Mapping[str, str]) -> dict[str, str]:
    return {name: _text(getattr(message, field)) for name, field in names.items() if message.HasField(field)}


def _text(time: Timestamp) -> str:
    return time.ToJsonString()
