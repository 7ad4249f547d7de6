"""The facts of each subject of a case, bound to the names that the dictionary gives them.

A person's facts come from the exchanges about the person, a case's from all of them. Withdrawn exchanges tell nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casemesh.core.clock import CHINA
from casemesh.data.procedure import Aspect, Custody, Measure
from casemesh.supervision.rules.charges import charges
from casemesh.supervision.rules.facts import CaseFacts, ExchangeFacts, LimitFacts, PersonFacts, StatedField

_WITHDRAWN = "WITHDRAWN"
_ENDED = frozenset({"ANSWERED", "EXPIRED", "RETURNED", _WITHDRAWN})
_HELD_BY_MEASURE = frozenset(
    {Measure.DETAINED, Measure.ARRESTED, Measure.SERVING_SENTENCE, Measure.SUPERVISORY_DETENTION}
)
_CHARGE_FIELDS = frozenset({"charge", "main_charge"})
_LENGTHENING = frozenset({"extended", "extended_in_all", "restarted"})
_ENDS = frozenset({"length", "extended", "extended_in_all", "paused", "moved_to_working_day"})
_STEPS = ("delivered", "accepted", "answered", "returned", "answer_by", "ended")

Values = dict[str, Any]
Codes = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Scope:
    """One subject with its facts. `name` is its resource name."""

    name: str
    values: Values
    person: PersonFacts | None = None
    exchange: ExchangeFacts | None = None
    limit: LimitFacts | None = None

    @property
    def held(self) -> bool:
        """Whether the person is held; False without a person."""
        return self.values.get("person.held") is True


class CaseScopes:
    """The subjects of one case. What several share is put together once."""

    def __init__(self, facts: CaseFacts) -> None:
        self.facts = facts
        self.exchanges = sorted(
            (item for item in facts.exchanges if item.state != _WITHDRAWN), key=lambda item: item.submitted
        )
        self.by_name = {item.exchange: item for item in self.exchanges}
        self._shared: Values = {"case.person_count": len(facts.persons)}
        self._replies: dict[str, dict[str, datetime]] = {}
        for item in self.exchanges:
            if item.answers:
                self._replies.setdefault(item.answers, {}).setdefault(item.node, item.submitted)
        self._stated = _Stated()
        self._of_exchange: dict[str, Values] = {}
        self._earlier: dict[str, dict[str, Codes]] = {}
        self._of_case = {**self._shared, **_told_by(self.exchanges, None, self._stated)}
        self._twins = dict(_twins(self.exchanges))
        self._of_person: dict[str, Values] = {}
        self._about: dict[str, list[ExchangeFacts]] = {person.party: [] for person in facts.persons}
        for item in self.exchanges:
            for party in item.parties:
                if party in self._about:
                    self._about[party].append(item)

    def case(self) -> Scope:
        """The case itself."""
        return Scope(self.facts.case, {**self._of_case, "events": dict(self.facts.events)})

    def persons(self) -> Iterator[Scope]:
        """Each person."""
        for person in self.facts.persons:
            yield Scope(person.party, self._values_of(person), person)

    def exchange(self, item: ExchangeFacts) -> Scope:
        """An exchange by itself."""
        return Scope(item.exchange, {**self._of_case, **self._own(item, None)}, exchange=item)

    def steps(self, item: ExchangeFacts) -> Iterator[Scope]:
        """An exchange for each person it is about."""
        for person in self.facts.persons:
            if person.party in item.parties:
                values = {
                    **self._values_of(person),
                    **self._own(item, person.party),
                    "earlier_codes": self._earlier_codes(person.party)[item.exchange],
                }
                yield Scope(item.exchange, values, person, item)

    def limit(self, item: LimitFacts) -> Scope:
        """A limit, with the person it runs for; one about several has the facts of the case and nobody's own."""
        person = next((person for person in self.facts.persons if person.party == item.party), None)
        values = self._values_of(person) if person is not None else {**self._of_case, **_standing(None), **_limits([])}
        own = {"limit.code": item.limit, "limit.duty": item.duty, "limit.is_met": item.met_at is not None}
        exchange = self.by_name.get(item.exchange)
        return Scope(item.party or item.exchange or self.facts.case, {**values, **own}, person, exchange, item)

    def newest_about(self, person: PersonFacts | None) -> ExchangeFacts | None:
        """The newest exchange about a person, or of the case."""
        about = self.exchanges if person is None else self._about[person.party]
        return about[-1] if about else None

    def _values_of(self, person: PersonFacts) -> Values:
        if person.party not in self._of_person:
            limits = [limit for limit in self.facts.limits if limit.party in ("", person.party)]
            self._of_person[person.party] = {
                **self._shared,
                **_standing(person),
                **_told_by(self._about[person.party], person.party, self._stated),
                **_limits(limits),
            }
        return self._of_person[person.party]

    def _own(self, item: ExchangeFacts, party: str | None) -> Values:
        stated = self._stated.of(item, party)
        return {
            **self._alike(item),
            "exchange.abolished_charges": _abolished(item, stated["codes"]),
            "own_date": stated["date"],
            "own_flag": stated["flag"],
            "own_number": stated["number"],
            "own_codes": stated["codes"],
        }

    def _alike(self, item: ExchangeFacts) -> Values:
        """What an exchange is, whomever of its persons it is looked at for."""
        if item.exchange not in self._of_exchange:
            self._of_exchange[item.exchange] = {
                "exchange.node": item.node,
                "exchange.state": item.state,
                "exchange.sender": item.sender,
                "exchange.recipient": item.recipient,
                "exchange.submitted": item.submitted,
                "exchange.person_count": len(item.parties),
                "exchange.returns": item.returns,
                "exchange.return_reasons": list(item.return_reasons),
                "exchange.entered_later": item.entered_later,
                "exchange.unmapped_codes": item.unmapped_codes,
                "exchange.twins": self._twins[item.exchange],
                "exchange.listed": item.document_types is not None,
                "exchange.documents": list(item.document_types or ()),
                "exchange.volumes": list(item.volumes or ()),
                "exchange.pages": -1 if item.pages is None else item.pages,
                "at": {step: moment for step in _STEPS if (moment := getattr(item, step)) is not None},
                "reply": self._replies.get(item.exchange, {}),
            }
        return self._of_exchange[item.exchange]

    def _earlier_codes(self, party: str) -> dict[str, Codes]:
        """Return for each exchange about a person the codes that were stated last before it."""
        if party not in self._earlier:
            found, known = {}, Codes()
            for item in self._about[party]:
                found[item.exchange] = known
                if codes := self._stated.of(item, party)["codes"]:
                    known = {**known, **codes}
            self._earlier[party] = found
        return self._earlier[party]


