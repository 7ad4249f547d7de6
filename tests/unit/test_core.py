"""Ids, names and units."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.core.ids import is_uuid, new_id
from casemesh.core.names import CASE, DOSSIER_VERSION, NODE, agency_of
from casemesh.core.units import format_size, parse_duration, parse_size


def test_an_id_is_a_lowercase_uuid_of_version_7_that_never_repeats() -> None:
    made = [new_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert {7} == {uuid.UUID(one).version for one in made}
    assert {uuid.RFC_4122} == {uuid.UUID(one).variant for one in made}
    assert all(is_uuid(one) for one in made)


@given(st.text(max_size=40))
def test_nothing_but_a_canonical_uuid_is_taken_for_one(text: str) -> None:
    try:
        canonical = str(uuid.UUID(text)) == text
    except ValueError:
        canonical = False
    assert canonical == is_uuid(text)


def test_a_name_gives_back_the_segments_it_was_made_of() -> None:
    dossier, version = new_id(), new_id()
    name = DOSSIER_VERSION.format(dossier=dossier, version=version)
    assert {"dossier": dossier, "version": version} == DOSSIER_VERSION.parse(name)


@pytest.mark.parametrize(
    "name",
    ["cases/7", "cases/", f"cases/{new_id()}/", f"cases/{new_id()}\n", f"x/cases/{new_id()}"],
    ids=["no UUID", "nothing", "slash behind", "line end behind", "more before"],
)
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not of the form"):
        CASE.parse(name)


def test_a_node_is_named_by_the_code_people_know() -> None:
    assert NODE.parse("nodes/GS001") == {"node": "GS001"}


def test_the_agency_is_the_first_two_segments() -> None:
    agency = f"agencies/{new_id()}"
    assert agency == agency_of(f"{agency}/officers/{new_id()}")


def test_quantities_read_as_written() -> None:
    assert (parse_duration("250ms"), parse_duration("30s"), parse_duration("2h")) == (0.25, 30.0, 7200.0)
    assert (parse_size("4MiB"), parse_size("20GB")) == (4 * 1024**2, 20 * 10**9)
    assert (format_size(1.2e9), format_size(512)) == ("1.2 GB", "512 B")


@pytest.mark.parametrize("text", ["", "30", "s", "4 parsecs", "-1s"])
def test_a_quantity_without_a_known_unit_is_refused_and_the_units_are_named(text: str) -> None:
    with pytest.raises(ValueError, match="ms, s, m, h, d"):
        parse_duration(text)
