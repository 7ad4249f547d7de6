"""The business data of cases and exchanges: rules that the protos cannot state, and where coded values stand in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from google.protobuf.message import Message
from google.type import date_pb2

from casemesh.common.v1 import coded_value_pb2
from casemesh.core.names import PARTY
from casemesh.core.units import MIB
from casemesh.errors import FieldViolation, InvalidArgument, ResourceExhausted
from casemesh.routing.findings import Finding, found
from casemesh.routing.v1 import case_pb2, case_service_pb2, exchange_pb2

RECORD_MAX_BYTES = 3 * MIB
"""Largest case or exchange. Below the 4 MiB of a message, so that what was taken can be handed out again."""


@dataclass(frozen=True)
class CodedPlace:
    """A coded value and where it stands."""

    field: str
    value: coded_value_pb2.CodedValue


def structure_findings(fields: Sequence[exchange_pb2.PayloadField]) -> list[Finding]:
    """Return the fields whose value is not set or whose date is not real."""
    return [
        found("FIELD_INVALID", violation.field, rule=violation.description) for violation in _payload_violations(fields)
    ]


def require_parties(parties: Sequence[case_service_pb2.PartyDraft]) -> None:
    """Check that custody is stated of persons alone and its dates are real.

    Raises InvalidArgument (FIELD_INVALID) with a violation per field at fault.
    """
    _raise_if_any(_party_violations(parties))


def require_fitting(record: Message, what: str) -> None:
    """Check that a case or an exchange is small enough to be handed out again.

    Raises ResourceExhausted (LIMIT_EXCEEDED); waiting does not help.
    """
    size = record.ByteSize()
    if size > RECORD_MAX_BYTES:
        raise ResourceExhausted(
            "LIMIT_EXCEEDED",
            f"the {what} takes {size} bytes; the limit is {RECORD_MAX_BYTES}; put large texts into documents",
            {"limit": f"{what}_bytes"},
        )


def coded_fields(fields: Iterable[exchange_pb2.PayloadField]) -> list[CodedPlace]:
    """Return the coded values of an exchange's own data."""
    return [CodedPlace(field.key, field.coded) for field in fields if field.HasField("coded")]


def drafted_charges(parties: Iterable[case_service_pb2.PartyDraft]) -> list[CodedPlace]:
    """Return the charges of parties about to be registered."""
    return [
        CodedPlace(f"parties[{index}].charges[{position}]", charge)
        for index, party in enumerate(parties)
        for position, charge in enumerate(party.charges)
    ]


def charges_of(parties: Iterable[case_pb2.Party]) -> list[CodedPlace]:
    """Return the charges of parties as an exchange about them carries them."""
    return [
        CodedPlace(f"parties/{PARTY.parse(party.name)['party']}/charges[{position}]", charge)
        for party in parties
        for position, charge in enumerate(party.charges)
    ]


def to_date(value: date_pb2.Date) -> date:
    """Return a whole calendar date.

    Raises ValueError for one without year, month or day, or that does not exist.
    """
    return date(value.year, value.month, value.day)


def _payload_violations(fields: Sequence[exchange_pb2.PayloadField]) -> Iterator[FieldViolation]:
    for index, field in enumerate(fields):
        kind = field.WhichOneof("value")
        if kind is None:
            yield FieldViolation(f"fields[{index}].value", "must be set")
        elif kind == "date":
            yield from _date_violations(f"fields[{index}].date", field.date)


def _party_violations(parties: Sequence[case_service_pb2.PartyDraft]) -> Iterator[FieldViolation]:
    for index, party in enumerate(parties):
        if not party.HasField("custody"):
            continue
        if party.kind != case_pb2.PARTY_KIND_PERSON:
            yield FieldViolation(f"parties[{index}].custody", "must be unset: only a person can be held")
        if party.custody.HasField("since"):
            yield from _date_violations(f"parties[{index}].custody.since", party.custody.since)


def _date_violations(path: str, value: date_pb2.Date) -> Iterator[FieldViolation]:
    try:
        to_date(value)
    except ValueError:
        yield FieldViolation(path, "must be a date of the calendar with year, month and day")


def _raise_if_any(found: Iterable[FieldViolation]) -> None:
    violations = list(found)
    if violations:
        named = "; ".join(f"{item.field} {item.description}" for item in violations[:5])
        raise InvalidArgument("FIELD_INVALID", named, violations=violations)