class _Stated:
    """What the fields of exchanges say, put together once for all whom they speak of alike."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str | None], dict[str, dict[str, Any]]] = {}

    def of(self, item: ExchangeFacts, party: str | None) -> dict[str, dict[str, Any]]:
        """Return what an exchange says of a person, or of anybody with `party` None."""
        known = self._known.get((item.exchange, party))
        if known is None:
            alike = party is not None and not any(stated.party for stated in item.fields)
            known = self.of(item, None) if alike else _stated(item.fields, party)
            self._known[item.exchange, party] = known
        return known


def _abolished(item: ExchangeFacts, codes: Mapping[str, list[str]]) -> list[str]:
    ends = charges()
    repealed = {
        code: until for key in _CHARGE_FIELDS for code in codes.get(key, ()) if (until := ends.get(code)) is not None
    }
    if not repealed:
        return []
    day = item.submitted.astimezone(CHINA).date()
    return sorted(code for code, until in repealed.items() if until < day)


def _standing(person: PersonFacts | None) -> Values:
    said = person.said if person is not None else {}

    def value(aspect: Aspect) -> str:
        return said[aspect].value if aspect in said else ""

    custody, measure = value(Aspect.CUSTODY), value(Aspect.MEASURE)
    age = person.age_at_offence if person is not None else None
    return {
        "person.stage": value(Aspect.STAGE),
        "person.measure": measure,
        "person.custody": custody,
        "person.held": custody == Custody.HELD if custody else measure in _HELD_BY_MEASURE,
        "person.authority": value(Aspect.AUTHORITY),
        "person.age_at_offence": -1 if age is None else age,
        "since": {aspect: item.since for aspect, item in said.items()},
    }


def _told_by(exchanges: Sequence[ExchangeFacts], party: str | None, told: _Stated) -> Values:
    first: dict[str, datetime] = {}
    last: dict[str, datetime] = {}
    delivered: dict[str, datetime] = {}
    accepted: dict[str, datetime] = {}
    stated: dict[str, dict[str, Any]] = {"date": {}, "flag": {}, "number": {}, "codes": {}, "told": {}}
    for item in exchanges:
        first.setdefault(item.node, item.submitted)
        last[item.node] = item.submitted
        if item.delivered is not None:
            delivered[item.node] = item.delivered
        if item.accepted is not None:
            accepted[item.node] = item.accepted
        if item.fields:
            for root, values in told.of(item, party).items():
                stated[root].update(values)
    return {
        "first": first,
        "last": last,
        "delivered": delivered,
        "accepted": accepted,
        "count": dict(Counter(item.node for item in exchanges)),
        **stated,
    }


def _stated(fields: Iterable[StatedField], party: str | None) -> dict[str, dict[str, Any]]:
    """Return what fields say of a person, or of anybody with `party` None."""
    found: dict[str, dict[str, Any]] = {"date": {}, "flag": {}, "number": {}, "codes": {}, "told": {}}
    for item in fields:
        if party is not None and item.party and item.party != party:
            continue
        match item.value:
            case None:
                found["told"][item.key] = True
            case bool():
                found["flag"][item.key] = item.value
            case int():
                found["number"][item.key] = item.value
            case datetime():
                found["date"][item.key] = item.value
            case _:
                found["codes"].setdefault(item.key, []).append(item.value)
    return found


def _limits(limits: Iterable[LimitFacts]) -> Values:
    found: dict[str, dict[str, datetime]] = {"started": {}, "over": {}, "met": {}, "before": {}}
    for item in limits:
        found["started"][item.limit] = item.started_at
        if item.over_at is not None:
            found["over"][item.limit] = item.over_at
        if item.met_at is not None:
            found["met"][item.limit] = item.met_at
        if (before := _end_before(item)) is not None:
            found["before"][item.limit] = before
    return dict(found)


def _end_before(item: LimitFacts) -> datetime | None:
    """Return the end of a limit as it stood before it was last extended or restarted."""
    changed = [index for index, step in enumerate(item.steps) if step.rule in _LENGTHENING]
    if not changed:
        return None
    ends = [step.until for step in item.steps[: changed[-1]] if step.rule in _ENDS]
    return ends[-1] if ends else None


def _twins(exchanges: Sequence[ExchangeFacts]) -> Iterator[tuple[str, int]]:
    seen: Counter[Mapping[str, object] | tuple[object, ...]] = Counter()
    for item in exchanges:
        likeness = (item.node, item.sender, item.recipient, frozenset(item.parties), item.answers)
        yield item.exchange, seen[likeness]
        if item.state not in _ENDED:
            seen[likeness] += 1
