"""Numbers are compared in one form, read into their parts, and refused only where the form itself is the rule."""

import csv
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.data.number_formats import NumberFormat, normalise, number_formats, read_number

SHARED = Path(os.environ.get("CASEMESH_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared")).resolve()
FORMATS = {form.id: form for form in number_formats().formats}
each_format = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)


@each_format
def test_an_example_has_its_form_and_stands(form: NumberFormat) -> None:
    assert form.examples
    for example in form.examples:
        reading = read_number(example, form.kind)
        assert (form.id, True, example) == (reading.format, reading.stands, reading.original)


@each_format
def test_what_a_format_refuses_does_not_stand(form: NumberFormat) -> None:
    for number in form.refused:
        assert not read_number(number, form.kind).stands


@each_format
def test_a_number_is_recognised_by_its_looks_unless_its_kind_has_none(form: NumberFormat) -> None:
    expected = "" if number_formats().kinds[form.kind].opaque else form.id
    assert [expected] * len(form.examples) == [read_number(example).format for example in form.examples]


@pytest.mark.parametrize(
    "written", ["（2024）闽0105刑初12号", "〔２０２４〕闽０１０５刑初 12 号", "[2024]闽0105刑初12号\u200b"]
)
def test_ways_of_writing_a_number_compare_equal(written: str) -> None:
    assert normalise(written) == "(2024)闽0105刑初12号"


@given(st.text(max_size=40))
def test_normalising_again_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(max_size=40), st.sampled_from(["", *number_formats().kinds]))
def test_any_text_can_be_read_and_the_original_is_kept(text: str, kind: str) -> None:
    reading = read_number(text, kind)
    assert reading.original == text
    assert bool(reading.format) or [finding.reason for finding in reading.findings] == ["NUMBER_FORM_UNKNOWN"]


@given(st.sampled_from("0123456789X"), st.integers(0, 16), st.sampled_from("0123456789"))
def test_one_mistyped_character_of_an_identity_number_is_noticed(check: str, place: int, digit: str) -> None:
    number = "11010519491231002X"
    mistyped = number[:place] + digit + number[place + 1 : 17] + check
    changed = (number[place] != digit) + (check != "X")
    if changed == 1:
        assert not read_number(mistyped, "citizen-id").stands
    elif not changed:
        assert read_number(mistyped, "citizen-id").findings == ()


def test_a_lower_case_check_character_is_the_same_number() -> None:
    assert read_number("11010519491231002x", "citizen-id").findings == ()


def test_parts_are_named() -> None:
    reading = read_number("（2024）闽0105刑初12号")
    assert {"year": "2024", "court": "闽0105", "type": "刑初", "serial": "12"} == dict(reading.parts)


@pytest.mark.parametrize(
    ("number", "reasons"),
    [
        ("110105491231002", ["NUMBER_OLD_FORM"]),
        # A division that was retired long ago, and one that never was.
        ("310225199001010019", []),
        ("99010519491231002X", ["NUMBER_CHECK_WRONG"]),
        ("200105491231002", ["NUMBER_PROVINCE_UNKNOWN", "NUMBER_OLD_FORM"]),
        ("12345", ["NUMBER_FORM_UNKNOWN"]),
    ],
)
def test_a_finding_says_what_is_odd(number: str, reasons: list[str]) -> None:
    assert reasons == [finding.reason for finding in read_number(number, "citizen-id").findings]


def test_an_unknown_form_is_refused_only_where_the_form_is_the_rule() -> None:
    refused = {kind for kind in number_formats().kinds if not read_number("甲" * 70, kind).stands}
    assert refused == {"citizen-id", "credit-code"}
    assert read_number("甲" * 70).stands


def test_a_wrong_check_inside_a_credit_code_is_a_warning() -> None:
    # The organisation's part is mistyped, the whole code's check is recomputed over it.
    stems = [f"9111010855138508{digit}" for digit in "013456789"]
    symbols = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    for stem in stems:
        total = sum(symbols.index(symbol) * pow(3, place, 31) for place, symbol in enumerate(stem))
        reading = read_number(stem + symbols[-total % 31], "credit-code")
        assert [finding.reason for finding in reading.findings] == ["NUMBER_ORGANIZATION_CHECK_WRONG"]
        assert reading.stands


def test_every_finding_has_a_remedy_in_both_languages() -> None:
    assert all(finding.zh and finding.en.isascii() for finding in number_formats().findings.values())


@pytest.mark.parametrize(
    ("table", "column", "unread"),
    [
        ("court_case_numbers_observed.csv", "case_number", 2),
        ("procuratorate_doc_numbers_observed.csv", "document_number", 0),
    ],
)
def test_observed_numbers_have_a_known_form(table: str, column: str, unread: int) -> None:
    path = SHARED / "domain" / "codes" / table
    if not path.is_file():
        pytest.skip(f"no observed numbers at {path}; set CASEMESH_SHARED to where they are")
    with path.open(encoding="utf-8", newline="") as file:
        numbers = [row[column] for row in csv.DictReader(file)]
    assert unread == sum(not read_number(number).format for number in numbers)
