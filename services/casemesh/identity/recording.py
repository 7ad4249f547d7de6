"""What all changes of case access have in common: whose officer it is, until when, and the event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.audit.v1.event_pb2 import Event
from casemesh.core.clock import Clock
from casemesh.core.names import AGENCY, OFFICER
from casemesh.errors import FieldViolation, InvalidArgument, PermissionDenied
from casemesh.identity.facts import Fact
from casemesh.identity.v1.case_access_pb2 import CasePermission, SealKind
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of

LONGEST = timedelta(days=30)


def own_officer(call: Call, name: str) -> tuple[str, str]:
    """Return the identifiers of the caller's agency and of the officer named, who must be of it.

    Raises PermissionDenied (OFFICER_NOT_ASSERTABLE).
    """
    officer = OFFICER.parse(name)
    if AGENCY.format(agency=officer["agency"]) != call.require_caller().agency:
        raise PermissionDenied("OFFICER_NOT_ASSERTABLE", "officer must be of your own agency")
    return officer["agency"], officer["officer"]


def calling_officer(call: Call) -> tuple[str, str]:
    """Return the identifiers of the calling officer and its agency, which the policy of the method guarantees."""
    name = call.require_caller().officer
    assert name is not None
    officer = OFFICER.parse(name)
    return officer["agency"], officer["officer"]


def moment(asked: Timestamp, field: str) -> datetime:
    """Return the instant a field holds, in UTC.

    Raises InvalidArgument when it is none.
    """
    try:
        return asked.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        rule = "must be an instant between the years 1 and 9999"
        raise InvalidArgument("FIELD_INVALID", f"{field} {rule}", violations=[FieldViolation(field, rule)]) from None


def expiry(asked: Timestamp, now: datetime) -> datetime:
    """Return when a right given now ends, as `instant_ahead` reads it."""
    return instant_ahead(asked, "expire_time", now)


def instant_ahead(asked: Timestamp, field: str, now: datetime) -> datetime:
    """Return the instant a field holds, up to which a right is given or asked for.

    Raises InvalidArgument when that is not after now, or more than 30 days away.
    """
    until = moment(asked, field)
    if not now < until <= now + LONGEST:
        rule = f"must lie ahead, by at most {LONGEST.days} days"
        raise InvalidArgument("FIELD_INVALID", f"{field} {rule}", violations=[FieldViolation(field, rule)])
    return until


def event_of_fact(call: Call, clock: Clock, action: str, fact: Fact, reason: str) -> Event:
    """Return the event that tells of a fact begun or ended."""
    message = fact.message()
    details = {fact.kind_name: fact.fact_id, "agency": message.agency}
    if message.cause:
        details["cause"] = message.cause
    if message.given_by:
        details["given_by"] = message.given_by
    if message.permissions:
        names = (CasePermission.Name(right).removeprefix("CASE_PERMISSION_") for right in message.permissions)
        details["permissions"] = ",".join(names)
    if message.seal_kind:
        details["kind"] = SealKind.Name(message.seal_kind).removeprefix("SEAL_KIND_")
    if reason:
        details["reason"] = reason
    return event_of(call, clock, action, message.officer or message.agency, case=message.case, details=details)
