"""Sequencing: which event gets which place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.audit.events import MAX_EVENT_BYTES, Submitted, submitted
from casemesh.audit.sequencing import CaseHead, Logged, NewEntry, Outcome, Place, sequence_batch
from casemesh.audit.v1 import event_pb2
from casemesh.client.commitments import commitment, commitment_leaf
from casemesh.core.ids import new_id
from casemesh.errors import AlreadyExists, InvalidArgument

CASES = [f"cases/{new_id()}" for _ in range(3)]
SALT = bytes(32)


def event(case: str = CASES[0], event_id: str = "", **fields: Any) -> event_pb2.Event:
    made = event_pb2.Event(
        event_id=event_id or new_id(),
        case=case,
        action="dossier.document.read",
        actor=event_pb2.Actor(agency="agencies/a", officer="agencies/a/officers/b"),
        **fields,
    )
    made.occur_time.FromSeconds(1_772_442_600)
    return made


def checked(*events: event_pb2.Event, source: str = "dossier") -> list[Submitted]:
    return submitted(events, source)


def sequenced(
    requests: list[list[Submitted]],
    logged: dict[str, Logged] | None = None,
    heads: dict[str, CaseHead] | None = None,
    size: int = 0,
) -> tuple[list[NewEntry], list[Outcome]]:
    return sequence_batch(
        requests,
        logged=logged or {},
        heads=heads or {},
        size=size,
        log_time="2026-03-02T09:30:00.000000Z",
        new_salt=lambda: SALT,
    )


@given(st.lists(st.lists(st.sampled_from(["", *CASES]), min_size=1, max_size=4), max_size=6))
def test_places_are_contiguous_in_the_log_and_in_each_case(shape: list[list[str]]) -> None:
    entries, outcomes = sequenced([checked(*(event(case) for case in request)) for request in shape], size=40)
    places = [place for outcome in outcomes if isinstance(outcome, list) for place in outcome]
    assert [place.log_index for place in places] == list(range(40, 40 + len(places)))
    for case in CASES:
        numbers = [entry.place.case_sequence for entry in entries if entry.case == case]
        assert numbers == list(range(1, len(numbers) + 1))
    assert all(entry.place.case_sequence == 0 for entry in entries if not entry.case)


def test_each_event_names_the_commitment_of_the_one_before_in_its_case() -> None:
    entries, _ = sequenced([checked(event(CASES[0]), event(CASES[1]), event(CASES[0]))])
    first, other, second = (json.loads(entry.canonical_json) for entry in entries)
    assert first["previous"] is None
    assert other["previous"] is None
    assert second["previous"] == commitment(SALT, first).hex()
    assert second["case_sequence"] == 2


def test_a_case_goes_on_from_its_last_event() -> None:
    [entry], _ = sequenced([checked(event())], heads={CASES[0]: CaseHead(7, b"\x01" * 32)}, size=900)
    fields = json.loads(entry.canonical_json)
    assert (fields["case_sequence"], fields["previous"]) == (8, "01" * 32)
    assert entry.place.log_index == 900


def test_what_is_stored_is_what_is_committed_to() -> None:
    [entry], _ = sequenced([checked(event(details={"pages": "3"}))])
    assert entry.commitment == commitment(entry.salt, json.loads(entry.canonical_json))
    assert entry.leaf == commitment_leaf(entry.commitment)


def test_an_event_of_no_case_has_no_number_and_no_link() -> None:
    [entry], _ = sequenced([checked(event(""))])
    assert not {"case", "case_sequence", "previous"} & set(json.loads(entry.canonical_json))


def test_an_event_appended_again_gets_the_place_it_has() -> None:
    again = checked(event())
    earlier = Logged(Place(again[0].event_id, 3, 2), again[0].digest)
    entries, outcomes = sequenced([again], logged={again[0].event_id: earlier})
    assert entries == []
    assert outcomes == [[earlier.place]]


def test_an_event_twice_in_one_batch_gets_one_place() -> None:
    twice = checked(event())
    entries, outcomes = sequenced([twice, twice, [*twice, *twice]])
    place = entries[0].place
    assert len(entries) == 1
    assert outcomes == [[place], [place], [place, place]]


def test_an_id_with_another_content_refuses_its_whole_request_and_no_other() -> None:
    good, bad, after = event(), event(), event()
    changed = event_pb2.Event()
    changed.CopyFrom(good)
    changed.basis = "another basis"
    entries, outcomes = sequenced([checked(good), checked(bad, changed), checked(after)])
    assert [entry.place.event_id for entry in entries] == [good.event_id, after.event_id]
    assert isinstance(outcomes[1], AlreadyExists)
    assert outcomes[1].reason == "EVENT_CONFLICT"
    assert outcomes[1].metadata == {"event_id": good.event_id}


def test_one_request_with_two_contents_for_an_id_is_refused() -> None:
    first = event()
    second = event(event_id=first.event_id, basis="another basis")
    entries, [outcome] = sequenced([checked(first, second)])
    assert entries == []
    assert isinstance(outcome, AlreadyExists)


def test_the_same_event_from_another_source_is_another_content() -> None:
    made = event()
    _, outcomes = sequenced([checked(made), checked(made, source="routing")])
    assert isinstance(outcomes[1], AlreadyExists)


def test_a_shredded_event_is_known_by_its_id_alone() -> None:
    again = checked(event())
    place = Place(again[0].event_id, 3, 2)
    assert sequenced([again], logged={again[0].event_id: Logged(place, None)}) == ([], [[place]])


def test_what_is_unset_in_an_event_is_absent_in_its_json() -> None:
    [made] = checked(event(source_sequence=4, resource="dossiers/x"))
    assert made.fields == {
        "event_id": made.event_id,
        "source": "dossier",
        "source_sequence": 4,
        "occur_time": "2026-03-02T09:10:00Z",
        "case": CASES[0],
        "action": "dossier.document.read",
        "resource": "dossiers/x",
        "actor": {"agency": "agencies/a", "officer": "agencies/a/officers/b"},
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"case": "cases/not-a-uuid"}, "events[1].case"),
        ({"case": "dossiers/019a0000-0000-7000-8000-000000000001"}, "events[1].case"),
        ({"source_sequence": 2**53}, "events[1]"),
        ({"details": {"a": "x" * MAX_EVENT_BYTES}}, "events[1]"),
    ],
)
def test_an_event_that_cannot_be_committed_to_is_refused_by_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        checked(event(), event(**change))
    assert [violation.field for violation in refused.value.violations] == [field]


def test_a_time_out_of_range_is_refused_by_field() -> None:
    late = event()
    late.occur_time.seconds = 2**60
    with pytest.raises(InvalidArgument, match=r"events\[0\]\.occur_time"):
        checked(late)
