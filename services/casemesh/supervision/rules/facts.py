"""The facts of a case, as rules see them: states, times, codes and counts; no name, no number, no content.

`CaseFacts.from_json` reads the snapshot that supervision keeps per case, `to_json` writes it. What each fact is and
where it comes from stands in the dictionary, `casemesh/data/supervision/facts.csv`.

    {"case": "cases/...", "registered_at": TIME,
     "persons": [{"party": "cases/.../parties/...", "said": {ASPECT: {"value": ..., "since": TIME}},
                  "age_at_offence": 17}],
     "exchanges": [{"exchange": "exchanges/...", "node": "DB001", "sender": "agencies/...", "recipient": "agencies/...",
                    "state": "ACCEPTED", "submitted": TIME, "delivered": TIME, "accepted": TIME, "answered": TIME,
                    "returned": TIME, "answer_by": TIME, "ended": TIME, "parties": [...], "answers": "exchanges/...",
                    "returns": 1, "return_reasons": ["DOCUMENT_MISSING"], "entered_later": false,
                    "unmapped_codes": 0, "document_types": ["A032"], "volumes": ["A"], "pages": 120,
                    "fields": [{"key": "custody_until", "date": "2026-03-02", "party": ""},
                               {"key": "admitted", "flag": true}, {"key": "extension_days", "integer": 4},
                               {"key": "charge", "code": "XZ123"}, {"key": "lawyer"}]}],
     "limits": [{"limit": "TL008", "party": "...", "started_at": TIME, "over_at": TIME, "met_at": TIME,
                 "exchange": "exchanges/...", "duty": true, "steps": [{"rule": "length", "until": TIME}]}],
     "events": {"access.alert.raised": 1}}

Times are RFC 3339. Lists may be empty, and whatever is not known is left out; `document_types`, `volumes` and `pages`
left out means that no dossier goes along or, for types, that not every document has a known one. A code is one of the
platform's own table. Of a field in free text only the key is told: that something was said, not what. A birth date is
never told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from casemesh.core.clock import CHINA


class FactsError(ValueError):
    """A snapshot that cannot be read. The message names the place."""


@dataclass(frozen=True, slots=True)
class Said:
    """What was last said of one aspect of a person, and since when it holds."""

    value: str
    since: datetime


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person in the case. `said` is by aspect (stage, measure, custody, custodian, authority); custodian and
    authority are agencies. `age_at_offence` is in whole years, None where it cannot be told."""

    party: str
    said: Mapping[str, Said] = field(default_factory=dict)
    age_at_offence: int | None = None


@dataclass(frozen=True, slots=True)
class StatedField:
    """A field of an exchange: a moment (a date is its midnight in China), a flag, a whole number, a code, or None for
    one in free text."""

    key: str
    value: datetime | bool | int | str | None
    party: str = ""


@dataclass(frozen=True, slots=True)
class ExchangeFacts:
    """An exchange. `answered` is when it was answered for good; `returned` the last return for correction, `returns`
    how often; `entered_later` says that the step was taken on paper before. `unmapped_codes` counts the codes that had
    no equivalent; types, volumes and `pages` are those of the dossier version that goes along."""

    exchange: str
    node: str
    sender: str
    recipient: str
    state: str
    submitted: datetime
    delivered: datetime | None = None
    accepted: datetime | None = None
    answered: datetime | None = None
    returned: datetime | None = None
    answer_by: datetime | None = None
    ended: datetime | None = None
    parties: tuple[str, ...] = ()
    answers: str = ""
    returns: int = 0
    return_reasons: tuple[str, ...] = ()
    entered_later: bool = False
    unmapped_codes: int = 0
    document_types: tuple[str, ...] | None = None
    volumes: tuple[str, ...] | None = None
    pages: int | None = None
    fields: tuple[StatedField, ...] = ()


