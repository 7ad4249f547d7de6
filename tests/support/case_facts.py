"""Short words for the facts of invented cases. Days and hours are written in civil time of China."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2

from casemesh.core.clock import CHINA
from casemesh.routing.v1 import case_facts_service_pb2 as pb2
from casemesh.supervision.case_snapshot import snapshot_of
from casemesh.supervision.rules import (
    CaseFacts,
    ExchangeFacts,
    LimitFacts,
    LimitStep,
    PersonFacts,
    Said,
    StatedField,
)

CASE = "cases/00000000-0000-7000-8000-000000000001"
A, B = f"{CASE}/parties/a", f"{CASE}/parties/b"
POLICE, PROCURATORATE, COURT = "agencies/police", "agencies/procuratorate", "agencies/court"
DETENTION_HOUSE, PRISON = "agencies/detention-house", "agencies/prison"

Value = date | bool | int | str | None


def at(text: str) -> datetime:
    """The moment of `2026-03-02` (its midnight) or `2026-03-02 10:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def day(text: str) -> date:
    return date.fromisoformat(text)


def person(party: str = A, *, age: int | None = None, **said: tuple[str, str]) -> PersonFacts:
    """A person of whom each aspect was said with the day since when: `custody=("HELD", "2026-03-02")`."""
    return PersonFacts(party, {aspect: Said(value, at(since)) for aspect, (value, since) in said.items()}, age)


def held(
    measure: str = "DETAINED",
    since: str = "2026-03-02",
    *,
    stage: str = "INVESTIGATION",
    stage_since: str = "2026-03-02",
    authority: str = POLICE,
    age: int | None = None,
) -> PersonFacts:
    """Somebody whom the detention house holds."""
    return person(
        age=age,
        stage=(stage, stage_since),
        measure=(measure, since),
        custody=("HELD", "2026-03-02"),
        custodian=(DETENTION_HOUSE, "2026-03-02"),
        authority=(authority, "2026-03-02"),
    )


def fields(values: Mapping[str, Value | list[str]], party: str = "") -> tuple[StatedField, ...]:
    """Fields by key; a date is a day, a text a code, a list several codes, None a field in free text."""
    found: list[StatedField] = []
    for key, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            stated = at(one.isoformat()) if isinstance(one, date) else one
            found.append(StatedField(key, stated, party))
    return tuple(found)


def exchange(
    node: str,
    submitted: str,
    *,
    name: str = "",
    parties: tuple[str, ...] = (A,),
    state: str = "DELIVERED",
    sender: str = POLICE,
    recipient: str = PROCURATORATE,
    delivered: str = "",
    accepted: str = "",
    answers: str = "",
    returned: str = "",
    answer_by: str = "",
    documents: tuple[str, ...] | None = None,
    volumes: tuple[str, ...] | None = None,
    pages: int | None = None,
    entered_later: bool = False,
    unmapped_codes: int = 0,
    return_reasons: tuple[str, ...] = (),
    says: Mapping[str, Value | list[str]] | None = None,
) -> ExchangeFacts:
    """An exchange, named by its node and the moment of its submission unless told otherwise."""
    return ExchangeFacts(
        exchange=name or f"exchanges/{node}-{submitted}",
        node=node,
        sender=sender,
        recipient=recipient,
        state=state,
        submitted=at(submitted),
        delivered=at(delivered) if delivered else None,
        accepted=at(accepted) if accepted else None,
        returned=at(returned) if returned else None,
        answer_by=at(answer_by) if answer_by else None,
        parties=parties,
        answers=answers,
        return_reasons=return_reasons,
        entered_later=entered_later,
        unmapped_codes=unmapped_codes,
        document_types=documents,
        volumes=volumes,
        pages=pages,
        fields=fields(says or {}),
    )


def limit(
    code: str,
    started: str,
    over: str,
    *,
    party: str = A,
    met: str = "",
    duty: bool = True,
    by: str = "",
    steps: Iterable[tuple[str, str]] = (),
) -> LimitFacts:
    """A limit as routing reckoned it. `over` is the first moment too late."""
    return LimitFacts(
        limit=code,
        party=party,
        started_at=at(started),
        over_at=at(over) if over else None,
        met_at=at(met) if met else None,
        exchange=by,
        duty=duty,
        steps=tuple(LimitStep(rule, at(until)) for rule, until in steps),
    )


def case(*parts: PersonFacts | ExchangeFacts | LimitFacts, events: Mapping[str, int] | None = None) -> CaseFacts:
    """A case of these persons, exchanges and limits; without a person, somebody of whom nothing was said."""
    persons = tuple(part for part in parts if isinstance(part, PersonFacts))
    return CaseFacts(
        case=CASE,
        registered_at=at("2026-03-01"),
        persons=persons or (person(),),
        exchanges=tuple(part for part in parts if isinstance(part, ExchangeFacts)),
        limits=tuple(part for part in parts if isinstance(part, LimitFacts)),
        events=dict(events or {}),
    )


def a_moment_before(moment: datetime) -> datetime:
    return moment - timedelta(microseconds=1)


def as_routing_tells(facts: CaseFacts) -> pb2.CaseFacts:
    """The facts of an invented case in the messages by which routing tells those of a real one."""
    told = pb2.CaseFacts(case=facts.case, create_time=_stamp(facts.registered_at))
    for one in facts.persons:
        statements = [
            pb2.PersonStatement(aspect=aspect, value=word.value, effective_time=_stamp(word.since))
            for aspect, word in one.said.items()
        ]
        told.persons.add(party=one.party, statements=statements, age_at_offence_years=one.age_at_offence)
    for item in facts.exchanges:
        told.exchanges.add(
            exchange=item.exchange,
            node=item.node,
            sender=item.sender,
            recipient=item.recipient,
            state=item.state,
            parties=item.parties,
            answers=item.answers,
            submit_time=_stamp(item.submitted),
            deliver_time=_stamp(item.delivered),
            accept_time=_stamp(item.accepted),
            answer_time=_stamp(item.answered),
            return_time=_stamp(item.returned),
            answer_by=_stamp(item.answer_by),
            end_time=_stamp(item.ended),
            # One that stands returned counts as returned without a supplement.
            revision=item.returns - (item.state == "RETURNED" and item.returns > 0),
            return_reasons=item.return_reasons,
            on_paper=item.entered_later,
            unmapped_count=item.unmapped_codes,
            payload=[_payload_fact(stated) for stated in item.fields],
            dossier=_dossier_facts(item),
        )
    for running in facts.limits:
        told.limits.add(
            limit=running.limit,
            party=running.party,
            exchange=running.exchange,
            start_time=_stamp(running.started_at),
            over_time=_stamp(running.over_at),
            meet_time=_stamp(running.met_at),
            duty=running.duty,
            steps=[pb2.LimitFactsStep(rule=step.rule, until_time=_stamp(step.until)) for step in running.steps],
        )
    return told


def as_told(facts: CaseFacts) -> CaseFacts:
    """What arrives of the facts of an invented case when routing tells them and supervision keeps them."""
    return CaseFacts.from_json(snapshot_of(as_routing_tells(facts), facts.events))


def _dossier_facts(item: ExchangeFacts) -> pb2.DossierFacts | None:
    known = (item.document_types, item.volumes, item.pages)
    if known == (None, None, None):
        return None
    return pb2.DossierFacts(
        page_count=item.pages or 0,
        document_types=item.document_types or (),
        volumes=item.volumes or (),
        untyped_count=int(item.document_types is None),
    )


def _payload_fact(stated: StatedField) -> pb2.PayloadFact:
    fact = pb2.PayloadFact(key=stated.key, party=stated.party)
    match stated.value:
        case None:
            fact.present = True
        case bool():
            fact.flag = stated.value
        case int():
            fact.integer = stated.value
        case datetime():
            on = stated.value.astimezone(CHINA).date()
            fact.date.CopyFrom(date_pb2.Date(year=on.year, month=on.month, day=on.day))
        case _:
            fact.code = stated.value
    return fact


def _stamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
