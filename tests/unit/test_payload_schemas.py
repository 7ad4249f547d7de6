"""Every node has a schema, composed of the shipped subjects by the shipped table."""

from dataclasses import replace

import pytest

from casemesh.data import nodes
from casemesh.data.number_formats import number_formats
from casemesh.data.payload_schemas import schema_of, subjects
from casemesh.data.procedure import person_effects

BY_CODE = {node.code: node for node in nodes()}


def test_there_are_about_a_dozen_subjects_and_a_few_more() -> None:
    assert 12 <= len(subjects()) <= 20


def test_every_node_has_a_schema_with_more_than_what_all_have() -> None:
    common = {rule.key for subject in ("matter", "document") for rule in subjects()[subject]}
    for node in nodes():
        assert set(schema_of(node).fields) > common, node.code


def test_what_a_node_asks_for_is_among_its_fields() -> None:
    for node in nodes():
        schema = schema_of(node)
        assert {*schema.required, *schema.expected} <= set(schema.fields)
        assert not set(schema.required) & set(schema.expected)


def test_keys_are_unique_over_all_subjects() -> None:
    keys = [rule.key for rules in subjects().values() for rule in rules]
    assert len(keys) == len(set(keys))


def test_every_number_names_a_kind_and_every_kind_has_a_field() -> None:
    used = {rule.number for rules in subjects().values() for rule in rules if rule.number}
    assert used == set(number_formats().kinds)


@pytest.mark.parametrize(
    ("code", "held", "absent"),
    [
        ("HY001", "custody", "judgment"),
        ("CW013", "property", "custody"),
        ("YS037", "judgment", "aid"),
        ("ZX001", "sentence", "query"),
        ("SJ006", "correction", "query"),
        ("FY001", "aid", "property"),
        ("SJG05", "query", "custody"),
        ("MS003", "organization", "custody"),
        ("DB005", "measure", "property"),
        ("YJ001", "limit", "aid"),
    ],
)
def test_a_node_holds_what_its_matter_needs_and_not_another_ones(code: str, held: str, absent: str) -> None:
    schema = schema_of(BY_CODE[code])
    assert held in schema.subjects
    assert absent not in schema.subjects


@pytest.mark.parametrize(
    "code", sorted(code for code in person_effects() if any(e.given for e in person_effects()[code]))
)
def test_the_flags_that_decide_what_becomes_of_a_person_are_flags_of_the_node(code: str) -> None:
    for effect in person_effects()[code]:
        if effect.given is not None:
            assert schema_of(BY_CODE[code]).fields[effect.given.key].type == "flag"


def test_a_node_that_a_site_adds_has_a_schema_by_the_same_rules() -> None:
    own = replace(BY_CODE["HY001"], code="ZZ999")
    assert (schema_of(own).node, schema_of(own).subjects) == ("ZZ999", schema_of(BY_CODE["HY001"]).subjects)
