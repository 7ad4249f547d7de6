"""Business data and parties as people type them on a command line."""

from __future__ import annotations

import re

from google.type.date_pb2 import Date

from casemesh.cli.invocation import Failure
from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.routing.v1 import case_pb2, case_service_pb2
from casemesh.routing.v1.exchange_pb2 import PayloadField

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_FIELD_HELP = "KEY=TEXT, KEY:code=SYSTEM:CODE, KEY:date=2026-01-31, KEY:integer=3, KEY:flag=yes"
_PARTY_HELP = "NAME;charge=SYSTEM:CODE;custody=detained@2026-01-31@PLACE;organization"


def parse_field(text: str) -> PayloadField:
    """Return the field that `text` writes: KEY=TEXT, or KEY:TYPE=VALUE with the types code, date, integer and flag.

    Raises Failure (exit code 4).
    """
    head, separator, value = text.partition("=")
    key, _, kind = head.partition(":")
    if not separator or not key:
        raise Failure(4, "input.field", text=text, form=_FIELD_HELP)
    match kind:
        case "":
            return PayloadField(key=key, text=value)
        case "code":
            return PayloadField(key=key, coded=parse_code(value))
        case "date":
            return PayloadField(key=key, date=parse_date(value))
        case "integer" if re.fullmatch(r"-?[0-9]{1,18}", value):
            return PayloadField(key=key, integer=int(value))
        case "flag" if value in ("yes", "no"):
            return PayloadField(key=key, flag=value == "yes")
        case _:
            raise Failure(4, "input.field", text=text, form=_FIELD_HELP)


def parse_code(text: str) -> CodedValue:
    """Return the code that `SYSTEM:CODE` writes. Raises Failure (exit code 4)."""
    system, separator, code = text.partition(":")
    if not separator or not system or not code:
        raise Failure(4, "input.code", text=text)
    return CodedValue(code_system=system, code=code)


def parse_date(text: str) -> Date:
    """Return the day that `2026-01-31` writes. Raises Failure (exit code 4)."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise Failure(4, "input.date", text=text)
    return Date(year=int(match[1]), month=int(match[2]), day=int(match[3]))


def parse_party(text: str) -> case_service_pb2.PartyDraft:
    """Return the party that `NAME;charge=...;custody=STATE@DATE@PLACE` writes.

    `charge` may stand more than once; `organization` marks one that is no person. Raises Failure (exit code 4).
    """
    name, *parts = (part.strip() for part in text.split(";"))
    if not name:
        raise Failure(4, "input.party", text=text, form=_PARTY_HELP)
    party = case_service_pb2.PartyDraft(display_name=name, kind=case_pb2.PARTY_KIND_PERSON)
    for part in parts:
        key, _, value = part.partition("=")
        match key:
            case "charge":
                party.charges.append(parse_code(value))
            case "custody":
                party.custody.CopyFrom(_custody(value))
            case "organization":
                party.kind = case_pb2.PARTY_KIND_ORGANIZATION
            case _:
                raise Failure(4, "input.party", text=text, form=_PARTY_HELP)
    return party


def _custody(text: str) -> case_pb2.Custody:
    state, _, rest = text.partition("@")
    since, _, place = rest.partition("@")
    states = [name.removeprefix("CUSTODY_STATE_").lower() for name in case_pb2.CustodyState.keys()[1:]]
    if state not in states:
        raise Failure(4, "input.custody", text=state, states=", ".join(states))
    custody = case_pb2.Custody(state=f"CUSTODY_STATE_{state.upper()}", place=place)
    if since:
        custody.since.CopyFrom(parse_date(since))
    return custody