@dataclass(frozen=True, slots=True)
class LimitStep:
    """One step of a limit's arithmetic, by the names of `casemesh.limits.Rule`."""

    rule: str
    until: datetime


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """A limit that runs or ran, as routing reckoned it. `over_at` is the first moment too late, None while paused.

    `party` is empty for an answer about several. Without `duty` it is the time in which something may be done.
    """

    limit: str
    party: str
    started_at: datetime
    over_at: datetime | None = None
    met_at: datetime | None = None
    exchange: str = ""
    duty: bool = True
    steps: tuple[LimitStep, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """All that rules may know of a case. `events` counts its audited events by action."""

    case: str
    registered_at: datetime | None = None
    persons: tuple[PersonFacts, ...] = ()
    exchanges: tuple[ExchangeFacts, ...] = ()
    limits: tuple[LimitFacts, ...] = ()
    events: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> CaseFacts:
        """Return the facts of a snapshot. Keys that are not known are passed over: a newer service may tell more.

        Raises FactsError for a missing or malformed value.
        """
        try:
            return cls(
                case=_text(document["case"]),
                registered_at=_moment(document.get("registered_at")),
                persons=tuple(_person(item) for item in document.get("persons", ())),
                exchanges=tuple(_exchange(item) for item in document.get("exchanges", ())),
                limits=tuple(_limit(item) for item in document.get("limits", ())),
                events={_text(action): int(count) for action, count in document.get("events", {}).items()},
            )
        except KeyError as error:
            raise FactsError(f"missing: {error.args[0]}") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise FactsError(f"malformed: {error}") from None

    def to_json(self) -> dict[str, Any]:
        """Return the snapshot that `from_json` reads to the same facts."""
        plain: dict[str, Any] = _plain(
            {
                "case": self.case,
                "registered_at": self.registered_at,
                "persons": [
                    {
                        "party": person.party,
                        "said": {
                            aspect: {"value": said.value, "since": said.since} for aspect, said in person.said.items()
                        },
                        "age_at_offence": person.age_at_offence,
                    }
                    for person in self.persons
                ],
                "exchanges": [
                    {
                        **{name: getattr(item, name) for name in ExchangeFacts.__slots__ if name != "fields"},
                        "fields": [_field_json(stated) for stated in item.fields],
                    }
                    for item in self.exchanges
                ],
                "limits": [
                    {
                        **{name: getattr(item, name) for name in LimitFacts.__slots__ if name != "steps"},
                        "steps": [{"rule": step.rule, "until": step.until} for step in item.steps],
                    }
                    for item in self.limits
                ],
                "events": dict(self.events),
            }
        )
        return plain


def _person(item: Mapping[str, Any]) -> PersonFacts:
    said = {
        _text(aspect): Said(_text(value["value"]), _required(value["since"])) for aspect, value in item["said"].items()
    }
    age = item.get("age_at_offence")
    return PersonFacts(_text(item["party"]), said, None if age is None else int(age))


def _exchange(item: Mapping[str, Any]) -> ExchangeFacts:
    return ExchangeFacts(
        exchange=_text(item["exchange"]),
        node=_text(item["node"]),
        sender=_text(item["sender"]),
        recipient=_text(item["recipient"]),
        state=_text(item["state"]),
        submitted=_required(item["submitted"]),
        delivered=_moment(item.get("delivered")),
        accepted=_moment(item.get("accepted")),
        answered=_moment(item.get("answered")),
        returned=_moment(item.get("returned")),
        answer_by=_moment(item.get("answer_by")),
        ended=_moment(item.get("ended")),
        parties=_texts(item.get("parties", ())),
        answers=_text(item.get("answers", "")),
        returns=int(item.get("returns", 0)),
        return_reasons=_texts(item.get("return_reasons", ())),
        entered_later=item.get("entered_later", False) is True,
        unmapped_codes=int(item.get("unmapped_codes", 0)),
        document_types=_texts(item["document_types"]) if item.get("document_types") is not None else None,
        volumes=_texts(item["volumes"]) if item.get("volumes") is not None else None,
        pages=int(item["pages"]) if item.get("pages") is not None else None,
        fields=tuple(_field(stated) for stated in item.get("fields", ())),
    )


def _field(item: Mapping[str, Any]) -> StatedField:
    key, party = _text(item["key"]), _text(item.get("party", ""))
    if "date" in item:
        return StatedField(key, datetime.combine(date.fromisoformat(item["date"]), time(), CHINA), party)
    if "flag" in item:
        return StatedField(key, item["flag"] is True, party)
    if "integer" in item:
        return StatedField(key, int(item["integer"]), party)
    return StatedField(key, _text(item["code"]) if "code" in item else None, party)


def _field_json(stated: StatedField) -> dict[str, Any]:
    kind: dict[str, Any]
    match stated.value:
        case None:
            kind = {}
        case bool():
            kind = {"flag": stated.value}
        case int():
            kind = {"integer": stated.value}
        case datetime():
            kind = {"date": stated.value.astimezone(CHINA).date().isoformat()}
        case _:
            kind = {"code": stated.value}
    return {"key": stated.key, **kind, "party": stated.party}


def _limit(item: Mapping[str, Any]) -> LimitFacts:
    return LimitFacts(
        limit=_text(item["limit"]),
        party=_text(item.get("party", "")),
        started_at=_required(item["started_at"]),
        over_at=_moment(item.get("over_at")),
        met_at=_moment(item.get("met_at")),
        exchange=_text(item.get("exchange", "")),
        duty=item.get("duty", True) is True,
        steps=tuple(LimitStep(_text(step["rule"]), _required(step["until"])) for step in item.get("steps", ())),
    )


def _plain(value: Any) -> Any:
    """Return `value` as JSON has it: moments in UTC, nothing for what is not known."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _required(value: object) -> datetime:
    moment = _moment(value)
    if moment is None:
        raise ValueError("a time is missing")
    return moment


def _moment(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise TypeError(f"not a time: {value!r}")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value} says no time zone")
    return moment


def _texts(values: Sequence[object]) -> tuple[str, ...]:
    return tuple(_text(value) for value in values)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}")
    return value
