"""Rules of the business data, and where coded values stand in it."""

import pytest
from google.type.date_pb2 import Date

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.ids import new_id
from casemesh.errors import InvalidArgument, ResourceExhausted
from casemesh.routing.findings import refusal
from casemesh.routing.payload import (
    RECORD_MAX_BYTES,
    charges_of,
    coded_fields,
    drafted_charges,
    require_fitting,
    require_parties,
    structure_findings,
)
from casemesh.routing.v1.case_pb2 import (
    CUSTODY_STATE_ARRESTED,
    PARTY_KIND_ORGANIZATION,
    PARTY_KIND_PERSON,
    Custody,
    Party,
)
from casemesh.routing.v1.case_service_pb2 import PartyDraft
from casemesh.routing.v1.exchange_pb2 import Exchange, PayloadField

THEFT = CodedValue(code_system="charges", code="1")


def violations(error: InvalidArgument) -> list[str]:
    return [violation.field for violation in error.violations]


def test_a_payload_with_values_and_real_dates_passes() -> None:
    fields = [
        PayloadField(key="opinion", text=""),
        PayloadField(key="since", date=Date(year=2024, month=2, day=29)),
        PayloadField(key="count", integer=0),
        PayloadField(key="juvenile", flag=False),
    ]
    assert structure_findings(fields) == []


def test_each_fault_of_a_payload_is_told_with_its_place() -> None:
    findings = structure_findings(
        [
            PayloadField(key="a", text="1"),
            PayloadField(key="b"),
            PayloadField(key="c", date=Date(year=2025, month=2, day=29)),
            PayloadField(key="d", date=Date(year=2025, month=2)),
        ]
    )
    refused = refusal(findings)
    assert isinstance(refused, InvalidArgument)
    assert refused.reason == "FIELD_INVALID"
    assert violations(refused) == ["fields[1].value", "fields[2].date", "fields[3].date"]


def test_only_a_person_is_held_and_since_a_real_day() -> None:
    held = Custody(state=CUSTODY_STATE_ARRESTED, since=Date(year=2026, month=3, day=9))
    require_parties([PartyDraft(kind=PARTY_KIND_PERSON, custody=held), PartyDraft(kind=PARTY_KIND_ORGANIZATION)])
    with pytest.raises(InvalidArgument) as refused:
        require_parties(
            [
                PartyDraft(kind=PARTY_KIND_ORGANIZATION, custody=held),
                PartyDraft(kind=PARTY_KIND_PERSON, custody=Custody(since=Date(year=2026, month=13, day=1))),
            ]
        )
    assert violations(refused.value) == ["parties[0].custody", "parties[1].custody.since"]


def test_coded_values_are_found_with_their_places() -> None:
    case, party = new_id(), new_id()
    robbery = CodedValue(code_system="charges", code="2")
    drafts = [PartyDraft(), PartyDraft(charges=[THEFT, robbery])]
    parties = [Party(name=f"cases/{case}/parties/{party}", charges=[THEFT, robbery])]
    fields = [PayloadField(key="note", text="x"), PayloadField(key="charge", coded=THEFT)]

    assert [place.field for place in drafted_charges(drafts)] == ["parties[1].charges[0]", "parties[1].charges[1]"]
    assert [f"parties/{party}/charges[0]", f"parties/{party}/charges[1]"] == [
        place.field for place in charges_of(parties)
    ]
    assert [(place.field, place.value) for place in coded_fields(fields)] == [("charge", THEFT)]


def test_a_record_that_could_not_be_handed_out_again_is_not_taken() -> None:
    fields = [PayloadField(key=f"f{index}", text="x" * 10_000) for index in range(RECORD_MAX_BYTES // 10_000 + 1)]
    require_fitting(Exchange(fields=fields[:-2]), "exchange")
    with pytest.raises(ResourceExhausted) as refusal:
        require_fitting(Exchange(fields=fields), "exchange")
    assert (refusal.value.reason, refusal.value.metadata) == ("LIMIT_EXCEEDED", {"limit": "exchange_bytes"})
