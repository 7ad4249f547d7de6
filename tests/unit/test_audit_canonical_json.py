"""Canonical JSON: one value, one sequence of bytes, and nothing that readers could take two ways."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from casemesh.client.canonical_json import (
    MAX_DEPTH,
    MAX_INTEGER,
    CanonicalJsonError,
    Json,
    dumps,
    loads,
    loads_canonical,
)
from tests.support.shared_vectors import vector_file

VECTORS = ("arrays", "french", "structures", "unicode", "values", "weird")

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(min_value=-MAX_INTEGER, max_value=MAX_INTEGER) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("name", VECTORS)
def test_the_library_gives_the_published_canonical_form(name: str) -> None:
    expected = vector_file(f"jcs/output/{name}.json").read_bytes()
    assert expected == rfc8785.dumps(json.loads(vector_file(f"jcs/input/{name}.json").read_text()))


@pytest.mark.parametrize("name", VECTORS)
def test_published_values_are_canonical_here_too_unless_they_hold_floats(name: str) -> None:
    source = vector_file(f"jcs/input/{name}.json").read_bytes()
    if name in ("structures", "values"):
        with pytest.raises(CanonicalJsonError, match="floats"):
            loads(source)
    else:
        assert vector_file(f"jcs/output/{name}.json").read_bytes() == dumps(loads(source))


@given(values)
def test_a_value_survives_its_canonical_form(value: Json) -> None:
    assert value == loads_canonical(dumps(value))


@given(values)
def test_layout_does_not_change_the_canonical_form(value: Json) -> None:
    assert dumps(value) == dumps(loads(json.dumps(value, indent=3, ensure_ascii=True)))


def test_keys_are_sorted_by_utf_16_code_units() -> None:
    # U+1F600 starts with the code unit D83D and so comes before U+FB33, against the order of code points.
    assert dumps({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ('{"a":1,"a":1}', "twice"),
        ('{"a":{"b":1,"b":2}}', "twice"),
        ('{"a":1,"\\u0061":2}', "twice"),
        ("1.0", "floats"),
        ("1e3", "floats"),
        ("NaN", "floats"),
        ("-Infinity", "floats"),
        ("9007199254740992", "strings"),
        ("-9007199254740992", "strings"),
        ("9" * 100_000, "strings"),
        ('"\\ud800"', "surrogate"),
        ('{"\\udc00":1}', "surrogate"),
        ("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), "nested"),
        ("[" * 100_000, "nested"),
        ('{"a":1} x', "not JSON"),
        ("", "not JSON"),
    ],
)
def test_text_that_readers_could_take_two_ways_is_refused(source: str, reason: str) -> None:
    with pytest.raises(CanonicalJsonError, match=reason):
        loads(source)


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(CanonicalJsonError, match="UTF-8"):
        loads(b'"\xff"')
    with pytest.raises(CanonicalJsonError, match="not JSON"):
        loads(b'\xef\xbb\xbf"byte order mark"')


@pytest.mark.parametrize(
    "value", [1.5, {"a": float("nan")}, MAX_INTEGER + 1, {1: "a"}, "\ud800", {"\udfff": 1}, b"bytes", {"a", "b"}]
)
def test_values_outside_the_signed_subset_are_refused(value: object) -> None:
    with pytest.raises(CanonicalJsonError):
        dumps(value)  # type: ignore[arg-type]


def test_the_deepest_value_allowed_is_allowed() -> None:
    deep: Json = "x"
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert deep == loads_canonical(dumps(deep))
    with pytest.raises(CanonicalJsonError, match="nested"):
        dumps([deep])


@pytest.mark.parametrize("data", [b'{"b":1,"a":2}', b'{ "a":1}', b'"\\u0061"', b"-0", b'{"a":1}\n'])
def test_another_spelling_of_a_value_is_not_canonical(data: bytes) -> None:
    with pytest.raises(CanonicalJsonError, match="canonical"):
        loads_canonical(data)
